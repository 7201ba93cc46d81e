"""The base's token embeddings, as the reference against which vectors are read.

A token is named as a reader should see it, and found by how near its embedding is to a vector.
The axes of every map are fitted here, on the vocabulary, and never on what is shown on the map.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from sklearn.decomposition import PCA

from softcot.support.errors import UserError

if TYPE_CHECKING:  # names only: this module computes with numpy and needs no torch itself
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

    from softcot.models.language_model import LanguageModel

AXES = 3
"""How many axes a map can have; a flat one shows the first two."""

SKETCH_SIZE = 700
"""How many vocabulary tokens are drawn as a map's background."""

METRICS = ("cosine", "dot", "euclidean")
"""Ways to say how near a token is to a vector."""

HUB_SAMPLE, HUB_NEIGHBOURS = 2000, 10
"""How many tokens stand for the vocabulary in the hub correction, and how many count as near."""

LARGE = 50_000
"""Tokens of a vocabulary of which samples are measured where all of them would take seconds."""

FITTED = 10_000
"""How many tokens of a large vocabulary the axes are fitted on."""

FEWER_HUB_SAMPLE, FEWER_HUB_NEIGHBOURS = 400, 2
"""`HUB_SAMPLE` and `HUB_NEIGHBOURS` for a large vocabulary: the same share of tokens is near."""

_TINY = np.finfo(np.float32).tiny

_BLOCK = 2048  # tokens compared with the sample at once: 16 MB of cosines


@dataclass(frozen=True)
class Neighbour:
    """A token near a vector."""

    id: int
    token: str
    """The token as a reader should see it: a leading space is shown as `·`."""
    cosine: float
    score: float | None = None
    """What it was chosen by where that is not the cosine: the dot product, the Euclidean distance
    (the smaller the nearer) or the hub-corrected cosine."""


@dataclass(frozen=True)
class Vocabulary:
    """The token embeddings of a model, with what is computed from them once."""

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

    @property
    def large(self) -> bool:
        """Whether samples are measured instead of all tokens."""
        return len(self.names) > LARGE

    @cached_property
    def norms(self) -> np.ndarray:
        """float32[V]: lengths of the embeddings."""
        if not self.large:
            return np.linalg.norm(self.embeddings, axis=1)
        # Without the squares of all of them in memory.
        return np.sqrt(np.einsum("vd,vd->v", self.embeddings, self.embeddings))

    @cached_property
    def half_squares(self) -> np.ndarray:
        """float32[V]: half of the squared lengths of the embeddings."""
        squares = self.norms**2 if self.large else np.square(self.embeddings).sum(1)
        return squares / 2

    @cached_property
    def typical_norm(self) -> float:
        """Median length of a token embedding."""
        return float(np.median(self.norms))

    @cached_property
    def directions(self) -> np.ndarray:
        """float32[V, d]: the embeddings scaled to length 1; as large as they are."""
        return unit(self.embeddings)

    def directions_of(self, ids: np.ndarray) -> np.ndarray:
        """float32[N, d]: the same for some tokens."""
        return unit(self.embeddings[ids])

    def cosines(self, vectors: np.ndarray) -> np.ndarray:
        """float[N, V]: of each of `vectors` (float[N, d]) with every token."""
        if not self.large:
            return unit(vectors) @ self.directions.T
        # A second matrix of this size would be gigabytes of a large model.
        return unit(vectors) @ self.embeddings.T / np.maximum(self.norms, _TINY)

    @cached_property
    def basis(self) -> PCA:
        """The three axes along which the directions of the token embeddings vary most."""
        fitted = self.directions_of(_sample(len(self.names), FITTED)) if self.large else None
        # The covariance solver needs d * d memory where the full one needs V * d.
        axes = PCA(n_components=AXES, svd_solver="covariance_eigh")
        return axes.fit(self.directions if fitted is None else fitted)

    @cached_property
    def sketch(self) -> np.ndarray:
        """int[S]: a fixed sample of token ids that stands for the whole vocabulary on a map."""
        return _sample(len(self.names), SKETCH_SIZE)

    @cached_property
    def hubness(self) -> np.ndarray:
        """float32[V]: mean cosine of a token to its 10 nearest others of a fixed sample.

        A token that is near everything, a hub, has a large one. Of a large vocabulary it is the
        mean to the 2 nearest of a smaller sample.
        """
        size, near = (
            (FEWER_HUB_SAMPLE, FEWER_HUB_NEIGHBOURS) if self.large else (HUB_SAMPLE, HUB_NEIGHBOURS)
        )
        sample = _sample(len(self.names), size)
        near = min(near, len(sample) - 1)
        if near < 1:
            return np.zeros(len(self.names), np.float32)
        means, among = [], self.directions_of(sample).T
        for start in range(0, len(self.names), _BLOCK):
            cosines = unit(self.embeddings[start : start + _BLOCK]) @ among
            inside = (sample >= start) & (sample < start + _BLOCK)
            cosines[sample[inside] - start, inside] = -np.inf  # nobody is its own neighbour
            means.append(np.partition(cosines, -near, axis=1)[:, -near:].mean(1))
        return np.concatenate(means)


