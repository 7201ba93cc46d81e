"""``aqua-paper``: all 254 test questions of AQuA, as the paper has them."""

from dataclasses import replace

from softcot.data.rows import RawRow, ReadRow, json_rows
from softcot.data.stored import StoredProblems
from softcot.data.task import Task
from softcot.data.tasks import aqua


def read(row: RawRow) -> ReadRow:
    """A question with the letter that the file calls right, also where a second option equals it.

    There are four such questions, in which whoever calculates well may be told wrong.
    """
    return replace(aqua.read(row), several=False)


TASK = Task(
    name="aqua-paper",
    title="AQuA, the paper's test set",
    answer_kind="letter",
    source=StoredProblems(
        files={"test": "aqua/test.json"},
        rows=json_rows,
        read=read,
        hub=replace(aqua.HUB, splits={"test": "test"}),
    ),
    projection="aqua",
    place=3,
)
