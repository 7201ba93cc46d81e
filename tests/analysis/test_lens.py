"""What both models' vocabularies read at the thoughts."""

from types import SimpleNamespace

import pytest
import torch
from torch.nn.functional import layer_norm

from softcot.analysis.lens import (
    Plan,
    Reading,
    assistant_readings,
    base_readings,
    plan_lengths,
    read_plan,
)
from softcot.data.tasks import get_task
from softcot.methods import get_method
from softcot.models.batches import join
from softcot.models.language_model import LanguageModel
from softcot.support.errors import UserError
from softcot.thoughts.edits import Edit

TASK = get_task("mini-gsm")
K = 4


@pytest.fixture(scope="module")
def method(pair):
    return get_method("softcot", pair, TASK)


def shown(readings) -> tuple[list[list[int]], torch.Tensor]:
    ids = [[one.id for one in near] for near in readings]
    return ids, torch.tensor([[one.probability for one in near] for near in readings])


def test_slots_are_where_the_thoughts_were_put(method, problems):
    prompt = method.prepare(problems[1:2], K)
    assert prompt.slot_mask.shape == prompt.embeds.shape[:2] and int(prompt.slot_mask.sum()) == K
    vectors = method.thoughts(problems[1:2], K)[0]
    torch.testing.assert_close(prompt.embeds[prompt.slot_mask], vectors.to(prompt.embeds.dtype))
    assert not method.prepare(problems[1:2], 0).slot_mask.any()


def test_joined_rows_keep_their_slots(method, problems):
    rows = [method.prepare(problems[:1], K), method.prepare(problems[1:2], 2)]
    joined = join(rows)
    assert joined.slot_mask.sum(1).tolist() == [K, 2]
    thoughts = torch.cat([row.embeds[row.slot_mask] for row in rows])
    assert torch.equal(joined.embeds[joined.slot_mask], thoughts)


def test_a_dropped_thought_has_no_slot(pair, problems):
    dropping = get_method("softcot", pair, TASK, edits=[Edit("drop", slots=(2,))])
    prompt = dropping.prepare(problems[:1], K)
    vectors = dropping.thoughts(problems[:1], K)[0]
    assert int(prompt.slot_mask.sum()) == len(vectors) == K - 1
    torch.testing.assert_close(prompt.embeds[prompt.slot_mask], vectors.to(prompt.embeds.dtype))


def test_a_prompt_without_slots_is_refused(pair, problems):
    plain = get_method("zero-shot-cot", pair, TASK).prepare(problems[:1])
    with pytest.raises(UserError, match="no thoughts to look at"):
        base_readings(pair.base, plain)


@torch.no_grad()
def test_the_assistant_reads_what_its_own_logits_say(pair, problems):
    lm = pair.assistant
    question = problems[2].question
    prompt = lm.prompts.assistant(question, task=TASK, k=K)
    logits = lm.model(torch.tensor([prompt.ids])).logits[0, torch.tensor(prompt.slot_mask)]
    best = logits.softmax(-1).topk(5)
    ids, shares = shown(found := assistant_readings(pair, question, K, TASK))
    assert ids == best.indices.tolist()
    torch.testing.assert_close(shares, best.values)
    assert found[0][0].token.isprintable()
    assert assistant_readings(pair, question, 2, TASK, 5)[1][0].id == ids[1][0]
    assert assistant_readings(pair, question, 0, TASK) == []


def test_the_plan_is_the_likeliest_word_of_each_thought_and_stops_at_the_end(
    pair, problems, monkeypatch
):
    question = problems[2].question
    plan = read_plan(pair, question, K, TASK)
    assert plan.said == [one[0] for one in assistant_readings(pair, question, K, TASK)]
    fewer = read_plan(pair, question, 2, TASK).said
    assert [one.id for one in plan.said[:2]] == [one.id for one in fewer]
    # Products of other shapes may round otherwise.
    probabilities = [one.probability for one in fewer]
    assert [one.probability for one in plan.said[:2]] == pytest.approx(probabilities, rel=1e-5)
    assert len(plan.placebo) == K and plan.placebo != plan.said
    assert read_plan(pair, question, 0, TASK) == Plan([], [], 0)
    ends = frozenset({plan.said[2].id})
    expected = [one.id for one in plan.said].index(plan.said[2].id)
    monkeypatch.setattr(LanguageModel, "end_ids", ends)
    assert read_plan(pair, question, K, TASK).length == expected
    assert plan_lengths(pair, ["What?", question], K, TASK)[1] == expected
    monkeypatch.setattr(LanguageModel, "end_ids", frozenset())
    assert read_plan(pair, question, K, TASK).length == K


