"""The problems of a training: drawn, read once, and dealt out in batches of like length."""

import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch

from softcot.data.problems import Problem, Split
from softcot.data.tasks import Task
from softcot.methods.objective import Objective
from softcot.models.memory import halved
from softcot.models.precision import SMALL
from softcot.support.processes import Processes
from softcot.thoughts.state_cache import load_states, save_states
from softcot.training.config import TrainingConfig

T = TypeVar("T")

PIECE, LARGE_PIECE = 8, 2
"""Problems that a CPU computes at once with a small base, where what they need fits its caches, and
with another, where a piece is about what others wait for. A GPU takes a batch."""

POOL = 16
"""Batches whose problems are sorted by length together: little padding, and still mixed."""


def batches(problems: Sequence[Problem], config: TrainingConfig) -> Iterator[list[int]]:
    """Numbers of problems in batches, without end: every epoch has each problem once."""
    pool = POOL * config.batch_size
    for epoch in itertools.count():
        rng = random.Random(f"{config.seed}/order/{epoch}")
        order = rng.sample(range(len(problems)), len(problems))
        found = []
        for start in range(0, len(order), pool):
            similar = sorted(order[start : start + pool], key=lambda i: _length(problems[i]))
            found += cut(similar, config.batch_size)
        rng.shuffle(found)
        yield from found


def _length(problem: Problem) -> int:
    return len(problem.question) + len(problem.target)


def cut(whole: list[T], size: int) -> list[list[T]]:
    """A list in parts of at most `size`."""
    return [whole[start : start + size] for start in range(0, len(whole), size)]


def draw(tasks: Sequence[Task], split: Split, count: int, seed: int) -> list[list[Problem]]:
    """`count` problems of a split, as many of every task, those of each task together."""
    share = math.ceil(count / len(tasks))
    return [task.problems(split, share, seed) for task in tasks]


@dataclass(frozen=True)
class Corpus:
    """Problems of one split and what was computed once about each."""

    problems: list[Problem]
    precomputed: torch.Tensor
    """float32[N, ...], on the CPU."""

    @classmethod
    def gather(
        cls, reader: "Reader", tasks: Sequence[Task], drawn: Sequence[list[Problem]]
    ) -> "Corpus":
        """Let each problem be read once; there is a list of them for each task."""
        read = [reader.read(task, problems) for task, problems in zip(tasks, drawn, strict=True)]
        return cls(list(itertools.chain.from_iterable(drawn)), torch.cat(read))

    def losses(self, objective: Objective, numbers: list[int], k: int) -> torch.Tensor:
        """Losses of the graded tokens of some problems at K, float32[N]."""
        problems = [self.problems[i] for i in numbers]
        return objective.losses(problems, self.precomputed[numbers], k)

    def graded(
        self, objective: Objective, numbers: list[int], k: int
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The same for a step: with what else it goes down, if there is such."""
        problems = [self.problems[i] for i in numbers]
        return objective.graded(problems, self.precomputed[numbers], k)

    def swapped(self) -> "Corpus":
        """The same problems, of each of which the assistant hears another one."""
        others = [self.problems[-1], *self.problems[:-1]]
        misheard = [own.mistaken_for(o) for own, o in zip(self.problems, others, strict=True)]
        return Corpus(misheard, self.precomputed.roll(1, dims=0))

    def pieces(
        self, objective: Objective, numbers: list[int], most: int | None = None
    ) -> list[list[int]]:
        """Some problems, or none, in parts of like length that are computed one by one.

        They have at most `most` problems each, where that is given.
        """
        base = objective.pair.base
        size = PIECE if base.model.num_parameters() < SMALL * 1e9 else LARGE_PIECE
        if base.device.type != "cpu":
            size = max(1, len(numbers))
        size = min(size, most or size)
        return cut(sorted(numbers, key=lambda i: objective.size(self.problems[i])), size)


@dataclass(frozen=True)
class Reader:
    """Computes what no step changes about problems, shared by all processes."""

    objective: Objective
    processes: Processes
    batch_size: int
    progress: Callable[[int, int], None]
    """Called after every batch with the batches done and all batches of this process."""
    cache: Path | None = None
    """Folder that keeps it for the next training."""

    def read(self, task: Task, problems: Sequence[Problem]) -> torch.Tensor:
        """What the objective computes once about each problem, from the cache if it is there.

        Returns:
            float32[N, ...] on the CPU.
        """
        objective = self.objective
        file = objective.cache_file(self.cache, task, problems) if self.cache else None
        shape = (len(problems), objective.max_thoughts, objective.pair.assistant.width)
        known = load_states(file, shape) if file else None
        # All processes compute, or none: they wait for one another.
        lacking = self.processes.any(known is None)
        if known is not None and not lacking:
            return known
        computed = self.compute(task, problems)
        if file and self.processes.main:
            save_states(file, computed)
        return computed

    def compute(self, task: Task, problems: Sequence[Problem]) -> torch.Tensor:
        """The same without the cache."""
        # Fixed batches, whatever the training does later: a resumed one finds the same bits.
        order = sorted(range(len(problems)), key=lambda i: len(problems[i].heard))
        mine, computed = self.processes.share(list(enumerate(cut(order, self.batch_size)))), []
        for done, (place, numbers) in enumerate(mine, start=1):
            batch = [problems[i] for i in numbers]
            found = halved(lambda part: self.objective.precompute(task, part).cpu(), batch)
            computed.append((place, torch.cat(found)))
            self.progress(done, len(mine))
        return torch.cat(self.processes.gathered(computed))[torch.tensor(order).argsort()]
