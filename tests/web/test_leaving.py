"""Whoever leaves the app ends what was computed for them: by a closed tab, a broken connection or a
cancelled job, whatever it was that ran."""

import json
import threading
import time
from itertools import islice

import httpx
import pytest
from gate import until
from gradio_client import Client
from test_app import QUESTION, free_port

import app
from softcot.decoding.engine import Engine
from softcot.support.background import THREAD as TRAINING
from softcot.web import sessions
from softcot.web.explorer import Explorer

LONG = {"thoughts": 3, "max_new_tokens": 150}
PIECES = 1
"""Steps that may end after the server has heard that a client has gone: the one that was being
made."""


@pytest.fixture(scope="module")
def engine():
    return Engine()


@pytest.fixture(scope="module")
def blocks(pair, engine):
    blocks = app.serve(Explorer(pair, engine), "127.0.0.1", free_port())
    yield blocks
    blocks.close()


@pytest.fixture
def http(blocks):
    address = blocks.local_url.rstrip("/")
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as http:
        yield http


def press(http, button: str, session: str) -> None:
    """Press a button of the page as a browser does, everything else as it is at first."""
    config = http.get("/config").json()
    values = {one["id"]: one["props"].get("value") for one in config["components"]}
    event = next(
        one
        for one in config["dependencies"]
        if one["inputs"] and any(values.get(target) == button for target, _ in one["targets"])
    )
    data = [values[each] for each in event["inputs"]]
    joined = {"data": data, "fn_index": event["id"], "session_hash": session}
    http.post("/gradio_api/queue/join", json=joined).raise_for_status()


def call(http, endpoint: str, *values) -> str:
    called = f"/gradio_api/call/{endpoint}"
    event = http.post(called, json={"data": values}).json()["event_id"]
    return f"{called}/{event}"


def forgotten(blocks):
    """Whether the server knows that nobody waits for what it is doing."""
    jobs = [event for job in blocks._queue.active_jobs if job for event in job]
    return all(not event.alive for event in jobs)


def begin(gate, engine) -> None:
    """Write some tokens, until all columns do."""
    gate.let(3)
    while any(len(seat.theirs) < seat.asked for seat in engine._seats):
        gate.let(1)
        time.sleep(0.05)


def gone_after(blocks, gate, engine, stream, frames: int) -> int:
    """Read some frames of an open stream, let go of it, and count the steps that follow."""
    with stream as answer:
        lines = (line for line in answer.iter_lines() if "generating" in line)
        begin(gate, engine)
        seen: list[str] = []
        reading = threading.Thread(target=lambda: seen.extend(islice(lines, frames)))
        reading.start()
        while reading.is_alive():  # a frame may show several tokens
            gate.let(1)
            reading.join(0.1)
        assert len(seen) == frames
    until(lambda: forgotten(blocks))
    before = gate.steps
    gate.allowed.release()
    until(lambda: not any(blocks._queue.active_jobs))
    gate.open()
    return gate.steps - before


def test_a_broken_connection_ends_a_comparison(blocks, http, gate, engine):
    place = call(http, "compare", QUESTION, "mini-gsm", 3, "", "", 0.0, 1.0, 41, 150)
    assert gone_after(blocks, gate, engine, http.stream("GET", place), 3) <= PIECES
    until(lambda: engine.load().requests == 0)


@pytest.mark.parametrize(
    "values", [("intervene", QUESTION, "zero", "mini-gsm"), ("sweep", "mini-gsm", 50)]
)
def test_a_broken_connection_ends_an_intervention_and_a_sweep(blocks, http, gate, engine, values):
    assert gone_after(blocks, gate, engine, http.stream("GET", call(http, *values)), 1) <= PIECES
    until(lambda: engine.load().requests == 0)


@pytest.mark.parametrize("button", ["Run", "Try on many", "Run sweep"])
def test_a_closed_tab_ends_what_its_button_began(blocks, http, gate, engine, button):
    session = f"tab-{button}"
    press(http, button, session)
    told = {"session_hash": session}
    stream = http.stream("GET", "/gradio_api/queue/data", params=told)
    assert gone_after(blocks, gate, engine, stream, 2) <= PIECES
    until(lambda: engine.load().requests == 0)


def test_a_closed_tab_ends_a_training(blocks, http):
    press(http, "Train", "tab-train")
    told = {"session_hash": "tab-train"}
    with http.stream("GET", "/gradio_api/queue/data", params=told) as answer:
        lines = (line for line in answer.iter_lines() if "generating" in line)
        for _ in range(3):
            next(lines)
        assert any(thread.name == TRAINING for thread in threading.enumerate())
    until(lambda: not any(thread.name == TRAINING for thread in threading.enumerate()))
    until(lambda: not any(blocks._queue.active_jobs))


def test_a_cancelled_job_ends_its_computation(blocks, gate, engine):
    client = Client(blocks.local_url, verbose=False)
    job = client.submit(QUESTION, "mini-gsm", **LONG, api_name="/compare")
    begin(gate, engine)
    until(lambda: job.outputs())
    canceller = threading.Thread(target=job.cancel)
    canceller.start()
    before = gate.steps
    until(lambda: _cancelled(blocks))
    gate.allowed.release()
    canceller.join()
    until(lambda: engine.load().requests == 0)
    gate.open()
    assert gate.steps - before <= PIECES


def _cancelled(blocks):
    """Whether the queue was told to end its only task."""
    return any(task.cancelling() for task in blocks._queue._asyncio_tasks)


def test_whoever_waits_is_not_forgotten_for_those_who_come_later(pair, monkeypatch):
    monkeypatch.setattr(sessions, "LISTENING", 3)
    engine = Engine()
    blocks = app.serve(Explorer(pair, engine), "127.0.0.1", free_port())
    address = blocks.local_url.rstrip("/")
    with (
        httpx.Client(base_url=address, timeout=60, trust_env=False) as http,
        engine.session(engine.rows) as taken,
    ):
        assert not list(taken.waiting())
        place = call(http, "compare", QUESTION, "mini-gsm", 3, "", "", 0.0, 1.0, 41, 4)
        with http.stream("GET", place) as answer:
            told = (line for line in answer.iter_lines() if line.startswith("data"))
            for _ in range(5):
                assert "Place 1" in next(told)
                call(http, "problem", "mini-gsm", 0)
            taken.close()
            assert '"done": true' in [*told][-1]
    blocks.close()


def test_whoever_waits_for_a_place_and_leaves_frees_it(blocks, http, gate, engine):
    """With all rows taken, a newcomer is told a place, leaves, and is not written for later."""
    rows = engine.rows
    with engine.session(rows) as taken:
        assert not list(taken.waiting())
        place = call(http, "compare", QUESTION, "mini-gsm", 3, "", "", 0.0, 1.0, 41, 150)
        with http.stream("GET", place) as answer:
            line = next(line for line in answer.iter_lines() if "Place 1" in line)
            assert json.loads(line.removeprefix("data: "))[0]["done"] is False
            assert engine.load().waiting == 1
        until(lambda: engine.load().waiting == 0)
    assert gate.steps == 0
