"""How soon a newcomer reads something while a sweep, a trial and a training are going on."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx

from softcot.bench.servers import Address
from softcot.bench.soak.asked import newcomers
from softcot.bench.soak.asking import Client
from softcot.support.errors import UserError

LONG = ("Run sweep", "Try on many", "Train")
"""Buttons of the page that begin long work."""

NEWCOMERS = 10
"""Who come one after the other; the longest wait counts."""

BEGUN = 3
"""Messages of long work after which it is under way."""

PATIENCE = 120.0
"""Seconds after which long work that has not begun is given up."""


@dataclass
class Waits:
    """What newcomers waited, in seconds."""

    alone: list[float]
    """Until their first words, while nothing else was going on."""
    beside: list[float]
    """While all of `LONG` was."""


def waited(server: Address) -> Waits:
    """Let newcomers ask the app, alone and beside long work.

    Raises:
        UserError: The long work does not begin, or ended too soon, or a newcomer is refused.
    """
    return asyncio.run(_waited(server))


async def _waited(server: Address) -> Waits:
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE, trust_env=False) as http:
        alone = await _newcomers(http)
        config = (await http.get("/config")).json()
        async with contextlib.AsyncExitStack() as visitors:
            going = [
                await visitors.enter_async_context(_long(http, config, button)) for button in LONG
            ]
            beside = await _newcomers(http)
            if any(work.done() for work in going):
                raise UserError("The long work ended before the newcomers had been answered.")
    return Waits(alone, beside)


async def _newcomers(http: httpx.AsyncClient) -> list[float]:
    """Seconds until each one's first words."""
    asked, waits = newcomers(), []
    for number in range(NEWCOMERS):
        ask = asked[number % len(asked)]
        reply = await Client(http, uuid.uuid4().hex).ask(ask)
        if reply.first is None or reply.end != "answered":
            raise UserError(f"A newcomer was not answered: {reply.said}.")
        waits.append(reply.first)
    return waits


@contextlib.asynccontextmanager
async def _long(
    http: httpx.AsyncClient, config: dict[str, Any], button: str
) -> AsyncIterator[asyncio.Task[None]]:
    """A visitor who pressed a button; the block begins once its work is under way."""
    begun, session = asyncio.Event(), uuid.uuid4().hex
    work = asyncio.create_task(_pressed(http, config, button, session, begun))
    waiting = asyncio.create_task(begun.wait())
    try:
        await asyncio.wait((work, waiting), timeout=PATIENCE, return_when="FIRST_COMPLETED")
        if not begun.is_set():
            raise UserError(f"The button {button!r} of the app begins nothing.")
        yield work
    finally:
        for task in (work, waiting):
            task.cancel()
        await asyncio.gather(work, waiting, return_exceptions=True)


async def _pressed(
    http: httpx.AsyncClient, config: dict[str, Any], button: str, session: str, begun: asyncio.Event
) -> None:
    """Press a button as the page does, with all widgets as they are at first, and read along."""
    widgets = {one["id"]: one["props"].get("value") for one in config["components"]}
    event = next(
        one
        for one in config["dependencies"]
        if any(widgets.get(target) == button for target, _ in one["targets"])
    )
    joined = {
        "data": [widgets.get(each) for each in event["inputs"]],
        "fn_index": event["id"],
        "session_hash": session,
    }
    (await http.post("/gradio_api/queue/join", json=joined)).raise_for_status()
    told, seen = {"session_hash": session}, 0
    async with http.stream("GET", "/gradio_api/queue/data", params=told, timeout=None) as stream:
        async for line in stream.aiter_lines():
            seen += "process_generating" in line
            if seen == BEGUN:
                begun.set()
            if "process_completed" in line:
                return
