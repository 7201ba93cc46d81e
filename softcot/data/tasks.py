"""The tasks: what a problem looks like, how its answer is read, which projection serves it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from softcot.data.benchmarks import BENCHMARKS, StoredProblems
from softcot.data.families import FAMILIES
from softcot.data.problems import AnswerKind, Problem, Split, split_of
from softcot.support.errors import UserError


class ProblemSource(Protocol):
    """Where a task's problems come from."""

    def problem(self, split: Split, seed: int) -> Problem:
        """The problem that ``seed`` draws from ``split``, always the same one."""

    def problems(self, split: Split, count: int, seed: int) -> list[Problem]:
        """``count`` problems of ``split`` with different questions, or all if there are fewer."""


@dataclass(frozen=True)
class GeneratedProblems:
    """Problems that are made up when they are asked for, as many as anybody wants."""

    name: str
    """Name of the task, so that two tasks never draw the same random numbers."""
    draw: Callable[[random.Random], Problem]
    """Draws one problem of any split."""

    def problem(self, split: Split, seed: int) -> Problem:
        """The problem that ``seed`` draws from ``split``, always the same one."""
        return next(self._stream(split, f"one:{seed}"))

    def problems(self, split: Split, count: int, seed: int) -> list[Problem]:
        """``count`` problems of ``split`` with different questions, always the same ones."""
        found: dict[str, Problem] = {}
        stream = self._stream(split, f"set:{seed}")
        while len(found) < count:
            problem = next(stream)
            found.setdefault(problem.id, problem)
        return list(found.values())

    def _stream(self, split: Split, seed: str) -> Iterator[Problem]:
        rng = random.Random(f"{self.name}:{split}:{seed}")
        while True:
            problem = self.draw(rng)
            if split_of(problem.question) == split:
                yield problem


@dataclass(frozen=True)
class Task:
    """A family of problems with one kind of answer."""

    name: str
    title: str
    """A reader's name for it."""
    answer_kind: AnswerKind
    projection: str
    """Name of the projection that serves it: ``checkpoints/<pair>/projection-<projection>``."""
    splits: tuple[Split, ...] = ()
    """Splits that problems can be drawn from; empty for free text."""
    source: ProblemSource | None = None
    """Where its problems come from; none for free text."""

    def problem(self, split: Split, seed: int) -> Problem:
        """The problem that ``seed`` draws from ``split``, always the same one.

        Raises:
            UserError: The task has no such split, or its data set cannot be read.
        """
        return self._source(split).problem(split, seed)

    def problems(self, split: Split, count: int, seed: int = 0) -> list[Problem]:
        """``count`` problems of ``split`` with different questions, always the same ones.

        A data set that has fewer gives all it has; seed 0 takes its first ones.

        Raises:
            UserError: The task has no such split, or its data set cannot be read.
        """
        return self._source(split).problems(split, count, seed)

    def _source(self, split: Split) -> ProblemSource:
        if split not in self.splits or self.source is None:
            known = ", ".join(self.splits) or "none: it takes questions that you type"
            raise UserError(f"The task {self.name} has no split {split!r}; its splits are {known}.")
        return self.source


FREE = Task("free", "Your own question", "any", projection="all")

TASKS: dict[str, Task] = {
    family.name: Task(
        name=family.name,
        title=family.title,
        answer_kind=family.answer_kind,
        # As in the paper, the date task has no training split and borrows the word problems'.
        projection=family.name if family.has_training_split else "mini-gsm",
        splits=("train", "validation", "test")
        if family.has_training_split
        else ("validation", "test"),
        source=GeneratedProblems(family.name, family.problem),
    )
    for family in FAMILIES
} | {"free": FREE}
"""The tasks that need no data: the mini families, and free text."""

BENCHMARK_TASKS: dict[str, Task] = {
    benchmark.name: Task(
        name=benchmark.name,
        title=benchmark.title,
        answer_kind=benchmark.answer_kind,
        projection=benchmark.projection,
        splits=benchmark.splits,
        source=StoredProblems(benchmark),
    )
    for benchmark in BENCHMARKS
}
"""The tasks on real data sets."""


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
