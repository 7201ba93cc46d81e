"""What soft thoughts look like from inside the base: norms, neighbours, and a map.

Everything is measured in the base's own input space, the one its token embeddings live in, because
that is where thoughts enter. Neighbours and map compare directions: thoughts may be many times as
long as any token embedding, which the norm tells, and a map of lengths would show little else. The
axes are fitted on the vocabulary and never on the thoughts, so that a few thoughts cannot bend the
picture towards themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.decomposition import PCA

if TYPE_CHECKING:  # names only: this module computes with numpy and needs no torch itself
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

    from softcot.models import LanguageModel

SKETCH_SIZE = 700
"""How many vocabulary tokens are drawn as the map's background."""


@dataclass(frozen=True)
class Neighbour:
    """A token near a vector."""

    id: int
    token: str
    """The token as a reader should see it: a leading space is shown as `·`."""
    cosine: float


@dataclass(frozen=True)
class Vocabulary:
    """The base's token embeddings, as the reference against which thoughts are read."""

    embeddings: np.ndarray
    """float32[V, d]"""
    names: tuple[str, ...]
    """V readable tokens."""

    @classmethod
    def of(cls, lm: LanguageModel) -> Vocabulary:
        """The vocabulary of `lm`, without embedding rows that no token owns."""
        count = len(lm.tokenizer)
        names = readable_tokens(lm.tokenizer, range(count))
        return cls(to_numpy(lm.embeddings[:count]), tuple(names))

    @cached_property
    def directions(self) -> np.ndarray:
        """float32[V, d]: the embeddings scaled to length 1."""
        return _unit(self.embeddings)

    @cached_property
    def typical_norm(self) -> float:
        """Median length of a token embedding."""
        return float(np.median(np.linalg.norm(self.embeddings, axis=1)))

    @cached_property
    def basis(self) -> PCA:
        """The two axes along which the directions of the token embeddings vary most."""
        # The covariance solver needs d * d memory where the full one needs V * d.
        return PCA(n_components=2, svd_solver="covariance_eigh").fit(self.directions)

    @cached_property
    def sketch(self) -> np.ndarray:
        """int[S]: a fixed sample of token ids that stands for the whole vocabulary on a map."""
        size = min(SKETCH_SIZE, len(self.names))
        return np.sort(np.random.default_rng(0).choice(len(self.names), size, replace=False))


def map_places(vectors: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """float[N, 2]: where the directions of `vectors` (float[N, d]) are on the map."""
    if not len(vectors):
        return np.empty((0, 2))
    return vocabulary.basis.transform(_unit(vectors))


def nearest_tokens(
    vectors: np.ndarray, vocabulary: Vocabulary, count: int = 5
) -> list[list[Neighbour]]:
    """The `count` tokens with the largest cosine to each of `vectors`, nearest first.

    Args:
        vectors: float[N, d].
        vocabulary: The tokens to choose from.
        count: Neighbours wanted for each vector.
    """
    cosines = _unit(vectors) @ vocabulary.directions.T
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
    return [
        [Neighbour(int(i), vocabulary.names[i], float(row[i])) for i in nearest]
        for row, nearest in zip(cosines, order, strict=True)
    ]


def norm_ratios(vectors: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """float[N]: length of each of `vectors` (float[N, d]) in typical token embeddings."""
    return np.linalg.norm(vectors, axis=1) / vocabulary.typical_norm


def placebo(vectors: np.ndarray, seed: int = 0) -> np.ndarray:
    """float32[N, d]: random directions with the lengths of `vectors` (float[N, d]).

    What the nearest tokens of a thought mean can only be judged beside those of a vector that
    means nothing. Row n is the same for every N, so a placebo stays put while K changes.
    """
    noise = np.random.default_rng(seed).standard_normal(vectors.shape)
    return (_unit(noise) * np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True)
class Point:
    """A labelled place on the map."""

    label: str
    x: float
    y: float


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
    explained: tuple[float, float]
    """Shares of the variance of the vocabulary's directions that the map's two axes hold."""


def explore(
    question: str,
    thoughts: Tensor | np.ndarray,
    lm: LanguageModel,
    vocabulary: Vocabulary,
    neighbours: int = 5,
) -> Exploration:
    """Describe the projected thoughts of one question.

    The first k thoughts of K are the thoughts at k, so one exploration serves every k up to K.

    Args:
        question: The text the thoughts belong to.
        thoughts: float[K, d_base], as they are spliced into the base's prompt.
        lm: The base.
        vocabulary: `Vocabulary.of(lm)`.
        neighbours: Nearest tokens for each thought.
    """
    vectors = to_numpy(thoughts)
    asked = dict.fromkeys(lm.prompts.text(question))
    return Exploration(
        question=question,
        thoughts=_describe(vectors, vocabulary, neighbours),
        question_points=token_points(asked, vocabulary),
        vocabulary_points=token_points(vocabulary.sketch, vocabulary),
        explained=tuple(map(float, vocabulary.basis.explained_variance_ratio_)),
    )


def token_points(ids: Iterable[int], vocabulary: Vocabulary) -> list[Point]:
    """The places of tokens on the map."""
    ids = list(ids)
    names = [vocabulary.names[i] for i in ids]
    return _points(names, vocabulary.embeddings[ids], vocabulary)


def readable_tokens(tokenizer: PreTrainedTokenizerBase, ids: Iterable[int]) -> list[str]:
    """Tokens as a reader should see them, one name for each of `ids`."""
    pieces = tokenizer.convert_ids_to_tokens(list(ids))
    return [_readable(tokenizer, piece) for piece in pieces]


def to_numpy(tensor: Tensor | np.ndarray) -> np.ndarray:
    """A tensor on any device and of any float type as a float32 array."""
    if isinstance(tensor, np.ndarray):
        return tensor.astype(np.float32)
    return tensor.detach().float().cpu().numpy()


def _describe(vectors: np.ndarray, vocabulary: Vocabulary, count: int) -> list[Thought]:
    if not len(vectors):
        return []
    rows = zip(
        norm_ratios(vectors, vocabulary),
        nearest_tokens(vectors, vocabulary, count),
        nearest_tokens(placebo(vectors), vocabulary, count),
        _points([str(n + 1) for n in range(len(vectors))], vectors, vocabulary),
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
    return [Point(label, float(x), float(y)) for label, (x, y) in zip(labels, places, strict=True)]


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(lengths, np.finfo(np.float32).tiny)  # a zero row stays zero


def _readable(tokenizer: PreTrainedTokenizerBase, piece: str) -> str:
    text = tokenizer.convert_tokens_to_string([piece])
    if "\ufffd" in text or not text:  # part of a character: all it has is a name
        return f"⟨{piece}⟩"
    # Some tokenizers drop the leading space of a lone token; their marks for it are Ġ and ▁.
    if piece[:1] in ("Ġ", "▁") and not text.startswith(" "):
        text = f" {text}"
    text = text.replace(" ", "·").replace("\n", "↵").replace("\t", "⇥")
    return text if text.isprintable() else ascii(text)[1:-1]
