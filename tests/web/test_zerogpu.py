"""A GPU for one call: asked for where one is lent, and nothing at all elsewhere."""

import importlib
import inspect
import pickle
import sys
from types import SimpleNamespace

import pytest

from softcot.decoding.decoder import Sampling
from softcot.evaluation.run_file import load_run
from softcot.support.errors import UserError
from softcot.thoughts.projection import Projection
from softcot.web import questions, zerogpu
from softcot.web.explorer import Explorer


@pytest.fixture
def lent(monkeypatch):
    """The module where the package `spaces` is there, and what was asked of it."""
    asked = []

    def gpu(duration):
        def decorate(work):
            def wrapped(*args):
                asked.append(duration(*pickle.loads(pickle.dumps(args))))
                if inspect.isgeneratorfunction(work):
                    return (pickle.loads(pickle.dumps(frame)) for frame in work(*args))
                return pickle.loads(pickle.dumps(work(*args)))

            return wrapped

        return decorate

    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=gpu))
    yield importlib.reload(zerogpu), asked
    monkeypatch.undo()
    importlib.reload(zerogpu)


def test_elsewhere_the_function_is_the_function(monkeypatch):
    monkeypatch.setitem(sys.modules, "spaces", None)
    module = importlib.reload(zerogpu)

    def work(tokens):
        return tokens

    assert module.gpu_work(lambda tokens: 1)(work) is work
    monkeypatch.undo()
    importlib.reload(zerogpu)


def test_a_call_asks_for_as_long_as_its_own_request_takes(lent):
    module, asked = lent
    work = module.gpu_work(lambda tokens: module.seconds(tokens))(lambda tokens: tokens + 1)
    assert [work(10), work(1000)] == [11, 1001]
    assert asked == [module.seconds(10), module.seconds(1000)] and asked[0] < asked[1]


def test_the_estimate_grows_with_the_request_and_is_bounded():
    seconds, longest = zerogpu.seconds, zerogpu.LONGEST
    assert 0 < seconds(1) < seconds(160) < seconds(160, rows=200) <= longest
    assert seconds(160, rows=2) == seconds(160)
    assert seconds(10**6) == longest and isinstance(seconds(7), int)


def test_all_work_of_an_explorer_borrows_and_its_refusals_come_back(lent, pair, tmp_path):
    module, asked = lent
    plain = Explorer(pair)
    explorer = module.on_loan(plain)
    problem = questions.draw("mini-gsm", 1)
    request = explorer.comparison(problem, 3, Sampling(max_new_tokens=8))
    *_, columns = explorer.answers(request)
    *_, expected = plain.answers(request)
    assert [one.text for one in columns] == [one.text for one in expected]
    assert asked == [module.seconds(8, 2)]
    explorer.save(tmp_path / "one.run", request, columns)
    assert load_run(tmp_path / "one.run").asked == request
    assert len(explorer.explore(problem.question, "mini-gsm", 2).thoughts) == 2
    assert len(explorer.inspect(problem, 2).dropped) == 2
    assert [one.n for one in list(explorer.sweep("mini-gsm", [0], 2))[-1]] == [2]
    assert len(asked) == 5 and max(asked) <= module.LONGEST
    with pytest.raises(UserError, match="empty"):
        explorer.explore(" ", "mini-gsm", 2)
    with pytest.raises(UserError, match="choose a kind"):
        next(explorer.sweep("free", [0], 2))
    other = Projection.for_pair(pair, "mini-gsm", seed=9)
    *_, changed = explorer.using(other).answers(request)
    *_, expected = plain.using(other).answers(request)
    assert changed[1].text == expected[1].text and explorer.using(None) is explorer


def test_elsewhere_an_explorer_is_left_alone(pair):
    explorer = Explorer(pair)
    assert zerogpu.on_loan(explorer) is explorer
