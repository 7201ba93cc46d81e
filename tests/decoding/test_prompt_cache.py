"""What the base has read is not read again, and steps in pieces are steps in one."""

from dataclasses import replace

import pytest
import torch
from conftest import build_problems, forward_passes
from families import MODEL_FAMILIES, save_model

from softcot.bench import reference
from softcot.data.tasks import FREE, get_task
from softcot.decoding import prompt_cache
from softcot.decoding.prompt_cache import PromptCache
from softcot.methods import get_trainable
from softcot.methods.objective import token_losses
from softcot.models.batches import common_length
from softcot.models.language_model import LanguageModel
from softcot.prompts.builder import cut_at_slots
from softcot.training import corpus as corpora
from softcot.training import trainer
from softcot.training.config import TrainingConfig
from softcot.training.corpus import Corpus
from softcot.training.trainer import train

TASK = get_task("mini-gsm")
CONFIG = TrainingConfig(
    max_thoughts=4,
    steps=6,
    batch_size=4,
    learning_rate=1e-2,
    warmup=0,
    clip=1e9,
    train_problems=12,
    validation_problems=6,
    validate_every=3,
)
FORGETFUL = {"gemma3", "mistral"}
"""Families that are built with a sliding window here."""


def relative(found, expected):
    return ((found - expected).norm() / expected.norm()).item()


def prompts_of(lm, thoughts, count=5):
    return [
        lm.prompts.base(p.question, task=FREE, k=thoughts, target=p.target)
        for p in build_problems(count)
    ]


def starts_of(prompts):
    return [cut_at_slots(prompt)[0].ids for prompt in prompts]


@pytest.fixture(params=MODEL_FAMILIES)
def lm(request, tmp_path):
    save_model(request.param, tmp_path / request.param, 32, seed=5)
    return LanguageModel.load(tmp_path / request.param, "cpu")


def test_kept_keys_and_values_are_those_of_each_prompt_alone(pair):
    store, starts = PromptCache(pair.base), starts_of(prompts_of(pair.base, 2))
    assert len(set(map(len, starts))) > 1
    seen = []
    store.keep([*starts, starts[0]], 2, lambda *update: seen.append(update))
    assert len(store) == 5 and seen == [(1, 3), (2, 3), (3, 3)]
    cache = store.cache(starts[::-1])
    for number, ids in enumerate(starts[::-1]):
        alone = pair.base.model(torch.tensor([ids]), use_cache=True).past_key_values
        for found, expected in zip(cache.layers, alone.layers, strict=True):
            for name in ("keys", "values"):
                mine, theirs = getattr(found, name)[number], getattr(expected, name)[0]
                torch.testing.assert_close(mine[:, -len(ids) :], theirs, rtol=1e-5, atol=1e-5)
                assert not mine[:, : -len(ids)].any()


def test_a_prefix_of_another_is_kept_too(pair):
    store, [start] = PromptCache(pair.base), starts_of(prompts_of(pair.base, 1, count=1))
    store.keep([start, start[:-3], start[:1]], 3)
    assert len(store) == 3
    alone = pair.base.model(torch.tensor([start[:-3]]), use_cache=True).past_key_values
    for found, expected in zip(store.cache([start[:-3]]).layers, alone.layers, strict=True):
        torch.testing.assert_close(found.keys, expected.keys, rtol=1e-5, atol=1e-5)


def test_what_all_begin_with_is_read_and_kept_once(pair):
    store, starts = PromptCache(pair.base), starts_of(prompts_of(pair.base, 2))
    shared = common_length(starts)
    with forward_passes(pair.base) as seen:
        store.keep(starts, 3)
    assert shared > 10 and (1, shared) in seen
    assert sum(tokens for rows, tokens in seen if rows > 1) <= 2 * (max(map(len, starts)) - shared)
    assert len({id(start) for start, _ in store._rows.values()}) == 1


@pytest.mark.parametrize("thoughts", [1, 4])
def test_losses_and_gradients_are_the_same_with_kept_prefixes(pair, problems, thoughts):
    objective = get_trainable("softcot").objective_for(pair, "mini-gsm", 4, seed=3)
    weights, precomputed = (
        list(objective.weights.parameters()),
        objective.precompute(TASK, problems),
    )
    plain = objective.losses(problems, precomputed, thoughts)
    objective.keep_prefixes(problems, 2)
    with forward_passes(pair.base) as seen:
        kept = objective.losses(problems, precomputed, thoughts)
    assert len(seen) == 1
    torch.testing.assert_close(kept, plain, rtol=1e-6, atol=1e-5)
    ours = torch.autograd.grad(kept.mean(), weights)
    loss = reference.loss(pair, objective.weights, problems, thoughts)
    for mine, expected in zip(ours, torch.autograd.grad(loss, weights), strict=True):
        assert expected.norm() > 0 and relative(mine, expected) < 1e-5
    # One that is not kept among them, and all are read as ever.
    others = [replace(problems[0], question="Another one?"), *problems[1:]]
    with forward_passes(pair.base) as seen:
        objective.losses(others, precomputed, thoughts)
    assert len(seen) == 2


