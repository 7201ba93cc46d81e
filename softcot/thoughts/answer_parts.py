"""What thoughts might say before anything is trained: the worked answer, in parts."""

from collections import Counter
from collections.abc import Sequence

import torch

from softcot.models.language_model import LanguageModel

COMMON = 0.5
"""Tokens in more than this share of all answers tell no question from another."""


@torch.no_grad()
def answer_parts(base: LanguageModel, answers: Sequence[str], k: int) -> torch.Tensor:
    """Mean embeddings of K successive parts of each answer, without the words that all share.

    An answer of fewer than K tokens says each of them in several parts.

    Returns:
        float32[N, K, d_base].
    """
    rows = [base.prompts.text(answer) for answer in answers]
    seen = Counter(token for row in rows for token in set(row))
    telling = [[t for t in row if seen[t] <= COMMON * len(rows)] or row for row in rows]
    return torch.stack([_parts(base.embed(torch.tensor(row)).float(), k) for row in telling])


def _parts(vectors: torch.Tensor, k: int) -> torch.Tensor:
    """Means of K successive parts, as equal as can be, of vectors float[n, d]: float[K, d]."""
    n = len(vectors)
    edges = [(part * n // k, max((part + 1) * n // k, part * n // k + 1)) for part in range(k)]
    return torch.stack([vectors[start:end].mean(0) for start, end in edges])
