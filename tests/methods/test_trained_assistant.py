"""A trained assistant: with rank 0 it is the frozen one, and the base never moves."""

import json
from dataclasses import replace

import pytest
import torch
from conftest import build_problems

from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.methods import get_method
from softcot.support.errors import UserError
from softcot.thoughts.assistant import soft_states
from softcot.thoughts.tuned_assistant import TunedAssistant
from softcot.training.config import TrainingConfig
from softcot.training.trainer import train

TASK = get_task("mini-gsm")
TINY = TrainingConfig(
    max_thoughts=3,
    steps=6,
    batch_size=4,
    warmup=1,
    learning_rate=1e-2,
    train_problems=8,
    validation_problems=4,
    validate_every=2,
)


def without_rank(pair):
    weights = TunedAssistant.for_pair(pair, "mini-gsm", 16, rank=0)
    weights.linear.load_state_dict(pair.projection("mini-gsm").linear.state_dict())
    return pair.using(weights)


def test_rank_0_is_the_frozen_assistant(pair, problems):
    frozen, plain = without_rank(pair), get_method("softcot", pair, TASK)
    method = get_method("trained-assistant", frozen, TASK)
    assert torch.equal(method.thoughts(problems, 4), plain.thoughts(problems, 4))
    said = method.further_fingerprints()["trained assistant"]
    assert said == pair.fingerprints["assistant"]
    short = Sampling(max_new_tokens=4)
    texts = [
        [row.text for row in evaluate(models, TASK, Protocol(name, sampling=short), problems).rows]
        for models, name in ((frozen, "trained-assistant"), (pair, "softcot"))
    ]
    assert texts[0] == texts[1]


def test_a_training_of_rank_0_is_softcots(pair, tmp_path):
    ours, theirs = (
        train(pair, name, "mini-gsm", replace(TINY, rank=0), tmp_path / name).history
        for name in ("trained-assistant", "softcot")
    )
    for one, other in zip(ours, theirs, strict=True):
        assert one["validation_loss"] == pytest.approx(other["validation_loss"], abs=1e-3)
        assert one["swap_loss"] == pytest.approx(other["swap_loss"], abs=1e-3)


def test_adapters_are_trained_and_the_base_is_not(pair, tmp_path):
    before = [lm.fingerprint(exact=True) for lm in (pair.base, pair.assistant)]
    out = tmp_path / "out"
    result = train(pair, "trained-assistant", "mini-gsm", TINY, out)
    assert [lm.fingerprint(exact=True) for lm in (pair.base, pair.assistant)] == before
    assert result.best_loss < result.history[0]["validation_loss"]
    weights = pair.read(TunedAssistant, out)
    moved = [w for name, w in weights.state_dict().items() if "lora_B" in name]
    assert weights.rank == 8 and any(w.any() for w in moved)
    record = json.loads((out / "training.json").read_text())
    assert record["fingerprints"]["base"] == pair.fingerprints["base"]
    loss = record["assistant_loss"]
    assert loss["frozen"] > 0 and loss["trained"] != loss["frozen"]
    assert record["config"]["rank"] == 8
    method = get_method("trained-assistant", pair.using(weights), TASK)
    problems = build_problems(2)
    states = soft_states(pair.assistant, [p.question for p in problems], 3, TASK)
    assert not torch.allclose(method.thoughts(problems, 3), weights(states))
    made = evaluate(
        pair.using(weights), TASK, Protocol("trained-assistant", k=3), problems
    ).fingerprints
    assert made["assistant"] == pair.fingerprints["assistant"] != made["trained assistant"]
    card = (out / "README.md").read_text()
    assert "load_for" in card and "the assistant is not" in card
    with pytest.raises(UserError, match="needs the assistant that it changes"):
        TunedAssistant.from_pretrained(str(out))


def test_an_interrupted_training_goes_on(pair, tmp_path):
    def kill(update):
        if (update.phase, update.done) == ("training", 3):
            raise KeyboardInterrupt

    config = replace(TINY, train_problems=4, validation_problems=4)
    whole = train(pair, "trained-assistant", "mini-gsm", config, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(pair, "trained-assistant", "mini-gsm", config, tmp_path / "out", progress=kill)
    rest = train(pair, "trained-assistant", "mini-gsm", config, tmp_path / "out", resume=True)
    assert rest.history == whole.history


def test_weights_of_another_shape_are_damaged(pair, tmp_path):
    weights = TunedAssistant.for_pair(pair, "mini-gsm", 4, rank=2)
    weights.save(tmp_path / "tuned")
    config = json.loads((tmp_path / "tuned" / "config.json").read_text())
    (tmp_path / "tuned" / "config.json").write_text(json.dumps(config | {"rank": 3}))
    with pytest.raises(UserError, match="is damaged"):
        pair.read(TunedAssistant, tmp_path / "tuned")
