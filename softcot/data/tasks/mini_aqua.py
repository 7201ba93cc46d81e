"""``mini-aqua``: a chain of arithmetic instructions with five options to choose from."""

from softcot.data.families.aqua import FAMILY
from softcot.data.task import GeneratedProblems, Task

TASK = Task(
    name=FAMILY.name,
    title="Multiple choice",
    answer_kind=FAMILY.answer_kind,
    source=GeneratedProblems(FAMILY.problem),
    projection=FAMILY.name,
    place=3,
)
