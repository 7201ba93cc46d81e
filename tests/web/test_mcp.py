"""The endpoints as tools, asked by a real MCP client; without the extra it is said what to do."""

import asyncio
import importlib.util
import socket

import pytest

import app
from softcot.support.errors import UserError
from softcot.web.explorer import Explorer

QUESTION = "Mia has 12 coins. She finds 5 coins. How many coins does Mia have now?"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def asked(url: str) -> tuple[dict, str]:
    """Every tool with its description, and what `compare` answers."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async with (
        streamablehttp_client(url) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = {tool.name: tool.description for tool in (await session.list_tools()).tools}
        values = {"question": QUESTION, "task": "mini-gsm", "thoughts": 3, "max_new_tokens": 6}
        answer = await session.call_tool("compare", values)
        assert not answer.isError
        return tools, answer.content[0].text


def test_a_client_finds_the_endpoints_as_tools_and_is_answered(pair):
    pytest.importorskip("mcp.client.streamable_http", reason="the extra mcp is not installed")
    port = free_port()
    blocks = app.serve(Explorer(pair), "127.0.0.1", port, mcp=True)
    try:
        tools, answer = asyncio.run(asked(f"http://127.0.0.1:{port}{app.MCP_PATH}"))
    finally:
        blocks.close()
    assert set(tools) == {"compare", "intervene", "sweep", "thoughts", "problem"}
    assert all(tools.values()) and "soft thoughts" in tools["compare"]
    assert "zero-shot-cot" in answer and "softcot" in answer and "'done': True" in answer


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"softcot\[mcp\]"):
        app.parse_args(["--mcp"])
