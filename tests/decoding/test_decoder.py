"""Decoding: what `generate` writes, row by row, streamed, seeded and stoppable."""

import copy
import itertools
from dataclasses import replace

import pytest
import torch
from conftest import forward_passes
from transformers.cache_utils import DynamicLayer

from softcot.data.tasks import get_task
from softcot.decoding.decoder import (
    Completion,
    Decoder,
    Sampling,
    _choose,
    _generator,
    decode,
    finish,
    log_probabilities,
)
from softcot.methods import ZeroShotCoT, get_method
from softcot.methods.softcot import SoftCoT
from softcot.models import cache
from softcot.models.batches import PromptEmbeds, join
from softcot.models.cache import RoomyLayer
from softcot.models.language_model import LanguageModel
from softcot.support.errors import UserError


@pytest.fixture
def prompt(pair, problems) -> PromptEmbeds:
    """Five rows of zero-shot CoT and five of SoftCoT."""
    soft = SoftCoT(pair, pair.projection("mini-gsm"))
    return join([ZeroShotCoT(pair).prepare(problems), soft.prepare(problems, 6)])


def one(prompt: PromptEmbeds, row: int) -> PromptEmbeds:
    count = prompt.prompt_tokens[row]
    return PromptEmbeds(
        embeds=prompt.embeds[row : row + 1, -count:],
        attention_mask=prompt.attention_mask[row : row + 1, -count:],
        position_ids=prompt.position_ids[row : row + 1, -count:],
        slot_mask=prompt.slot_mask[row : row + 1, -count:],
        prompt_tokens=[count],
        hashes=prompt.hashes[row : row + 1],
        passes=prompt.passes[row : row + 1],
    )


def with_ends(lm, *ids: int):
    """The same model, which also stops at these tokens."""
    changed = copy.copy(lm)
    changed.model = copy.copy(lm.model)
    changed.model.generation_config = copy.deepcopy(lm.model.generation_config)
    changed.model.generation_config.eos_token_id = [3, *ids]
    return changed


def run(lm, prompt, row_seeds=None, **sampling) -> list[Completion]:
    return finish(decode(lm, prompt, Sampling(**sampling), row_seeds))


def generate(lm, prompt, count: int, ends: list[int]) -> list[list[int]]:
    ids = lm.model.generate(
        inputs_embeds=prompt.embeds,
        attention_mask=prompt.attention_mask,
        max_new_tokens=count,
        do_sample=False,
        eos_token_id=ends,
        pad_token_id=0,
    ).tolist()
    for row in ids:
        stops = [place for place, token in enumerate(row) if token in ends]
        del row[stops[0] + 1 if stops else count :]
    return ids


def test_greedy_equals_generate(pair, prompt):
    rows = run(pair.base, prompt, max_new_tokens=40)
    assert [row.ids for row in rows] == generate(pair.base, prompt, 40, [3])
    assert len({tuple(row.ids) for row in rows}) > 5


def test_greedy_equals_generate_when_rows_end_apart(pair, prompt):
    plain = [row.ids for row in run(pair.base, prompt, max_new_tokens=24)]
    ends = [plain[0][3], plain[4][9], plain[7][0]]
    lm = with_ends(pair.base, *ends)
    rows = run(lm, prompt, max_new_tokens=24)
    assert [row.ids for row in rows] == generate(lm, prompt, 24, [3, *ends])
    assert len({len(row.ids) for row in rows}) >= 3
    for row in rows:
        assert row.finished and row.seconds > 0
        assert row.stop_reason == ("end" if row.ids[-1] in lm.end_ids else "length")


def test_single_rows_equal_the_batch_and_generate(pair, prompt):
    together = run(pair.base, prompt, max_new_tokens=20)
    for number, row in enumerate(together):
        alone = one(prompt, number)
        assert run(pair.base, alone, max_new_tokens=20)[0].ids == row.ids
        assert generate(pair.base, alone, 20, [3])[0] == row.ids


def test_samples_do_not_depend_on_neighbours(pair, prompt):
    sampling = {"temperature": 1.0, "top_p": 0.9, "max_new_tokens": 20}
    seeds = list(range(100, 110))
    together = run(pair.base, prompt, seeds, **sampling)
    for number in (0, 4, 9):
        alone = run(pair.base, one(prompt, number), [seeds[number]], **sampling)
        assert alone[0].ids == together[number].ids


