"""``mini-dates``: which day is it, with five options to choose from."""

from softcot.data.families.dates import FAMILY
from softcot.data.task import GeneratedProblems, Task

TASK = Task(
    name=FAMILY.name,
    title="Dates",
    answer_kind=FAMILY.answer_kind,
    # As in the paper, it is only evaluated, with a projection of word problems: of the two there
    # are, the one that does less harm to its validation problems.
    source=GeneratedProblems(FAMILY.problem, splits=("validation", "test")),
    projection="mini-asdiv",
    place=5,
)
