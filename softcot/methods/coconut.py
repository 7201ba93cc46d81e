"""Coconut (Hao et al. 2024, arXiv 2412.06769): a tuned base that thinks in its own states."""

import re
from collections.abc import Sequence

import torch
from transformers import DynamicCache

from softcot.data.problems import Problem
from softcot.methods.objective import Objective, tuned_losses
from softcot.methods.slots import TrainedSlots
from softcot.models.batches import collate
from softcot.models.language_model import LanguageModel
from softcot.prompts.builder import Prompt, cut_at_slots
from softcot.support.errors import UserError
from softcot.thoughts.adapter import CoconutAdapter

SENTENCES = re.compile(r"(?<=[.!?])\s+")
"""Where a rationale is cut into steps."""


def continuous_thoughts(lm: LanguageModel, prompts: Sequence[Prompt], k: int) -> torch.Tensor:
    """Let a model think in its own states (Hao et al. 2024, arXiv 2412.06769).

    The first thought is the last-layer state at the token before the slots; each further one is
    the state at the thought before it. All rows think at once, with a key-value cache.

    Args:
        lm: The model; gradients reach its weights where they are enabled.
        prompts: B prompts with K slots each; what follows the slots is not read.
        k: K.

    Returns:
        float32[B, K, d_base].
    """
    if not k:
        return torch.empty(len(prompts), 0, lm.width, device=lm.device)
    before = collate([cut_at_slots(prompt)[0] for prompt in prompts], lm.pad_id, "left", lm.device)
    cache = DynamicCache(config=lm.model.config)
    inputs, mask = lm.embed(before.input_ids), before.attention_mask
    positions = before.position_ids
    states: list[torch.Tensor] = []
    for _ in range(k):
        output = lm.model.base_model(
            inputs_embeds=inputs,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
        )
        inputs = output.last_hidden_state[:, -1:]
        states.append(inputs)
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        positions = positions[:, -1:] + 1
    return torch.cat(states, dim=1).float()


class CoconutObjective(Objective):
    """Stage by stage, continuous thoughts take the place of the rationale's sentences.

    Stage s drops the first s sentences and thinks s times `CoconutAdapter.per_sentence` thoughts
    instead; the stages are equally long, and the last one lasts.
    """

    weights: CoconutAdapter

    @property
    def stages(self) -> int:
        """Sentences that thoughts take the place of in the end."""
        return self.weights.max_thoughts // CoconutAdapter.per_sentence

    def stage(self, step: int, steps: int) -> int:
        """The stage of a step, from 0, which is ordinary fine-tuning."""
        return min(self.stages, step * (self.stages + 1) // steps)

    def k(self, step: int, steps: int, drawn: int) -> int:
        """K grows with the stages."""
        return self.stage(step, steps) * CoconutAdapter.per_sentence

    def validation_k(self, share: float) -> int:
        """K of the last stage, which is the one that is used."""
        return self.weights.max_thoughts

    def validated_from(self, steps: int) -> int:
        """The last stage's losses are over shorter texts than the others' and stand alone.

        Raises:
            UserError: There are too few steps to reach it.
        """
        if steps <= self.stages:
            raise UserError(
                f"Coconut with {self.weights.max_thoughts} thoughts is trained in "
                f"{self.stages + 1} stages, so it needs {self.stages + 1} steps or more; it is "
                f"given {steps}."
            )
        return next(step for step in range(steps) if self.stage(step, steps) == self.stages)

    def losses(
        self, problems: Sequence[Problem], precomputed: torch.Tensor, k: int
    ) -> torch.Tensor:
        """Losses of the tokens that are still written, float32[N]."""
        lm = self.weights.lm
        dropped = k // CoconutAdapter.per_sentence
        targets = [_without_first(dropped, problem.target) for problem in problems]
        prompts = self.prompts(problems, targets, k)
        return tuned_losses(lm, prompts, continuous_thoughts(lm, prompts, k))


def _without_first(count: int, target: str) -> str:
    """A worked answer without its first sentences; the one that gives the answer stays."""
    *steps, answer = SENTENCES.split(target)
    return " ".join([*steps[count:], answer])


class Coconut(TrainedSlots):
    """The tuned base thinks K times without writing: its last state is its next input."""

    name = "coconut"
    title = "Coconut"
    about = "Trained adapters; {k} of the base's own states are fed back"
    hatch = "|"
    trains = "low-rank adapters in the base"
    default_k = CoconutAdapter.default_max_thoughts
    kind = CoconutAdapter
    objective = CoconutObjective
    weights: CoconutAdapter

    @property
    def lm(self) -> LanguageModel:
        """The base with its adapters."""
        return self.weights.lm

    def checked_k(self, k: int | None) -> int:
        """K of a request; None means as many as it was trained for."""
        return super().checked_k(self.max_thoughts if k is None else k)

    def passes(self, k: int) -> int:
        """One for each thought."""
        return k

    def own(self, problems: Sequence[Problem], k: int) -> torch.Tensor:
        """The states that were fed back, float32[B, K, d_base]."""
        return continuous_thoughts(self.lm, self.prompts(problems, k), k)
