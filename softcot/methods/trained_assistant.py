"""A trained assistant: who makes the thoughts learns to, instead of being any small model."""

from collections.abc import Sequence
from typing import Any

import torch

from softcot.data.problems import Problem
from softcot.data.tasks import get_task
from softcot.methods.objective import token_losses, tuned_losses
from softcot.methods.softcot import SoftCoT, SoftCoTObjective
from softcot.models.language_model import LanguageModel
from softcot.thoughts.assistant import read_slots, soft_states
from softcot.thoughts.tuned_assistant import TunedAssistant

ASKED, AT_ONCE = 64, 8
"""Problems on which it is measured what the assistant forgot, and how many are read together."""


class TrainedAssistantObjective(SoftCoTObjective):
    """The adapters move every state, so that the assistant reads each problem at every step.

    What is computed once are the frozen assistant's states, which the training starts from.
    """

    weights: TunedAssistant

    def losses(
        self, problems: Sequence[Problem], precomputed: torch.Tensor, k: int
    ) -> torch.Tensor:
        """Losses of all graded tokens, float32[N]; gradients reach projection and adapters."""
        base, assistant = self.pair.base, self.weights.lm
        build = assistant.prompts.assistant
        heard = [build(problem.heard, task=get_task(problem.task), k=k) for problem in problems]
        vectors = self.weights(read_slots(assistant, heard).to(base.device))
        prompts = self.prompts(problems, [problem.target for problem in problems], k)
        return token_losses(base, prompts, vectors, self.prompt_cache)

    @torch.no_grad()
    def aftermath(self, problems: Sequence[Problem]) -> dict[str, Any]:
        """What the training did to the assistant as a language model of its own.

        Returns:
            assistant_loss: of the worked answers of some problems, nats a token, as the frozen
            assistant and as the trained one would write them. A rise is what was forgotten.
        """
        both = {"frozen": self.pair.assistant, "trained": self.weights.lm}
        return {"assistant_loss": {name: _loss(lm, problems) for name, lm in both.items()}}


def _loss(lm: LanguageModel, problems: Sequence[Problem]) -> float:
    """Mean loss of the worked answers of the first problems, nats a token."""
    some, found = problems[:ASKED], []
    for start in range(0, len(some), AT_ONCE):
        prompts = [
            lm.prompts.base(problem.question, task=get_task(problem.task), target=problem.target)
            for problem in some[start : start + AT_ONCE]
        ]
        nothing = torch.empty(len(prompts), 0, lm.width, device=lm.device)
        found.append(tuned_losses(lm, prompts, nothing))
    return float(torch.cat(found).mean())


class TrainedAssistant(SoftCoT):
    """SoftCoT whose assistant was trained with the projection; the base is as frozen as ever."""

    name = "trained-assistant"
    title = "Trained assistant"
    about = "With {k} thoughts of an assistant that was trained to make them"
    hatch = "///"
    trains = "the projection and low-rank adapters in the assistant"
    settings = ("rank",)
    kind = TunedAssistant
    objective = TrainedAssistantObjective
    weights: TunedAssistant

    @property
    def thinker(self) -> LanguageModel:
        """The assistant with its adapters."""
        return self.weights.lm

    def own(self, problems: Sequence[Problem], k: int) -> torch.Tensor:
        """The trained assistant's states in its K slots, projected: float32[B, K, d_base]."""
        heard = [problem.heard for problem in problems]
        states = soft_states(self.weights.lm, heard, k, self.task)
        return self.weights(states.to(self.pair.base.device))

    def further_fingerprints(self) -> dict[str, str]:
        """Of the assistant with its adapters: it is not the pair's any more."""
        return {"trained assistant": self.weights.lm.fingerprint()}
