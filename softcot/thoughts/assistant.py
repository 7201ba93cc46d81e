"""The assistant's part: one forward pass gives the states of all K thoughts."""

import math
from collections.abc import Sequence

import torch

from softcot.data.tasks import Task
from softcot.models.batches import collate
from softcot.models.language_model import LanguageModel
from softcot.prompts.builder import Prompt
from softcot.support.errors import UserError

STEPS = 8
"""Values of K that one reading of a single question serves."""


@torch.no_grad()
def soft_states(
    assistant: LanguageModel, questions: Sequence[str], k: int, task: Task
) -> torch.Tensor:
    """Last-layer states at the K thought slots, one row for each question.

    Nothing is decoded, and the states for K are the first K of those for any larger number. A
    single question is remembered: asked again, or with a few thoughts more, it costs nothing.

    Returns:
        float32[B, K, d_assistant] on the assistant's device.
    """
    if len(questions) == 1 and k:
        prompt = _roomy_prompt(assistant, questions[0], k, task)
        states = assistant.slot_states(prompt.ids, prompt.slot_mask)
        return states[None, :k]
    prompts = [assistant.prompts.assistant(question, task=task, k=k) for question in questions]
    # Right padding: no real token can see it, so a row does not depend on its neighbours.
    batch = collate(prompts, assistant.pad_id, "right", assistant.device)
    assert (batch.slot_mask.sum(1) == k).all(), "every row holds exactly K slots"
    states = assistant.states(batch.input_ids, batch.attention_mask)
    return states[batch.slot_mask].view(len(prompts), k, assistant.width)


def _roomy_prompt(assistant: LanguageModel, question: str, k: int, task: Task) -> Prompt:
    """The assistant's prompt with as many slots as a few steps of K need, if there is room."""
    try:
        most = math.ceil(k / STEPS) * STEPS
        return assistant.prompts.assistant(question, task=task, k=most)
    except UserError:
        return assistant.prompts.assistant(question, task=task, k=k)