def test_seeds_decide_samples(pair, prompt):
    def texts(seed, row_seeds=None):
        settings = {"temperature": 1.0, "seed": seed, "max_new_tokens": 12}
        return [row.ids for row in run(pair.base, prompt, row_seeds, **settings)]

    assert texts(41) == texts(41) != texts(42)
    assert texts(41, list(range(10))) == texts(41)
    first = join([one(prompt, 0)] * 3)
    samples = run(pair.base, first, temperature=1.0, max_new_tokens=12)
    assert len({tuple(row.ids) for row in samples}) == 3
    same = run(pair.base, first, [7, 7, 7], temperature=1.0, max_new_tokens=12)
    assert len({tuple(row.ids) for row in same}) == 1


def write_alone(lm, prompt, sampling, generator) -> list[int]:
    """One row, without a cache: every token by a full forward pass."""
    embeds, ids = prompt.embeds, []
    while len(ids) < sampling.max_new_tokens and not {*ids[-1:]} & lm.end_ids:
        with torch.no_grad():
            logits = lm.model(inputs_embeds=embeds).logits[:, -1].float()
        token = _choose(logits, sampling, [generator])
        ids.append(token.item())
        embeds = torch.cat([embeds, lm.embed(token[None])], dim=1)
    return ids


def test_samples_from_one_reading_equal_rows_written_apart(pair, prompt):
    sampling = Sampling(temperature=1.0, max_new_tokens=5)
    row_seeds, seeds, samples = range(100, 110), (41, 7), 3
    with forward_passes(pair.base) as passes:
        rows = finish(decode(pair.base, prompt, sampling, row_seeds, samples, seeds))
    assert passes[0] == (10, max(prompt.prompt_tokens)) and passes[1] == (60, 1)
    assert {tokens for _, tokens in passes[1:]} == {1} and len(passes) == 5
    draws = list(itertools.product(range(10), seeds, range(samples)))
    for row, (number, seed, sample) in zip(rows, draws, strict=True):
        generator = _generator(seed, row_seeds[number], sample)
        assert row.ids == write_alone(pair.base, one(prompt, number), sampling, generator)
    assert len({tuple(row.ids) for row in rows}) > 50


def test_a_sample_does_not_depend_on_how_many_there_are(pair, prompt):
    sampling = Sampling(temperature=1.0, max_new_tokens=8)
    ends = [run(pair.base, prompt, temperature=1.0, max_new_tokens=8)[2].ids[3]]
    lm = with_ends(pair.base, *ends)  # so that samples of one prompt end apart
    four = [row.ids for row in finish(decode(lm, prompt, sampling, samples=4))]
    two = [row.ids for row in finish(decode(lm, prompt, sampling, samples=2))]
    assert four[0::4] == two[0::2] == [row.ids for row in finish(decode(lm, prompt, sampling))]
    assert four[1::4] == two[1::2] != two[0::2]
    assert len({len(ids) for ids in four}) > 2


@pytest.mark.parametrize("method", ["zero-shot-cot", "lora"])
def test_log_probabilities_equal_a_full_forward_pass(pair, prompt, method):
    lm = get_method(method, pair, get_task("mini-gsm")).lm
    targets = [pair.base.prompts.text(f"{'So ' * n}the answer is {n}.") + [3] for n in range(10)]
    found = log_probabilities(lm, prompt, targets)
    for number, target in enumerate(targets):
        read = one(prompt, number).embeds
        whole = torch.cat([read, lm.embed(torch.tensor([target]))], dim=1)
        with torch.no_grad():
            logits = lm.model(inputs_embeds=whole).logits[0, read.shape[1] - 1 : -1]
        expected = logits.log_softmax(-1)[range(len(target)), target].sum().item()
        assert found[number] == pytest.approx(expected, abs=1e-4)
        [alone] = log_probabilities(lm, one(prompt, number), [target])
        assert alone == pytest.approx(expected, abs=1e-4)
    assert max(found) < 0 and len({round(value, 3) for value in found}) == 10


def test_every_step_is_streamed(pair, prompt):
    lengths = [[len(row.ids) for row in rows] for rows in
               decode(pair.base, prompt, Sampling(max_new_tokens=6))]  # fmt: skip
    assert lengths == [[step] * 10 for step in range(1, 7)]


