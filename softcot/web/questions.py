"""Where the page's questions come from: examples, drawn problems, donors, and those of trials."""

from __future__ import annotations

import random
from functools import cache

from softcot.data.problems import Problem
from softcot.data.tasks import FREE, TASKS, Task, get_task
from softcot.support.errors import UserError

EXAMPLES = 4
"""Problems shown for each task."""

EXAMPLES_SEED = 135
"""Chosen so that the first problem of every family shows what thoughts can do: hard CoT
gets it wrong and SoftCoT right. How often that is so, the records say."""

OTHERS = 32
"""Questions whose thoughts are compared with those of the one that is looked at."""

TRIAL_SEED = 7
"""Draws the problems of trials: the same ones every time, so that trials can be compared."""


@cache
def examples(task_name: str) -> list[Problem]:
    """Test problems to begin with: half of them need what the base has not read, if any do.

    Free text has no problems of its own and borrows one from every other task.
    """
    if task_name == FREE.name:
        return [examples(name)[0] for name in TASKS if name != FREE.name]
    drawn = get_task(task_name).problems("test", 10 * EXAMPLES, EXAMPLES_SEED)
    unread = [problem for problem in drawn if problem.meta.get("unread")][: EXAMPLES // 2]
    read = [problem for problem in drawn if not problem.meta.get("unread")]
    return unread + read[: EXAMPLES - len(unread)]


def draw(task_name: str, seed: int | None = None) -> Problem:
    """A problem of the task's test split; a different one every time without a seed.

    Raises:
        UserError: There is no such task, or it has no problems of its own.
    """
    return get_task(task_name).problem("test", _any_seed(seed))


def donor(task_name: str, question: str, seed: int | None = None) -> Problem:
    """Another question of the same kind, for its thoughts to be put in this one's place."""
    drawn = _donating(get_task(task_name)).problems("validation", 2, _any_seed(seed))
    return next(problem for problem in drawn if problem.question != question)


def others(task: Task) -> list[Problem]:
    """Other questions to compare thoughts with; of the same kind if it has any."""
    return _donating(task).problems("validation", OTHERS)


def tried(task: Task, count: int) -> list[Problem]:
    """Test problems for a trial.

    Raises:
        UserError: The task has none.
    """
    if not task.splits:
        raise UserError("A question of your own is one problem; choose a kind of problem.")
    return task.problems("test", count, TRIAL_SEED)


def placebos(task: Task) -> tuple[str, ...]:
    """Edits that no real one should be weaker than."""
    return ("noise", "mean") if "validation" in task.splits else ("noise", "zero")


def _donating(task: Task) -> Task:
    """The task whose questions lend their thoughts: free text has none and borrows."""
    return task if "validation" in task.splits else next(iter(TASKS.values()))


def _any_seed(seed: int | None) -> int:
    return random.randrange(2**31) if seed is None else seed
