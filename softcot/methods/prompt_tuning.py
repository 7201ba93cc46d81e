"""Prompt tuning: trained slot vectors that no assistant had a part in."""

from collections.abc import Sequence

import torch

from softcot.data.problems import Problem
from softcot.methods.objective import SlotObjective
from softcot.methods.slots import TrainedSlots
from softcot.thoughts.soft_prompt import SoftPrompt


class PromptTuningObjective(SlotObjective):
    """The same K vectors for every problem."""

    weights: SoftPrompt

    def vectors(self, precomputed: torch.Tensor, k: int) -> torch.Tensor:
        """The first K vectors, once for each problem."""
        return self.weights(k).expand(len(precomputed), -1, -1)


class PromptTuning(TrainedSlots):
    """K trained vectors, the same for every question: is it only more trainable numbers?"""

    name = "prompt-tuning"
    title = "Prompt tuning"
    about = "With {k} trained vectors, the same for every question"
    hatch = "-"
    shares_k = True
    trains = "the K slot vectors"
    kind = SoftPrompt
    objective = PromptTuningObjective
    weights: SoftPrompt

    def own(self, problems: Sequence[Problem], k: int) -> torch.Tensor:
        """The first K trained vectors for everybody, float32[B, K, d_base]."""
        return self.weights(k).expand(len(problems), -1, -1)
