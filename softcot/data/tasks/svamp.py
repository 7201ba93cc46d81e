"""``svamp``: SVAMP, word problems with varied wordings; all of it is for evaluation."""

from softcot.data.rows import RawRow, ReadRow, joined, json_rows, lone_number
from softcot.data.stored import Hub, StoredProblems
from softcot.data.task import Task


def read(row: RawRow) -> ReadRow:
    """A question, told before it is asked, and its number."""
    question = joined(row["Body"], row["Question"])
    return ReadRow(question, lone_number(str(row["Answer"])), source_id=row["ID"])


TASK = Task(
    name="svamp",
    title="SVAMP",
    answer_kind="number",
    source=StoredProblems(
        files={"test": "svamp/SVAMP.json"},
        rows=json_rows,
        read=read,
        # Not pinned yet: no commit of it could be looked up where this was written.
        hub=Hub("ChilleD/SVAMP", {"test": "train+test"}),
    ),
    projection="gsm8k",
    place=7,
)
