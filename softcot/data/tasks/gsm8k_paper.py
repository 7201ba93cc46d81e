"""``gsm8k-paper``: GSM8K with its worked answers as they are, then the answer in a box."""

from dataclasses import replace

from softcot.data.rows import RawRow, ReadRow, json_rows
from softcot.data.stored import StoredProblems
from softcot.data.task import Task
from softcot.data.tasks import gsm8k

BOXED = r"\boxed{{answer}}"
"""How the code that the paper released ends a worked answer, in addition."""


def read(row: RawRow) -> ReadRow:
    """A question, all of its worked answer with the line of ``####``, and the number behind it."""
    return replace(gsm8k.read(row), rationale=row["answer"].strip(), ending=BOXED)


TASK = Task(
    name="gsm8k-paper",
    title="GSM8K, the paper's worked answers",
    answer_kind="number",
    source=StoredProblems(files=gsm8k.FILES, rows=json_rows, read=read, hub=gsm8k.HUB),
    # Its own, trained on these answers.
    projection="gsm8k-paper",
    place=1,
)
