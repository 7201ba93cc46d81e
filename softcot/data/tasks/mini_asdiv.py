"""``mini-asdiv``: one or two steps in many situations: comparing, units, sharing, rates."""

from softcot.data.families.asdiv import FAMILY
from softcot.data.task import GeneratedProblems, Task

TASK = Task(
    name=FAMILY.name,
    title="Everyday sums",
    answer_kind=FAMILY.answer_kind,
    source=GeneratedProblems(FAMILY.problem),
    projection=FAMILY.name,
    place=2,
)
