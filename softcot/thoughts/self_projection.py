"""What is trained where the base is its own assistant: from its states to its embeddings."""

from typing import Any, Self

import torch
from torch import nn

from softcot.models.model_pair import ModelPair
from softcot.thoughts.checkpoint import Origin, TrainedWeights
from softcot.thoughts.projection import STARTS, Projection

CARD = """
# Self-projection: {task}, pair {pair}

One linear layer, {base_width} -> {base_width} (fp32, {parameters:,} parameters), that turns the
last states of a frozen base at its placeholders into soft thoughts for that base itself. No
assistant takes part, and nothing else was trained.
"""

PLACES_CARD = """
# Self-projections, one for each place: {task}, pair {pair}

{max_thoughts} linear layers, {base_width} -> {base_width} (fp32, {parameters:,} parameters), that
turn the last states of a frozen base at its placeholders into soft thoughts for that base itself,
each those of one place. No assistant takes part, and nothing else was trained.
"""


class SelfProjection(Projection):
    """A projection of the base's own states; both of its widths are the base's."""

    folder = "self"
    home = __name__
    method = "self-thoughts"
    sides = ("base",)
    reader = "base"
    tags = ("softcot", "soft-thoughts", "self-thoughts")
    card = CARD

    @classmethod
    def for_pair(
        cls,
        models: ModelPair,
        task: str,
        max_thoughts: int | None = None,
        seed: int = 0,
        **own: Any,
    ) -> Self:
        """A random projection, as of `Projection`, of the base's states."""
        return super().for_pair(models.alone(), task, max_thoughts, seed, **own)

    def align(self, models: ModelPair) -> None:
        """Start where a state that predicts a token becomes its embedding."""
        super().align(models.alone())


class PlaceProjections(TrainedWeights):
    """A projection for each place: that of place k alone makes the k-th thought.

    Args:
        base_width: Hidden size of the base.
        origin: Fields of `softcot.thoughts.checkpoint.Origin`; there are `max_thoughts` places.
    """

    folder = "places"
    home = __name__
    method = "self-thoughts-each"
    reader = "base"
    tags = ("softcot", "soft-thoughts", "self-thoughts")
    card = PLACES_CARD
    starts = STARTS

    def __init__(self, base_width: int, **origin: Any):
        super().__init__(**origin)
        self.base_width = base_width
        made = (Projection(base_width, base_width) for _ in range(self.max_thoughts))
        self.places = nn.ModuleList(made)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Map the base's states float[B, K, d_base] to thoughts float32[B, K, d_base]."""
        pairs = zip(self.places, states.unbind(1), strict=False)
        return torch.stack([place(own) for place, own in pairs], dim=1)

    @classmethod
    def for_pair(
        cls,
        models: ModelPair,
        task: str,
        max_thoughts: int | None = None,
        seed: int = 0,
        **own: Any,
    ) -> Self:
        """Random projections, each as of `Projection`."""
        largest = max_thoughts or cls.default_max_thoughts
        made = cls(models.base.width, **Origin.between(models.alone(), task, largest))
        for number in range(largest):
            fresh = Projection.for_pair(models.alone(), task, largest, seed + number)
            made.places[number].load_state_dict(fresh.state_dict())
        made.start = "random"
        return made.to(models.base.device)

    def align(self, models: ModelPair) -> None:
        """Start where a state that predicts a token becomes its embedding, in every place."""
        first, *others = self._projections
        first.align(models.alone())
        for place in others:
            place.load_state_dict(first.state_dict())
        self.start = first.start or self.start

    def read_out(self, states: torch.Tensor, targets: torch.Tensor) -> None:
        """Start every place at its own regression; as of `Projection`."""
        for number, place in enumerate(self._projections):
            one = slice(number, number + 1)
            place.read_out(states[:, one], targets[:, one])
        self.start = "answers"

    def condition(self, states: torch.Tensor, size: float) -> None:
        """Train every place in the coordinates of the states that it reads."""
        for number, place in enumerate(self._projections):
            place.condition(states[:, number : number + 1], size)

    def fold(self) -> None:
        """Be plain linear layers again."""
        for place in self._projections:
            place.fold()

    @property
    def _projections(self) -> list[Projection]:
        return [place for place in self.places if isinstance(place, Projection)]
