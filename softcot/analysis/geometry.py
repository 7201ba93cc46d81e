"""What soft thoughts look like from inside the base: norms, neighbours, a map, and their shape.

Everything is measured in the base's own input space, the one its token embeddings live in, because
that is where thoughts enter. Neighbours and map compare directions: thoughts may be many times as
long as any token embedding, which the norm tells, and a map of lengths would show little else. The
axes are fitted on the vocabulary and never on the thoughts, so that a few thoughts cannot bend the
picture towards themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from softcot.analysis.vocabulary import AXES, Neighbour, Vocabulary, nearest_tokens, to_numpy, unit
from softcot.thoughts.collapse import effective_rank

if TYPE_CHECKING:  # names only: this module computes with numpy and needs no torch itself
    from torch import Tensor

    from softcot.models.language_model import LanguageModel


def map_places(vectors: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """float[N, 3]: where the directions of `vectors` (float[N, d]) are on the map."""
    if not len(vectors):
        return np.empty((0, AXES))
    return vocabulary.basis.transform(unit(vectors))


def norm_ratios(vectors: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """float[N]: length of each of `vectors` (float[N, d]) in typical token embeddings."""
    return np.linalg.norm(vectors, axis=1) / vocabulary.typical_norm


def placebo(vectors: np.ndarray, seed: int = 0) -> np.ndarray:
    """float32[N, d]: random directions with the lengths of `vectors` (float[N, d]).

    What the nearest tokens of a thought mean can only be judged beside those of a vector that
    means nothing. Row n is the same for every N, so a placebo stays put while K changes.
    """
    noise = np.random.default_rng(seed).standard_normal(vectors.shape)
    return (unit(noise) * np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True)
class Shape:
    """How K vectors lie to each other, and to those of other questions."""

    cosines: np.ndarray
    """float32[K, K]: of every vector with every other."""
    effective_rank: float
    """How many directions they fill: from 1, all on one line, to at most K; 0 without any."""
    to_others: np.ndarray | None
    """float32[K]: mean cosine of each to the same slot of other questions; None without any."""


@dataclass(frozen=True)
class Geometry:
    """What K thoughts look like together, beside random vectors of the same lengths."""

    norm_ratios: np.ndarray
    """float32[K]: lengths in typical token embeddings; the placebo's are the same."""
    thoughts: Shape
    placebo: Shape


def geometry(
    vectors: np.ndarray, vocabulary: Vocabulary, others: np.ndarray | None = None
) -> Geometry:
    """Describe K thoughts together.

    Thoughts that do not depend on the question have a `to_others` near 1.

    Args:
        vectors: float[K, d], the thoughts of one question.
        vocabulary: Where they are to be read.
        others: float[N, K, d], the thoughts of other questions.
    """
    vectors = to_numpy(vectors)
    others = None if others is None or not len(others) else to_numpy(others)
    assert others is None or others.shape[1:] == vectors.shape, "others have the same K and d"
    return Geometry(
        norm_ratios=norm_ratios(vectors, vocabulary),
        thoughts=_shape(vectors, others),
        placebo=_shape(placebo(vectors), others),
    )


def _shape(vectors: np.ndarray, others: np.ndarray | None) -> Shape:
    directions = unit(vectors)
    return Shape(
        cosines=directions @ directions.T,
        effective_rank=effective_rank(vectors),
        to_others=None if others is None else (unit(others) * directions).sum(-1).mean(0),
    )


@dataclass(frozen=True)
class Point:
    """A labelled place on the map."""

    label: str
    x: float
    y: float
    z: float = 0.0
    """Its place on the third axis, which a flat map leaves out."""


@dataclass(frozen=True)
class Thought:
    """All that is shown of one soft thought."""

    number: int
    """Its slot, counted from 1."""
    norm_ratio: float
    """Its length in typical token embeddings."""
    nearest: list[Neighbour]
    placebo: list[Neighbour]
    """Neighbours of a random vector of the same length."""
    point: Point
    nearest_points: list[Point]
    """The places of `nearest`."""

    def to_json(self) -> dict[str, Any]:
        """The thought as plain JSON types."""
        return asdict(self)


@dataclass(frozen=True)
class Exploration:
    """The thoughts of one question, in order, and what lies around them."""

    question: str
    thoughts: list[Thought]
    question_points: list[Point]
    """The question's own tokens, each once."""
    vocabulary_points: list[Point]
    """A fixed sample of the vocabulary."""
    explained: tuple[float, ...]
    """Shares of the variance of the vocabulary's directions that the map's three axes hold."""


def explore(
    question: str,
    thoughts: Tensor | np.ndarray,
    lm: LanguageModel,
    vocabulary: Vocabulary,
    neighbours: int = 5,
    metric: str = "cosine",
    corrected: bool = False,
) -> Exploration:
    """Describe the projected thoughts of one question.

    The first k thoughts of K are the thoughts at k, so one exploration serves every k up to K.

    Args:
        question: The text the thoughts belong to.
        thoughts: float[K, d_base], as they are spliced into the base's prompt.
        lm: The base.
        vocabulary: `Vocabulary.of(lm)`.
        neighbours: Nearest tokens for each thought.
        metric: What near means, as for `nearest_tokens`.
        corrected: Whether hubs are held back, as for `nearest_tokens`.

    Raises:
        UserError: As `nearest_tokens`.
    """
    vectors = to_numpy(thoughts)
    asked = dict.fromkeys(lm.prompts.text(question))
    return Exploration(
        question=question,
        thoughts=_describe(vectors, vocabulary, neighbours, metric, corrected),
        question_points=token_points(asked, vocabulary),
        vocabulary_points=token_points(vocabulary.sketch, vocabulary),
        explained=tuple(map(float, vocabulary.basis.explained_variance_ratio_)),
    )


def token_points(ids: Iterable[int], vocabulary: Vocabulary) -> list[Point]:
    """The places of tokens on the map."""
    ids = list(ids)
    names = [vocabulary.names[i] for i in ids]
    return _points(names, vocabulary.embeddings[ids], vocabulary)


def thought_points(vectors: np.ndarray, vocabulary: Vocabulary) -> list[Point]:
    """The places of the thoughts float[K, d] of one question, labelled with their slots from 1."""
    return _points([str(n + 1) for n in range(len(vectors))], vectors, vocabulary)


def _describe(
    vectors: np.ndarray, vocabulary: Vocabulary, neighbours: int, metric: str, corrected: bool
) -> list[Thought]:
    if not len(vectors):
        return []
    rows = zip(
        norm_ratios(vectors, vocabulary),
        nearest_tokens(vectors, vocabulary, neighbours, metric, corrected),
        nearest_tokens(placebo(vectors), vocabulary, neighbours, metric, corrected),
        thought_points(vectors, vocabulary),
        strict=True,
    )
    return [
        Thought(
            number=number,
            norm_ratio=float(ratio),
            nearest=nearest,
            placebo=random,
            point=point,
            nearest_points=token_points([n.id for n in nearest], vocabulary),
        )
        for number, (ratio, nearest, random, point) in enumerate(rows, start=1)
    ]


def _points(labels: Sequence[str], vectors: np.ndarray, vocabulary: Vocabulary) -> list[Point]:
    places = map_places(vectors, vocabulary)
    rows = zip(labels, places.tolist(), strict=True)
    return [Point(label, *place) for label, place in rows]
