"""``free``: questions that a user types, behind the tasks that have problems of their own."""

from softcot.data.task import Task

TASK = Task(name="free", title="Your own question", answer_kind="any", place=100)
