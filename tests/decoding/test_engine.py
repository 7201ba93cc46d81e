"""One batch for everybody: each answer is what it is alone, and nobody is in another's way."""

import platform
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from conftest import build_problems

from softcot.data.tasks import get_task
from softcot.decoding.backend import Alone, Place
from softcot.decoding.decoder import Decoder, Sampling, decode, finish
from softcot.decoding.engine import THREAD, Engine, Full
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.methods import ZeroShotCoT, get_method
from softcot.methods.softcot import SoftCoT
from softcot.support.errors import UserError

PROBLEMS = build_problems(8)
SAMPLINGS = (
    Sampling(max_new_tokens=20),
    Sampling(1.0, max_new_tokens=14),
    Sampling(0.8, top_p=0.9, top_k=20, seed=7, max_new_tokens=25),
)


@pytest.fixture
def engine():
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def methods(pair):
    """Of two models: the base, and the base with adapters."""
    lora = get_method("lora", pair, get_task("mini-gsm"))
    return [ZeroShotCoT(pair), SoftCoT(pair, pair.projection("mini-gsm")), lora]


def alone(method, problem, sampling, samples=2) -> list[list[int]]:
    steps = decode(method.lm, method.prepare([problem], 4), sampling, samples=samples)
    return [row.ids for row in finish(steps)]


def ask(backend, method, problem, sampling, tokens=None, rows=2, visitor=""):
    """Two rows of a question: all they write, or so many tokens and then Stop."""
    with backend.session(rows, visitor) as session:
        prompt = session.run(lambda: method.prepare([problem], 4))
        written = session.add(method.lm, prompt, sampling, samples=2)
        while session.open and (tokens is None or len(written[0].ids) < tokens):
            session.step()
    return written


def test_whoever_comes_and_goes_writes_what_they_write_alone(engine, methods):
    rng = random.Random(3)
    asked = [
        (methods[n % 3], rng.choice(PROBLEMS), rng.choice(SAMPLINGS), rng.choice([None, None, 3]))
        for n in range(15)
    ]
    expected = [alone(*one[:3]) for one in asked]
    pauses = [rng.random() / 20 for _ in asked]

    def visit(one, pause):
        time.sleep(pause)
        return ask(engine, *one)

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(visit, asked, pauses))
    for (*_, stopped), written, whole in zip(asked, found, expected, strict=True):
        for row, ids in zip(written, whole, strict=True):
            assert row.ids == (ids if row.finished else ids[: len(row.ids)])
            assert row.finished or (stopped and row.stop_reason == "stopped")
        assert stopped or all(row.finished and row.seconds > 0 for row in written)
    assert engine.load().rows == engine.load().requests == 0


def test_who_wants_no_more_is_written_nothing_however_late_the_caller_is(engine, methods):
    """Between the event and the end there is the step that was running, and no other."""
    ended, passes = threading.Event(), []
    method = methods[0]
    hook = method.lm.model.register_forward_pre_hook(lambda *_: passes.append(1))
    with engine.session(2, ended=ended) as session:
        prompt = session.run(lambda: method.prepare([PROBLEMS[0]]))
        rows = session.add(method.lm, prompt, Sampling(max_new_tokens=400), samples=2)
        session.step()
        ended.set()
        before = len(passes)
        time.sleep(0.3)  # a caller that does not listen
        assert len(passes) <= before + 1
        while session.open:
            session.step()
    hook.remove()
    assert {row.stop_reason for row in rows} == {"stopped"}
    assert len(rows[0].ids) < 400 and engine.load().rows == 0


def test_requests_share_their_steps(engine, methods, monkeypatch):
    sizes, step = [], Decoder.step
    monkeypatch.setattr(Decoder, "step", lambda self: sizes.append(self.open) or step(self))
    together = threading.Barrier(6)

    def visit(problem):
        with engine.session(2) as session:
            prompt = session.run(lambda: methods[0].prepare([problem]))
            together.wait()
            rows = session.add(methods[0].lm, prompt, Sampling(max_new_tokens=40), samples=2)
            while session.open:
                session.step()
        return rows

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(visit, PROBLEMS[:6]))
    assert max(sizes) > 6 and len(sizes) < 6 * 40


