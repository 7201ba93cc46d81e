"""What Gradio would fetch from other hosts for whoever asks: this app fetches nothing for them."""

import re
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

ADDRESS = re.compile(r"\s*[a-z][a-z0-9+.-]*:", re.IGNORECASE)
"""How an address begins that is no path."""

FETCHING = re.compile(rf"/(?:proxy=|file[=/]{ADDRESS.pattern})", re.IGNORECASE)
"""Routes by which Gradio hands on what another host has."""


class Guard:
    """Refuses the routes that hand on what other hosts have.

    Args:
        app: All the other ones.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""
        if scope["type"] == "http" and FETCHING.search(scope["path"]):
            refused = PlainTextResponse("This server fetches nothing for others.", 403)
            await refused(scope, receive, send)
            return
        await self.app(scope, receive, send)


GUARDED: dict[str, Any] = {"middleware": [Middleware(Guard)]}
"""Options of the application that Gradio makes."""


def refuse_addresses(values: list[Any]) -> None:
    """Refuse files that a client names by an address, which Gradio would fetch.

    Raises:
        gradio.Error: There is one.
    """
    for value in values:
        path = value.get("path") if isinstance(value, dict) else None
        if isinstance(path, str) and ADDRESS.match(path):
            raise gr.Error("Upload a file; an address is not taken.", print_exception=False)
