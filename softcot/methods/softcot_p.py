"""SoftCoT-P, the ablation of SoftCoT++ (arXiv 2505.11484): noise in the place of trained sets."""

from collections.abc import Sequence
from typing import Any

import torch

from softcot.data.problems import Problem
from softcot.methods.slots import number_of
from softcot.methods.softcot import SoftCoT
from softcot.support.errors import UserError
from softcot.thoughts.controls import apply_control

LONGEST = 10
"""Most noise, as a share of a thought's length: far more than leaves anything of it."""


class SoftCoTP(SoftCoT):
    """SoftCoT's thoughts with noise in the place of trained sets: is any difference enough?

    Args:
        options: As for `SoftCoT`.
        noise: Length of the noise, as a share of the thought's; None for the usual one.

    Raises:
        UserError: It has no such length.
    """

    name = "softcot-p"
    title = "SoftCoT-P"
    about = "With {k} thoughts and a little noise, another one for each of several samples"
    hatch = "\\\\"
    many = True
    noise: float = 0.1
    objective = None

    def __init__(self, *options: Any, noise: float | None = None, **named: Any):
        super().__init__(*options, **named)
        if noise is not None:
            if not 0 < noise <= LONGEST:
                raise UserError(
                    f"The noise must be a share of a thought's length above 0 and up to {LONGEST}; "
                    f"it is {noise:g}."
                )
            self.noise = noise

    def sets(self, samples: int) -> int:
        """One for each sample."""
        return samples

    def heard_tokens(self, problem: Problem, k: int, sets: int = 1) -> int:
        """Those of SoftCoT: noise costs the assistant nothing."""
        return super().heard_tokens(problem, k)

    def own(self, problems: Sequence[Problem], k: int) -> torch.Tensor:
        """Those of the first sample, float32[B, K, d_base]."""
        return self.own_sets(problems, k, [0])[0]

    def own_sets(self, problems: Sequence[Problem], k: int, numbers: Sequence[int]) -> torch.Tensor:
        """The thoughts with the noise of some samples, float32[N, B, K, d_base]."""
        plain = super().own(problems, k)
        return torch.stack([self._perturbed(problems, plain, number) for number in numbers])

    def _perturbed(
        self, problems: Sequence[Problem], plain: torch.Tensor, number: int
    ) -> torch.Tensor:
        rows = []
        for problem, row in zip(problems, plain.split(1), strict=True):
            draw = torch.Generator().manual_seed(number_of(number, problem))
            rows.append(row + self.noise * apply_control("noise", row, generator=draw))
        return torch.cat(rows)