def test_one_request_that_fails_leaves_the_others_alone(engine, methods):
    method, sampling = methods[0], Sampling(max_new_tokens=30)
    expected = alone(method, PROBLEMS[0], sampling)
    bad = method.prepare([PROBLEMS[1]])
    bad.embeds = bad.embeds[..., :-1]  # as wide as no prompt of this model
    with engine.session(2) as session:
        prompt = session.run(lambda: method.prepare([PROBLEMS[0]]))
        rows = session.add(method.lm, prompt, sampling, samples=2)
        session.step()
        with engine.session() as other, pytest.raises(RuntimeError):
            other.add(method.lm, bad, sampling)
            while other.open:
                other.step()
        with engine.session() as other, pytest.raises(UserError, match="no such thing"):
            other.run(_refuse)
        while session.open:
            session.step()
    assert [row.ids for row in rows] == expected


def _refuse():
    raise UserError("There is no such thing.")


def test_a_step_that_fails_ends_those_it_was_for_and_the_next_request_works(
    engine, methods, monkeypatch
):
    step, failing = Decoder.step, [True]

    def fail_once(self):
        if self.open and failing:
            failing.clear()
            raise MemoryError("no room")
        step(self)

    monkeypatch.setattr(Decoder, "step", fail_once)
    with pytest.raises(MemoryError):
        ask(engine, methods[0], PROBLEMS[0], SAMPLINGS[0])
    [first, _] = ask(engine, methods[0], PROBLEMS[0], SAMPLINGS[0])
    assert first.ids == alone(methods[0], PROBLEMS[0], SAMPLINGS[0])[0]


def test_who_waits_has_a_place_and_visitors_take_turns(methods):
    engine = Engine(rows=2)
    started = []
    with engine.session(2) as first:
        assert list(first.waiting()) == []

        def visit(name):
            with engine.session(2, name) as session:
                places = list(session.waiting())
                started.append(name)
            return places

        with ThreadPoolExecutor(4) as pool:
            waiting = []
            for number, name in enumerate(["greedy", "greedy", "greedy", "modest"], start=1):
                waiting.append(pool.submit(visit, name))
                while engine.load().waiting < number:
                    time.sleep(0.01)
            with engine.session(1, "late") as late:
                assert next(late.waiting()) == Place(3)  # before what the greedy one asked later
            first.close()
        places = [one.result()[0].number for one in waiting]
    assert places[0] == 1 and places[3] == 2
    assert started.index("modest") < 3
    engine.close()


def test_a_full_queue_refuses_and_says_when_to_come_again(methods):
    engine = Engine(rows=1, waiting=1)
    with engine.session(), engine.session():
        with pytest.raises(Full, match="try again in 1 seconds"), engine.session():
            pass
    with engine.session() as session:
        assert not list(session.waiting())
    engine.close()


def test_long_work_gives_way(engine, methods):
    """A request is answered while a sweep has hundreds of pieces to go."""
    pieces = []

    def sweep():
        for number in range(1000):
            time.sleep(0.01)
            pieces.append(number)
            yield number

    frames = engine.steps(sweep())
    assert next(frames) == 0

    def read():
        with suppress(UserError):
            list(frames)

    reader = threading.Thread(target=read)
    reader.start()
    ask(engine, methods[0], PROBLEMS[0], SAMPLINGS[0])
    assert len(pieces) < 500
    engine.close()
    reader.join()
    assert len(pieces) < 1000


