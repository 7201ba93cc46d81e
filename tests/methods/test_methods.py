"""The method: zero-shot CoT, the splice, and what stands in the slots."""

import hashlib
import json
from contextlib import ExitStack
from dataclasses import replace

import pytest
import torch
from conftest import build_problems, forward_passes
from peft import PeftModel
from transformers import AutoModelForCausalLM

from softcot.data.problems import Problem
from softcot.data.tasks import FREE, get_task
from softcot.decoding.decoder import Sampling, decode, finish
from softcot.methods import METHODS, AssistCoT, ZeroShotCoT, get_method
from softcot.methods.slots import SlotMethod
from softcot.methods.softcot import SoftCoT
from softcot.methods.splice import splice
from softcot.models.language_model import LanguageModel
from softcot.support.errors import UserError
from softcot.thoughts.adapter import Adapter
from softcot.thoughts.assistant import soft_states
from softcot.thoughts.controls import CONTROLS, SEEDED
from softcot.thoughts.edits import Edit
from softcot.thoughts.projection import Projection

TASK = get_task("mini-gsm")
DONORS = build_problems(6, seed=9)


@pytest.fixture
def soft(pair) -> SoftCoT:
    return SoftCoT(pair, pair.projection("mini-gsm"))


def controlled(pair, control, seed=0, donors=DONORS) -> SoftCoT:
    return get_method("softcot", pair, TASK, control=control, seed=seed, donors=donors)


@pytest.mark.parametrize("size", [1e38, float("inf"), float("nan")])
def test_thoughts_that_are_no_finite_numbers_are_refused_before_the_base_reads(pair, size):
    weights = Projection.for_pair(pair, "mini-gsm", 16)
    weights.linear.weight.data.fill_(size)
    method = SoftCoT(pair, weights)
    with forward_passes(pair.base) as seen:
        for ask in (method.thoughts, method.prepare):
            with pytest.raises(UserError, match="thoughts of SoftCoT are no finite numbers"):
                ask(DONORS, 3)
    assert not seen
    assert method.prepare(DONORS, 0).hashes == ZeroShotCoT(pair).prepare(DONORS).hashes


def test_edits_that_are_too_large_for_the_base_are_refused(pair, checkpoints, soft, monkeypatch):
    lm = LanguageModel.load(checkpoints / "mini" / "base", "cpu")
    lm.model.to(torch.float16)
    half = replace(pair, base=lm)
    edited = SoftCoT(half, soft.weights, TASK, edits=[Edit("add", amount=100, token="a")])
    assert edited.thoughts(DONORS, 3).isfinite().all()
    monkeypatch.setattr(SlotMethod, "_direction", lambda *_: torch.full((lm.width,), 1e3))
    with pytest.raises(UserError, match="use other weights, or a smaller edit"):
        edited.thoughts(DONORS, 3)


def test_splice_puts_each_thought_where_a_loop_would():
    embeds, thoughts = torch.randn(3, 9, 4), torch.randn(3, 2, 4)
    mask = torch.zeros(3, 9, dtype=torch.bool)
    for row, slots in enumerate(([0, 8], [3, 4], [2, 7])):
        mask[row, slots] = True
    expected = embeds.clone()
    for row in range(3):
        for slot, place in enumerate(mask[row].nonzero().flatten().tolist()):
            expected[row, place] = thoughts[row, slot]
    before = embeds.clone()
    spliced = splice(embeds, mask, thoughts)
    assert torch.equal(spliced, expected) and torch.equal(embeds, before)


def test_splice_sends_gradients_to_the_thoughts_only():
    embeds, thoughts = torch.randn(2, 5, 4), torch.randn(2, 2, 4, requires_grad=True)
    mask = torch.tensor([[0, 1, 1, 0, 0], [0, 0, 0, 1, 1]], dtype=torch.bool)
    splice(embeds.bfloat16(), mask, thoughts).float().sum().backward()
    assert torch.equal(thoughts.grad, torch.ones(2, 2, 4))


