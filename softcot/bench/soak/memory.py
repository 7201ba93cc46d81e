"""How much memory a server has, second by second."""

import statistics
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil

BEAT = 1.0
"""Seconds between two looks."""

PARTS = 10
"""Parts of a run; those of ten minutes are minutes."""

EARLY, LATE = 3, 10
"""The parts that are compared: what is needed once is there by the third."""


@contextmanager
def watched(process: int | None) -> Iterator[list[int]]:
    """Collect the bytes that a process and its children hold, as long as the block runs.

    Without a process there is nothing to see.
    """
    found: list[int] = []
    if process is None:
        yield found
        return
    done, server = threading.Event(), psutil.Process(process)

    def watch() -> None:
        while not done.wait(BEAT):
            found.append(resident(server))

    watcher = threading.Thread(target=watch, name="softcot-memory", daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()


def resident(server: psutil.Process) -> int:
    """Bytes of a process and its children; 0 once it has ended."""
    try:
        return sum(one.memory_info().rss for one in (server, *server.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def growth(bytes_held: Sequence[int]) -> float | None:
    """The mean of the last part of a run against that of the third; None where it is too short."""
    part = len(bytes_held) // PARTS
    if not part:
        return None
    early, late = (bytes_held[(n - 1) * part : n * part] for n in (EARLY, LATE))
    return statistics.fmean(late) / statistics.fmean(early)
