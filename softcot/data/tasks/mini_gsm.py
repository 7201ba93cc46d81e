"""``mini-gsm``: word problems of two to four steps about somebody's collection."""

from softcot.data.families.gsm import FAMILY
from softcot.data.task import GeneratedProblems, Task

TASK = Task(
    name=FAMILY.name,
    title="Word problems",
    answer_kind=FAMILY.answer_kind,
    source=GeneratedProblems(FAMILY.problem),
    projection=FAMILY.name,
    place=1,
)
