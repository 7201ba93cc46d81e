"""What a reviewer asks for: no steps, fewer words, a hint of equal length, pauses."""

import pytest
import torch

from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.evaluation.scoring import gold_logprobs
from softcot.methods import ZeroShotCoT, get_method
from softcot.methods.no_cot import OPENING
from softcot.support.errors import UserError

TASK = get_task("mini-gsm")


def test_no_cot_goes_on_from_the_last_sentence(pair, problems):
    method, plain = get_method("no-cot", pair, TASK), ZeroShotCoT(pair, TASK)
    begun = pair.base.prompts.text(OPENING)
    for prompt, before in zip(method.prompts(problems), plain.prompts(problems), strict=True):
        assert prompt.ids == (*before.ids, *begun)
    record = evaluate(pair, TASK, Protocol("no-cot", sampling=Sampling(max_new_tokens=3)), problems)
    for row in record.rows:
        assert row.text.startswith(OPENING) and row.tokens <= 3
    for written in (" 18.", " 18. She has 2: 2 / 2 = 1. The answer is 1.", " 18.\nNo."):
        assert method.said(pair.base.prompts.text(written)) == "The answer is 18."
    assert method.said(pair.base.prompts.text(" 1.5 m. Or so.")) == "The answer is 1.5 m."


def test_the_answer_of_no_cot_is_scored_alone(pair, problems):
    method = get_method("no-cot", pair, TASK)
    found = gold_logprobs(method, problems, method.prepare(problems))
    for score, problem in zip(found, problems, strict=True):
        [asked] = method.prompts([problem])
        rest = [*pair.base.prompts.text(f" {problem.answer}."), pair.base.prompts.end_of_turn]
        ids = torch.tensor([[*asked.ids, *rest]])
        with torch.no_grad():
            logits = pair.base.model(input_ids=ids).logits[0, :-1].log_softmax(-1)
        every = logits.gather(1, ids[0, 1:, None])[-len(rest) :]
        assert score == pytest.approx(every.sum().item(), abs=1e-3)


def test_concise_cot_says_in_how_many_words(pair, problems):
    method = get_method("concise-cot", pair, TASK)
    for words in (5, 60):
        [prompt] = method.prompts(problems[:1], words)
        text = pair.base.tokenizer.decode(prompt.ids)
        assert f"Reason in at most {words} words." in text and problems[0].question in text
    assert len(set(method.prepare(problems[:1], k).hashes[0] for k in (5, 60, 0))) == 3
    with pytest.raises(UserError, match="K = 201 words is out of range; choose 0 to 200"):
        method.prepare(problems, 201)


def test_an_equal_hint_is_assist_cots_with_as_many_tokens_as_thoughts(pair, problems):
    equal, usual = (get_method(name, pair, TASK) for name in ("equal-hint", "assist-cot"))
    assert equal.checked_k(None) == get_method("softcot", pair, TASK).checked_k(None)
    assert equal.prepare(problems, 5).hashes == usual.prepare(problems, 5).hashes
    assert all(len(hint) <= 5 for hint in equal.hints(problems, 5))


def test_a_pause_is_one_vector_in_every_slot(pair, problems):
    method = get_method("pause-tokens", pair, TASK)
    assert method.weights.size == pair.base.width
    vectors = method.thoughts(problems, 5)
    assert vectors.shape == (len(problems), 5, 32)
    assert (vectors == method.weights.vectors).all()
