"""The tasks: every file of this folder defines one, as `TASK`, and nothing else names it."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from softcot.data.stored import StoredProblems
from softcot.data.task import GeneratedProblems, ProblemSource, Task
from softcot.support.errors import UserError

__all__ = [
    "BENCHMARK_TASKS",
    "FREE",
    "TASKS",
    "GeneratedProblems",
    "ProblemSource",
    "Task",
    "get_task",
    "training_tasks",
]

TASKS: dict[str, Task] = {}
"""The tasks that need no data: those whose problems are made up, and free text."""

BENCHMARK_TASKS: dict[str, Task] = {}
"""The tasks on real data sets, the paper's first."""


def get_task(name: str) -> Task:
    """The task called ``name``.

    Raises:
        UserError: There is none; the message lists those there are.
    """
    tasks = TASKS | BENCHMARK_TASKS
    if name not in tasks:
        raise UserError(f"There is no task {name!r}; the tasks are {', '.join(tasks)}.")
    return tasks[name]


def training_tasks(name: str) -> list[Task]:
    """The tasks that the projection called ``name`` is trained on: one, or all the mini ones.

    "all" are those that need no data and have a training split.

    Raises:
        UserError: There is no such task, or it has no training split.
    """
    if name == "all":
        return [task for task in TASKS.values() if "train" in task.splits]
    task = get_task(name)
    if "train" not in task.splits:
        raise UserError(f"The task {name} has no training split; train one that has, or 'all'.")
    return [task]


def _register(folder: str) -> None:
    """Add the task of every file of a folder, and put all of them in order."""
    for file in pkgutil.iter_modules([folder]):
        task = import_module(f"{__name__}.{file.name}").TASK
        group = BENCHMARK_TASKS if isinstance(task.source, StoredProblems) else TASKS
        group[task.name] = task
    for group in (TASKS, BENCHMARK_TASKS):
        ordered = sorted(group.items(), key=lambda item: (item[1].place, item[0]))
        group.clear()
        group.update(ordered)


_register(__path__[0])
FREE = TASKS["free"]
"""Questions that a user types."""
