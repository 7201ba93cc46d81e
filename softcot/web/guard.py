"""What of Gradio's routes visitors are spared: fetching from other hosts, and noise in the log."""

import re
from typing import Any

import gradio as gr
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

ADDRESS = re.compile(r"\s*[a-z][a-z0-9+.-]*:", re.IGNORECASE)
"""How an address begins that is no path."""

FETCHING = re.compile(rf"/(?:proxy=|file[=/]{ADDRESS.pattern})", re.IGNORECASE)
"""Routes by which Gradio hands on what another host has."""


class Guard:
    """Refuses the routes that hand on what other hosts have, and ends streams of unknown visits.

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
        try:
            await self.app(scope, receive, send)
        except RuntimeError as error:
            if not isinstance(error.__cause__, HTTPException):
                raise
            # Gradio told it in the stream, and then lets it fail, with a traceback in the log.
            await send({"type": "http.response.body", "body": b""})


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
