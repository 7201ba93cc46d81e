"""What a long command shows of itself, and how it is interrupted."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, Self

if TYPE_CHECKING:
    from tqdm import tqdm


class Bar:
    """A progress bar on stderr, a new one whenever what is counted changes."""

    def __init__(self, unit_scale: bool = False) -> None:
        """A bar; with `unit_scale` it counts in thousands, millions and so on."""
        self._unit_scale = unit_scale
        self._counted: tuple[str, int] | None = None
        self._bar: tqdm[NoReturn] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, title: str, done: int, total: int, **facts: float | None) -> None:
        """Draw `done` of `total`, with numbers worth watching behind it."""
        if self._bar is None or self._counted != (title, total):
            self._bar = self._next(title, done, total)
        known = {name: f"{value:.4f}" for name, value in facts.items() if value is not None}
        self._bar.set_postfix(known, refresh=False)
        self._bar.update(done - self._bar.n)

    def say(self, what: str) -> None:
        """Name behind the bar what is done between two of the things that it counts."""
        if self._bar is not None:
            self._bar.set_postfix_str(what)

    def _next(self, title: str, done: int, total: int) -> "tqdm[NoReturn]":
        """A bar in place of the last one."""
        from tqdm import tqdm

        self.__exit__()
        self._counted = (title, total)
        return tqdm(
            desc=title,
            total=total,
            initial=done,
            dynamic_ncols=True,
            unit_scale=self._unit_scale,
        )


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C ask for an end and the second one force it.

    Yields:
        Whether an end was asked for.
    """
    asked = threading.Event()

    def ask_to_stop(number: int, frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)
        print("\nStopping; press Ctrl-C again to drop what is not saved.", file=sys.stderr)

    before = signal.signal(signal.SIGINT, ask_to_stop)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
