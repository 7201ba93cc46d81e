"""``mini-notes-1``: ``mini-notes`` with notes of one fact, to be measured."""

from softcot.data.families.notes import facts_problem
from softcot.data.task import GeneratedProblems, Task

TASK = Task(
    name="mini-notes-1",
    title="Notes of one fact",
    answer_kind="any",
    source=GeneratedProblems(facts_problem("mini-notes-1", [1]), ("validation", "test")),
    projection="mini-notes",
    probe=True,
    place=42,
)
