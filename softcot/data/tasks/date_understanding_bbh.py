"""``date-understanding-bbh``: the 250 of BIG-bench's dates that BIG-Bench Hard has."""

import re

from softcot.data.rows import RawRow, ReadRow, multiple_choice
from softcot.data.stored import Hub, StoredProblems
from softcot.data.task import Task
from softcot.data.tasks.date_understanding import rows

_OPTION = re.compile(r"^\(([A-Z])\) (.+)$", re.MULTILINE)


def read(row: RawRow) -> ReadRow:
    """A question whose options stand below it, lettered, and the right letter in parentheses."""
    question, _, listed = row["input"].partition("\nOptions:\n")
    options = dict(_OPTION.findall(listed))
    right = [place for place, letter in enumerate(options) if f"({letter})" == row["target"]]
    return multiple_choice(question, list(options.values()), right)


TASK = Task(
    name="date-understanding-bbh",
    title="Date Understanding of BIG-Bench Hard",
    answer_kind="letter",
    source=StoredProblems(
        files={"test": "date_understanding/bbh.json"},
        rows=rows,
        read=read,
        # Not pinned yet: no commit of it could be looked up where this was written.
        hub=Hub("lukaemon/bbh", {"test": "test"}, config="date_understanding"),
    ),
    projection="gsm8k",
    place=5,
)
