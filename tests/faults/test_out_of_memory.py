"""A GPU whose memory ends, played by a CPU: smaller batches, the same results, and a sentence."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from conftest import build_problems
from safetensors.torch import load_file

from softcot.data.tasks import get_task
from softcot.decoding import decoder
from softcot.decoding.decoder import Sampling, _Group, decode, finish
from softcot.decoding.engine import Engine
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.methods import get_method
from softcot.models.memory import OutOfMemory, halved
from softcot.training import corpus
from softcot.training.config import TrainingConfig
from softcot.training.corpus import Corpus
from softcot.training.trainer import train

CONFIG = TrainingConfig(
    max_thoughts=4, steps=4, batch_size=6, train_problems=12, validation_problems=6, warmup=2,
    validate_every=2,
)  # fmt: skip
PROTOCOL = Protocol("softcot", k=2, sampling=Sampling(max_new_tokens=4))


@pytest.fixture
def memory(monkeypatch):
    """Let a model read so many rows at once and no more; gives the sizes that were tried."""
    read, tried = decoder.read_prompts, []

    def limit(rows):
        def limited(lm, prompt, cache):
            tried.append(len(prompt.embeds))
            if len(prompt.embeds) > rows:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return read(lm, prompt, cache)

        monkeypatch.setattr(decoder, "read_prompts", limited)
        return tried

    return limit


def asked(pair, size, **options):
    task = get_task("mini-gsm")
    return evaluate(pair, task, PROTOCOL, build_problems(12), batch_size=size, **options)


@pytest.mark.proof("The memory ends in an evaluation: halved until it fits, and the same rows")
@pytest.mark.parametrize("rows", [5, 2, 1])
def test_an_evaluation_goes_on_in_smaller_batches(pair, memory, tmp_path, rows):
    small = asked(pair, 4)
    tried = memory(rows)
    record = asked(pair, 32, partial=tmp_path / "partial")
    assert record.rows == small.rows and max(tried) > rows
    lines = (tmp_path / "partial").read_text().splitlines()
    assert sum(len(json.loads(line)[0]) for line in lines[1:]) == 12  # nothing is kept twice


@pytest.mark.proof("Not even one problem fits into the memory of an evaluation: a sentence")
def test_an_evaluation_of_which_nothing_fits_says_what_to_do(pair, memory):
    memory(0)
    with pytest.raises(OutOfMemory, match="lower --max-new-tokens"):
        asked(pair, 8)


@pytest.mark.proof("The memory ends for those who ask a running engine: a sentence, and it goes on")
def test_an_engine_whose_memory_ends_answers_the_next(pair, memory, monkeypatch):
    engine, task = Engine(), get_task("mini-gsm")
    method = get_method("softcot", pair, task)
    prompt = method.prepare(build_problems(1), 2)

    def ask():
        with engine.session() as session:
            rows = session.add(pair.base, prompt, Sampling(max_new_tokens=3))
            while session.open:
                session.step()
        return rows[0].ids

    expected = ask()
    memory(0)
    with pytest.raises(OutOfMemory, match="fewer samples or a shorter answer"):
        ask()
    monkeypatch.undo()
    step, failing = decoder._Group.choose, [True]

    def ends(group):
        if failing:
            failing.clear()
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return step(group)

    monkeypatch.setattr(decoder._Group, "choose", ends)
    with pytest.raises(OutOfMemory):
        ask()
    assert ask() == expected
    engine.close()


@pytest.mark.proof("The memory ends for several visitors: fewer at once, and the same answers")
@pytest.mark.parametrize("where", ["reading", "writing"])
def test_an_engine_asks_in_smaller_batches_what_does_not_fit(pair, monkeypatch, where):
    """Two rows fit; three visitors with two rows each ask at once."""
    task, problems = get_task("mini-gsm"), build_problems(3)
    prompts = [get_method("softcot", pair, task).prepare([one] * 2, 2) for one in problems]
    sampling = Sampling(max_new_tokens=12)
    expected = [[row.ids for row in finish(decode(pair.base, one, sampling))] for one in prompts]
    engine, together = Engine(), threading.Barrier(3)
    read, choose, most = _Group.read, _Group.choose, []

    def check(rows):
        if rows > 2:
            most.append(rows)
            raise torch.OutOfMemoryError("CUDA out of memory.")

    def limited_read(group, compiled):
        if where == "reading":
            check(sum(seat.held for seat in engine._seats))
        read(group, compiled)

    def limited_choose(group):
        if where == "writing":
            check(len(group.pens))
        return choose(group)

    monkeypatch.setattr(_Group, "read", limited_read)
    monkeypatch.setattr(_Group, "choose", limited_choose)

    def ask(prompt):
        with engine.session(2) as session:
            together.wait()
            rows = session.add(pair.base, prompt, sampling)
            while session.open:
                session.step()
            return [row.ids for row in rows]

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(ask, prompts)) == expected
    assert max(most) > 2 and engine.rows in (2, 3)
    engine.close()


@pytest.mark.proof("The memory ends in a training step: smaller pieces, and the same gradient")
@pytest.mark.parametrize("at", ["forward", "backward"])
def test_a_training_step_takes_smaller_pieces_and_the_same_gradient(
    pair, tmp_path, monkeypatch, at
):
    monkeypatch.setattr(corpus, "PIECE", 6)
    train(pair, "softcot", "mini-gsm", CONFIG, tmp_path / "whole")
    graded, sizes = Corpus.graded, []

    def limited(self, objective, numbers, k):
        sizes.append(len(numbers))
        losses, beside = graded(self, objective, numbers, k)
        if len(numbers) > 2 and at == "forward":
            raise torch.OutOfMemoryError("CUDA out of memory.")
        if len(numbers) > 2:  # after some of the gradient has arrived
            losses.sum().backward(retain_graph=True)
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return losses, beside

    monkeypatch.setattr(Corpus, "graded", limited)
    train(pair, "softcot", "mini-gsm", CONFIG, tmp_path / "small")
    assert sizes[:3] == [6, 3, 1] and set(sizes[2:]) == {1}
    ours, theirs = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "small"))
    for name, weight in ours.items():
        torch.testing.assert_close(weight, theirs[name], rtol=1e-3, atol=1e-4)


@pytest.mark.proof("Not even one problem fits into the memory of a training: a sentence")
def test_a_training_of_which_nothing_fits_says_what_to_do(pair, tmp_path, monkeypatch):
    def ends(*args):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(Corpus, "graded", ends)
    with pytest.raises(OutOfMemory, match="smaller pair"):
        train(pair, "softcot", "mini-gsm", replace(CONFIG, steps=1), tmp_path / "out")


def test_halves_keep_the_order():
    def work(items):
        if len(items) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return items

    assert sum(halved(work, [*range(7)]), []) == [*range(7)]