def test_closing_the_generator_stops_at_once(pair, prompt, monkeypatch):
    steps = decode(pair.base, prompt, Sampling(max_new_tokens=100))
    next(steps)
    rows = next(steps)
    calls = []
    monkeypatch.setattr(LanguageModel, "next_logits", lambda *_: calls.append(1))
    steps.close()
    assert not calls
    assert all(len(row.ids) == 2 and not row.finished for row in rows)
    assert {row.stop_reason for row in rows} == {"stopped"}


def test_decoding_leaves_gradients_alone(pair, prompt):
    steps = decode(pair.base, prompt, Sampling(max_new_tokens=3))
    next(steps)
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    steps.close()


def test_the_context_is_a_limit_too(pair, prompt, monkeypatch):
    monkeypatch.setattr(pair.base.prompts, "context", max(prompt.prompt_tokens) + 4)
    rows = run(pair.base, prompt, max_new_tokens=50)
    left = [pair.base.context - count for count in prompt.prompt_tokens]
    assert [len(row.ids) for row in rows] == [min(50, room) for room in left]
    assert {row.stop_reason for row in rows} == {"length"}


LOGITS = torch.tensor([[0.0, 2.0, -2.0, 1.0, -1.0]])


def draw(count=4000, **settings) -> torch.Tensor:
    generators = [torch.Generator().manual_seed(seed) for seed in range(count)]
    tokens = _choose(LOGITS.expand(count, -1), Sampling(**settings), generators)
    return torch.bincount(tokens, minlength=5) / count


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("top_k", [0, 5, 99])
def test_samples_follow_the_distribution(temperature, top_k):
    expected = (LOGITS[0] / temperature).softmax(-1)
    drawn = draw(temperature=temperature, top_k=top_k)
    torch.testing.assert_close(drawn, expected, atol=0.03, rtol=0)


def test_top_k_and_top_p_cut_the_tail():
    three = torch.tensor([0.0, 2.0, -torch.inf, 1.0, -torch.inf]).softmax(-1)
    torch.testing.assert_close(draw(temperature=1.0, top_k=3), three, atol=0.03, rtol=0)
    # 0.636 + 0.234 < 0.9, so the third token is still in.
    torch.testing.assert_close(draw(temperature=1.0, top_p=0.9), three, atol=0.03, rtol=0)
    for certain in ({"top_k": 1}, {"top_p": 1e-9}):
        assert draw(count=50, temperature=1.0, **certain)[1] == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"temperature": -0.1}, "temperature must be a number from 0 to 10; it is -0.1"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": float("inf")}, "temperature"),
        ({"top_p": 0.0}, "top-p must be above 0 and at most 1; it is 0.0"),
        ({"top_p": 1.1}, "top-p"),
        ({"top_p": float("nan")}, "top-p"),
        ({"top_k": -1}, "top-k"),
        ({"top_k": 2.5}, "top-k"),
        ({"seed": -1}, "seed"),
        ({"max_new_tokens": 0}, "max-new-tokens must be a whole number, 1 or more; it is 0"),
        ({"max_new_tokens": True}, "max-new-tokens"),
    ],
)
def test_meaningless_sampling_is_refused(settings, words):
    with pytest.raises(UserError, match=words):
        Sampling(**settings)


@pytest.mark.parametrize("room", [0, 1, 3])
def test_a_cache_with_room_holds_what_the_library_s_own_holds(monkeypatch, room):
    """Also where rows leave directly after they were repeated, and where the room runs out."""
    monkeypatch.setattr(cache, "ROOM", room)
    ours, theirs = RoomyLayer(), DynamicLayer()
    rows = 3
    for step, tokens in enumerate([5, None, 1, 1, [0, 2], 1, [1], 1, 1]):
        for layer in (ours, theirs):
            if tokens is None:
                layer.batch_repeat_interleave(2)
                layer.batch_select_indices(torch.tensor([0, 1, 3, 5]))
            elif isinstance(tokens, list):
                layer.batch_select_indices(torch.tensor(tokens))
            else:
                generator = torch.Generator().manual_seed(step)
                new = torch.randn(2, rows, 2, tokens, 4, generator=generator)
                found = layer.update(*new)
                assert all(torch.equal(*both) for both in zip(found, (layer.keys, layer.values)))
        rows = len(theirs.keys)
        assert ours.get_seq_length() == theirs.get_seq_length()
        assert torch.equal(ours.keys, theirs.keys) and torch.equal(ours.values, theirs.values)


