"""What both models' own vocabularies read at the thoughts: the two-model lens.

The assistant's unembedding reads the states that become thoughts, before the projection. The base's
reads what each of its layers makes of the thoughts in their slots.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from softcot.analysis.geometry import placebo
from softcot.analysis.vocabulary import readable_tokens, to_numpy
from softcot.data.tasks import Task
from softcot.models.batches import PromptEmbeds
from softcot.models.language_model import LanguageModel
from softcot.support.errors import UserError
from softcot.thoughts.assistant import soft_states
from softcot.thoughts.pair import Pair


@dataclass(frozen=True)
class Reading:
    """A token that a state reads as."""

    id: int
    token: str
    """As a reader should see it, as in `softcot.analysis.vocabulary`."""
    probability: float
    """Its share among all tokens of the model."""


@torch.no_grad()
def assistant_readings(
    pair: Pair, question: str, k: int, task: Task, count: int = 5
) -> list[list[Reading]]:
    """What the assistant itself would write next at each of its K placeholders.

    Args:
        pair: The two models.
        question: What the assistant reads.
        k: K.
        task: Says what the assistant is told to do.
        count: Tokens for each placeholder.

    Returns:
        K lists of `count` tokens, the likeliest first.
    """
    states = soft_states(pair.assistant, [question], k, task)[0]
    return _read(pair.assistant, states, count)


@dataclass(frozen=True)
class Plan:
    """The likeliest token at each of K placeholders, beside states that mean nothing."""

    said: list[Reading]
    placebo: list[Reading]
    """The same of random states of the same lengths."""
    length: int
    """Thoughts before the first that reads as the end of what the assistant would write; those
    behind it are padding."""

    @property
    def is_readable(self) -> bool:
        """Whether any thought before the padding reads as a word or a number."""
        return any(sign.isalnum() for one in self.said[: self.length] for sign in one.token)


@torch.no_grad()
def read_plan(pair: Pair, question: str, k: int, task: Task) -> Plan:
    """What each of K thoughts says to the assistant itself; see `assistant_readings`.

    The plan of the first k thoughts of K is the plan at k.
    """
    states = soft_states(pair.assistant, [question], k, task)[0]
    said = [best for best, *_ in _read(pair.assistant, states, 1)]
    noise = torch.from_numpy(placebo(to_numpy(states))).to(states.device)
    return Plan(
        said=said,
        placebo=[best for best, *_ in _read(pair.assistant, noise, 1)],
        length=_before_end(pair.assistant, [one.id for one in said]),
    )


@torch.no_grad()
def plan_lengths(pair: Pair, questions: Sequence[str], k: int, task: Task) -> np.ndarray:
    """Of each question's K thoughts, those before the padding, int[N]; see `Plan.length`."""
    assistant = pair.assistant
    states = soft_states(assistant, questions, k, task).to(assistant.dtype)
    said = assistant.logits(states)[..., : len(assistant.tokenizer)].argmax(-1)
    return np.array([_before_end(assistant, ids) for ids in said.tolist()])


def _before_end(lm: LanguageModel, ids: Sequence[int]) -> int:
    """How many tokens stand before the first that ends a text of the model."""
    return next((place for place, one in enumerate(ids) if one in lm.end_ids), len(ids))


@torch.no_grad()
def base_readings(
    lm: LanguageModel, prompt: PromptEmbeds, count: int = 3
) -> list[list[list[Reading]]]:
    """The logit lens at every layer and every slot (nostalgebraist 2020, "interpreting GPT").

    A state between two layers is read as if it were the last: through the model's own final norm
    and head. What an early layer reads so is a hint at most, for no layer but the last was trained
    to be read.

    Args:
        lm: The base.
        prompt: A single row with K thoughts.
        count: Tokens for each layer and slot.

    Returns:
        L + 1 lists, the embeddings as layer 0 first, of K lists of `count` tokens, the likeliest
        first. The last layer's are what the model itself predicts after each slot.

    Raises:
        UserError: There are no thoughts, or the model keeps its final norm somewhere else.
    """
    [slots], norm = prompt.slot_mask, _final_norm(lm)
    if not slots.any():
        raise UserError("The prompt has no thoughts to look at; choose SoftCoT and a larger K.")
    states = lm.model.base_model(
        inputs_embeds=prompt.embeds,
        attention_mask=prompt.attention_mask,
        position_ids=prompt.position_ids,
        output_hidden_states=True,
        use_cache=False,
    ).hidden_states
    # The last of them is the model's output and went through the norm already.
    ready = [norm(state[0, slots]) for state in states[:-1]] + [states[-1][0, slots]]
    return [_read(lm, state, count) for state in ready]


def _final_norm(lm: LanguageModel) -> Any:
    norm = getattr(lm.model.base_model, "norm", None)
    if norm is None:
        raise UserError(
            f"The model {lm.name} has no final norm at `base_model.norm`, so its layers cannot be "
            "read; choose a model of the Llama kind."
        )
    return norm


def _read(lm: LanguageModel, states: torch.Tensor, count: int) -> list[list[Reading]]:
    """The `count` likeliest tokens at each of K normed states, float[K, d]."""
    logits = lm.logits(states.to(lm.dtype)).float()
    # Rows of the head that no token owns take their share, but have no name to be shown by.
    shares = logits.softmax(-1)[:, : len(lm.tokenizer)]
    best = shares.topk(min(count, shares.shape[1]))
    rows = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return [
        [
            Reading(*found)
            for found in zip(ids, readable_tokens(lm.tokenizer, ids), values, strict=True)
        ]
        for ids, values in rows
    ]
