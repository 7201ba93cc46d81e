"""LoRA: the base itself, fine-tuned by low-rank adapters."""

from collections.abc import Sequence
from typing import Any, Self

import torch

from softcot.data.problems import Problem
from softcot.data.tasks import FREE, Task
from softcot.methods.base import Method
from softcot.methods.objective import Objective, tuned_losses
from softcot.models.language_model import LanguageModel, fingerprint
from softcot.thoughts.adapter import Adapter
from softcot.thoughts.pair import Pair


class LoRAObjective(Objective):
    """The base learns to write rationale and answer; there are no slots."""

    weights: Adapter

    def k(self, step: int, steps: int, drawn: int) -> int:
        """Never any."""
        return 0

    def validation_k(self, share: float) -> int:
        """Never any."""
        return 0

    def losses(
        self, problems: Sequence[Problem], precomputed: torch.Tensor, k: int
    ) -> torch.Tensor:
        """Losses of all graded tokens, float32[N]."""
        lm = self.weights.lm
        prompts = self.prompts(problems, [problem.target for problem in problems], 0)
        return tuned_losses(lm, prompts, lm.embed(torch.empty(len(problems), 0, dtype=torch.long)))


class LoRA(Method):
    """The base, tuned to write rationale and answer, asked with nothing added."""

    name = "lora"
    title = "LoRA"
    about = "The base with trained adapters, and no thoughts"
    hatch = "x"
    trains = "low-rank adapters in the base"
    kind = Adapter
    objective = LoRAObjective

    def __init__(self, pair: Pair, weights: Adapter, task: Task = FREE):
        super().__init__(pair, task)
        self.weights = weights

    @classmethod
    def build(
        cls, pair: Pair, task: Task, *, trained_on: str | None = None, **options: Any
    ) -> Self:
        """The method with the adapters trained for a task."""
        return cls(pair, pair.weights(Adapter, trained_on or task.name), task)

    @property
    def lm(self) -> LanguageModel:
        """The base with its adapters."""
        return self.weights.lm

    @property
    def trained_on(self) -> str:
        """The task of the adapters."""
        return self.weights.task

    def fingerprint(self) -> str:
        """Of the adapters, exact."""
        return fingerprint(self.weights, exact=True)
