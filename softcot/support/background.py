"""Work that tells how far it is, as a stream."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

THREAD = "softcot-work"
"""Name of the threads that are started here."""


def streamed(
    work: Callable[[Callable[[Any], None]], Any], stop: threading.Event
) -> Iterator[tuple[bool, Any]]:
    """Run `work` in a thread of its own.

    Args:
        work: Gets a function to call with whatever it has to tell, and returns its result.
        stop: Set when nobody reads any more; `work` should then come to its end.

    Yields:
        (False, told) for everything told, and (True, result) in the end.

    Raises:
        Exception: What `work` raised.
    """
    told: queue.SimpleQueue[tuple[bool, Any, Exception | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            told.put((True, work(lambda news: told.put((False, news, None))), None))
        except Exception as error:
            told.put((True, None, error))

    thread = threading.Thread(target=run, name=THREAD, daemon=True)
    thread.start()
    try:
        done = False
        while not done:
            done, news, error = told.get()
            if error:
                raise error
            yield done, news
    finally:
        stop.set()
        thread.join()
