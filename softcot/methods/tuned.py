"""Methods that change the base itself, by adapters: LoRA fine-tuning and Coconut."""

from collections.abc import Sequence

import torch
from transformers import DynamicCache

from softcot.adapter import Adapter, CoconutAdapter
from softcot.methods.base import Method
from softcot.methods.slots import LearnedSlots
from softcot.models import LanguageModel, Pair, collate, fingerprint
from softcot.problems import Problem
from softcot.prompts import Prompt, cut_at_slots
from softcot.tasks import FREE, Task


class LoRA(Method):
    """The base, tuned to write rationale and answer, asked with nothing added."""

    name = "lora"
    title = "LoRA"
    trains = "low-rank adapters in the base"
    kind = Adapter

    def __init__(self, pair: Pair, weights: Adapter, task: Task = FREE):
        super().__init__(pair, task)
        self.weights = weights

    @classmethod
    def build(cls, pair: Pair, task: Task, *, trained_on: str | None = None, **options) -> "LoRA":
        """The method with the adapters trained for a task."""
        return cls(pair, pair.learned(Adapter, trained_on or task.name), task)

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


class Coconut(LearnedSlots):
    """The tuned base thinks K times without writing: its last state is its next input."""

    name = "coconut"
    title = "Coconut"
    trains = "low-rank adapters in the base"
    default_thoughts = CoconutAdapter.usual_thoughts
    kind = CoconutAdapter

    @property
    def lm(self) -> LanguageModel:
        """The base with its adapters."""
        return self.weights.lm

    def thoughts_for(self, wanted: int | None) -> int:
        """K of a request; None means as many as it was trained for."""
        return super().thoughts_for(self.most_thoughts if wanted is None else wanted)

    def passes(self, thoughts: int) -> int:
        """One for each thought."""
        return thoughts

    def own(self, problems: Sequence[Problem], thoughts: int) -> torch.Tensor:
        """The states that were fed back, float32[B, K, d_base]."""
        return continuous_thoughts(self.lm, self.prompts(problems, thoughts), thoughts)


def continuous_thoughts(
    lm: LanguageModel, prompts: Sequence[Prompt], thoughts: int
) -> torch.Tensor:
    """Let a model think in its own states (Hao et al. 2024, arXiv 2412.06769).

    The first thought is the last-layer state at the token before the slots; each further one is
    the state at the thought before it. All rows think at once, with a key-value cache.

    Args:
        lm: The model; gradients reach its weights where they are enabled.
        prompts: B prompts with K slots each; what follows the slots is not read.
        thoughts: K.

    Returns:
        float32[B, K, d_base].
    """
    if not thoughts:
        return torch.empty(len(prompts), 0, lm.width, device=lm.device)
    before = collate([cut_at_slots(prompt)[0] for prompt in prompts], lm.pad_id, "left", lm.device)
    cache = DynamicCache(config=lm.model.config)
    inputs, mask = lm.embed(before.input_ids), before.attention_mask
    positions = before.position_ids
    states: list[torch.Tensor] = []
    for _ in range(thoughts):
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
