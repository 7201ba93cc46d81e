"""Whoever hangs up on `serve` ends what was computed for them, whatever form the answer has."""

import json
import socket
import time
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from conftest import build_problems
from gate import until
from test_serving import started

from softcot.decoding.engine import Engine
from softcot.serving.answering import Serving
from softcot.serving.server import Server

ASKED = {"model": "mini:softcot", "prompt": build_problems(1)[0].question, "task": "mini-gsm"}
LONG = {"max_tokens": 400, "k": 3}
STEPS = 1
"""Steps that may still be made after a client has hung up: the one that is being made."""


@pytest.fixture(scope="module")
def engine():
    return Engine(rows=4)


@pytest.fixture(scope="module")
def url(pair, engine):
    running, thread, url = started(Server(Serving(pair, engine, 16)))
    yield url
    running.should_exit = True
    thread.join()


def ask(url: str, stream: bool) -> socket.socket:
    """Send a request, whose answer nobody reads yet."""
    place = urlsplit(url)
    body = json.dumps(ASKED | LONG | {"stream": stream}).encode()
    head = f"POST /v1/completions HTTP/1.1\r\nHost: here\r\nContent-Length: {len(body)}\r\n\r\n"
    client = socket.create_connection((place.hostname, place.port), timeout=60)
    client.sendall(head.encode() + body)
    return client


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_that_nobody_waits_for_any_more_ends(url, gate, engine, stream):
    with closing(ask(url, stream)) as client:
        for _ in range(3):
            gate.let(1)
        if stream:
            assert b"200 OK" in client.recv(4096)
        assert engine.load().rows == 1
    before = gate.steps
    while engine.load().requests:
        time.sleep(0.1)  # a real step takes a moment, too, in which the server can look
        made = gate.steps + 1
        gate.allowed.release()
        until(lambda made=made: gate.steps >= made or not engine.load().requests)
        assert gate.steps - before < 50, "it goes on"
    assert gate.steps - before <= STEPS


@pytest.mark.parametrize("stream", [True, False])
def test_whoever_waits_in_the_queue_and_leaves_is_not_written_for(url, gate, engine, stream):
    with engine.session(engine.rows) as taken:
        assert not list(taken.waiting())
        with closing(ask(url, stream)):
            until(lambda: engine.load().waiting == 1)
        until(lambda: engine.load().waiting == 0)
    assert gate.steps == 0
