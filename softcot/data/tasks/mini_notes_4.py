"""``mini-notes-4``: ``mini-notes`` with notes of four facts, to be measured."""

from softcot.data.families.notes import facts_problem
from softcot.data.task import GeneratedProblems, Task

TASK = Task(
    name="mini-notes-4",
    title="Notes of four facts",
    answer_kind="any",
    source=GeneratedProblems(facts_problem("mini-notes-4", [4]), ("validation", "test")),
    projection="mini-notes",
    probe=True,
    place=42,
)
