"""How far a fetch is, and how it is told to stop."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
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


def digest(
    path: Path, file: str, progress: Progress = silent, should_stop: ShouldStop = never
) -> str:
    """The SHA-256 of a file as hexadecimal text.

    Args:
        path: The file.
        file: What it is called in the progress.
        progress: Is told how far it is.
        should_stop: Says whether to stop.

    Raises:
        Stopped: It was told to stop.
    """
    found, total = hashlib.sha256(), path.stat().st_size
    with path.open("rb") as data:
        while block := data.read(BLOCK):
            found.update(block)
            progress(Fetching("checking", file, data.tell(), total))
            check_stop(should_stop)
    return found.hexdigest()
