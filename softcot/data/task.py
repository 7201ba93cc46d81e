"""What a task is: its problems, how their answers are read, and which projection serves them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from softcot.data.problems import SPLITS, AnswerKind, Problem, Split, split_of
from softcot.support.errors import UserError

PATIENCE = 10_000
"""Problems drawn in a row without a new one, before there are taken to be no more."""


class ProblemSource(Protocol):
    """Where a task's problems come from."""

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that it has problems of."""

    def problem(self, task: str, split: Split, seed: int) -> Problem:
        """The problem that ``seed`` draws from ``split``, always the same one."""

    def problems(self, task: str, split: Split, count: int, seed: int) -> list[Problem]:
        """``count`` problems of ``split`` with different questions, or all if there are fewer."""

    def left_out(self, task: str, split: Split) -> Mapping[str, int]:
        """Reason -> problems of ``split`` that cannot be judged."""


@dataclass(frozen=True)
class GeneratedProblems:
    """Problems that are made up when they are asked for."""

    draw: Callable[[random.Random], Problem]
    """Draws one problem of any split."""
    splits: tuple[Split, ...] = SPLITS
    """The splits that are used."""

    def problem(self, task: str, split: Split, seed: int) -> Problem:
        """The problem that ``seed`` draws from ``split``, always the same one."""
        return next(self._different(task, split, f"one:{seed}"))

    def problems(self, task: str, split: Split, count: int, seed: int) -> list[Problem]:
        """``count`` problems of ``split`` with different questions, or all if there are fewer."""
        return list(islice(self._different(task, split, f"set:{seed}"), count))

    def left_out(self, task: str, split: Split) -> Mapping[str, int]:
        """None of them."""
        return {}

    def _different(self, task: str, split: Split, seed: str) -> Iterator[Problem]:
        """Problems with different questions, until none has been new for long."""
        rng = random.Random(f"{task}:{split}:{seed}")  # no two tasks draw the same numbers
        found: set[str] = set()
        fruitless = 0
        while fruitless < PATIENCE:
            problem = self.draw(rng)
            fruitless += 1
            if split_of(problem.heard) == split and problem.id not in found:
                found.add(problem.id)
                fruitless = 0
                yield problem
        if not found:
            raise UserError(f"The task {task} draws no {split} problem; let it draw more of them.")


@dataclass(frozen=True)
class Task:
    """A kind of problems with one kind of answer."""

    name: str
    title: str
    """A reader's name for it."""
    answer_kind: AnswerKind
    source: ProblemSource | None = None
    """Where its problems come from; none for free text."""
    projection: str = "all"
    """Name of the projection that serves it: ``checkpoints/<pair>/projection-<projection>``."""
    probe: bool = False
    """Whether it measures what thoughts carry; it is then named by who wants it, and no page's."""
    place: int = 50
    """Where it stands in lists, small numbers first: the paper's data sets have its order."""

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that problems can be drawn from; none for free text."""
        return self.source.splits if self.source else ()

    def problem(self, split: Split, seed: int) -> Problem:
        """The problem that ``seed`` draws from ``split``, always the same one.

        Raises:
            UserError: The task has no such split, or its data set cannot be read.
        """
        return self._source(split).problem(self.name, split, seed)

    def problems(self, split: Split, count: int, seed: int = 0) -> list[Problem]:
        """``count`` problems of ``split`` with different questions, always the same ones.

        A source that has fewer gives all it has; of a data set, seed 0 takes the first ones.

        Raises:
            UserError: The task has no such split, or its data set cannot be read.
        """
        return self._source(split).problems(self.name, split, count, seed)

    def left_out(self, split: Split) -> Mapping[str, int]:
        """Reason -> problems of ``split`` that cannot be judged, and so are never asked.

        Raises:
            UserError: The task has no such split, or its data set cannot be read.
        """
        return self._source(split).left_out(self.name, split)

    def _source(self, split: Split) -> ProblemSource:
        if self.source is None or split not in self.splits:
            known = ", ".join(self.splits) or "none: it takes questions that you type"
            raise UserError(f"The task {self.name} has no split {split!r}; its splits are {known}.")
        return self.source
