"""Norms, neighbours and the map of thoughts."""

import json

import numpy as np
import pytest
import torch

from softcot.analysis import (
    Vocabulary,
    explore,
    map_places,
    nearest_tokens,
    norm_ratios,
    placebo,
    readable_tokens,
    to_numpy,
    token_points,
)

QUESTION = "Anna has 12 apples and buys 30 more. How many?"


@pytest.fixture(scope="module")
def vocabulary(pair) -> Vocabulary:
    return Vocabulary.of(pair.base)


@pytest.fixture(scope="module")
def thoughts(pair) -> np.ndarray:
    generator = torch.Generator().manual_seed(0)
    return to_numpy(torch.randn(6, pair.base.width, generator=generator))


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
        assert near[1].token == vocabulary.names[near[1].id]


def test_cosines_are_those_of_the_full_space(vocabulary, thoughts):
    near = nearest_tokens(thoughts, vocabulary, 1)[0][0]
    every = torch.cosine_similarity(
        torch.from_numpy(thoughts[:1]), torch.from_numpy(vocabulary.embeddings)
    )
    assert near.id == int(every.argmax())
    assert near.cosine == pytest.approx(float(every.max()), abs=1e-5)


def test_a_zero_vector_has_no_direction_and_does_no_harm(vocabulary):
    zero = np.zeros((1, vocabulary.embeddings.shape[1]), np.float32)
    assert nearest_tokens(zero, vocabulary)[0][0].cosine == 0
    assert norm_ratios(zero, vocabulary) == [0]


def test_norms_are_counted_in_typical_embeddings(vocabulary):
    lengths = np.linalg.norm(vocabulary.embeddings, axis=1)
    ratios = norm_ratios(vocabulary.embeddings, vocabulary)
    assert np.median(ratios) == pytest.approx(1)
    assert ratios * np.median(lengths) == pytest.approx(lengths)


def test_a_placebo_has_the_norms_and_nothing_else(thoughts):
    noise = placebo(thoughts)
    assert noise.shape == thoughts.shape
    assert np.linalg.norm(noise, axis=1) == pytest.approx(np.linalg.norm(thoughts, axis=1))
    assert abs(np.sum(noise * thoughts) / np.sum(thoughts**2)) < 0.5
    assert (noise == placebo(thoughts)).all() and (noise != placebo(thoughts, seed=1)).any()
    assert placebo(thoughts[:2]) == pytest.approx(noise[:2])


def test_the_axes_are_those_of_the_vocabulary_in_order_of_variance(vocabulary):
    centred = vocabulary.directions - vocabulary.directions.mean(0)
    singular = np.linalg.svd(centred, compute_uv=False)
    shares = singular**2 / (singular**2).sum()
    assert vocabulary.basis.explained_variance_ratio_ == pytest.approx(shares[:2], rel=1e-3)


def test_the_map_shows_directions_with_the_vocabulary_around_its_origin(vocabulary, thoughts):
    places = map_places(vocabulary.embeddings, vocabulary)
    assert places.mean(0) == pytest.approx(np.zeros(2), abs=1e-5)
    assert map_places(7 * thoughts, vocabulary) == pytest.approx(
        map_places(thoughts, vocabulary), abs=1e-5
    )


def test_an_exploration_holds_everything_in_order(pair, vocabulary, thoughts):
    seen = explore(QUESTION, thoughts, pair.base, vocabulary, neighbours=3)
    assert [thought.number for thought in seen.thoughts] == [1, 2, 3, 4, 5, 6]
    places = map_places(thoughts, vocabulary)
    for thought, place in zip(seen.thoughts, places, strict=True):
        assert (thought.point.x, thought.point.y) == pytest.approx(tuple(place), abs=1e-6)
        assert len(thought.nearest) == len(thought.placebo) == len(thought.nearest_points) == 3
        assert [point.label for point in thought.nearest_points] == [
            near.token for near in thought.nearest
        ]
    asked = pair.base.prompts.text(QUESTION)
    assert len(seen.question_points) == len(set(asked))
    assert 0 < sum(seen.explained) < 1
    json.dumps([thought.to_json() for thought in seen.thoughts])


def test_the_first_thoughts_are_described_alike_whatever_follows(pair, vocabulary, thoughts):
    few = explore(QUESTION, thoughts[:2], pair.base, vocabulary)
    many = explore(QUESTION, thoughts, pair.base, vocabulary)
    for one, other in zip(few.thoughts, many.thoughts[:2], strict=True):
        for near, also in ((one.nearest, other.nearest), (one.placebo, other.placebo)):
            assert [n.id for n in near] == [n.id for n in also]
        assert one.norm_ratio == pytest.approx(other.norm_ratio)
        assert one.point.x == pytest.approx(other.point.x)


def test_no_thoughts_are_no_trouble(pair, vocabulary):
    nothing = torch.empty(0, pair.base.width)
    assert explore(QUESTION, nothing, pair.base, vocabulary).thoughts == []
    assert token_points([], vocabulary) == []


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
