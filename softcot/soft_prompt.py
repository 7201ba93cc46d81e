"""Prompt tuning's trained module: the slot vectors themselves, the same for every question."""

from typing import TYPE_CHECKING

import torch
from torch import nn

from softcot.learned import Learned
from softcot.presets import MAX_THOUGHTS

if TYPE_CHECKING:
    from softcot.models import Pair

CARD = """---
library_name: softcot
tags: [prompt-tuning]
---
# Soft prompt: {task}, pair {pair}

{max_thoughts} vectors of {base_width} numbers (fp32, {parameters:,} parameters) for the slots in
which SoftCoT puts its thoughts; the same for every question, and no assistant reads anything: the
baseline that says how much of a gain comes from trained numbers alone. Trained on `{task}`.

- base model: `{base_fingerprint}`

Load it with `softcot.soft_prompt.SoftPrompt.load(folder)`.
"""


class SoftPrompt(Learned):
    """A table of slot vectors; the first K of them serve K slots.

    Args:
        base_width: Hidden size of the base.
        max_thoughts: Number of vectors.
        pair: Name of the pair it belongs to.
        task: What it was trained on.
        base_fingerprint: Fingerprint of the base; empty when unknown.
        assistant_fingerprint: Always empty: no assistant takes part.
        origin: What the models read in its training, as for `Learned`.
    """

    folder = "prompt"
    method = "prompt-tuning"
    card = CARD

    def __init__(
        self,
        base_width: int,
        max_thoughts: int = MAX_THOUGHTS,
        pair: str = "",
        task: str = "",
        base_fingerprint: str = "",
        assistant_fingerprint: str = "",
        **origin: str,
    ):
        super().__init__(**origin)
        self.base_width = base_width
        self.max_thoughts = max_thoughts
        self.pair = pair
        self.task = task
        self.base_fingerprint = base_fingerprint
        self.assistant_fingerprint = assistant_fingerprint
        self.vectors = nn.Parameter(torch.zeros(max_thoughts, base_width, dtype=torch.float32))

    def forward(self, thoughts: int) -> torch.Tensor:
        """The first K vectors, float32[K, d_base]."""
        return self.vectors[:thoughts]

    @classmethod
    def for_pair(
        cls, pair: "Pair", task: str, max_thoughts: int = MAX_THOUGHTS, seed: int = 0
    ) -> "SoftPrompt":
        """Vectors that start as embeddings of random tokens (Lester et al. 2021)."""
        prompt = cls(
            pair.base.width,
            max_thoughts,
            pair=pair.name,
            task=task,
            base_fingerprint=pair.fingerprints["base"],
            **pair.origin(task),
        )
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.randint(len(pair.base.tokenizer), (max_thoughts,), generator=generator)
        with torch.no_grad():
            prompt.vectors.copy_(pair.base.embed(chosen))
        return prompt.to(pair.base.device)
