"""Spaces that lend a GPU for one call at a time (ZeroGPU); everywhere else nothing happens here.

There, a decorated function runs in a process of its own, a copy of the one that serves the page:
what it is given and what it gives back is pickled, and what it changes stays behind. So it is a
closure that finds the models by itself, and an event that is set outside does not reach it. A
failure there is told only by its name; what a user has to read comes back as a value instead. The
package `spaces` has to be imported before anything uses the GPU.
"""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from softcot.decoding.backend import Alone
from softcot.models.loading import gpu_is_lent
from softcot.support.errors import UserError
from softcot.support.presets import MAX_NEW_TOKENS
from softcot.thoughts.projection import Projection
from softcot.web.explorer import Explorer

try:
    import spaces
except ImportError:
    spaces = None

Work = TypeVar("Work", bound=Callable)

LONGEST = 120
"""Seconds that are asked for at most: what a visitor without an account has in a day."""

START, STEP, ROWS = 5.0, 0.06, 64
"""Seconds before the first token, seconds a token, and rows that are decoded as fast as one."""


def lends() -> bool:
    """Whether this is a Space whose GPU is lent call by call."""
    return spaces is not None and gpu_is_lent()


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


@dataclass(frozen=True)
class Refusal:
    """A `UserError` on its way between two processes."""

    sentence: str


def _answer_seconds(asked: Any) -> int:
    return seconds(asked.sampling.max_new_tokens, len(asked.requests) * asked.samples)


STREAMS: dict[str, Callable[..., int]] = {
    "answers": _answer_seconds,
    "intervene": lambda *_: seconds(MAX_NEW_TOKENS, 4),
    "try_edits": lambda *_: LONGEST,
    "sweep": lambda *_: LONGEST,
}
"""Work of an explorer that comes frame by frame, with how long it takes at most."""

CALLS: dict[str, Callable[..., int]] = {
    "explore": lambda *_: seconds(1),
    "save": lambda *_: seconds(1),
    "inspect": lambda *_: seconds(MAX_NEW_TOKENS),
    "trajectories": lambda *_: LONGEST,
}
"""The same for what comes at once."""


def on_loan(explorer: Explorer) -> Explorer:
    """The explorer, where need be as one that borrows a GPU for all that runs a model."""
    if spaces is None:
        return explorer
    explorer = copy.copy(explorer)
    explorer.backend = Alone()  # a call has a process of its own, where there are no other threads
    borrowing = copy.copy(explorer)
    for name, duration in CALLS.items():
        setattr(borrowing, name, _call(getattr(explorer, name), duration))
    for name, duration in STREAMS.items():
        setattr(borrowing, name, _stream(getattr(explorer, name), duration))

    def using(projection: Projection | None) -> Explorer:
        return borrowing if projection is None else on_loan(explorer.using(projection))

    setattr(borrowing, "using", using)  # noqa: B010, as all of its work
    return borrowing


def _call(work: Callable, duration: Callable[..., int]) -> Callable:
    @gpu_work(duration)
    def there(*args: Any) -> Any:
        try:
            return work(*args)
        except UserError as error:
            return Refusal(str(error))

    return lambda *args: _heard(there(*args))


def _stream(work: Callable, duration: Callable[..., int]) -> Callable:
    @gpu_work(duration)
    def there(*args: Any) -> Iterator[Any]:
        try:
            yield from work(*args)
        except UserError as error:
            yield Refusal(str(error))

    def here(*args: Any) -> Iterator[Any]:
        for frame in there(*args):
            yield _heard(frame)

    return here


def _heard(value: Any) -> Any:
    if isinstance(value, Refusal):
        raise UserError(value.sentence)
    return value
