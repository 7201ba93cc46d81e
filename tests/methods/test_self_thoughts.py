"""Self-thoughts: the base alone, in one pass, and every place with its own layer."""

import json
from dataclasses import replace

import pytest
import torch
from conftest import build_problems, forward_passes

from softcot.data.tasks import get_task
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.methods import get_method
from softcot.support.errors import UserError
from softcot.thoughts.pair import Pair
from softcot.thoughts.projection import Projection
from softcot.thoughts.self_projection import PlaceProjections, SelfProjection
from softcot.training.config import TrainingConfig
from softcot.training.trainer import train

TASK = get_task("mini-gsm")
BOTH = ("self-thoughts", "self-thoughts-each")
TINY = TrainingConfig(
    max_thoughts=3,
    steps=4,
    batch_size=4,
    warmup=1,
    train_problems=8,
    validation_problems=4,
    validate_every=2,
)


def states_of_the_base(pair, problem, k):
    """What the base's own library gives at its last K tokens, float32[K, d_base]."""
    prompt = pair.base.prompts.assistant(problem.question, task=TASK, k=k)
    assert all(prompt.slot_mask[-k:]) and sum(prompt.slot_mask) == k
    with torch.no_grad():
        output = pair.base.model(torch.tensor([prompt.ids]), output_hidden_states=True)
    return output.hidden_states[-1][0, -k:]


@pytest.mark.parametrize("name", BOTH)
def test_thoughts_equal_a_computation_by_hand(pair, problems, name):
    method = get_method(name, pair, TASK)
    found = method.thoughts(problems, 4)
    for vectors, problem in zip(found, problems, strict=True):
        states = states_of_the_base(pair, problem, 4)
        layers = [method.weights.linear] * 4 if name == BOTH[0] else None
        layers = layers or [place.linear for place in method.weights.places]
        expected = [s @ x.weight.T + x.bias for s, x in zip(states, layers, strict=False)]
        torch.testing.assert_close(vectors, torch.stack(expected), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", BOTH)
def test_no_assistant_takes_part(pair, problems, name):
    with forward_passes(pair.assistant) as passes:
        record = evaluate(pair, TASK, Protocol(name, k=2), problems[:2])
    assert not passes
    assert record.fingerprints["assistant"] is None and record.mean_passes > 1
    without = Pair(pair.name, pair.base, pair.base, pair.trained)
    assert (
        get_method(name, without, TASK).thoughts(problems, 2)
        == get_method(name, pair, TASK).thoughts(problems, 2)
    ).all()


def test_a_pair_whose_base_is_its_assistant_has_the_same_thoughts(pair, problems):
    weights = get_method("self-thoughts", pair, TASK).weights
    both = Pair("self", pair.base, replace(pair.base), {})
    layer = Projection(pair.base.width, pair.base.width, task="mini-gsm", max_thoughts=16)
    layer.load_state_dict(weights.state_dict())
    soft = get_method("softcot", both.using(layer), TASK).thoughts(problems, 3)
    own = get_method("self-thoughts", pair, TASK).thoughts(problems, 3)
    torch.testing.assert_close(soft, own)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("start", ["vocabulary", "answers"])
def test_it_is_trained_and_read_again(pair, tmp_path, name, start):
    out = tmp_path / "out"
    result = train(pair, name, "mini-gsm", replace(TINY, start=start), out)
    assert result.finished and all("swap_loss" in entry for entry in result.history)
    kind = get_method(name, pair, TASK).kind
    weights = pair.read(kind, out)
    assert weights.assistant_model == "" and weights.max_thoughts == 3
    assert json.loads((out / "training.json").read_text())["method"] == name
    assert pair.mismatches(weights) == []
    used = get_method(name, pair.using(weights), TASK).thoughts(build_problems(2), 3)
    assert used.shape == (2, 3, 32)
    card = (out / "README.md").read_text()
    assert "assistant takes part" in card and f"{weights.size:,} parameters" in card


def test_places_that_are_alike_are_one_projection(pair, problems):
    one = SelfProjection.for_pair(pair, "mini-gsm", 3, seed=5)
    each = PlaceProjections.for_pair(pair, "mini-gsm", 3)
    for place in each.places:
        place.load_state_dict(one.state_dict())
    states = torch.randn(2, 3, pair.base.width)
    torch.testing.assert_close(each(states), one(states))
    fresh = PlaceProjections.for_pair(pair, "mini-gsm", 3)
    first, second, _ = (place.linear.weight for place in fresh.places)
    assert not torch.equal(first, second)


def test_weights_for_another_base_are_refused(pair, tmp_path):
    foreign = SelfProjection(pair.base.width + 1, pair.base.width + 1, task="mini-gsm")
    foreign.save(tmp_path / "self-mini-gsm")
    with pytest.raises(UserError, match="another base model"):
        pair.read(SelfProjection, tmp_path / "self-mini-gsm")
