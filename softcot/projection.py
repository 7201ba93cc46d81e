"""SoftCoT's trained module: a linear layer from the assistant's states to the base's embeddings."""

from typing import TYPE_CHECKING

import torch
from torch import nn

from softcot.learned import Learned
from softcot.presets import MAX_THOUGHTS

if TYPE_CHECKING:
    from softcot.models import Pair

CARD = """---
library_name: softcot
tags: [softcot, soft-thoughts]
---
# SoftCoT projection: {task}, pair {pair}

One linear layer, {assistant_width} -> {base_width} (fp32, {parameters:,} parameters), that turns
the last states of a frozen assistant into up to {max_thoughts} soft thoughts for a frozen base
model. Trained on `{task}`; nothing else was trained.

- base model: `{base_fingerprint}`
- assistant model: `{assistant_fingerprint}`

Load it with `softcot.projection.Projection.load(folder)`.
"""


class Projection(Learned):
    """Thoughts = states @ weight.T + bias, in fp32 whatever the two models run in.

    Args:
        assistant_width: Hidden size of the assistant.
        base_width: Hidden size of the base.
        max_thoughts: Largest K it was trained for.
        pair: Name of the pair it belongs to.
        task: What it was trained on.
        base_fingerprint: Fingerprint of the base; empty when unknown.
        assistant_fingerprint: Fingerprint of the assistant; empty when unknown.
        origin: What the models read in its training, as for `Learned`.
    """

    folder = "projection"
    method = "softcot"
    card = CARD

    def __init__(
        self,
        assistant_width: int,
        base_width: int,
        max_thoughts: int = MAX_THOUGHTS,
        pair: str = "",
        task: str = "",
        base_fingerprint: str = "",
        assistant_fingerprint: str = "",
        **origin: str,
    ):
        super().__init__(**origin)
        self.assistant_width = assistant_width
        self.base_width = base_width
        self.max_thoughts = max_thoughts
        self.pair = pair
        self.task = task
        self.base_fingerprint = base_fingerprint
        self.assistant_fingerprint = assistant_fingerprint
        self.linear = nn.Linear(assistant_width, base_width, dtype=torch.float32)

    def widths(self) -> dict[str, int]:
        """The hidden sizes it was made for, by the side they belong to."""
        return {"base": self.base_width, "assistant": self.assistant_width}

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Map assistant states float[B, K, d_assistant] to thoughts float32[B, K, d_base]."""
        if states.shape[-1] != self.assistant_width:
            raise ValueError(f"states are {states.shape[-1]} wide, not {self.assistant_width}")
        return self.linear(states.float())

    @classmethod
    def for_pair(
        cls, pair: "Pair", task: str, max_thoughts: int = MAX_THOUGHTS, seed: int = 0
    ) -> "Projection":
        """A random projection whose thoughts have the spread of the base's embeddings.

        Thoughts far smaller or larger than any embedding start far from everything the base has
        read; with the default initialisation of `nn.Linear` they are.
        """
        fingerprints = pair.fingerprints
        projection = cls(
            pair.assistant.width,
            pair.base.width,
            max_thoughts=max_thoughts,
            pair=pair.name,
            task=task,
            base_fingerprint=fingerprints["base"],
            assistant_fingerprint=fingerprints["assistant"],
            **pair.origin(task),
        )
        with torch.no_grad():
            states = _any_states(pair)
            spread = pair.base.embeddings.float().std().item()
            size = states.square().mean().sqrt().item() * pair.assistant.width**0.5
            generator = torch.Generator().manual_seed(seed)
            projection.linear.weight.normal_(std=spread / size, generator=generator)
            projection.linear.bias.zero_()
        return projection.to(pair.base.device)

    @torch.no_grad()
    def align(self, pair: "Pair") -> None:
        """Start where a state that predicts a token becomes the embedding of that token.

        The weights are the least-squares map from the assistant's output embeddings to the base's
        input embeddings over the tokens both know, scaled so that thoughts are as large as an
        embedding. With fewer such tokens than the assistant is wide, nothing changes.
        """
        ours, theirs = (lm.tokenizer.get_vocab() for lm in (pair.assistant, pair.base))
        common = sorted(ours.keys() & theirs.keys())
        if len(common) <= self.assistant_width:
            return
        read = pair.assistant.model.get_output_embeddings().weight
        written = pair.base.embeddings
        read, written = (
            weight[[ids[token] for token in common]].float().cpu()
            for weight, ids in ((read, ours), (written, theirs))
        )
        centred = read - read.mean(0), written - written.mean(0)
        weight = torch.linalg.lstsq(*centred, driver="gelsd").solution.T
        states = _any_states(pair)
        size = pair.base.embeddings.float().norm(dim=1).mean().cpu()
        self.linear.weight.copy_(weight * size / (states @ weight.T).norm(dim=-1).mean())


def _any_states(pair: "Pair") -> torch.Tensor:
    """Some states of the assistant, float32[1, N, d_assistant], on the CPU.

    Its last norm fixes their size, so any text will do.
    """
    probe = torch.arange(min(64, len(pair.assistant.tokenizer)))[None]
    return pair.assistant.states(probe.to(pair.assistant.device)).cpu()
