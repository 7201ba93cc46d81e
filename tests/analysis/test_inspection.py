"""A question's thoughts from all sides: the parts agree with what each gives alone."""

import numpy as np
import pytest
import torch
from conftest import build_problems

from softcot.analysis.attention import slot_attention
from softcot.analysis.inspection import inspect, slot_effects
from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling, decode, finish
from softcot.methods import get_method
from softcot.support.errors import UserError

TASK = get_task("mini-gsm")


@pytest.fixture(scope="module")
def seen(pair, vocabulary):
    problem, *others = build_problems(4)
    return inspect(pair, TASK, problem, 4, others=others, vocabulary=vocabulary)


def test_every_part_is_of_the_same_thoughts(pair, seen):
    layers = pair.base.model.config.num_hidden_layers
    assert len(seen.exploration.thoughts) == len(seen.assistant) == 4
    assert len(seen.base) == layers + 1 and all(len(layer) == 4 for layer in seen.base)
    assert seen.attention.shape == seen.dropped.shape == seen.kept.shape == (4,)
    assert seen.head_shares.shape == (layers, pair.base.model.config.num_attention_heads)
    assert seen.geometry.thoughts.to_others.shape == (4,)


def test_attention_is_that_of_the_written_answer(pair, seen):
    method, problem = get_method("softcot", pair, TASK), build_problems(1)[0]
    prompt = method.prepare([problem], 4)
    [row] = finish(decode(pair.base, prompt, Sampling()))
    weights = slot_attention(pair.base, prompt, row.ids)
    np.testing.assert_allclose(seen.attention, weights.mean((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(seen.head_shares, weights.sum(-1).mean(-1), rtol=1e-5)
    assert seen.answer == pair.base.text(row.ids).strip()


def test_an_effect_is_that_of_the_prompt_with_those_slots(pair):
    problem, answer = build_problems(1)[0], [9, 20, 3]
    method = get_method("softcot", pair, TASK)
    own = method.thoughts([problem], 3)
    dropped, alone = slot_effects(method, problem, own, answer)
    vectors = own[0]

    def score(kept: list[int]) -> float:
        prompt = pair.base.prompts.base(problem.question, task=TASK, k=len(kept))
        embeds = pair.base.embed(torch.tensor(prompt.ids)).clone()
        embeds[torch.tensor(prompt.slot_mask)] = vectors[kept]
        whole = torch.cat([embeds, pair.base.embed(torch.tensor(answer))])[None]
        with torch.no_grad():
            logits = pair.base.model(inputs_embeds=whole).logits[0, len(prompt.ids) - 1 : -1]
        return logits.log_softmax(-1)[range(3), answer].sum().item()

    expected = [score(kept) - score([0, 1, 2]) for kept in ([1, 2], [0, 2], [0, 1])]
    np.testing.assert_allclose(dropped, expected, rtol=1e-3, atol=1e-4)
    expected = [score([slot]) - score([]) for slot in range(3)]
    np.testing.assert_allclose(alone, expected, rtol=1e-3, atol=1e-4)


def test_nothing_to_look_at_is_refused(pair, vocabulary):
    problem = build_problems(1)[0]
    with pytest.raises(UserError, match="K = 0 there are no thoughts"):
        inspect(pair, TASK, problem, 0, others=[], vocabulary=vocabulary)
    alone = inspect(pair, TASK, problem, 2, others=[], vocabulary=vocabulary)
    assert alone.geometry.thoughts.to_others is None