@pytest.mark.parametrize("mask", [[[0, 1, 0]], [[1, 1, 1]], [[0, 0, 0]]])
def test_splice_demands_exactly_k_slots(mask):
    with pytest.raises(AssertionError, match="exactly 2 slots"):
        splice(torch.zeros(1, 3, 4), torch.tensor(mask, dtype=torch.bool), torch.zeros(1, 2, 4))


def test_zero_shot_is_the_embedded_prompt(pair, problems):
    prepared = ZeroShotCoT(pair).prepare(problems)
    for row, problem in enumerate(problems):
        prompt = pair.base.prompts.base(problem.question, task=TASK)
        count = prepared.prompt_tokens[row]
        assert count == len(prompt) == prepared.attention_mask[row].sum()
        embedded = pair.base.embed(torch.tensor(prompt.ids))
        assert torch.equal(prepared.embeds[row, -count:], embedded)
        assert prepared.position_ids[row, -count:].tolist() == list(range(count))


def test_no_thoughts_is_exactly_zero_shot(pair, problems, soft):
    plain, empty = ZeroShotCoT(pair).prepare(problems), soft.prepare(problems, 0)
    assert torch.equal(plain.embeds, empty.embeds)
    assert torch.equal(plain.attention_mask, empty.attention_mask)
    assert torch.equal(plain.position_ids, empty.position_ids)
    assert plain.prompt_tokens == empty.prompt_tokens
    for control in CONTROLS:
        assert torch.equal(controlled(pair, control).prepare(problems, 0).embeds, plain.embeds)


def test_zero_shot_ignores_k(pair, problems):
    method = ZeroShotCoT(pair)
    assert torch.equal(method.prepare(problems, 7).embeds, method.prepare(problems, 0).embeds)


@pytest.mark.parametrize("thoughts", [1, 6, 16])
def test_softcot_equals_a_computation_by_hand(pair, problems, soft, thoughts):
    prepared = soft.prepare(problems, thoughts)
    layer = soft.weights.linear
    for row, problem in enumerate(problems):
        states = soft_states(pair.assistant, [problem.question], thoughts, TASK)
        vectors = states[0] @ layer.weight.T + layer.bias
        prompt = pair.base.prompts.base(problem.question, task=TASK, k=thoughts)
        expected = pair.base.embed(torch.tensor(prompt.ids)).clone()
        start = prompt.slot_mask.index(True)
        expected[start : start + thoughts] = vectors
        torch.testing.assert_close(prepared.embeds[row, -len(prompt) :], expected)
    torch.testing.assert_close(soft.thoughts(problems, thoughts)[-1], vectors)


@pytest.mark.parametrize("thoughts", [-1, 17])
def test_k_out_of_range_is_refused(problems, soft, thoughts):
    with pytest.raises(UserError, match=f"K = {thoughts} thoughts is out of range; choose 0 to 16"):
        soft.prepare(problems, thoughts)


@pytest.mark.parametrize("control", CONTROLS)
def test_controls_do_not_depend_on_neighbours(pair, problems, control):
    method = controlled(pair, control)
    together = method.thoughts(problems, 4)
    alone = method.thoughts(problems[3:4], 4)
    torch.testing.assert_close(together[3:4], alone)


def test_swap_is_the_thoughts_of_another_question(pair, problems, soft):
    swapped = controlled(pair, "swap").thoughts(problems, 4)
    offered = soft.thoughts(DONORS, 4)
    distance = torch.cdist(swapped.flatten(1), offered.flatten(1))
    assert (distance.min(1).values < 1e-4).all()
    assert not torch.allclose(swapped, soft.thoughts(problems, 4))


def test_swap_never_takes_the_same_question(pair, problems, soft):
    one, other = problems[:2]
    swapped = controlled(pair, "swap", donors=[one, other]).thoughts([one, other], 4)
    torch.testing.assert_close(swapped, soft.thoughts([other, one], 4))
    with pytest.raises(UserError, match="different question"):
        controlled(pair, "swap", donors=[one]).thoughts([one], 4)


