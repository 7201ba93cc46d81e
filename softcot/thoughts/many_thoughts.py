"""SoftCoT++'s trained module: one projection, and a vector for each of N sets of thoughts."""

from typing import Any, Self

import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize
from torch.nn.utils import parametrize

from softcot.models.model_pair import ModelPair
from softcot.thoughts.conditioning import Scaled
from softcot.thoughts.controls import apply_control
from softcot.thoughts.projection import Projection

CARD = """
# SoftCoT++ projection: {task}, pair {pair}

{chains} vectors for the placeholders of a frozen assistant, each of which gives a set of thoughts
of its own, and one linear layer for all of them, {assistant_width} -> {base_width} (fp32,
{parameters:,} parameters together). After arXiv 2505.11484.
"""

CHAINS = 10
"""Sets of thoughts, as in the paper."""

SCALE = 20.0
"""Of the cosines in the contrastive loss, as the paper's released settings have it."""

APART = 0.1
"""How far from SoftCoT's placeholder the vectors of the other sets start, in its length: from those
of random words, mini's learned next to nothing."""

PACE = 10.0
"""How fast the vectors move, in sizes of the assistant's embeddings."""


def contrastive_loss(sets: torch.Tensor) -> torch.Tensor:
    """How hard it is to tell a question's sets of thoughts from each other (arXiv 2505.11484).

    Minus the log of a set's likeness to itself among that to all sets of its question. A set is
    the mean of its thoughts, likeness is the cosine times `SCALE`; how the paper pools the places
    of a set was not to be found.

    Args:
        sets: float[N, B, K, d].

    Returns:
        The mean over sets and questions; 0 with one set, log N where all sets are equal.
    """
    means = normalize(sets.mean(2), dim=-1).transpose(0, 1)
    alike = SCALE * means @ means.mT
    itself = torch.arange(len(sets), device=sets.device).repeat(len(alike))
    return cross_entropy(alike.flatten(0, 1), itself)


class ManyThoughts(Projection):
    """Thoughts as of `Projection`; what is its own is what the assistant reads in its slots.

    Args:
        assistant_width: Hidden size of the assistant.
        base_width: Hidden size of the base.
        chains: N, the sets of thoughts.
        origin: Fields of `softcot.thoughts.checkpoint.Origin`.
    """

    folder = "many"
    home = __name__
    method = "softcot-pp"
    own = ("assistant_width", "base_width", "chains")
    tags = ("softcot", "soft-thoughts", "softcot-pp")
    card = CARD

    def __init__(self, assistant_width: int, base_width: int, chains: int = CHAINS, **origin: Any):
        super().__init__(assistant_width, base_width, **origin)
        self.chains = chains
        self.initial = nn.Parameter(torch.zeros(chains, assistant_width, dtype=torch.float32))

    @classmethod
    def for_pair(
        cls,
        models: ModelPair,
        task: str,
        max_thoughts: int | None = None,
        seed: int = 0,
        chains: int = CHAINS,
        **own: Any,
    ) -> Self:
        """A random projection; set 0 reads SoftCoT's placeholder, the others what is near it."""
        made = super().for_pair(models, task, max_thoughts, seed, chains=chains, **own)
        assistant, generator = models.assistant, torch.Generator().manual_seed(seed)
        placeholder = assistant.embed(torch.tensor([assistant.prompts.tokens.placeholder])).cpu()
        same = placeholder.expand(1, chains, -1)
        [away] = APART * apply_control("noise", same, generator=generator)
        away[0] = 0
        with torch.no_grad():
            made.initial.copy_(placeholder + away)
        return made

    def pace(self, size: float) -> None:
        """Train the vectors in units of the assistant's embeddings, float `size`."""
        parametrize.register_parametrization(self, "initial", Scaled(PACE * size))

    def fold(self) -> None:
        """Be one plain linear layer and plain vectors again."""
        super().fold()
        if parametrize.is_parametrized(self, "initial"):
            parametrize.remove_parametrizations(self, "initial")
