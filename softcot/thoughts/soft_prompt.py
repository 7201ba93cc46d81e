"""Prompt tuning's trained module: the slot vectors themselves, the same for every question."""

from typing import Any, Self

import torch
from torch import nn

from softcot.models.model_pair import ModelPair
from softcot.thoughts.checkpoint import Origin, TrainedWeights

CARD = """
# Soft prompt: {task}, pair {pair}

{max_thoughts} vectors of {base_width} numbers (fp32, {parameters:,} parameters) for the slots in
which SoftCoT puts its thoughts; the same for every question, and no assistant reads anything: the
baseline that says how much of a gain comes from trained numbers alone.
"""

PAUSE_CARD = """
# Pause token: {task}, pair {pair}

One vector of {base_width} numbers (fp32) for all of the slots in which SoftCoT puts its thoughts:
the baseline that says how much of a gain comes from more places to compute in. It was trained for 1
to {max_thoughts} slots.
"""


class SoftPrompt(TrainedWeights):
    """A table of slot vectors; the first K of them serve K slots.

    Args:
        base_width: Hidden size of the base.
        origin: Fields of `checkpoint.Origin`; `max_thoughts` is the number of vectors.
    """

    folder = "prompt"
    method = "prompt-tuning"
    tags = ("prompt-tuning",)
    card = CARD

    def __init__(self, base_width: int, **origin: Any):
        super().__init__(**origin)
        self.base_width = base_width
        vectors = torch.zeros(self.count(self.max_thoughts), base_width, dtype=torch.float32)
        self.vectors = nn.Parameter(vectors)

    @staticmethod
    def count(k: int) -> int:
        """How many vectors it has for the largest K."""
        return k

    def forward(self, k: int) -> torch.Tensor:
        """The first K vectors, float32[K, d_base]."""
        return self.vectors[:k]

    @classmethod
    def for_pair(
        cls,
        models: ModelPair,
        task: str,
        max_thoughts: int | None = None,
        seed: int = 0,
        **own: Any,
    ) -> Self:
        """Vectors that start as embeddings of random tokens (Lester et al. 2021)."""
        largest = max_thoughts or cls.default_max_thoughts
        prompt = cls(models.base.width, **Origin.between(models, task, largest))
        generator = torch.Generator().manual_seed(seed)
        wanted = (cls.count(largest),)
        chosen = torch.randint(len(models.base.tokenizer), wanted, generator=generator)
        with torch.no_grad():
            prompt.vectors.copy_(models.base.embed(chosen))
        return prompt.to(models.base.device)


class PauseToken(SoftPrompt):
    """A single vector, which stands in all K slots."""

    folder = "pause"
    home = __name__
    method = "pause-tokens"
    tags = ("pause-tokens",)
    card = PAUSE_CARD

    @staticmethod
    def count(k: int) -> int:
        """One, however many slots there are."""
        return 1

    def forward(self, k: int) -> torch.Tensor:
        """The vector K times, float32[K, d_base]."""
        return self.vectors.expand(k, -1)