def test_mean_is_the_mean_over_the_donors_for_every_k(pair, problems, soft):
    method = controlled(pair, "mean")
    for thoughts in (3, 16):
        expected = soft.thoughts(DONORS, thoughts).mean(0)
        for row in method.thoughts(problems, thoughts):
            torch.testing.assert_close(row, expected)


@pytest.mark.parametrize("control", CONTROLS)
def test_seeds_decide_the_seeded_controls_alone(pair, control):
    many = build_problems(8, seed=4)
    first, same, other = (
        controlled(pair, control, seed=seed).thoughts(many, 6) for seed in (1, 1, 2)
    )
    assert torch.equal(first, same) and torch.equal(first, other) == (control not in SEEDED)


def test_donors_come_from_the_validation_split(pair, problems, monkeypatch):
    import softcot.methods

    monkeypatch.setattr(softcot.methods, "DONORS", 5)
    method = get_method("softcot", pair, TASK, control="swap")
    assert method.donors == TASK.problems("validation", 5)
    assert method.thoughts(problems, 2).shape == (5, 2, 32)
    assert get_method("softcot", pair, TASK).donors == []


def test_hashes_are_of_the_prompt_alone(pair, problems):
    def hashes(name, thoughts, some=problems):
        return get_method(name, pair, TASK).prepare(some, thoughts).hashes

    kinds = [("zero-shot-cot", 0), ("softcot", 3), ("softcot", 4), ("assist-cot", 3)]
    found = [digest for kind in kinds for digest in hashes(*kind)]
    assert len(set(found)) == len(found) == 20
    # Neither the neighbours of a row nor what stands in its slots is part of its prompt.
    assert hashes("softcot", 3, problems[3:4]) == hashes("softcot", 3)[3:4]
    assert hashes("softcot", 3) == hashes("cot-unk", 3) == hashes("coconut", 3)
    ids = pair.base.prompts.base(problems[1].question, task=TASK, k=3).ids
    expected = hashlib.sha256(json.dumps(list(ids)).encode()).hexdigest()
    assert hashes("softcot", 3)[1] == expected[:16]


@pytest.mark.parametrize("name", METHODS)
def test_passes_are_counted(pair, problems, name):
    method = get_method(name, pair, TASK)
    own = getattr(getattr(method, "weights", None), "lm", pair.assistant)
    asked = {id(lm.model): lm for lm in (method.lm, pair.assistant, own)}.values()
    with ExitStack() as stack:
        made = [stack.enter_context(forward_passes(lm)) for lm in asked]
        prompt = method.prepare(problems[:1], 4)
        [row] = finish(decode(method.lm, prompt, Sampling(max_new_tokens=5)))
    hint = method.hints(problems[:1], 4)[0] if isinstance(method, AssistCoT) else []
    before = len(hint) if hint else method.passes(4) if isinstance(method, SlotMethod) else 0
    assert before == {"softcot": 1, "coconut": 4}.get(name, before)
    assert prompt.passes == [before] and before + len(row.ids) == sum(map(len, made))
    assert method.prepare(problems, 0).passes == [0] * 5


def test_weights_of_another_task(pair):
    trained = [name for name, kind in METHODS.items() if kind.trains != "nothing"]
    assert {"prompt-tuning", "pause-tokens", "lora", "coconut", "softcot"} <= {*trained}
    for name in trained:
        own, other = (get_method(name, pair, TASK, trained_on=on) for on in (None, "mini-aqua"))
        assert (own.trained_on, other.trained_on) == ("mini-gsm", "mini-aqua")
        assert other.weights is get_method(name, pair, get_task("mini-aqua")).weights
        assert own.fingerprint() != other.fingerprint() and other.task is TASK
        assert get_method(name, pair, get_task("mini-dates")).trained_on == "mini-asdiv"
        with pytest.raises(UserError, match="'poetry'"):
            get_method(name, pair, TASK, trained_on="poetry")
    for name in METHODS.keys() - trained:
        assert get_method(name, pair, TASK).trained_on is None
        with pytest.raises(UserError, match="trains nothing"):
            get_method(name, pair, TASK, trained_on="mini-aqua")
    assert controlled(pair, "untrained").trained_on is None


