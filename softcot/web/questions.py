"""Where the page's questions come from: examples, drawn problems, donors, and those of trials.

A pair of the laboratory knows the generated tasks alone, so it is offered those; others are offered
real ones. Where a real data set is not at hand, the problems that ship with the package take its
place: they are enough to look at, and no figure comes from them.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache

from softcot.data.problems import Problem, Split
from softcot.data.samples import sample_problems
from softcot.data.stored import StoredProblems
from softcot.data.tasks import BENCHMARK_TASKS, FREE, PROBE_TASKS, TASKS, Task, get_task
from softcot.support.errors import UserError

EXAMPLES = 4
"""Problems shown for each task."""

EXAMPLES_SEED = 524
"""Chosen so that the first problem of every family that is trained for shows what thoughts can do:
hard CoT gets it wrong and SoftCoT right. How often that is so, the records say."""

NOTES_SEED = 555
"""The same for `mini-notes`, of both pairs that have a projection for it."""

PICKED_FOR = "mini"
"""The pair whose answers chose the seed of all other kinds."""

PICKED = frozenset(
    name for name, task in TASKS.items() if name.startswith("mini-") and "train" in task.splits
)
"""Those kinds of problems whose first example was picked."""

NOTES = "mini-notes"
"""The kind of problems with facts that the assistant alone is told."""

REAL = ("gsm8k", "svamp", "aqua", "strategyqa")
"""Real tasks that are offered to pairs which are not the laboratory's."""

GENERATED = "mini-"
"""What the names of the laboratory's tasks begin with."""

OTHERS, FEWER_OTHERS = 32, 12
"""Questions whose thoughts are compared with those of the one that is looked at: where the models
are the laboratory's, and where they are larger."""

TRIAL_SEED = 7
"""Draws the problems of trials: the same ones every time, so that trials can be compared."""


@dataclass(frozen=True)
class SampleProblems:
    """Problems that ship with the package, in the place of a data set that is not at hand."""

    samples: tuple[Problem, ...]
    splits: tuple[Split, ...] = ("validation", "test")
    """They stand for both: nothing is learned from them, or measured on them."""

    def problem(self, task: str, split: Split, seed: int) -> Problem:
        """The sample that ``seed`` draws, always the same one."""
        return random.Random(f"{task}:{split}:one:{seed}").choice(self.samples)

    def problems(self, task: str, split: Split, count: int, seed: int) -> list[Problem]:
        """The first ``count`` for seed 0, else a sample of them; all if there are fewer."""
        rng = random.Random(f"{task}:{split}:set:{seed}")
        return (rng.sample(self.samples, len(self.samples)) if seed else [*self.samples])[:count]

    def left_out(self, task: str, split: Split) -> Mapping[str, int]:
        """None of them."""
        return {}


def offered(laboratory: bool = True) -> dict[str, Task]:
    """The tasks that a pair is asked, by name: the laboratory's own, or real ones."""
    if laboratory:
        return dict(TASKS)
    own = {name: task for name, task in TASKS.items() if not name.startswith(GENERATED)}
    return {name: BENCHMARK_TASKS[name] for name in REAL} | own


def whispered(trained: Collection[str]) -> dict[str, Task]:
    """The tasks on what only the assistant is told for which there is a projection, by name."""
    own = {name for name, task in PROBE_TASKS.items() if task.projection == name}
    return {
        name: PROBE_TASKS[name]
        for name in own
        if f"projection-{name}" in trained and _has_problems(PROBE_TASKS[name])
    }


def _has_problems(task: Task) -> bool:
    """Whether a problem can be drawn without asking anybody for a data set."""
    source = problems_of(task.name).source
    return not isinstance(source, StoredProblems) or source.at_hand


def picked(task_name: str, pair: str) -> bool:
    """Whether the first example is one that hard CoT gets wrong and SoftCoT right."""
    return task_name == NOTES or (pair == PICKED_FOR and task_name in PICKED)


def taught(laboratory: bool = True) -> dict[str, Task]:
    """The tasks that can be learned here, by name: those whose training problems are at hand."""
    tasks = offered(laboratory) | TASKS
    return {name: task for name, task in tasks.items() if "train" in problems_of(name).splits}


def problems_of(task_name: str) -> Task:
    """A task with problems that are at hand: its own, or the shipped ones in their place.

    Raises:
        UserError: There is no such task.
    """
    task = get_task(task_name)
    if isinstance(task.source, StoredProblems) and not task.source.at_hand:
        samples = sample_problems(task_name)
        return replace(task, source=SampleProblems(tuple(samples))) if samples else task
    return task


@cache
def examples(task_name: str, laboratory: bool = True) -> list[Problem]:
    """Problems to begin with: half of them need what the base has not read, if any do.

    Free text has no problems of its own: it has some that were written by hand, or borrows one from
    every other task.
    """
    if task_name == FREE.name:
        written = [] if laboratory else sample_problems(FREE.name)
        others = [name for name in offered(laboratory) if name != FREE.name]
        return written[:EXAMPLES] or [examples(name)[0] for name in others]
    seed = NOTES_SEED if task_name == NOTES else EXAMPLES_SEED
    drawn = problems_of(task_name).problems("test", 10 * EXAMPLES, seed)
    unread = [problem for problem in drawn if problem.meta.get("unread")][: EXAMPLES // 2]
    read = [problem for problem in drawn if not problem.meta.get("unread")]
    return unread + read[: EXAMPLES - len(unread)]


def draw(task_name: str, seed: int | None = None) -> Problem:
    """A problem of the task's test split; a different one every time without a seed.

    Raises:
        UserError: There is no such task, or it has no problems of its own.
    """
    return problems_of(task_name).problem("test", _any_seed(seed))


def donor(
    task_name: str, question: str, seed: int | None = None, laboratory: bool = True
) -> Problem:
    """Another question of the same kind, for its thoughts to be put in this one's place."""
    lending = _lending(problems_of(task_name), laboratory)
    drawn = lending.problems("validation", 2, _any_seed(seed))
    return next(problem for problem in drawn if problem.question != question)


def others(task: Task, laboratory: bool = True) -> list[Problem]:
    """Other questions to compare thoughts with; of the same kind if it has any."""
    count = OTHERS if laboratory else FEWER_OTHERS
    return _lending(problems_of(task.name), laboratory).problems("validation", count)


def tried(task: Task, count: int) -> list[Problem]:
    """Test problems for a trial.

    Raises:
        UserError: The task has none.
    """
    if not task.splits:
        raise UserError("A question of your own is one problem; choose a kind of problem.")
    return problems_of(task.name).problems("test", count, TRIAL_SEED)


def placebos(task: Task) -> tuple[str, ...]:
    """Edits that no real one should be weaker than."""
    return ("noise", "mean") if "validation" in task.splits else ("noise", "zero")


def _lending(task: Task, laboratory: bool) -> Task:
    """The task whose questions lend their thoughts: free text has none and borrows."""
    if "validation" in task.splits:
        return task
    return problems_of(next(iter(offered(laboratory))))


def _any_seed(seed: int | None) -> int:
    return random.randrange(2**31) if seed is None else seed
