"""``mini-notes-8``: ``mini-notes`` with notes of eight facts, to be measured."""

from softcot.data.families.notes import facts_problem
from softcot.data.task import GeneratedProblems, Task

TASK = Task(
    name="mini-notes-8",
    title="Notes of eight facts",
    answer_kind="any",
    source=GeneratedProblems(facts_problem("mini-notes-8", [8]), ("validation", "test")),
    projection="mini-notes",
    probe=True,
    place=42,
)