def test_bad_names_are_refused(pair):
    with pytest.raises(UserError, match="'magic'.*zero-shot-cot, .*softcot"):
        get_method("magic", pair, TASK)
    with pytest.raises(UserError, match="no control called 'swop'"):
        get_method("softcot", pair, TASK, control="swop")
    with pytest.raises(UserError, match="has no thoughts"):
        get_method("zero-shot-cot", pair, TASK, control="swap")
    with pytest.raises(UserError, match="needs other questions"):
        get_method("softcot", pair, FREE, control="mean")


def test_methods_by_name(pair):
    paper = "zero-shot-cot cot-unk prompt-tuning assist-cot lora coconut softcot".split()
    assert [name for name in METHODS if name in paper] == paper
    for name, kind in METHODS.items():
        method = get_method(name, pair, FREE)
        assert type(method) is kind and method.name == name and method.title


@pytest.mark.parametrize("name", [name for name, kind in METHODS.items() if not kind.reworded])
def test_every_method_without_thoughts_is_zero_shot(pair, problems, name):
    plain = ZeroShotCoT(pair, TASK).prepare(problems)
    with forward_passes(pair.assistant) as passes:
        bare = get_method(name, pair, TASK).prepare(problems, 0)
    assert not passes
    assert torch.equal(bare.embeds, plain.embeds)
    assert bare.prompt_tokens == plain.prompt_tokens


@pytest.mark.parametrize("name", METHODS)
def test_nobody_chose_k(pair, name):
    method = get_method(name, pair, TASK)
    usual = method.max_thoughts if name == "coconut" else method.default_k
    assert method.checked_k(None) == usual <= method.max_thoughts
    assert method.checked_k(0) == 0
    if method.max_thoughts:
        with pytest.raises(UserError, match=f"choose 0 to {method.max_thoughts}"):
            method.checked_k(method.max_thoughts + 1)


def test_cot_unk_leaves_the_placeholders_as_they_are(pair, problems):
    prepared = get_method("cot-unk", pair, TASK).prepare(problems, 5)
    for row, problem in enumerate(problems):
        prompt = pair.base.prompts.base(problem.question, task=TASK, k=5)
        expected = pair.base.embed(torch.tensor(prompt.ids))
        assert torch.equal(prepared.embeds[row, -len(prompt) :], expected)


def test_prompt_tuning_gives_everybody_the_same_vectors(pair, problems):
    method = get_method("prompt-tuning", pair, TASK)
    vectors = method.thoughts(problems, 5)
    assert vectors.shape == (len(problems), 5, 32)
    assert (vectors == method.weights.vectors[:5]).all()
    # So another question's, and the mean over all, are the same again.
    for control in ("swap", "mean"):
        method = get_method("prompt-tuning", pair, TASK, control=control, donors=DONORS)
        torch.testing.assert_close(method.thoughts(problems, 5), vectors)


def test_assist_cot_pastes_what_the_assistant_writes(pair, problems):
    method, assistant = get_method("assist-cot", pair, TASK), pair.assistant
    hints = method.hints(problems, 6)
    prepared = method.prepare(problems, 6)
    for row, (problem, hint) in enumerate(zip(problems, hints, strict=True)):
        prompt = assistant.prompts.assistant(problem.question, task=TASK)
        ids = torch.tensor([prompt.ids])
        with torch.no_grad():
            written = assistant.model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=6, do_sample=False
            )
        assert hint == written[0, ids.shape[1] :].tolist()
        text = assistant.text(hint).strip()
        read = pair.base.prompts.base(problem.question, task=TASK, hint=text or None)
        expected = pair.base.embed(torch.tensor(read.ids))
        assert torch.equal(prepared.embeds[row, -len(read) :], expected)


