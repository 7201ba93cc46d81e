"""A newcomer beside a sweep, a trial and a training: how much of those is done before the first
word, counted in pieces and not in seconds."""

import threading
from contextlib import closing

import pytest
from conftest import build_problems
from gate import until

from softcot.data.problems import Problem
from softcot.decoding.decoder import Sampling
from softcot.decoding.engine import Engine
from softcot.web.explorer import Explorer
from softcot.web.intervene import Intervene
from softcot.web.requests import EditRequest, SweepRequest, TrainRequest
from softcot.web.sweep import Sweep
from softcot.web.train import Train

QUESTION = build_problems(1)[0].question

AHEAD = 8
"""Pieces before the first word, at most: a newcomer asks for the models four times until then, and
long work goes on while the newcomer's own thread is on its way from one to the next."""


@pytest.fixture
def pieces(monkeypatch):
    """Pieces of long work, as the engine has done them."""
    done, do = [], Engine._do_long

    def counted(engine):
        before = len(engine._long)
        do(engine)
        if len(engine._long) < before:
            done.append(before)

    monkeypatch.setattr(Engine, "_do_long", counted)
    return done


@pytest.fixture
def explorer(pair):
    explorer = Explorer(pair)
    yield explorer
    explorer.backend.close()


@pytest.fixture
def long_work(explorer, monkeypatch):
    """All that takes long, begun by three visitors; it goes on until the test has ended."""
    works = {
        "trial_ending": Intervene(explorer).try_many(
            EditRequest("mini-gsm", QUESTION, 4, edits="zero", tried=60)
        ),
        "sweep_ending": Sweep(explorer).sweep(SweepRequest("mini-gsm", 20)),
        "train_ending": Train(explorer).train(TrainRequest("mini-gsm", 600, QUESTION, 4)),
    }
    ended, told = threading.Event(), dict.fromkeys(works, 0)

    def read(name):
        with closing(works[name]) as frames:
            for _ in frames:
                told[name] += 1
                if ended.is_set():
                    return

    threads = [threading.Thread(target=read, args=(name,)) for name in works]
    for thread in threads:
        thread.start()
    until(lambda: min(told.values()) > 1)
    yield
    ended.set()
    for thread in threads:
        thread.join()


def test_a_newcomer_reads_the_first_word_after_a_few_pieces_of_what_takes_long(
    explorer, pieces, long_work
):
    asked = explorer.comparison(Problem("mini-gsm", QUESTION), 4, Sampling(max_new_tokens=8))
    for _ in range(5):
        begun = len(pieces)
        with closing(explorer.answers(asked)) as frames:
            next(columns for columns in frames if columns[0].new_tokens)
        assert len(pieces) - begun <= AHEAD
    done = len(pieces)
    until(lambda: len(pieces) > done + 3)  # and all of that goes on
