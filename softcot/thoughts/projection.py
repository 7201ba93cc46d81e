"""SoftCoT's trained module: a linear layer from the assistant's states to the base's embeddings."""

from typing import Any, ClassVar, Self

import torch
from torch import nn

from softcot.models.model_pair import ModelPair
from softcot.thoughts import conditioning
from softcot.thoughts.checkpoint import Origin, TrainedWeights

CARD = """
# SoftCoT projection: {task}, pair {pair}

One linear layer, {assistant_width} -> {base_width} (fp32, {parameters:,} parameters), that turns
the last states of a frozen assistant into soft thoughts for a frozen base model. Nothing else was
trained.
"""

STARTS = {
    "vocabulary": "The training started where a state that predicts a token becomes the embedding "
    "of that token. This start is the project's own and not part of the paper's method.",
    "random": "The training started at random weights.",
    "torch": "The training started as `nn.Linear` does, as in the paper's released code.",
    "answers": "The training started where the states of a training problem become, by least "
    "squares, the mean embeddings of successive parts of its worked answer. This start is the "
    "project's own and not part of the paper's method.",
}
"""Where a training can start, for the model card."""


class Projection(TrainedWeights):
    """Thoughts = states @ weight.T + bias, in fp32 whatever the two models run in.

    Args:
        assistant_width: Hidden size of the assistant.
        base_width: Hidden size of the base.
        origin: Fields of `softcot.thoughts.checkpoint.Origin`.
    """

    folder = "projection"
    method = "softcot"
    own: ClassVar[tuple[str, ...]] = ("assistant_width", "base_width")
    sides: ClassVar[tuple[str, ...]] = ("base", "assistant")
    tags: ClassVar[tuple[str, ...]] = ("softcot", "soft-thoughts")
    card = CARD
    starts = STARTS
    centre: torch.Tensor
    """What is taken off every state first, float32[d_assistant]: 0 but while it is trained."""

    def __init__(self, assistant_width: int, base_width: int, **origin: Any):
        super().__init__(**origin)
        self.assistant_width = assistant_width
        self.base_width = base_width
        self.linear = nn.Linear(assistant_width, base_width, dtype=torch.float32)
        self.register_buffer("centre", torch.zeros(assistant_width), persistent=False)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Map assistant states float[B, K, d_assistant] to thoughts float32[B, K, d_base]."""
        if states.shape[-1] != self.assistant_width:
            raise ValueError(f"states are {states.shape[-1]} wide, not {self.assistant_width}")
        inputs = states.float() - self.centre
        return self.linear(inputs.to(self.linear.weight.dtype)).float()

    @classmethod
    def for_pair(
        cls,
        models: ModelPair,
        task: str,
        max_thoughts: int | None = None,
        seed: int = 0,
        **own: Any,
    ) -> Self:
        """A random projection whose thoughts have the spread of the base's embeddings.

        Thoughts far smaller or larger than any embedding start far from everything the base has
        read; with the default initialisation of `nn.Linear` they are. `own` is what a subclass's
        constructor takes beside the widths.
        """
        largest = max_thoughts or cls.default_max_thoughts
        origin = Origin.between(models, task, largest, cls.sides)
        projection = cls(models.assistant.width, models.base.width, **own, **origin)
        with torch.no_grad():
            states = _any_states(models)
            size = states.square().mean().sqrt().item() * models.assistant.width**0.5
            generator = torch.Generator().manual_seed(seed)
            projection.linear.weight.normal_(std=models.base.spread / size, generator=generator)
            projection.linear.bias.zero_()
        projection.start = "random"
        return projection.to(models.base.device)

    @torch.no_grad()
    def begin_as_torch_does(self, seed: int) -> None:
        """Start as `nn.Linear` does: uniform up to one over the root of the states' width."""
        generator = torch.Generator().manual_seed(seed)
        bound = self.assistant_width**-0.5
        for weight in self.linear.parameters():
            fresh = torch.empty(weight.shape).uniform_(-bound, bound, generator=generator)
            weight.copy_(fresh)
        self.start = "torch"

    @torch.no_grad()
    def condition(self, states: torch.Tensor, size: float) -> None:
        """Train from here on in the coordinates of `softcot.thoughts.conditioning`.

        Args:
            states: What is read in training, float[..., d_assistant].
            size: Standard deviation of the base's embeddings.
        """
        statistics = conditioning.Statistics.of(states)
        self._centre_at(statistics.mean)
        conditioning.condition(self.linear, statistics, size)

    @torch.no_grad()
    def fold(self) -> None:
        """Be one plain linear layer again, which computes the same."""
        conditioning.fold(self.linear)
        self._centre_at(torch.zeros_like(self.centre))

    def _centre_at(self, centre: torch.Tensor) -> None:
        """Read states from another centre, and compute the same."""
        moved = centre.to(self.centre.device) - self.centre
        self.linear.bias.add_(moved @ self.linear.weight.T)
        self.centre = self.centre + moved

    @torch.no_grad()
    def read_out(self, states: torch.Tensor, targets: torch.Tensor) -> None:
        """Start at the ridge regression from states to vectors of the base.

        Args:
            states: float[N, K, d_assistant].
            targets: What each is to become, float[N, K, d_base].
        """
        statistics = conditioning.Statistics.of(states)
        white = statistics.white(states).flatten(0, 1)
        wanted = targets.float().flatten(0, 1)
        mean = wanted.mean(0)
        # White inputs are uncorrelated: the normal equations are solved as they stand, with the
        # ridge that is part of the statistics.
        weight = (wanted - mean).T @ white / len(white) @ statistics.whiten.T
        self.linear.weight.copy_(weight)
        self.linear.bias.copy_(mean - weight @ statistics.mean)
        self.start = "answers"

    @torch.no_grad()
    def align(self, models: ModelPair) -> None:
        """Start where a state that predicts a token becomes the embedding of that token.

        The weights are the least-squares map from the assistant's output embeddings to the base's
        input embeddings over the tokens both know, scaled so that thoughts are as large as an
        embedding. With fewer such tokens than the assistant is wide, nothing changes.
        """
        ours, theirs = (lm.tokenizer.get_vocab() for lm in (models.assistant, models.base))
        common = sorted(ours.keys() & theirs.keys())
        if len(common) <= self.assistant_width:
            return
        read = models.assistant.model.get_output_embeddings().weight
        written = models.base.embeddings
        read, written = (
            weight[[ids[token] for token in common]].float().cpu()
            for weight, ids in ((read, ours), (written, theirs))
        )
        centred = read - read.mean(0), written - written.mean(0)
        weight = torch.linalg.lstsq(*centred, driver="gelsd").solution.T
        states = _any_states(models)
        size = models.base.embeddings.float().norm(dim=1).mean().cpu()
        self.linear.weight.copy_(weight * size / (states @ weight.T).norm(dim=-1).mean())
        self.start = "vocabulary"


def _any_states(models: ModelPair) -> torch.Tensor:
    """Some states of the assistant, float32[1, N, d_assistant], on the CPU.

    Its last norm fixes their size, so any text will do.
    """
    probe = torch.arange(min(64, len(models.assistant.tokenizer)))[None]
    return models.assistant.states(probe.to(models.assistant.device)).cpu()