def test_untrained_is_what_fresh_weights_give(pair, problems, soft):
    fresh = controlled(pair, "untrained", seed=3)
    expected = Projection.for_pair(pair, TASK.name, seed=3).linear.weight
    assert torch.equal(fresh.weights.linear.weight, expected)
    assert not torch.equal(fresh.weights.linear.weight, soft.weights.linear.weight)
    assert fresh.thoughts(problems, 4).shape == (len(problems), 4, 32)
    with pytest.raises(UserError, match="trains nothing"):
        get_method("cot-unk", pair, TASK, control="untrained")
    with pytest.raises(UserError, match="'untrained' has no training"):
        get_method("softcot", pair, TASK, control="untrained", trained_on="mini-aqua")


def test_blank_and_endless_questions_are_refused(pair, soft):
    with pytest.raises(UserError, match="empty"):
        soft.prepare([Problem(task="free", question=" ")], 3)
    with pytest.raises(UserError, match=r"tokens long; the limit is \d+\. Shorten it"):
        soft.prepare([Problem(task="free", question="7" * 600)], 3)


def test_adapters_share_the_base_and_leave_it_alone(pair, problems):
    method = get_method("lora", pair, TASK)
    own = dict(method.lm.model.named_parameters())
    shared = {id(p) for p in pair.base.model.parameters()}
    assert {id(p) for name, p in own.items() if "lora_" not in name} == shared
    assert not any("lora_" in name for name, _ in pair.base.model.named_parameters())
    ids = method.batch(method.prompts(problems)).input_ids
    with torch.no_grad():
        tuned, plain = (lm.model(input_ids=ids).logits for lm in (method.lm, pair.base))
    assert not torch.allclose(tuned, plain)


def test_fresh_adapters_change_nothing(pair, problems):
    fresh = Adapter.for_pair(pair, "mini-gsm")
    ids = torch.tensor([pair.base.prompts.text("Anna has 12 apples.")])
    with torch.no_grad():
        tuned, plain = (lm.model(input_ids=ids).logits for lm in (fresh.lm, pair.base))
    assert torch.equal(tuned, plain)


def test_adapters_are_a_peft_folder(pair, checkpoints):
    method = get_method("lora", pair, TASK)
    model = AutoModelForCausalLM.from_pretrained(checkpoints / "mini" / "base")
    loaded = PeftModel.from_pretrained(model, checkpoints / "mini" / "lora-mini-gsm")
    ids = torch.tensor([pair.base.prompts.text("Anna has 12 apples.")])
    with torch.no_grad():
        theirs, ours = (m(input_ids=ids).logits for m in (loaded, method.lm.model))
    torch.testing.assert_close(theirs, ours)
    card = (checkpoints / "mini" / "lora-mini-gsm" / "README.md").read_text()
    assert f"{method.weights.size:,} parameters" in card


def test_coconut_feeds_its_last_state_back(pair, problems):
    """Each thought is the state before it, by a full forward pass without any cache."""
    method = get_method("coconut", pair, TASK)
    assert method.checked_k(None) == method.max_thoughts == 6
    thoughts = method.thoughts(problems, 4)
    model = method.lm.model
    for row, problem in enumerate(problems):
        prompt = pair.base.prompts.base(problem.question, task=TASK, k=4)
        inputs = method.lm.embed(torch.tensor([prompt.ids[: prompt.slot_mask.index(True)]]))
        for step in range(4):
            with torch.no_grad():
                states = model.base_model(inputs_embeds=inputs).last_hidden_state
            torch.testing.assert_close(thoughts[row, step], states[0, -1], atol=1e-3, rtol=1e-3)
            inputs = torch.cat([inputs, states[:, -1:]], dim=1)
