"""``mini-notes``: one of one to eight facts that only the assistant is told, or the sum of two."""

from softcot.data.families.notes import facts_problem
from softcot.data.task import GeneratedProblems, Task

TASK = Task(
    name="mini-notes",
    title="Notes for the assistant",
    answer_kind="any",
    source=GeneratedProblems(facts_problem("mini-notes")),
    projection="mini-notes",
    probe=True,
    place=41,
)
