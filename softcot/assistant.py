"""The assistant's part: one forward pass gives the states of all K thoughts."""

from collections.abc import Sequence

import torch

from softcot.models import LanguageModel, collate
from softcot.tasks import Task


@torch.no_grad()
def soft_states(
    assistant: LanguageModel, questions: Sequence[str], thoughts: int, task: Task
) -> torch.Tensor:
    """Last-layer states at the K thought slots, one row for each question.

    Nothing is decoded, and the states for K are the first K of those for any larger number.

    Returns:
        float32[B, K, d_assistant] on the assistant's device.
    """
    prompts = [
        assistant.prompts.assistant(question, task=task, thoughts=thoughts)
        for question in questions
    ]
    # Right padding: no real token can see it, so a row does not depend on its neighbours.
    batch = collate(prompts, assistant.pad_id, "right", assistant.device)
    assert (batch.slot_mask.sum(1) == thoughts).all(), "every row holds exactly K slots"
    states = assistant.states(batch.input_ids, batch.attention_mask)
    return states[batch.slot_mask].view(len(prompts), thoughts, assistant.width)