def test_room_changes_no_token(pair, prompt, monkeypatch):
    sampling = Sampling(1.0, max_new_tokens=12)
    free = finish(decode(pair.base, prompt, sampling, samples=3))
    lm, written = with_ends(pair.base, free[1].ids[4], free[5].ids[0]), []
    for room in (1, 64):
        monkeypatch.setattr(cache, "ROOM", room)
        steps = decode(lm, prompt, sampling, samples=3)
        written.append([row.ids for row in finish(steps)])
    assert written[0] == written[1] and len({len(ids) for ids in written[0]}) > 2


@pytest.fixture
def compiled(pair, monkeypatch) -> tuple[LanguageModel, list]:
    """The base, compiled as far as Python goes: nothing waits for a C++ compiler; its calls."""
    lm, calls = replace(pair.base, compiled=True), []
    build = torch.compile

    def compiling(forward, **options):
        ready = build(forward, backend="eager", **options)
        return lambda **given: calls.append(given["inputs_embeds"].shape) or ready(**given)

    monkeypatch.setattr(torch, "compile", compiling)
    return lm, calls


def test_a_compiled_model_writes_the_same(pair, prompt, compiled, monkeypatch):
    monkeypatch.setattr("softcot.decoding.static_cache.BLOCK", 32)  # the buffers grow in between
    lm, calls = compiled
    plain = run(pair.base, prompt, max_new_tokens=40)
    assert [row.ids for row in run(lm, prompt, max_new_tokens=40)] == [row.ids for row in plain]
    assert {tuple(shape) for shape in calls} == {(16, 1, lm.width)} and len(calls) == 39
    ends = [plain[0].ids[3], plain[4].ids[9], plain[7].ids[0]]
    plain, ended = with_ends(pair.base, *ends), with_ends(lm, *ends)
    sampling = {"temperature": 1.0, "max_new_tokens": 24}
    written = [[row.ids for row in run(one, prompt, **sampling)] for one in (plain, ended)]
    assert written[0] == written[1] and len({len(ids) for ids in written[0]}) > 2
    assert {rows for rows, *_ in calls} >= {16, 8}  # as rows end, the buffers shrink


def test_rows_join_a_compiled_batch(pair, prompt, compiled):
    lm, calls = compiled
    alone = [run(lm, one(prompt, n), max_new_tokens=9)[0].ids for n in (0, 7)]
    for model in (pair.base, lm):
        decoder = Decoder(model, Sampling(max_new_tokens=9))
        rows = decoder.add(one(prompt, 0))
        decoder.step(), decoder.step()
        rows += decoder.add(one(prompt, 7))
        while decoder.open:
            decoder.step()
        assert [row.ids for row in rows] == alone
    assert {(1, 1, lm.width), (2, 1, lm.width)} == {tuple(shape) for shape in calls}


def test_rows_that_join_write_what_they_write_alone(pair, prompt):
    """Whenever they come, with samples, and also after all others have ended."""
    sampling = Sampling(temperature=1.0, max_new_tokens=12)
    alone = [run(pair.base, one(prompt, n), [n], temperature=1.0, max_new_tokens=12)[0].ids
             for n in range(10)]  # fmt: skip
    lm = with_ends(pair.base, alone[0][4], alone[3][1])
    alone = [run(lm, one(prompt, n), [n], temperature=1.0, max_new_tokens=12)[0].ids
             for n in range(10)]  # fmt: skip
    decoder, rows = Decoder(lm, sampling), []
    for number in range(10):
        rows.append(decoder.add(one(prompt, number), [number], samples=2))
        for _ in range(number):
            decoder.step()
    while decoder.open:
        decoder.step()
    assert [first.ids for first, _ in rows] == alone and len(set(map(len, alone))) > 2
    assert any(first.ids != second.ids for first, second in rows)


def test_a_repetition_penalty_is_that_of_generate(pair, problems):
    """Of the words that were written; a prompt of embeddings has none to count."""
    method = ZeroShotCoT(pair)
    penalised = Sampling(max_new_tokens=20, repetition_penalty=1.3)
    for problem in problems[:2]:
        prompt = method.prepare([problem])
        [row] = finish(decode(pair.base, prompt, penalised))
        expected = pair.base.model.generate(
            inputs_embeds=prompt.embeds,
            attention_mask=prompt.attention_mask,
            max_new_tokens=20,
            do_sample=False,
            repetition_penalty=1.3,
            pad_token_id=pair.base.pad_id,
            eos_token_id=sorted(pair.base.end_ids),
        )[0].tolist()
        assert row.ids == expected[: len(row.ids)] and len(row.ids) > 3
