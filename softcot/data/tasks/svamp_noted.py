"""``svamp-noted``: SVAMP's question to the base alone; its story is told to the assistant."""

import re
from dataclasses import replace

from softcot.data.rows import RawRow, ReadRow
from softcot.data.stored import StoredProblems
from softcot.data.tasks import svamp


def read(row: RawRow) -> ReadRow:
    """The question, the story as a note, and the sum that answers it."""
    whole = svamp.read(row)
    # Stored as "( 76.0 - 25.0 )": every number a decimal, and all of it in parentheses.
    inner = row["Equation"].strip().removeprefix("(").removesuffix(")")
    equation = re.sub(r"\.0+\b", "", inner.replace("( ", "(").replace(" )", ")")).strip()
    return replace(
        whole,
        question=row["Question"].strip(),
        note=row["Body"].strip(),
        rationale=f"{equation} = {whole.answer}.",
    )


_SOURCE = svamp.TASK.source
assert isinstance(_SOURCE, StoredProblems), "SVAMP is a stored data set"
_FILE = _SOURCE.files["test"]

TASK = replace(
    svamp.TASK,
    name="svamp-noted",
    title="SVAMP, its story as a note",
    # Elsewhere all of it is for evaluation; a projection that has never met a note says nothing.
    # Variations of one story stand together in the file, so that few are in both parts.
    source=replace(
        _SOURCE,
        files={"train": _FILE, "test": _FILE},
        parts={"train": (0, 70), "test": (70, 100)},
        read=read,
        hub=replace(_SOURCE.hub, splits={"train": "train", "test": "test"}),
    ),
    projection="svamp-noted",
    probe=True,
)
