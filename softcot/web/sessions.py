"""What Gradio keeps of every visit: little enough that thousands of them change nothing."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any, cast

import gradio as gr
from gradio.state_holder import SessionState, StateHolder
from gradio.utils import LRUCache

MOST = 1000
"""Visits whose values are kept; whoever was away while so many others came begins anew."""

LISTENING = 2000
"""Visits whose messages are kept, as many as Gradio keeps."""

UNCOUNTED = {"GRADIO_ANALYTICS_MAX_EVENTS": "1", "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000"}
"""Gradio's variables for its page about all events, which is not served here. It would keep 10,000
events, and compute the percentiles of all of them after each."""


class Sessions(StateHolder):
    """Gradio's values of all visits, without a copy of the page's description in each.

    Gradio describes every widget once more for every visit, which takes longer than many an answer
    and 0.3 MB that stay; it serves links to a state of the page, which this page does not offer. A
    program that calls an endpoint without a session of its own is a new visit every time.
    """

    def __getitem__(self, session_id: str) -> SessionState:
        """The values of a visit, which may be new."""
        if session_id not in self.session_data:
            bare = SimpleNamespace(default_config=self.blocks.default_config, blocks=())
            self.session_data[session_id] = SessionState(cast(Any, bare))
        return super().__getitem__(session_id)


class Streams(LRUCache[str, Any]):
    """Gradio's messages for those who listen, by visit.

    Gradio forgets the oldest visits; whoever waits long for a place would be told that there is no
    such visit, once so many others have come. Here those are forgotten that nobody has looked into
    for longest, and a stream that is open looks every few seconds.
    """

    def __getitem__(self, visit: str) -> Any:
        """The messages of a visit."""
        self.move_to_end(visit)
        return super().__getitem__(visit)


def count_nothing() -> None:
    """Let Gradio keep no list of events, unless the user wants one; before a queue is made."""
    for name, value in UNCOUNTED.items():
        os.environ.setdefault(name, value)


def keep_little(blocks: gr.Blocks) -> None:
    """Give a page that was launched sessions that are small, and none that is open is forgotten."""
    sessions = Sessions()
    sessions.set_blocks(blocks)
    blocks.app.state_holder = sessions
    blocks._queue.pending_messages_per_session = Streams(LISTENING)
