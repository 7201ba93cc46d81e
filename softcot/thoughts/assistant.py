"""The assistant's part: one forward pass gives the states of all K thoughts."""

import math
from collections.abc import Callable, Sequence

import torch
from transformers import DynamicCache

from softcot.data.tasks import Task
from softcot.models.batches import collate
from softcot.models.language_model import LanguageModel
from softcot.prompts.builder import Prompt, cut_at_slots
from softcot.support.errors import UserError

STEPS = 8
"""Values of K that one reading of a single question serves."""


@torch.no_grad()
def soft_states(
    assistant: LanguageModel, questions: Sequence[str], k: int, task: Task
) -> torch.Tensor:
    """Last-layer states at the K thought slots, one row for each question.

    Nothing is decoded, and the states for K are the first K of those for any larger number, unless
    the assistant is told how many there are. A single question is remembered: asked again, or with
    a few thoughts more, it costs nothing.

    Returns:
        float32[B, K, d_assistant] on the assistant's device.
    """
    if len(questions) == 1 and k:
        prompt = _roomy_prompt(assistant, questions[0], k, task)
        states = assistant.slot_states(prompt.ids, prompt.slot_mask)
        return states[None, :k]
    prompts = [assistant.prompts.assistant(question, task=task, k=k) for question in questions]
    return read_slots(assistant, prompts)


def read_slots(assistant: LanguageModel, prompts: Sequence[Prompt]) -> torch.Tensor:
    """Last-layer states at the slots of prompts that all have K; gradients reach the assistant.

    Returns:
        float32[B, K, d_assistant] on the assistant's device.
    """
    # Right padding: no real token can see it, so a row does not depend on its neighbours.
    batch = collate(prompts, assistant.pad_id, "right", assistant.device)
    k = sum(prompts[0].slot_mask)
    assert (batch.slot_mask.sum(1) == k).all(), "every row holds exactly K slots"
    states = assistant.states(batch.input_ids, batch.attention_mask)
    return states[batch.slot_mask].view(len(prompts), k, assistant.width)


def read_initial(
    assistant: LanguageModel,
    prompts: Sequence[Prompt],
    initial: torch.Tensor,
    prefixes: Callable[[Sequence[tuple[int, ...]]], DynamicCache | None] = lambda starts: None,
) -> torch.Tensor:
    """States at the slots with each of N vectors in the placeholder's place, in one batch.

    What stands before the slots sees none of these vectors: it is read once for all N, and
    gradients reach the vectors alone.

    Args:
        assistant: The frozen model.
        prompts: B prompts with K slots each, which end them.
        initial: float[N, d_assistant], each for all slots of a row.
        prefixes: What the assistant has read already, by the ids before the slots.

    Returns:
        float32[N, B, K, d_assistant].
    """
    starts, rests = zip(*map(cut_at_slots, prompts), strict=True)
    k, n = len(rests[0]), len(initial)
    assert all(rest.slot_mask == (True,) * k for rest in rests), "the slots end every prompt"
    before = collate(starts, assistant.pad_id, "left", assistant.device)
    cache = prefixes([start.ids for start in starts])
    if cache is None:
        with torch.no_grad():
            cache = assistant.model.base_model(
                input_ids=before.input_ids,
                attention_mask=before.attention_mask,
                position_ids=before.position_ids,
                use_cache=True,
            ).past_key_values
    cache.batch_repeat_interleave(n)
    mask, places = before.attention_mask, torch.arange(k, device=assistant.device)
    states = assistant.model.base_model(
        inputs_embeds=initial.to(assistant.dtype)
        .repeat(len(prompts), 1)[:, None]
        .expand(-1, k, -1),
        attention_mask=torch.cat([mask, mask.new_ones(len(mask), k)], 1).repeat_interleave(n, 0),
        position_ids=(mask.sum(1, keepdim=True) + places).repeat_interleave(n, 0),
        past_key_values=cache,
    ).last_hidden_state
    return states.float().view(len(prompts), n, k, assistant.width).transpose(0, 1)


def _roomy_prompt(assistant: LanguageModel, question: str, k: int, task: Task) -> Prompt:
    """The assistant's prompt with as many slots as a few steps of K need, if there is room."""
    try:
        most = k if assistant.prompts.counts(task) else math.ceil(k / STEPS) * STEPS
        return assistant.prompts.assistant(question, task=task, k=most)
    except UserError:
        return assistant.prompts.assistant(question, task=task, k=k)
