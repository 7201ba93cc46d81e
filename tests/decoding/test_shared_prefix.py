"""What all prompts of a batch begin with is read once, and the answers are the same."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest import build_problems, forward_passes
from families import MODEL_FAMILIES, save_model

from softcot.data.tasks import FREE
from softcot.decoding import shared_prefix
from softcot.decoding.decoder import Decoder, Sampling, decode, finish
from softcot.methods import SoftCoT, ZeroShotCoT
from softcot.models.batches import PromptEmbeds, collate, join
from softcot.models.cache import empty_cache, keeps_all
from softcot.models.language_model import LanguageModel
from softcot.prompts.wording import Example, Templates, Wording

FORGETFUL = {"gemma3", "mistral"}
"""Families that are built with a sliding window here."""
EXAMPLES = (
    Example("Tom has 3 pears and eats 1. How many are left?", "3 - 1 = 2. The answer is 2."),
)


class Shown(Templates):
    """Templates that show both models an example."""

    def __init__(self):
        vars(self).update(folder=Path(), others=())

    def wording(self, role, task, k=0):
        return Wording("Solve the problem. ", "", EXAMPLES)


@pytest.fixture
def shown(pair, monkeypatch):
    """The tiny pair, told by an example; what it begins with is long enough to be shared."""
    monkeypatch.setattr(shared_prefix, "LEAST", 16)
    return pair.told(Shown())


def prompts_of(pair, problems, k=3):
    soft = SoftCoT(pair, pair.projection("mini-gsm"))
    return join([ZeroShotCoT(pair).prepare(problems), soft.prepare(problems, k)])


def written(lm, prompt, **sampling):
    return [row.ids for row in finish(decode(lm, prompt, Sampling(max_new_tokens=12, **sampling)))]


def test_a_batch_knows_what_its_prompts_begin_with(shown, problems):
    prompt = prompts_of(shown, problems)
    before = shown.base.prompts.base("x", task=FREE).ids
    ids = [
        shown.base.prompts.base(p.question, task=FREE, k=k).ids for k in (0, 3) for p in problems
    ]
    assert len(prompt.shared) > 40
    assert all(row[: len(prompt.shared)] == prompt.shared for row in ids)
    assert before[: len(prompt.shared) - 4] == prompt.shared[:-4]
    # One question asked twice goes on to be the same up to the slots, which are nobody else's.
    [question] = {p.question for p in problems[:1]}
    both = prompts_of(shown, problems[:1])
    asked = shown.base.prompts.base(question, task=FREE, k=3)
    assert both.shared == asked.ids[: asked.slot_mask.index(True) - 1]


@pytest.mark.parametrize("count", [1, 5])
def test_answers_are_those_of_prompts_read_whole(shown, problems, count):
    prompt = prompts_of(shown, problems[:count])
    whole = replace(prompt, shared=())
    for sampling in ({}, {"temperature": 1.0}):
        assert written(shown.base, prompt, **sampling) == written(shown.base, whole, **sampling)
    assert len(set(prompt.prompt_tokens)) > 1


def test_the_beginning_is_read_for_one_row_and_then_never_again(shown, problems):
    first, second = (prompts_of(shown, rows) for rows in (problems[:3], problems[3:]))
    shared = len(first.shared)
    with forward_passes(shown.base) as seen:
        written(shown.base, first)
    assert seen[:2] == [(1, shared), (6, max(first.prompt_tokens) - shared)]
    with forward_passes(shown.base) as seen:
        assert written(shown.base, second) == written(shown.base, replace(second, shared=()))
    assert seen[0][0] == 4 and seen[0][1] < max(second.prompt_tokens) - 40
    # A single question goes on from what is known too, and does not read it apart if nothing is.
    alone = ZeroShotCoT(shown).prepare(problems[:1])
    with forward_passes(shown.base) as seen:
        written(shown.base, alone)
    assert seen[0][0] == 1 and seen[0][1] < max(alone.prompt_tokens) - 40
    fresh = shown.told(Shown())
    with forward_passes(fresh.base) as seen:
        written(fresh.base, alone)
    assert seen[0] == (1, alone.prompt_tokens[0]) and fresh.base.prefix is None


def test_rows_that_join_later_are_the_same(shown, problems):
    prompts = [prompts_of(shown, rows) for rows in (problems[:2], problems[2:])]
    decoder = Decoder(shown.base, Sampling(max_new_tokens=12))
    rows = decoder.add(prompts[0])
    for _ in range(3):
        decoder.step()
    rows += decoder.add(prompts[1])
    while decoder.open:
        decoder.step()
    apart = [ids for prompt in prompts for ids in written(shown.base, replace(prompt, shared=()))]
    assert [row.ids for row in rows] == apart


def test_nothing_is_remembered_of_other_words_or_of_weights_in_training(shown, problems):
    prompt = prompts_of(shown, problems)
    written(shown.base, prompt)
    assert shown.base.prefix.ids == prompt.shared
    told = shown.told(Templates.named("mini"))
    assert told.base.prefix is None and shown.base.twin().prefix is None
    twin = shown.base.twin()
    weight = torch.nn.Parameter(torch.zeros(1))
    twin.model.register_parameter("learning", weight)
    written(twin, prompt)
    assert twin.prefix is None


@pytest.fixture(params=MODEL_FAMILIES)
def lm(request, tmp_path):
    save_model(request.param, tmp_path / request.param, 32, seed=5)
    return LanguageModel.load(tmp_path / request.param, "cpu")


def test_every_family_writes_the_same(lm, request, monkeypatch):
    monkeypatch.setattr(shared_prefix, "LEAST", 8)
    family = request.node.callspec.params["lm"]
    lm = lm.told(Shown())
    ids = [lm.prompts.base(p.question, task=FREE) for p in build_problems(5)]
    batch = collate(ids, lm.pad_id, "left")
    prompt = PromptEmbeds.of(batch, lm.embed(batch.input_ids))
    assert len(set(prompt.prompt_tokens)) > 1
    logits = []
    for asked in (prompt, replace(prompt, shared=()), prompt):
        logits.append(shared_prefix.read_prompts(lm, asked, empty_cache(lm)))
        assert (lm.prefix is not None) == (asked.shared != () and family not in FORGETFUL) or (
            lm.prefix is not None
        )
    assert keeps_all(empty_cache(lm)) == (family not in FORGETFUL)
    torch.testing.assert_close(logits[0], logits[1], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(logits[2], logits[1], rtol=1e-3, atol=1e-4)
    assert written(lm, prompt) == written(lm, replace(prompt, shared=()))
