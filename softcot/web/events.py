"""How the page's events are queued, and how often a running one is shown."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import gradio as gr
from gradio.context import LocalContext

from softcot.models.loading import gpu_is_lent
from softcot.support.errors import UserError

T = TypeVar("T")

AT_WORK = 1 if gpu_is_lent() else 32
"""Visitors who are answered at the same time; a GPU that is lent has one call at a time."""

LANE: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": AT_WORK}
"""Everything that a visitor waits for and that runs a model. Who comes when all places are taken
is told a place in the queue."""

LONG: dict[str, Any] = {"concurrency_id": "long", "concurrency_limit": 2 if AT_WORK > 1 else 1}
"""What takes long, such as a sweep; it gives way to all that is in the other lane."""

QUEUED = 256
"""Events that may wait for a place in their lane."""

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
"""The page's own events: no endpoint, and no spinner over what is being read."""

AT_ONCE: dict[str, Any] = PRIVATE | {"concurrency_limit": None, "trigger_mode": "always_last"}
"""Events that run no model and so need not wait: K moves while an answer is being written."""

HURRY = 2.0
"""Seconds that a run is given to end before the next one of the same visitor starts."""

FRAME = 0.08
"""Seconds between two pictures of a running answer: often enough to read along."""


def paced(frames: Iterator[T], clock: Callable[[], float] = time.monotonic) -> Iterator[T]:
    """The frames as often as a reader can follow, and always the last one.

    Once nobody reads, each: Gradio ends what nobody waits for when it is given the next one.
    """
    shown, held, gone = float("-inf"), [], Departure()
    for frame in frames:
        held = [frame]
        if clock() - shown > FRAME or gone.is_set():
            shown, held = clock(), []
            yield frame
    yield from held


class Departure(threading.Event):
    """Set to end what the present event began; set, too, once nobody waits for that any more."""

    def __init__(self) -> None:
        super().__init__()
        blocks, number = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
        self._awaited = blocks._queue.event_ids_to_events.get(number or "") if blocks else None

    def is_set(self) -> bool:
        """Whether to end; a tab that was closed, or a connection that broke, says so by itself."""
        return super().is_set() or (self._awaited is not None and not self._awaited.alive)


class Ending(Departure):
    """One that also says when the run has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()

    def hurry(self) -> None:
        """End the run, and wait until it has told its last: another one is to be told after it.

        A visitor's events run beside one another, and one that was cancelled may never say it.
        """
        self.set()
        self.over.wait(HURRY)


def idle() -> gr.Button:
    """A button with nothing to do, such as that which stops what is not running."""
    return gr.Button(interactive=False)


def stoppable(stop: gr.Button, ending: gr.State) -> None:
    """Let a button set the event that a run has put into the state `ending`; see `until`."""
    ends(stop.click, ending)


def ends(event: Callable[..., Any], ending: gr.State) -> None:
    """The same for anything that happens to a widget."""
    event(lambda one: one and one.set(), ending, None, **AT_ONCE)


def until(frames: Iterator[T], ending: threading.Event) -> Iterator[T]:
    """The frames until the event is set: what computes them makes not one step more."""
    assert isinstance(frames, Generator), "what runs can be closed"
    with closing(frames):
        for frame in frames:
            if ending.is_set():
                return
            yield frame


@contextmanager
def spoken() -> Iterator[None]:
    """Bad input becomes the one sentence that a client is shown; the log stays quiet."""
    try:
        yield
    except UserError as error:
        raise gr.Error(str(error), print_exception=False) from error
