"""``mini-notes-2``: ``mini-notes`` with notes of two facts, to be measured."""

from softcot.data.families.notes import facts_problem
from softcot.data.task import GeneratedProblems, Task

TASK = Task(
    name="mini-notes-2",
    title="Notes of two facts",
    answer_kind="any",
    source=GeneratedProblems(facts_problem("mini-notes-2", [2]), ("validation", "test")),
    projection="mini-notes",
    probe=True,
    place=42,
)
