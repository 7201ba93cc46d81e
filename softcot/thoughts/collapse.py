"""How much thoughts depend on the question: those of a static prompt do not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

STATIC_COSINE, STATIC_GAP = 0.98, 0.01
"""From which cosine between questions on, and below which gap in nats to another problem's
thoughts, they are called a static prompt."""


def is_static(found: Mapping[str, float], gap: float | None = None) -> bool:
    """Whether thoughts are the same for every question, whatever they are worth.

    Args:
        found: What `collapse` says of them.
        gap: Loss with another problem's thoughts minus the loss with the own, nats a token, where
            it is known: a small difference may still be used.
    """
    return found["cosine"] >= STATIC_COSINE and (gap is None or gap < STATIC_GAP)


def effective_rank(vectors: np.ndarray) -> float:
    """How many directions the rows of float[K, d] fill, from 1 to K; 0 if there is nothing.

    The exponential of the entropy of the singular values, scaled to a sum of 1 (Roy and Vetterli
    2007, "The effective rank: a measure of effective dimensionality"). The rows are taken as they
    are: nothing is centred, and a longer thought counts more.
    """
    singular = np.linalg.svd(vectors, compute_uv=False)
    if not singular.sum():
        return 0.0
    shares = singular[singular > 0] / singular.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def collapse(thoughts: np.ndarray, lengths: np.ndarray | None = None) -> dict[str, float]:
    """How alike the thoughts of some questions are, slot by slot, and then on average.

    Args:
        thoughts: float[N, K, d], of N questions, at least two.
        lengths: int[N], how many of each question's thoughts are more than padding, which is alike
            everywhere; by default all K. The others are left out, as are slots in which fewer than
            two questions have a thought, unless that leaves nothing.

    Returns:
        questions: N. cosine: between two questions' thoughts; 1 is a static prompt.
        effective_rank: Directions that the questions fill, see `effective_rank`; 1 is a static
        prompt, and at most there are N. varying: Share of the energy that is not in the mean over
        questions; 0 is a static prompt.
    """
    count, slots, _ = thoughts.shape
    assert count > 1 and slots, "one question is not like any other"
    thoughts = thoughts.astype(np.float64)
    if lengths is None or np.sum(lengths > 0) < 2:
        lengths = np.full(count, slots)
    said = np.arange(slots) < lengths[:, None]
    compared = [thoughts[own, k] for k, own in enumerate(said.T) if own.sum() > 1]
    return {
        "questions": count,
        "cosine": float(np.mean([mean_cosine(some) for some in compared])),
        "effective_rank": float(np.mean([effective_rank(some) for some in compared])),
        "varying": float(
            sum(some.var(0).sum() for some in compared)
            / sum((some**2).sum(-1).mean() for some in compared)
        ),
    }


def mean_cosine(vectors: np.ndarray) -> np.ndarray:
    """Mean over all pairs of two of N: float[...] of float[N, ..., d]."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    directions = vectors / np.where(norms > 0, norms, 1)
    # All ordered pairs, without those of a vector with itself.
    pairs = (directions.sum(0) ** 2).sum(-1) - (directions**2).sum((0, -1))
    return pairs / (len(vectors) * (len(vectors) - 1))
