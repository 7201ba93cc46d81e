"""How much thoughts depend on the question, against what can be worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from softcot.thoughts.collapse import collapse


def test_a_static_prompt_is_seen():
    static = np.random.default_rng(0).standard_normal((1, 3, 8)).repeat(5, axis=0)
    seen = collapse(static)
    assert seen["questions"] == 5 and seen["varying"] == pytest.approx(0)
    assert seen["cosine"] == pytest.approx(1) and seen["effective_rank"] == pytest.approx(1)


def test_thoughts_that_share_nothing_fill_as_many_directions_as_there_are_questions():
    apart = np.eye(4)[:, None, :].repeat(2, axis=1)
    seen = collapse(apart)
    assert seen["cosine"] == pytest.approx(0) and seen["effective_rank"] == pytest.approx(4)
    assert seen["varying"] == pytest.approx(3 / 4), "a quarter of the energy is the mean's"


def test_padding_is_not_taken_for_a_static_prompt():
    thoughts = np.random.default_rng(2).standard_normal((5, 4, 16))
    padded = thoughts.copy()
    padded[:, 2:] = 1  # two thoughts each, and then the same for every question
    padded[0, 1] = 1  # of one question a single one
    seen = collapse(padded, np.array([1, 2, 2, 2, 2]))
    first, second = (collapse(part) for part in (thoughts[:, :1], thoughts[1:, 1:2]))
    assert seen["cosine"] == pytest.approx((first["cosine"] + second["cosine"]) / 2)
    assert seen["effective_rank"] < 5 and collapse(padded)["cosine"] > 0.5 > seen["cosine"]
    assert collapse(padded, np.zeros(5, int)) == collapse(padded), "nothing but padding"


def test_the_cosine_is_the_mean_over_pairs_of_questions():
    thoughts = np.random.default_rng(1).standard_normal((6, 2, 5)) + 1
    thoughts[0, 0] = 0  # without a direction: like nothing
    expected = []
    for slot in (0, 1):
        cosines = cosine_similarity(thoughts[:, slot])
        expected.append(cosines[~np.eye(6, dtype=bool)].mean())
    assert collapse(thoughts)["cosine"] == pytest.approx(np.mean(expected))