def test_work_with_a_thread_of_its_own_takes_turns(engine, methods):
    running, order = threading.Event(), []

    def train():
        with engine.turn() as give_way:
            for number in range(4):
                order.append(number)
                running.set()
                time.sleep(0.02)
                give_way()

    trainer = threading.Thread(target=train)
    trainer.start()
    running.wait()
    engine.run(lambda: order.append("run"))
    trainer.join()
    assert sorted(map(str, order)) == ["0", "1", "2", "3", "run"] and order[-1] != "run"


def test_closing_tells_everybody_and_ends_the_thread(methods):
    engine = Engine(rows=2)
    with engine.session(2) as session, engine.session(2) as waiting:
        prompt = session.run(lambda: methods[0].prepare([PROBLEMS[0]]))
        session.add(methods[0].lm, prompt, Sampling(max_new_tokens=400))
        engine.close()
        with pytest.raises(UserError, match="taken out of the memory"):
            while True:
                session.step()
        with pytest.raises(UserError, match="taken out of the memory"):
            list(waiting.waiting())
    with pytest.raises(UserError, match="ask again"):
        engine.run(lambda: None)
    assert THREAD not in {thread.name for thread in threading.enumerate()}


def test_an_idle_engine_has_no_thread(methods, monkeypatch):
    monkeypatch.setattr("softcot.decoding.engine.IDLE", 0.05)
    engine = Engine()
    assert engine.run(lambda: threading.current_thread().name) == THREAD
    deadline = time.monotonic() + 20
    while engine._thread and time.monotonic() < deadline:
        time.sleep(0.02)
    assert engine._thread is None
    assert engine.run(lambda: engine.run(lambda: 3)) == 3
    engine.close()


def test_an_evaluation_may_share_the_batch_of_others(engine, pair):
    problems = build_problems(4)
    protocol = Protocol("softcot", k=3, sampling=Sampling(1.0, max_new_tokens=8), seeds=(1, 2))
    asked = (pair, get_task("mini-gsm"), protocol, problems)
    here, there = evaluate(*asked), evaluate(*asked, backend=engine)
    assert [row.text for row in there.rows] == [row.text for row in here.rows]


def test_alone_writes_the_same(methods):
    for method in methods:
        written = ask(Alone(), method, PROBLEMS[2], SAMPLINGS[1])
        assert [row.ids for row in written] == alone(method, PROBLEMS[2], SAMPLINGS[1])


def test_freed_memory_is_given_back_while_it_works_and_when_there_is_no_more(methods, monkeypatch):
    given = []
    monkeypatch.setattr("softcot.decoding.engine.give_back", lambda: given.append("now"))
    monkeypatch.setattr("softcot.decoding.engine.GIVING_BACK", -1.0)
    monkeypatch.setattr("softcot.decoding.engine.IDLE", 0.05)
    engine, method = Engine(), methods[0]
    with engine.session() as session:
        prompt = session.run(lambda: method.prepare([PROBLEMS[0]]))
        session.add(method.lm, prompt, Sampling(max_new_tokens=5))
        while session.open:
            session.step()
    assert len(given) >= 5, "while it works"
    thread, before = engine._thread, len(given)
    if thread is not None:
        thread.join(60)
    assert len(given) > before, "and in the end"


HOLES = """
import psutil, torch
from softcot.decoding.engine import Engine

def held():
    return psutil.Process().memory_info().rss / 2**20

def work():
    torch.ones(4 * 2**20)  # freed at once: from now on glibc would keep such blocks
    before, large, small = held(), [], []
    for _ in range(20):
        large.append(torch.ones(4 * 2**20))
        small.append(torch.ones(2**10))  # what lies behind each stays
    most = held()
    large.clear()
    return most - before, held() - before

print(*Engine().run(work))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="is about glibc")
def test_large_blocks_are_given_back_although_something_lies_behind_them():
    """In a process of its own, whose memory no other test has touched."""
    shown = subprocess.run(
        [sys.executable, "-c", HOLES], capture_output=True, text=True, check=True
    )
    most, left = map(float, shown.stdout.split())
    assert most > 300 and left < 60, "in MB"