def nearest_tokens(
    vectors: np.ndarray,
    vocabulary: Vocabulary,
    count: int = 5,
    metric: str = "cosine",
    corrected: bool = False,
) -> list[list[Neighbour]]:
    """The `count` tokens nearest to each of `vectors`, nearest first.

    Args:
        vectors: float[N, d].
        vocabulary: The tokens to choose from.
        count: Neighbours wanted for each vector.
        metric: One of `METRICS`.
        corrected: Take half of a token's hubness off its cosine. That is cross-domain similarity
            local scaling (Conneau et al. 2018, arXiv 1710.04087) without the vector's own term,
            which is the same for all tokens, and with the vocabulary standing for the domain of
            the vectors, so that the correction does not depend on which vectors are asked about.

    Raises:
        UserError: There is no such metric, or one other than the cosine is to be corrected.
    """
    order, scores = _ranking(vectors, vocabulary, count, metric, corrected)
    plain = metric == "cosine" and not corrected
    found = []
    for direction, ids, values in zip(unit(vectors), order, scores, strict=True):
        cosines = vocabulary.directions_of(ids) @ direction
        rows = zip(ids, cosines, values, strict=True)
        found.append(
            [
                Neighbour(int(i), vocabulary.names[i], float(cosine), None if plain else float(by))
                for i, cosine, by in rows
            ]
        )
    return found


def readable_tokens(tokenizer: PreTrainedTokenizerBase, ids: Iterable[int]) -> list[str]:
    """Tokens as a reader should see them, one name for each of `ids`."""
    pieces = tokenizer.convert_ids_to_tokens(list(ids))
    return [_readable(tokenizer, piece) for piece in pieces]


def to_numpy(tensor: Tensor | np.ndarray) -> np.ndarray:
    """A tensor on any device and of any float type as a float32 array."""
    if isinstance(tensor, np.ndarray):
        return tensor.astype(np.float32)
    return tensor.detach().float().cpu().numpy()


def unit(vectors: np.ndarray) -> np.ndarray:
    """float[..., d]: vectors scaled to length 1; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(lengths, _TINY)


def _ranking(
    vectors: np.ndarray, vocabulary: Vocabulary, count: int, metric: str, corrected: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Ids int[N, count] of the nearest tokens, and what they were chosen by, float[N, count]."""
    if metric not in METRICS:
        raise UserError(f"There is no metric {metric!r}; choose one of: {', '.join(METRICS)}.")
    if corrected and metric != "cosine":
        raise UserError(f"Hubs are corrected for cosines only; drop that, or the metric {metric}.")
    if metric == "cosine":
        nearness = vocabulary.cosines(vectors)
    else:
        nearness = vectors @ vocabulary.embeddings.T
    if corrected:
        nearness = nearness - vocabulary.hubness / 2
    if metric == "euclidean":  # |x - t|^2 is |x|^2 - 2 (x t - |t|^2 / 2), and |x| orders nothing
        nearness = nearness - vocabulary.half_squares
    order = _highest(nearness, count)
    if metric == "euclidean":  # from the difference itself: the square loses half of the digits
        return order, np.linalg.norm(vectors[:, None] - vocabulary.embeddings[order], axis=-1)
    return order, np.take_along_axis(nearness, order, axis=1)


def _highest(values: np.ndarray, count: int) -> np.ndarray:
    """int[N, count]: places of each row's highest values, the highest first; of equals the first.

    As a stable sort would have them, without sorting all.
    """
    count = min(count, values.shape[1])
    found = []
    for row in values:
        least = np.partition(row, len(row) - count)[len(row) - count]
        places = np.flatnonzero(row >= least)
        found.append(places[np.argsort(-row[places], kind="stable")][:count])
    return np.array(found, dtype=np.intp).reshape(len(values), count)


def _sample(count: int, size: int) -> np.ndarray:
    """int[min(count, size)]: the same numbers below `count` every time, in order."""
    size = min(size, count)
    return np.sort(np.random.default_rng(0).choice(count, size, replace=False))


def _readable(tokenizer: PreTrainedTokenizerBase, piece: str) -> str:
    text = tokenizer.convert_tokens_to_string([piece])
    if "\ufffd" in text or not text:  # part of a character: all it has is a name
        return f"⟨{piece}⟩"
    # Some tokenizers drop the leading space of a lone token; their marks for it are Ġ and ▁.
    if piece[:1] in ("Ġ", "▁") and not text.startswith(" "):
        text = f" {text}"
    text = text.replace(" ", "·").replace("\n", "↵").replace("\t", "⇥")
    return text if text.isprintable() else ascii(text)[1:-1]
