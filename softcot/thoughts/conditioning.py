"""Fair coordinates for training a linear layer from states to embeddings.

What it reads is centred and white in them, and what it writes is as large as an embedding. The
states of a real assistant are one constant vector, and what tells questions apart is less than a
hundredth of their energy. A step of an optimiser on the plain weights is then a step along that
vector: it moves the thoughts of all questions together, by many times the size of an embedding,
and what differs is lost. In these coordinates the constant is one input among the others. The
layer that comes out is folded back into one linear layer: nothing is left of this but the weights.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.utils import parametrize

RIDGE = 1e-4
"""Added to the variance of every direction, as a share of the mean one: few problems show no
spread in many directions, and what other problems have there must not be blown up."""

PACE = 100.0
"""How fast trained numbers move thoughts, in sizes of an embedding: with it one learning rate suits
the laboratory's pair and real ones (chosen on validation problems of both)."""


@dataclass(frozen=True)
class Statistics:
    """Mean and spread of the states that a layer reads."""

    mean: torch.Tensor
    """float32[d]"""
    whiten: torch.Tensor
    """float32[d, d]: (states - mean) @ whiten has variance 1 in every direction, or less."""
    colour: torch.Tensor
    """float32[d, d], its inverse."""

    @classmethod
    def of(cls, states: torch.Tensor) -> "Statistics":
        """Those of states float[..., d], in float64."""
        rows = states.flatten(0, -2).double()
        mean = rows.mean(0)
        variances, directions = torch.linalg.eigh((rows - mean).T @ (rows - mean) / len(rows))
        spread = (variances.clamp(min=0) + RIDGE * variances.mean()).sqrt()
        whiten, colour = directions / spread, (directions * spread).T
        return cls(mean.float(), whiten.float(), colour.float())

    def white(self, states: torch.Tensor) -> torch.Tensor:
        """States float[..., d], centred and white: float32[..., d]."""
        return (states.float() - self.mean) @ self.whiten


class White(nn.Module):
    """A weight float[out, d] that is trained in white coordinates, in units of `unit`."""

    whiten: torch.Tensor
    colour: torch.Tensor

    def __init__(self, statistics: Statistics, unit: float):
        super().__init__()
        self.register_buffer("whiten", unit * statistics.whiten.T, persistent=False)
        self.register_buffer("colour", statistics.colour.T / unit, persistent=False)

    def forward(self, trained: torch.Tensor) -> torch.Tensor:
        """The weight as the layer uses it."""
        return trained @ self.whiten

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """What is trained, for a weight as the layer uses it."""
        return weight @ self.colour


class Scaled(nn.Module):
    """A bias that is trained in units of `unit`."""

    def __init__(self, unit: float):
        super().__init__()
        self.unit = unit

    def forward(self, trained: torch.Tensor) -> torch.Tensor:
        """The bias as the layer uses it."""
        return trained * self.unit

    def right_inverse(self, bias: torch.Tensor) -> torch.Tensor:
        """What is trained, for a bias as the layer uses it."""
        return bias / self.unit


def condition(layer: nn.Linear, statistics: Statistics, size: float) -> None:
    """Train a layer in fair coordinates; what it computes of centred states stays the same.

    The constant weighs as much as all other inputs together: an optimiser that moves every trained
    number alike moves a thought's constant part as far as that which depends on the question. And
    a wider layer takes smaller steps, as one learning rate for all widths needs it with Adam (Yang
    et al. 2022, arXiv 2203.03466).

    Args:
        layer: From d inputs.
        statistics: Of what it reads.
        size: Standard deviation of what it is to write.
    """
    unit = PACE * size
    white = White(statistics, unit / layer.in_features)
    parametrize.register_parametrization(layer, "weight", white)
    parametrize.register_parametrization(layer, "bias", Scaled(unit))


def fold(layer: nn.Linear) -> None:
    """Make it an ordinary layer again, which computes the same."""
    for name in ("weight", "bias"):
        if parametrize.is_parametrized(layer, name):
            parametrize.remove_parametrizations(layer, name)
