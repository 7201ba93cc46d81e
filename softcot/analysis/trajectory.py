"""The thoughts of many problems on one map: do problems of one kind think alike?"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from softcot.analysis.geometry import Point, thought_points
from softcot.analysis.vocabulary import Vocabulary, readable_tokens, to_numpy
from softcot.data.problems import Problem
from softcot.data.tasks import Task
from softcot.methods import SoftCoT
from softcot.thoughts.pair import Pair

BATCH = 64
"""Questions that the assistant reads at once."""


@dataclass(frozen=True)
class Trajectory:
    """One problem and where its thoughts lie, slot after slot."""

    id: str
    question: str
    answer: str
    """The gold answer; empty when unknown."""
    kind: str
    """The operations it takes, in order and joined by ` + `, or else the name of its task."""
    read: bool
    """Whether the base has read all of its words and facts."""
    points: list[Point]
    """The places of its K thoughts on the vocabulary's axes, labelled with their slots from 1."""
    named: list[str]
    """What each of the K should name: the hint's tokens one by one, and then `nothing more`.
    Of a problem without a hint, its kind."""

    def to_json(self) -> dict[str, Any]:
        """The entry as plain JSON types."""
        return asdict(self)


def trajectories(
    pair: Pair,
    task: Task,
    problems: Sequence[Problem],
    k: int,
    *,
    vocabulary: Vocabulary | None = None,
    batch_size: int = BATCH,
    progress: Callable[[int, int], None] | None = None,
) -> list[Trajectory]:
    """The places of the K SoftCoT thoughts of every problem, in the problems' order.

    Args:
        pair: The two models.
        task: Says what the assistant is told to do, and whose projection is used.
        problems: What it thinks about.
        k: K.
        vocabulary: That of the base; made here if there is none.
        batch_size: Questions that the assistant reads at once.
        progress: Called with problems done and problems in all, after each batch.

    Raises:
        UserError: K is out of range, a question is empty or too long, or there is no projection.
    """
    method = SoftCoT.build(pair, task)
    k = method.checked_k(k)
    vocabulary = vocabulary or Vocabulary.of(pair.base)
    found: list[Trajectory] = []
    for start in range(0, len(problems), batch_size):
        batch = problems[start : start + batch_size]
        vectors = to_numpy(method.thoughts(batch, k))
        for problem, row in zip(batch, vectors, strict=True):
            words = _words(pair, problem.hint)
            found.append(_entry(problem, thought_points(row, vocabulary), words))
        if progress:
            progress(len(found), len(problems))
    return found


def _words(pair: Pair, hint: str) -> list[str]:
    """The tokens that the assistant would write for a hint; digits are all alike."""
    ids = pair.assistant.prompts.text(hint)
    tokens = (token.strip("·") for token in readable_tokens(pair.assistant.tokenizer, ids))
    return ["a digit" if token.isdigit() else token for token in tokens]


def _entry(problem: Problem, points: list[Point], words: list[str]) -> Trajectory:
    kind = " + ".join(problem.meta.get("operations") or [problem.task])
    named = [*words, *["nothing more"] * len(points)] if words else [kind] * len(points)
    return Trajectory(
        id=problem.id,
        question=problem.question,
        answer=problem.answer,
        kind=kind,
        read=not problem.meta.get("unread"),
        points=points,
        named=named[: len(points)],
    )
