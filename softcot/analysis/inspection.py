"""Everything that can be seen of one question's thoughts, measured together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from softcot.analysis.attention import mean_attention, slot_attention, slot_share
from softcot.analysis.geometry import Exploration, Geometry, explore, geometry
from softcot.analysis.lens import Reading, assistant_readings, base_readings
from softcot.analysis.vocabulary import Vocabulary, to_numpy
from softcot.data.problems import Problem
from softcot.data.tasks import Task
from softcot.decoding.decoder import Sampling, decode, finish, log_probabilities
from softcot.methods import SlotMethod, SoftCoT
from softcot.models.batches import join
from softcot.support.errors import UserError
from softcot.support.presets import MAX_NEW_TOKENS
from softcot.thoughts.pair import Pair


@dataclass(frozen=True)
class Inspection:
    """What one question's K thoughts look like, read as, and do."""

    exploration: Exploration
    geometry: Geometry
    assistant: list[list[Reading]]
    """K lists: what the assistant's own vocabulary reads at each placeholder."""
    base: list[list[list[Reading]]]
    """L + 1 layers of K lists: what the base's reads at each slot."""
    answer: str
    """What the base wrote, greedily."""
    head_shares: np.ndarray
    """float[L, H]: what each head gives to all thoughts together, over the answer's tokens."""
    attention: np.ndarray
    """float[K]: what each thought gets, over the answer's tokens, layers and heads."""
    dropped: np.ndarray
    """float[K], nats: change of the answer's log-probability when one thought is left out."""
    kept: np.ndarray
    """float[K], nats: the same when it is the only one, against no thoughts at all."""


def inspect(
    pair: Pair,
    task: Task,
    problem: Problem,
    k: int,
    *,
    others: Sequence[Problem],
    vocabulary: Vocabulary,
    metric: str = "cosine",
    corrected: bool = False,
    max_new_tokens: int = MAX_NEW_TOKENS,
) -> Inspection:
    """Look at the K thoughts of a question from all sides.

    Args:
        pair: The two models.
        task: Says what both are told to do.
        problem: The question.
        k: K, at least 1.
        others: Other questions, whose thoughts are compared with.
        vocabulary: That of the base.
        metric: What near means, as for `softcot.analysis.vocabulary.nearest_tokens`.
        corrected: Whether hubs are held back, likewise.
        max_new_tokens: Where the answer is cut off.

    Raises:
        UserError: There is nothing to look at, or any of the inputs makes no sense.
    """
    method, base = SoftCoT.build(pair, task), pair.base
    if not method.checked_k(k):
        raise UserError("With K = 0 there are no thoughts to look at; choose a larger K.")
    own = method.thoughts([problem], k)
    vectors = to_numpy(own[0])
    around = to_numpy(method.thoughts(others, k)) if others else None
    prompt = method.filled([problem], own)
    [row] = finish(decode(base, prompt, Sampling(max_new_tokens=max_new_tokens)))
    attention = slot_attention(base, prompt, row.ids)
    dropped, kept = slot_effects(method, problem, own, row.ids)
    return Inspection(
        exploration=explore(problem.question, vectors, base, vocabulary, 5, metric, corrected),
        geometry=geometry(vectors, vocabulary, around),
        assistant=assistant_readings(pair, problem.heard, k, task),
        base=base_readings(base, prompt),
        answer=base.text(row.ids).strip(),
        head_shares=slot_share(attention).numpy(),
        attention=mean_attention(attention).mean((0, 1)).numpy(),
        dropped=dropped,
        kept=kept,
    )


def slot_effects(
    method: SlotMethod, problem: Problem, vectors: torch.Tensor, answer_ids: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """What leaving out one thought, and leaving all others out, does to an answer.

    Args:
        method: Says what stands around the slots.
        problem: The question.
        vectors: float[1, K, d_base], its thoughts.
        answer_ids: What the base wrote with all of them.

    Returns:
        Two of float[K], nats: the change of the answer's log-probability when one thought is
        dropped, against all of them; and when it alone is kept, against none.
    """
    slots = range(vectors.shape[1])
    dropped = [vectors[:, [other for other in slots if other != slot]] for slot in slots]
    kept = [vectors[:, [slot]] for slot in slots]
    filled = [method.filled([problem], v) for v in (vectors, vectors[:, :0], *dropped, *kept)]
    answers = [list(answer_ids)] * len(filled)
    every, none, *single = log_probabilities(method.lm, join(filled), answers)
    return np.array(single[: len(slots)]) - every, np.array(single[len(slots) :]) - none