@pytest.mark.parametrize(
    ("tokens", "length", "readable"),
    [("add <end>", 1, True), ("↵ 2 <end>", 2, True), ("↵ ↵ <end>", 2, False), ("<end>", 0, False)],
)
def test_a_plan_is_readable_where_a_word_or_number_stands_before_its_end(tokens, length, readable):
    said = [Reading(place, token, 1.0) for place, token in enumerate(tokens.split())]
    assert Plan(said, said, length).is_readable is readable


@torch.no_grad()
def test_the_last_layer_reads_what_the_model_predicts(pair, method, problems):
    prompt = method.prepare([problems[2]], K)
    readings = base_readings(pair.base, prompt)
    assert len(readings) == pair.base.model.config.num_hidden_layers + 1
    assert all(len(layer) == K and len(layer[0]) == 3 for layer in readings)
    logits = pair.base.model(
        inputs_embeds=prompt.embeds,
        attention_mask=prompt.attention_mask,
        position_ids=prompt.position_ids,
    ).logits[prompt.slot_mask]
    best = logits.softmax(-1).topk(3)
    ids, shares = shown(readings[-1])
    assert ids == best.indices.tolist()
    torch.testing.assert_close(shares, best.values)


@torch.no_grad()
def test_earlier_layers_go_through_the_norm_and_the_head(pair, method, problems):
    model = pair.base.model
    prompt = method.prepare([problems[0]], K)
    inside = []
    hook = model.base_model.layers[0].register_forward_hook(lambda *seen: inside.append(seen[2]))
    try:
        readings = base_readings(pair.base, prompt, count=2)
    finally:
        hook.remove()
    first = inside[0][0] if isinstance(inside[0], tuple) else inside[0]
    [slots] = prompt.slot_mask
    for layer, states in ((0, prompt.embeds[0, slots]), (1, first.reshape(-1, 32)[slots])):
        scale = states.pow(2).mean(-1, keepdim=True) + model.config.rms_norm_eps
        normed = states * scale.rsqrt() * model.base_model.norm.weight
        best = (normed @ model.lm_head.weight.T).softmax(-1).topk(2)
        ids, shares = shown(readings[layer])
        assert ids == best.indices.tolist()
        torch.testing.assert_close(shares, best.values)


def test_rows_that_no_token_owns_are_not_shown(pair, method, problems):
    tokenizer = pair.base.tokenizer

    class Short:
        """The same tokenizer, were it to know half of the rows."""

        def __len__(self) -> int:
            return len(tokenizer) // 2

        def __getattr__(self, name: str):
            return getattr(tokenizer, name)

    short = LanguageModel(pair.base.model, Short(), pair.base.prompts, "short")
    prompt = method.prepare([problems[0]], K)
    limit = len(tokenizer) // 2
    for layer, whole in zip(
        base_readings(short, prompt, 400), base_readings(pair.base, prompt, 400),
        strict=True,
    ):  # fmt: skip
        for seen, every in zip(layer, whole, strict=True):
            assert len(seen) == limit and all(one.id < limit for one in seen)
            assert sum(one.probability for one in seen) < 1
            assert sum(one.probability for one in every) == pytest.approx(1, abs=1e-3)
            shares = {one.id: one.probability for one in every}
            assert all(shares[one.id] == one.probability for one in seen)


def test_a_model_with_its_norm_elsewhere_is_refused(pair, method, problems):
    prompt = method.prepare([problems[0]], K)
    other = SimpleNamespace(model=SimpleNamespace(base_model=layer_norm), name="other")
    with pytest.raises(UserError, match="final norm"):
        base_readings(other, prompt)
