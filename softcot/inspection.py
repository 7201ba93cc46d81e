"""Everything that can be seen of one question's thoughts, measured together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from softcot.analysis import Exploration, Geometry, explore, geometry
from softcot.attention import mean_attention, slot_attention, slot_share
from softcot.decoding import Sampling, decode, finish, log_probabilities
from softcot.edits import Edit
from softcot.errors import UserError
from softcot.lens import Reading, assistant_readings, base_readings, prompt_with_slots
from softcot.methods import SoftCoT, get_method
from softcot.models import Pair, join
from softcot.problems import Problem
from softcot.tasks import Task
from softcot.vocabulary import Vocabulary, to_numpy


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


def inspect(
    pair: Pair,
    task: Task,
    problem: Problem,
    thoughts: int,
    *,
    others: Sequence[Problem],
    vocabulary: Vocabulary,
    metric: str = "cosine",
    corrected: bool = False,
) -> Inspection:
    """Look at the K = `thoughts` thoughts of a question from all sides.

    Args:
        pair: The two models.
        task: Says what both are told to do.
        problem: The question.
        thoughts: K, at least 1.
        others: Other questions, whose thoughts are compared with.
        vocabulary: That of the base.
        metric: What near means, as for `softcot.vocabulary.nearest_tokens`.
        corrected: Whether hubs are held back, likewise.

    Raises:
        UserError: There is nothing to look at, or any of the inputs makes no sense.
    """
    method, base = get_method(SoftCoT.name, pair, task), pair.base
    if not method.thoughts_for(thoughts):
        raise UserError("With K = 0 there are no thoughts to look at; choose a larger K.")
    vectors = to_numpy(method.thoughts([problem], thoughts)[0])
    around = to_numpy(method.thoughts(others, thoughts)) if others else None
    prompt, slots = prompt_with_slots(method, problem, thoughts)
    [row] = finish(decode(base, prompt, Sampling()))
    attention = slot_attention(base, prompt, row.ids, slots)
    return Inspection(
        exploration=explore(problem.question, vectors, base, vocabulary, 5, metric, corrected),
        geometry=geometry(vectors, vocabulary, around),
        assistant=assistant_readings(pair, problem.question, thoughts, task),
        base=base_readings(base, prompt, slots),
        answer=base.text(row.ids).strip(),
        head_shares=slot_share(attention).numpy(),
        attention=mean_attention(attention).mean((0, 1)).numpy(),
        dropped=drop_effects(pair, task, problem, thoughts, row.ids),
    )


def drop_effects(
    pair: Pair, task: Task, problem: Problem, thoughts: int, answer_ids: Sequence[int]
) -> np.ndarray:
    """What leaving out one thought does to an answer.

    Returns:
        float[K], nats: the change of the answer's log-probability.
    """
    edits = [[], *([Edit("drop", (slot,))] for slot in range(1, thoughts + 1))]
    methods = [get_method(SoftCoT.name, pair, task, edits=made) for made in edits]
    prompts = join([method.prepare([problem], thoughts) for method in methods])
    scores = log_probabilities(pair.base, prompts, [list(answer_ids)] * len(methods))
    return np.array(scores[1:]) - scores[0]
