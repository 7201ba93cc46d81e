"""The tasks: every file of this folder defines one, as `TASK`, and nothing else names it."""

from __future__ import annotations

import os
import pkgutil
from importlib import import_module
from pathlib import Path

from softcot.data.stored import StoredProblems
from softcot.data.task import GeneratedProblems, ProblemSource, Task
from softcot.support.errors import UserError

__all__ = [
    "BENCHMARK_TASKS",
    "FREE",
    "TASKS",
    "TASKS_VARIABLE",
    "PROBE_TASKS",
    "GeneratedProblems",
    "ProblemSource",
    "Task",
    "discover",
    "discover_own",
    "get_task",
    "training_tasks",
]

TASKS_VARIABLE = "SOFTCOT_TASKS"
"""The environment variable that names a folder of the user's own tasks."""

TASKS: dict[str, Task] = {}
"""The tasks that need no data: those whose problems are made up, and free text."""

BENCHMARK_TASKS: dict[str, Task] = {}
"""The tasks on real data sets, the paper's first."""

PROBE_TASKS: dict[str, Task] = {}
"""The tasks that measure what thoughts carry, for any pair."""


def get_task(name: str) -> Task:
    """The task called ``name``.

    Raises:
        UserError: There is none; the message lists those there are.
    """
    tasks = TASKS | BENCHMARK_TASKS | PROBE_TASKS
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


def discover(folder: str | Path) -> None:
    """Add the task of every Python file of a folder, as if the files were in this one.

    Raises:
        UserError: There is no such folder, a file defines no task, or a name is taken.
    """
    path = str(Path(folder).resolve())
    if path in __path__:
        return
    if not Path(path).is_dir():
        raise UserError(f"There is no folder {folder}; name one that holds files with tasks.")
    __path__.append(path)
    _register(path)


def discover_own() -> None:
    """Add the tasks of the folder that SOFTCOT_TASKS names, if the user has set it.

    Raises:
        UserError: As `discover`.
    """
    if folder := os.environ.get(TASKS_VARIABLE):
        discover(folder)


def _register(folder: str) -> None:
    for found in pkgutil.iter_modules([folder]):
        file = f"The file {found.name}.py in {folder}"
        task = getattr(import_module(f"{__name__}.{found.name}"), "TASK", None)
        if not isinstance(task, Task):
            raise UserError(f"{file} defines no task; let it say TASK = Task(...).")
        if task.name in TASKS | BENCHMARK_TASKS | PROBE_TASKS:
            raise UserError(
                f"{file} defines a second task {task.name!r}; rename the file and the task."
            )
        stored = isinstance(task.source, StoredProblems)
        group = PROBE_TASKS if task.probe else BENCHMARK_TASKS if stored else TASKS
        group[task.name] = task
    for group in (TASKS, BENCHMARK_TASKS, PROBE_TASKS):
        ordered = sorted(group.items(), key=lambda item: (item[1].place, item[0]))
        group.clear()
        group.update(ordered)


_register(__path__[0])
FREE = TASKS["free"]
"""Questions that a user types."""
