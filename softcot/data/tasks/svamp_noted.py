"""``svamp-noted``: SVAMP's question to the base alone; its story is told to the assistant."""

from dataclasses import replace

from softcot.data.rows import RawRow, ReadRow
from softcot.data.stored import StoredProblems
from softcot.data.tasks import svamp


def read(row: RawRow) -> ReadRow:
    """The question, and the story as a note."""
    whole = svamp.read(row)
    return replace(whole, question=row["Question"].strip(), note=row["Body"].strip())


_SOURCE = svamp.TASK.source
assert isinstance(_SOURCE, StoredProblems), "SVAMP is a stored data set"

TASK = replace(
    svamp.TASK,
    name="svamp-noted",
    title="SVAMP, its story as a note",
    source=replace(_SOURCE, read=read),
    probe=True,
)
