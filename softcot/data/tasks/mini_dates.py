"""``mini-dates``: which day is it, with five options to choose from."""

from softcot.data.families.dates import FAMILY
from softcot.data.task import GeneratedProblems, Task

TASK = Task(
    name=FAMILY.name,
    title="Dates",
    answer_kind=FAMILY.answer_kind,
    # As in the paper, it is only evaluated, with the projection of the word problems.
    source=GeneratedProblems(FAMILY.problem, splits=("validation", "test")),
    projection="mini-gsm",
    place=5,
)
