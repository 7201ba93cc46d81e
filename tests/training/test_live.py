"""A training that somebody watches: what is seen of it, how it ends, and what is left."""

import threading

import pytest
import torch
from conftest import build_problems

from softcot.analysis.vocabulary import Vocabulary
from softcot.data.tasks import GeneratedProblems, get_task
from softcot.decoding.decoder import Decoder, Sampling
from softcot.evaluation import variants
from softcot.methods import get_method
from softcot.plots.training import training_chart
from softcot.support.background import THREAD, streamed
from softcot.support.errors import UserError
from softcot.thoughts.projection import Projection
from softcot.training.live import LiveTraining, train_live
from softcot.web import train_views

TASK = get_task("mini-gsm")


@pytest.fixture(autouse=True)
def few_problems(monkeypatch):
    def draw(self, task, split, count, seed):
        return build_problems(min(count, 12), seed=len(split))

    monkeypatch.setattr(GeneratedProblems, "problems", draw)
    monkeypatch.setattr(variants, "Sampling", lambda **_: Sampling(max_new_tokens=4))


def taught(pair, folder, stop=None, steps=8):
    vocabulary = Vocabulary.of(pair.base)
    return train_live(pair, TASK, "Why?", vocabulary, steps, folder, stop or threading.Event())


def test_a_lesson_is_seen_step_by_step_and_leaves_a_projection(pair, tmp_path):
    before = [lm.fingerprint(exact=True) for lm in (pair.base, pair.assistant)]
    phases, dones = [], []
    for live in taught(pair, tmp_path / "new"):
        phases.append(live.phase)
        dones.append(live.done)
    assert list(dict.fromkeys(phases)) == ["judging", "thinking", "training", "finished"]
    assert dones == sorted(dones) and dones[-1] == 8
    assert [step for step, _ in live.losses] == list(range(1, 9))
    assert [step for step, _ in live.accuracies] == list(range(1, 9))
    assert live.shipped is not None and live.result.finished
    assert [step for step, _ in live.collapses] == list(range(1, 9))
    assert live.gap == pytest.approx(live.swapped[-1][1] - live.validation[-1][1])
    assert live.seen.question == "Why?" and len(live.seen.thoughts) == 12
    own = Projection.load_for(pair, tmp_path / "new")
    assert own.task == "mini-gsm"
    assert before == [lm.fingerprint(exact=True) for lm in (pair.base, pair.assistant)]
    figure = training_chart(live)
    assert [trace.name for trace in figure.data][:3] == [
        "hard CoT", "shipped projection", "this projection"
    ]  # fmt: skip
    assert "Finished after" in train_views.status(live)
    assert figure.data[-1].name == "likeness of two questions' thoughts"
    assert list(figure.data[-1].x) == list(range(1, 9))


def test_a_projection_that_became_a_static_prompt_is_said_to_be_one():
    live = LiveTraining(8, phase="training")
    assert not live.is_static and live.gap is None
    alike = {"questions": 40, "cosine": 0.999, "effective_rank": 1.01, "varying": 0.001}
    live.collapses.append((4, alike))
    live.validation.append((4, 1.5))
    live.swapped.append((4, 1.5))
    assert live.is_static and "is a static prompt by now" in train_views.status(live)
    live.swapped[-1] = (4, 1.6)  # another question's thoughts do harm: the little is used
    assert not live.is_static and "fill 1.0" in train_views.status(live)
    live.collapses.append((8, alike | {"cosine": 0.4, "effective_rank": 7.0}))
    assert "cosine of 0.400" in train_views.status(live)


def test_what_was_trained_is_used_where_it_is_asked_for_and_nowhere_else(pair, tmp_path):
    *_, _ = taught(pair, tmp_path / "new")
    own = Projection.load_for(pair, tmp_path / "new")
    problem = build_problems(1)[0]
    vectors = {
        name: get_method("softcot", which, TASK).thoughts([problem], 3)
        for name, which in (("shipped", pair), ("own", pair.using(own)))
    }
    assert not torch.equal(vectors["shipped"], vectors["own"])
    again = get_method("softcot", pair, TASK).thoughts([problem], 3)
    assert torch.equal(vectors["shipped"], again)
    other = get_task("mini-aqua")
    one, two = (get_method("softcot", which, other) for which in (pair, pair.using(own)))
    assert one.fingerprint() == two.fingerprint()


def test_stopping_keeps_the_best_so_far(pair, tmp_path):
    stop = threading.Event()
    for live in taught(pair, tmp_path / "new", stop, steps=500):
        if live.done >= 2:
            stop.set()
    assert not live.result.finished and live.done < 500
    assert Projection.load_for(pair, tmp_path / "new").task == "mini-gsm"
    assert "Stopped after" in train_views.status(live)


def test_stopping_before_the_first_step_is_said(pair, tmp_path):
    stop = threading.Event()
    stop.set()
    with pytest.raises(UserError, match="stopped before it took a step"):
        list(taught(pair, tmp_path / "new", stop))


def test_a_stop_while_it_judges_ends_it_within_a_token(pair, tmp_path, monkeypatch):
    stop, step, steps = threading.Event(), Decoder.step, []

    def stopping(decoder):
        steps.append(1)
        if len(steps) == 2:
            stop.set()
        step(decoder)

    monkeypatch.setattr(Decoder, "step", stopping)
    with pytest.raises(UserError, match="stopped before it took a step"):
        list(taught(pair, tmp_path / "new", stop))
    assert len(steps) == 2


def working() -> bool:
    """Whether a thread trains."""
    return any(thread.name == THREAD for thread in threading.enumerate())


def test_nobody_watching_ends_the_work(pair, tmp_path):
    stop = threading.Event()
    live = taught(pair, tmp_path / "new", stop, steps=500)
    next(live), next(live)
    assert working()
    live.close()
    assert stop.is_set() and not working()


def test_a_stream_passes_on_news_results_and_failures():
    stop = threading.Event()
    told = list(streamed(lambda tell: (tell(1), tell(2), "result")[-1], stop))
    assert told == [(False, 1), (False, 2), (True, "result")] and stop.is_set()

    def fail(tell):
        tell(1)
        raise UserError("No more.")

    with pytest.raises(UserError, match="No more"):
        list(streamed(fail, threading.Event()))
