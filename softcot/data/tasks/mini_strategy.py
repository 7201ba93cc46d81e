"""``mini-strategy``: yes or no, from two facts about entities of the invented encyclopedia."""

from softcot.data.families.strategy import FAMILY
from softcot.data.task import GeneratedProblems, Task

TASK = Task(
    name=FAMILY.name,
    title="Yes or no",
    answer_kind=FAMILY.answer_kind,
    source=GeneratedProblems(FAMILY.problem),
    projection=FAMILY.name,
    place=4,
)
