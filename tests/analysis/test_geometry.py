"""Norms, neighbours, the map and the shape of thoughts."""

import json

import numpy as np
import pytest
import torch

from softcot.analysis.geometry import (
    effective_rank,
    explore,
    geometry,
    map_places,
    norm_ratios,
    placebo,
    thought_points,
    token_points,
)
from softcot.analysis.vocabulary import nearest_tokens

QUESTION = "Anna has 12 apples and buys 30 more. How many?"


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


def test_the_map_shows_directions_with_the_vocabulary_around_its_origin(vocabulary, thoughts):
    places = map_places(vocabulary.embeddings, vocabulary)
    assert places.mean(0) == pytest.approx(np.zeros(3), abs=1e-5)
    assert map_places(7 * thoughts, vocabulary) == pytest.approx(
        map_places(thoughts, vocabulary), abs=1e-5
    )


def test_an_exploration_holds_everything_in_order(pair, vocabulary, thoughts):
    seen = explore(QUESTION, thoughts, pair.base, vocabulary, neighbours=3)
    assert [thought.number for thought in seen.thoughts] == [1, 2, 3, 4, 5, 6]
    places = map_places(thoughts, vocabulary)
    for thought, place in zip(seen.thoughts, places, strict=True):
        point = thought.point
        assert (point.x, point.y, point.z) == pytest.approx(tuple(place), abs=1e-6)
        assert len(thought.nearest) == len(thought.placebo) == len(thought.nearest_points) == 3
        assert [point.label for point in thought.nearest_points] == [
            near.token for near in thought.nearest
        ]
    asked = pair.base.prompts.text(QUESTION)
    assert len(seen.question_points) == len(set(asked))
    assert len(seen.explained) == 3 and 0 < sum(seen.explained) < 1
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


def test_an_exploration_may_choose_its_neighbours_otherwise(pair, vocabulary, thoughts):
    seen = explore(QUESTION, thoughts, pair.base, vocabulary, 4, "cosine", True)
    expected = nearest_tokens(thoughts, vocabulary, 4, corrected=True)
    assert [thought.nearest for thought in seen.thoughts] == expected
    random = nearest_tokens(placebo(thoughts), vocabulary, 4, corrected=True)
    assert [thought.placebo for thought in seen.thoughts] == random


def test_points_of_thoughts_carry_their_slots(vocabulary, thoughts):
    points = thought_points(thoughts, vocabulary)
    assert [point.label for point in points] == list("123456")
    found = [(point.x, point.y, point.z) for point in points]
    assert np.array(found) == pytest.approx(map_places(thoughts, vocabulary))


def test_geometry_is_that_of_the_thoughts_and_of_their_placebo(vocabulary, thoughts):
    others = np.random.default_rng(3).standard_normal((5, *thoughts.shape)).astype(np.float32)
    seen = geometry(thoughts, vocabulary, others)
    assert seen.norm_ratios == pytest.approx(norm_ratios(thoughts, vocabulary))
    for vectors, shape in ((thoughts, seen.thoughts), (placebo(thoughts), seen.placebo)):
        rows = torch.from_numpy(vectors)
        every = torch.cosine_similarity(rows[:, None], rows[None], dim=-1)
        assert shape.cosines == pytest.approx(every.numpy(), abs=1e-5)
        across = torch.cosine_similarity(rows[None], torch.from_numpy(others), dim=-1)
        assert shape.to_others == pytest.approx(across.mean(0).numpy(), abs=1e-5)
        assert 1 < shape.effective_rank < len(vectors)


def test_thoughts_that_do_not_depend_on_the_question_are_found_out(vocabulary, thoughts):
    static = geometry(thoughts, vocabulary, np.stack([2 * thoughts, thoughts]))
    assert static.thoughts.to_others == pytest.approx(np.ones(6), abs=1e-5)
    assert np.abs(static.placebo.to_others).max() < 0.7
    for nobody in (None, np.empty((0, *thoughts.shape))):
        assert geometry(thoughts, vocabulary, nobody).thoughts.to_others is None


def test_the_effective_rank_counts_directions():
    axes = np.eye(4, 9)
    assert effective_rank(axes) == pytest.approx(4)
    assert effective_rank(np.ones((4, 9))) == pytest.approx(1)
    assert effective_rank(np.zeros((4, 9))) == 0 and effective_rank(np.empty((0, 9))) == 0
    shares = np.array([3, 1]) / 4  # two axes, one three times as long as the other
    entropy = -(shares * np.log(shares)).sum()
    assert effective_rank(axes[:2] * [[3], [1]]) == pytest.approx(np.exp(entropy))


def test_the_geometry_of_nothing_is_empty(vocabulary):
    seen = geometry(np.empty((0, vocabulary.embeddings.shape[1]), np.float32), vocabulary)
    assert seen.thoughts.cosines.shape == (0, 0) and seen.thoughts.effective_rank == 0
