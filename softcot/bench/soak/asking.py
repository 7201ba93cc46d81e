"""How one request is sent and its answer read, for each way to ask; a client may leave midway."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import httpx

from softcot.bench.soak.asked import Ask
from softcot.bench.soak.replies import Reply

WRITTEN = re.compile(r'"new_tokens": ?[1-9]|"n": ?[1-9]')
"""What a frame of the app has once there is something to read."""

PLACE = re.compile(r'"msg": ?"estimation"|"note": ?"Place |^: Place ')
"""What tells whoever waits its place."""


class Left(Exception):
    """The client has gone away, as it meant to."""


class Client:
    """One visitor of one server.

    Args:
        http: Its connections.
        session: Its name for the app, as a page has one.
    """

    def __init__(self, http: httpx.AsyncClient, session: str):
        self.http, self.session = http, session
        self._functions: dict[str, int] = {}

    async def ask(self, ask: Ask, events: int | None = None, seconds: float | None = None) -> Reply:
        """Ask something, to its end or until the client leaves.

        Args:
            ask: What.
            events: Of a stream after which it hangs up.
            seconds: After which it hangs up, whatever came.
        """
        reply = Reply()
        try:
            async with asyncio.timeout(seconds):
                return await WAYS[ask.way](self, ask, reply, events)
        except (Left, TimeoutError):
            return reply.close("left")
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            return reply.close("failed", f"{type(error).__name__}: {error}")

    async def events(
        self, request: httpx.Request, reply: Reply, leave: int | None
    ) -> AsyncIterator[tuple[str, str]]:
        """Server-sent events as (name, data); hangs up in the middle where that was wanted."""
        response = await self.http.send(request, stream=True)
        try:
            if response.status_code != 200:
                await response.aread()
                reply.refuse(f"{response.status_code}: {response.text}")
                return
            name, seen = "", 0
            async for line in response.aiter_lines():
                reply.queued += bool(PLACE.search(line))
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield name, line.removeprefix("data: ")
                    seen += 1
                if leave is not None and seen >= leave:
                    raise Left
        finally:
            await response.aclose()

    async def function(self, endpoint: str) -> int:
        """The number of an endpoint in the page's description."""
        if not self._functions:
            config = (await self.http.get("/config")).json()
            self._functions = {one["api_name"]: one["id"] for one in config["dependencies"]}
        return self._functions[endpoint]


async def _get(client: Client, ask: Ask, reply: Reply, leave: int | None) -> Reply:
    response = await client.http.get(ask.where)
    if response.status_code != 200:
        return reply.refuse(f"{response.status_code}: {response.text}")
    reply.words()
    return reply.close("answered", answer=response.json())


async def _whole(client: Client, ask: Ask, reply: Reply, leave: int | None) -> Reply:
    response = await client.http.post(ask.where, json=ask.said)
    if response.status_code != 200:
        return reply.refuse(f"{response.status_code}: {response.text}")
    reply.words()
    answer = [[_text(choice), choice["finish_reason"]] for choice in response.json()["choices"]]
    return reply.close("answered", answer=answer)


async def _stream(client: Client, ask: Ask, reply: Reply, leave: int | None) -> Reply:
    assert isinstance(ask.said, Mapping)
    answer = [["", None] for _ in range(ask.said.get("n", 1))]
    request = client.http.build_request("POST", ask.where, json=ask.said)
    async for _, data in client.events(request, reply, leave):
        if data == "[DONE]":
            return reply.close("answered", answer=answer)
        message = json.loads(data)
        if "error" in message:
            return reply.refuse(message["error"]["message"])
        for choice in message["choices"]:
            text = _text(choice)
            if text:
                reply.words()
            answer[choice["index"]][0] += text
            answer[choice["index"]][1] = choice["finish_reason"] or answer[choice["index"]][1]
    return _broken(reply)


def _text(choice: dict[str, Any]) -> str:
    """The text of a choice, whatever kind of answer it belongs to."""
    inside = choice.get("message") or choice.get("delta") or {"content": choice.get("text")}
    return inside.get("content") or ""


async def _call(client: Client, ask: Ask, reply: Reply, leave: int | None) -> Reply:
    called = f"/gradio_api/call/{ask.where}"
    response = await client.http.post(called, json={"data": ask.said})
    if response.status_code != 200:
        return reply.refuse(f"{response.status_code}: {response.text}")
    request = client.http.build_request("GET", f"{called}/{response.json()['event_id']}")
    async for name, data in client.events(request, reply, leave):
        if name == "error":
            return reply.refuse(data)
        if name == "complete":
            reply.words()
            return reply.close("answered", answer=json.loads(data)[0])
        if WRITTEN.search(data):
            reply.words()
    return _broken(reply)


async def _join(client: Client, ask: Ask, reply: Reply, leave: int | None) -> Reply:
    joined = {"data": ask.said, "fn_index": await client.function(ask.where)}
    joined["session_hash"] = client.session
    response = await client.http.post("/gradio_api/queue/join", json=joined)
    if response.status_code != 200:
        return reply.refuse(f"{response.status_code}: {response.text}")
    told = {"session_hash": client.session}
    request = client.http.build_request("GET", "/gradio_api/queue/data", params=told)
    async for _, data in client.events(request, reply, leave):
        message = json.loads(data)
        if message["msg"] == "process_completed":
            if not message["success"]:
                return reply.refuse(str(message["output"].get("error")))
            reply.words()
            return reply.close("answered", answer=message["output"]["data"][0])
        if message["msg"] == "unexpected_error":
            return reply.refuse(str(message.get("message")))
        if "new_tokens" in data and message["msg"] == "process_generating":
            reply.words()
    return _broken(reply)


def _broken(reply: Reply) -> Reply:
    """A stream that ended before its last event, where it was not refused."""
    return reply if reply.whole is not None else reply.close("failed", "The answer broke off.")


WAYS: dict[str, Callable[[Client, Ask, Reply, int | None], Awaitable[Reply]]] = {
    "get": _get,
    "whole": _whole,
    "stream": _stream,
    "call": _call,
    "join": _join,
}
"""How each way is gone."""
