"""``mini-reworded``: word problems in other words than any training had."""

from softcot.data.families.reworded import FAMILY, RewordedProblems
from softcot.data.task import Task

TASK = Task(
    name=FAMILY.name,
    title="Reworded",
    answer_kind=FAMILY.answer_kind,
    source=RewordedProblems(FAMILY.problem),
    projection="all",
    probe=True,
    place=41,
)
