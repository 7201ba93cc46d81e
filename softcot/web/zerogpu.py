"""Spaces that lend a GPU for one call at a time (ZeroGPU); everywhere else nothing happens here.

There, a decorated function runs in a process of its own, a copy of the one that serves the page:
what it is given and what it gives back is pickled, and what it changes stays behind. So it must
be a bound method or a closure that finds the models by itself, it must give back plain data on
the CPU, and an event that is set outside does not reach it. The package `spaces` has to be
imported before anything uses the GPU.
"""

import math
from collections.abc import Callable
from typing import TypeVar

try:
    import spaces
except ImportError:
    spaces = None

Work = TypeVar("Work", bound=Callable)

LONGEST = 120
"""Seconds that are asked for at most: what a visitor without an account has in a day."""

START, STEP, ROWS = 5.0, 0.06, 64
"""Seconds before the first token, seconds a token, and rows that are decoded as fast as one."""


def gpu_work(duration: Callable[..., int]) -> Callable[[Work], Work]:
    """Run a function, or a generator, with a GPU for as long as `duration` says.

    Args:
        duration: Takes the arguments of the function and gives seconds; see `seconds`.
    """

    def decorate(work: Work) -> Work:
        return work if spaces is None else spaces.GPU(duration=duration)(work)

    return decorate


def seconds(new_tokens: int, rows: int = 1) -> int:
    """An estimate, rather too long, of the time that it takes to decode some rows together.

    Args:
        new_tokens: Of the longest answer.
        rows: Answers that are written side by side.

    Returns:
        Whole seconds, at most `LONGEST`.
    """
    rounds = max(1, math.ceil(rows / ROWS))
    return min(LONGEST, math.ceil(START + STEP * new_tokens * rounds))