def test_only_models_that_remember_every_token_are_kept(lm, request):
    family = request.node.callspec.params["lm"]
    prompts, store = prompts_of(lm, 3), PromptCache(lm)
    store.keep(starts_of(prompts), 3)
    assert len(store) == (0 if family in FORGETFUL else 5)
    found, expected = [], []
    for results, kept in ((found, store), (expected, None)):
        vectors = torch.randn(5, 3, 32, generator=torch.manual_seed(0)).requires_grad_()
        losses = token_losses(lm, prompts, vectors, kept)
        results += [losses.detach(), torch.autograd.grad(losses.mean(), vectors)[0]]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_what_does_not_fit_is_not_kept(pair, monkeypatch):
    starts = starts_of(prompts_of(pair.base, 1))
    # Two layers of keys and values, two heads of eight fp32 numbers each.
    shared = common_length(starts)
    needed = 2 * 2 * 2 * 8 * 4 * (shared + sum(len(ids) - shared for ids in starts))
    for free, kept in ((4 * needed - 1, 0), (4 * needed + 1, 5)):
        monkeypatch.setattr(prompt_cache, "free_gigabytes", lambda device, free=free: free / 1e9)
        store = PromptCache(pair.base)
        store.keep(starts, 2)
        assert len(store) == kept and (store.cache(starts) is None) == (not kept)


def passes_of_steps(pair, out, config, method="softcot"):
    """Passes through the base in every step that no validation follows, and the history."""
    counts = []

    def count(update):
        if update.phase != "validating":
            counts.append(len(seen))

    with forward_passes(pair.base) as seen:
        result = train(pair, method, "mini-gsm", config, out, progress=count)
    steps = counts[-config.steps - 1 :]
    made = [after - before for before, after in zip(steps, steps[1:], strict=False)]
    spared = [n for step, n in enumerate(made, 1) if step > 1 and step % config.validate_every]
    return spared, result.history


@pytest.mark.parametrize("method", ["softcot", "prompt-tuning"])
def test_nothing_before_the_slots_is_read_in_a_step(pair, tmp_path, monkeypatch, method):
    kept, history = passes_of_steps(pair, tmp_path / "kept", CONFIG, method)
    assert kept == [1, 1, 1]
    short = replace(CONFIG, train_problems=13)  # less than two epochs
    assert passes_of_steps(pair, tmp_path / "short", short, method)[0] == [2, 2, 2]
    monkeypatch.setattr(prompt_cache, "free_gigabytes", lambda device: 0.0)
    plain, expected = passes_of_steps(pair, tmp_path / "plain", CONFIG, method)
    assert plain == [2, 2, 2]
    for mine, theirs in zip(history, expected, strict=True):
        assert mine["validation_loss"] == pytest.approx(theirs["validation_loss"], rel=1e-4)


def test_validation_problems_are_always_kept(pair, tmp_path, monkeypatch):
    kept = []
    keep = PromptCache.keep
    monkeypatch.setattr(
        PromptCache, "keep", lambda store, *rest: (keep(store, *rest), kept.append(len(store)))
    )
    train(pair, "softcot", "mini-gsm", replace(CONFIG, train_problems=13), tmp_path / "once")
    train(pair, "softcot", "mini-gsm", CONFIG, tmp_path / "twice")
    assert kept == [6, 6, 18]


def step_in(size, pair, folder, monkeypatch, method):
    """Loss and gradients of one step over nine problems in pieces of a size."""
    monkeypatch.setattr(corpora, "PIECE", size)
    config = replace(CONFIG, batch_size=9, start="random")
    run = trainer._Run(pair, method, "mini-gsm", config, folder)
    problems = build_problems(9)
    corpus = Corpus(problems, run.objective.precompute(TASK, problems))
    run.begin(corpus, None)
    start = [weight.detach().clone() for weight in run.trained]
    loss = run.advance(corpus, list(range(9)))
    assert any(not torch.equal(a, b) for a, b in zip(start, run.trained, strict=True))
    return loss, [weight.grad for weight in run.trained]


@pytest.mark.parametrize("method", ["softcot", "prompt-tuning", "lora"])
def test_a_step_in_pieces_is_a_step_in_one(pair, tmp_path, monkeypatch, method):
    whole, expected = step_in(9, pair, tmp_path, monkeypatch, method)
    for size in (1, 4):
        loss, gradients = step_in(size, pair, tmp_path, monkeypatch, method)
        assert loss == pytest.approx(whole, rel=1e-5)
        for mine, theirs in zip(gradients, expected, strict=True):
            assert theirs.isfinite().all()
            assert relative(mine, theirs) < 1e-5 or not (mine.any() or theirs.any())
    if method == "softcot":
        objective = get_trainable(method).objective_for(pair, "mini-gsm", 4, CONFIG.seed, "random")
        problems = build_problems(9)
        objective.prepare(problems, objective.precompute(TASK, problems))
        loss = reference.loss(pair, objective.weights, problems, CONFIG.drawn_k(0))
        theirs = torch.autograd.grad(loss, list(objective.weights.parameters()))
        assert whole == pytest.approx(loss.item(), rel=1e-5)
        assert all(relative(a, b) < 1e-5 for a, b in zip(expected, theirs, strict=True))


def test_pieces_have_texts_of_like_length(pair):
    problems = [
        replace(problem, rationale="So. " * (7 * number % 12))
        for number, problem in enumerate(build_problems(12))
    ]
    corpus = Corpus(problems, torch.empty(12, 0))
    pieces = corpus.pieces(
        get_trainable("softcot").objective_for(pair, "mini-gsm", 4, 0), list(range(12))
    )
    assert [len(piece) for piece in pieces] == [8, 4]
    lengths = [[len(problems[i].target) for i in piece] for piece in pieces]
    assert max(lengths[0]) <= min(lengths[1]) and sorted(sum(pieces, [])) == list(range(12))
