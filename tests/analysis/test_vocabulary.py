"""Tokens as a reference: names, axes, and what is near."""

import numpy as np
import pytest
import torch

from softcot.analysis.vocabulary import (
    METRICS,
    Vocabulary,
    nearest_tokens,
    readable_tokens,
    to_numpy,
)
from softcot.support.errors import UserError


def test_the_vocabulary_is_every_token_of_the_tokenizer_and_no_more(pair, vocabulary):
    assert vocabulary.embeddings.shape == (len(pair.base.tokenizer), pair.base.width)
    assert len(vocabulary.names) == len(pair.base.tokenizer)
    assert vocabulary.embeddings.dtype == np.float32


def test_a_token_is_its_own_nearest_token_whatever_its_length(vocabulary):
    ids = [40, 300, 7]
    found = nearest_tokens(3.5 * vocabulary.embeddings[ids], vocabulary, 4)
    assert [near[0].id for near in found] == ids
    for near in found:
        cosines = [neighbour.cosine for neighbour in near]
        assert cosines == sorted(cosines, reverse=True) and len(near) == 4
        assert cosines[0] == pytest.approx(1, abs=1e-5)
        assert near[1].token == vocabulary.names[near[1].id] and near[1].score is None


def test_cosines_are_those_of_the_full_space(vocabulary, thoughts):
    near = nearest_tokens(thoughts, vocabulary, 1)[0][0]
    every = torch.cosine_similarity(
        torch.from_numpy(thoughts[:1]), torch.from_numpy(vocabulary.embeddings)
    )
    assert near.id == int(every.argmax())
    assert near.cosine == pytest.approx(float(every.max()), abs=1e-5)


def test_the_axes_are_those_of_the_vocabulary_in_order_of_variance(vocabulary):
    centred = vocabulary.directions - vocabulary.directions.mean(0)
    singular = np.linalg.svd(centred, compute_uv=False)
    shares = singular**2 / (singular**2).sum()
    assert vocabulary.basis.explained_variance_ratio_ == pytest.approx(shares[:3], rel=1e-3)


def test_tokens_are_readable(pair):
    tokenizer = pair.base.tokenizer
    names = readable_tokens(tokenizer, range(len(tokenizer)))
    assert all(name and name.isprintable() and "\ufffd" not in name for name in names)

    def shown(text: str) -> list[str]:
        return readable_tokens(tokenizer, pair.base.prompts.text(text))

    assert "".join(shown("has 12 apples")) == "has·12·apples"
    assert shown("\n") == ["↵"] and shown("\t") == ["⇥"]
    assert all(name.startswith("⟨") for name in shown("🍎"))
    assert readable_tokens(tokenizer, [tokenizer.eos_token_id]) == ["<end>"]


def test_half_precision_and_gradients_are_no_obstacle():
    tensor = torch.ones(2, 3, dtype=torch.bfloat16, requires_grad=True)
    assert to_numpy(tensor).dtype == np.float32


@pytest.mark.parametrize("metric", ["dot", "euclidean"])
def test_other_metrics_choose_and_score_by_themselves(vocabulary, thoughts, metric):
    found = nearest_tokens(thoughts, vocabulary, 7, metric)
    for vector, near in zip(thoughts, found, strict=True):
        if metric == "dot":
            every = vocabulary.embeddings @ vector
            order = np.argsort(-every)
        else:
            every = np.linalg.norm(vocabulary.embeddings - vector, axis=1)
            order = np.argsort(every)
        assert [one.id for one in near] == list(order[:7])
        assert [one.score for one in near] == pytest.approx(every[order[:7]], abs=1e-4)
        rows = torch.from_numpy(vocabulary.embeddings[order[:7]])
        cosines = torch.cosine_similarity(rows, torch.from_numpy(vector)[None])
        assert [one.cosine for one in near] == pytest.approx(cosines.numpy(), abs=1e-5)


def test_an_embedding_lies_at_no_distance_from_its_token(vocabulary):
    (near,) = nearest_tokens(100 * vocabulary.embeddings[[8]], vocabulary, 1, "euclidean")
    assert near[0].score > 0
    (near,) = nearest_tokens(vocabulary.embeddings[[8]], vocabulary, 1, "euclidean")
    assert near[0].id == 8 and near[0].score == 0


def test_hubness_is_the_mean_cosine_to_the_ten_nearest_others(vocabulary):
    rows = torch.from_numpy(vocabulary.embeddings)  # fewer tokens than the sample may hold
    cosines = torch.cosine_similarity(rows[:, None], rows[None], dim=-1).fill_diagonal_(-2)
    expected = cosines.topk(10).values.mean(1).numpy()
    assert vocabulary.hubness == pytest.approx(expected, abs=1e-5)


def test_hubness_comes_from_a_sample_block_by_block(vocabulary, monkeypatch):
    monkeypatch.setattr("softcot.analysis.vocabulary.HUB_SAMPLE", 50)
    whole = Vocabulary(vocabulary.embeddings, vocabulary.names).hubness
    monkeypatch.setattr("softcot.analysis.vocabulary._BLOCK", 37)
    parts = Vocabulary(vocabulary.embeddings, vocabulary.names).hubness
    assert parts == pytest.approx(whole, abs=1e-6)
    assert (whole < vocabulary.hubness + 1e-6).all() and len(whole) == len(vocabulary.names)


def test_a_hub_is_held_back():
    # Eleven tokens along nearly one line and a lone one; the vector is a little nearer to the line.
    rng = np.random.default_rng(0)
    crowd = np.eye(1, 40) + 0.01 * rng.standard_normal((11, 40))
    lone = np.eye(1, 40, 1)
    embeddings = np.concatenate([crowd, lone]).astype(np.float32)
    vocabulary = Vocabulary(embeddings, tuple("abcdefghijkl"))
    vector = (0.8 * np.eye(1, 40) + 0.6 * lone).astype(np.float32)
    assert nearest_tokens(vector, vocabulary, 1)[0][0].token != "l"
    near = nearest_tokens(vector, vocabulary, 1, corrected=True)[0][0]
    assert near.token == "l" and near.cosine == pytest.approx(0.6, abs=1e-3)
    assert near.score == pytest.approx(near.cosine - vocabulary.hubness[11] / 2)


def test_a_single_token_has_no_hubs(vocabulary):
    alone = Vocabulary(vocabulary.embeddings[:1], vocabulary.names[:1])
    assert list(alone.hubness) == [0]


def test_impossible_wishes_are_refused(vocabulary, thoughts):
    with pytest.raises(UserError, match="cosine, dot, euclidean"):
        nearest_tokens(thoughts, vocabulary, metric="taxicab")
    with pytest.raises(UserError, match="cosines only"):
        nearest_tokens(thoughts, vocabulary, metric="dot", corrected=True)


def test_a_large_vocabulary_is_read_alike(vocabulary, thoughts, monkeypatch):
    small = [nearest_tokens(thoughts, vocabulary, metric=metric) for metric in METRICS]
    monkeypatch.setattr("softcot.analysis.vocabulary.LARGE", 10)
    large = Vocabulary(vocabulary.embeddings, vocabulary.names)
    assert large.large and large.typical_norm == pytest.approx(vocabulary.typical_norm)
    for metric, expected in zip(METRICS, small, strict=True):
        found = nearest_tokens(thoughts, large, metric=metric)
        assert [[n.id for n in row] for row in found] == [[n.id for n in row] for row in expected]
    assert nearest_tokens(thoughts, large, corrected=True) and large.basis.components_.shape[0] == 3
