"""Several answers to one question: whose prompt each is written behind, and how alike those are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from softcot.thoughts.collapse import mean_cosine

T = TypeVar("T")


def in_turn(rows: Sequence[T], questions: int, sets: int, seeds: int = 1) -> list[list[T]]:
    """Rows of each question as a decoder gives them, in an order in which the sets take turns.

    Args:
        rows: For each question, each of its sets, each seed, its samples.
        questions: How many.
        sets: Prompts of a question.
        seeds: How many.

    Returns:
        For each question, each seed, its samples: the first is of the first set.
    """
    each = len(rows) // questions
    samples = each // (sets * seeds)
    return [
        [
            rows[start + (one * seeds + seed) * samples + sample]
            for seed in range(seeds)
            for sample in range(samples)
            for one in range(sets)
        ]
        for start in range(0, len(rows), each)
    ]


def thought_cosine(sets: np.ndarray) -> float:
    """How alike the sets float[N, B, K, d] of a question are: mean cosine of two, slot by slot."""
    return float(mean_cosine(sets.astype(np.float64)).mean())
