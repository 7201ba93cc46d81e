"""SoftCoT (arXiv 2502.12134): the assistant's states, projected, as soft thoughts of the base."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import torch

from softcot.data.problems import Problem
from softcot.data.tasks import Task
from softcot.methods.objective import Objective, SlotObjective
from softcot.methods.slots import TrainedSlots
from softcot.models.language_model import LanguageModel
from softcot.thoughts.answer_parts import answer_parts
from softcot.thoughts.assistant import soft_states
from softcot.thoughts.checkpoint import TrainedWeights
from softcot.thoughts.projection import Projection
from softcot.thoughts.state_cache import states_file


class SoftCoTObjective(SlotObjective):
    """The assistant is frozen, so its states for the largest K serve every step."""

    weights: Projection
    swaps = True
    start = "random"

    @property
    def fair(self) -> bool:
        """Whether it is trained where the states are centred and white, as all but two starts."""
        return self.start not in ("plain", "torch")

    def begin(self, start: str) -> None:
        """With "vocabulary" and "plain", where a state that predicts a token becomes its vector."""
        self.start = start
        if start in ("vocabulary", "plain"):
            self.weights.align(self.pair)
        elif start == "torch":
            self.weights.begin_as_torch_does(self.seed)

    def prepare(self, problems: Sequence[Problem], precomputed: torch.Tensor) -> None:
        """With "answers", start at parts of worked answers; and train in fair coordinates."""
        base = self.pair.base
        if self.start == "answers":
            parts = answer_parts(base, [problem.target for problem in problems], self.max_thoughts)
            self.weights.read_out(precomputed.to(base.device), parts)
        if self.fair:
            self.weights.condition(precomputed.to(base.device), base.spread)

    def precompute(self, task: Task, problems: Sequence[Problem]) -> torch.Tensor:
        """The assistant's states, float32[B, K max, d_assistant]."""
        questions = [problem.heard for problem in problems]
        return soft_states(self.pair.assistant, questions, self.max_thoughts, task)

    def cache_file(self, folder: Path, task: Task, problems: Sequence[Problem]) -> Path | None:
        """The file that keeps the states of these problems."""
        return states_file(folder, self.pair, task, problems, self.max_thoughts)

    def vectors(self, precomputed: torch.Tensor, k: int) -> torch.Tensor:
        """The first K states of every problem, projected."""
        return self.weights(precomputed[:, :k])


class SoftCoT(TrainedSlots):
    """The assistant's states, projected, stand in slots after the question."""

    name = "softcot"
    title = "SoftCoT"
    about = "The same base, with {thoughts}"
    shares_k = True
    asks_assistant = True
    trains = "the projection"
    kind: ClassVar[type[TrainedWeights]] = Projection
    objective: ClassVar[type[Objective] | None] = SoftCoTObjective
    weights: Projection

    @property
    def thinker(self) -> LanguageModel:
        """Whose states are projected."""
        return self.pair.assistant

    def heard_tokens(self, problem: Problem, k: int, sets: int = 1) -> int:
        """The prompt with K placeholders, and those of every further set."""
        prompts = self.thinker.prompts
        whole = len(prompts.assistant(problem.heard, task=self.task, k=k)) if k else 0
        return whole + (sets - 1) * k

    def passes(self, k: int) -> int:
        """The assistant's, which gives all K at once."""
        return min(k, 1)

    def own(self, problems: Sequence[Problem], k: int) -> torch.Tensor:
        """The assistant's states at its K placeholders, projected: float32[B, K, d_base]."""
        questions = [problem.heard for problem in problems]
        states = soft_states(self.pair.assistant, questions, k, self.task)
        return self.weights(states.to(self.pair.base.device))
