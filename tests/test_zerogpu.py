"""A GPU for one call: asked for where one is lent, and nothing at all elsewhere."""

import importlib
import sys
from types import SimpleNamespace

import pytest

from softcot.web import zerogpu


@pytest.fixture
def lent(monkeypatch):
    """The module where the package `spaces` is there, and what was asked of it."""
    asked = []

    def gpu(duration):
        def decorate(work):
            def wrapped(*args):
                asked.append(duration(*args))
                return work(*args)

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
