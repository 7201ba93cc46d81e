"""``notes``: a number that only the assistant is told."""

from softcot.data.families.notes import note_problem
from softcot.data.task import GeneratedProblems, Task

TASK = Task(
    name="notes",
    title="Notes",
    answer_kind="number",
    source=GeneratedProblems(note_problem),
    projection="notes",
    probe=True,
    place=40,
)
