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
        vectors = torch.zeros(self.max_thoughts, base_width, dtype=torch.float32)
        self.vectors = nn.Parameter(vectors)

    def forward(self, k: int) -> torch.Tensor:
        """The first K vectors, float32[K, d_base]."""
        return self.vectors[:k]

    @classmethod
    def for_pair(
        cls, models: ModelPair, task: str, max_thoughts: int | None = None, seed: int = 0
    ) -> Self:
        """Vectors that start as embeddings of random tokens (Lester et al. 2021)."""
        largest = max_thoughts or cls.default_max_thoughts
        prompt = cls(models.base.width, **Origin.between(models, task, largest))
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.randint(len(models.base.tokenizer), (largest,), generator=generator)
        with torch.no_grad():
            prompt.vectors.copy_(models.base.embed(chosen))
        return prompt.to(models.base.device)
