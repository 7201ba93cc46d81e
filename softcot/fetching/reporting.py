"""How far a fetch is, and how it is told to stop."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

Stage = Literal["downloading", "checking", "converting"]

BLOCK = 1 << 23
"""Bytes that are read at once; a stop waits for no more."""


@dataclass(frozen=True)
class Fetching:
    """How far a fetch is with one of its files."""

    stage: Stage
    file: str
    """Name of the file that is fetched in the end, whatever it comes in."""
    done: int
    """Bytes, or tensors while it is converted."""
    total: int
    """Likewise; while it is downloaded, about."""


Progress = Callable[[Fetching], None]
"""Is told how far a fetch is, a few times a second."""

ShouldStop = Callable[[], bool]
"""Says whether a fetch should end early; asked a few times a second."""


def silent(state: Fetching) -> None:
    """The progress that nobody sees."""


def never() -> bool:
    """The stop that is never asked for."""
    return False


class Stopped(Exception):
    """A fetch was told to stop; what it has is used by the next one."""


class Unavailable(Exception):
    """A place cannot give a file; the message is a clause with the place as its subject."""


def check_stop(should_stop: ShouldStop) -> None:
    """End a fetch that was told to stop.

    Raises:
        Stopped: It was.
    """
    if should_stop():
        raise Stopped


def digest(path: Path, read: Callable[[int], None] = lambda count: None) -> str:
    """The SHA-256 of a file as hexadecimal text; `read` is told of the bytes of every block."""
    found = hashlib.sha256()
    with path.open("rb") as data:
        while block := data.read(BLOCK):
            found.update(block)
            read(len(block))
    return found.hexdigest()


class Checking:
    """What `digest` is to tell: how much of several files was compared, and whether to stop."""

    def __init__(self, file: str, total: int, progress: Progress, should_stop: ShouldStop) -> None:
        self.state = Fetching("checking", file, 0, total)
        self.progress, self.should_stop = progress, should_stop

    def __call__(self, count: int) -> None:
        """Add the bytes of a block.

        Raises:
            Stopped: The fetch was told to stop.
        """
        self.state = replace(self.state, done=self.state.done + count)
        self.progress(self.state)
        check_stop(self.should_stop)
