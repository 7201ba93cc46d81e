"""Reading the prompts of a batch: what all of them begin with is read once, and then remembered.

Worked examples stand before every question of a task, and are longer than it. A batch reads them
for one row; the next batch, and the next question of a page, not at all.
"""

import torch
from transformers import DynamicCache

from softcot.models.batches import PromptEmbeds, common_length
from softcot.models.cache import empty_cache, keeps_all, roomy_layers
from softcot.models.language_model import KnownPrefix, LanguageModel

LEAST = 64
"""Tokens that are worth a pass of their own: an instruction alone is not."""


@torch.inference_mode()
def read_prompts(lm: LanguageModel, prompt: PromptEmbeds, cache: DynamicCache) -> torch.Tensor:
    """Read prompts into an empty cache, which is left padded as they are.

    Returns:
        float32[B, V], the logits of the next token of every row.
    """
    known = _prefix(lm, prompt) if keeps_all(cache) else None
    if known is None:
        mask, positions = prompt.attention_mask, prompt.position_ids
        return lm.next_logits(prompt.embeds, mask, positions, cache)
    rows, length = prompt.attention_mask.shape
    shared = len(known.ids)
    for layer, states in zip(roomy_layers(cache), known.layers, strict=True):
        layer.update(*(kept.expand(rows, -1, -1, -1) for kept in states))
    # Right padding: no real token can see it, and none is further from the others than it was.
    columns = torch.arange(length, device=lm.device)
    padding = length - prompt.attention_mask.sum(1, keepdim=True)
    own = (columns[shared:] + padding).clamp(max=length - 1)
    output = lm.model.base_model(
        inputs_embeds=_taken(prompt.embeds, own, 1),
        attention_mask=torch.ones_like(prompt.attention_mask),
        position_ids=columns[shared:].expand(rows, -1),
        past_key_values=cache,
        use_cache=True,
    )
    last = length - shared - 1 - padding
    logits = lm.logits(_taken(output.last_hidden_state, last, 1)[:, 0]).float()
    if padding.any():
        left = (columns - padding) % length
        for layer in roomy_layers(cache):
            layer.hold(_taken(layer.keys, left, 2), _taken(layer.values, left, 2))
    return logits


def _taken(states: torch.Tensor, places: torch.Tensor, dim: int) -> torch.Tensor:
    """Of each row of float[B, ..., T, d], whose T is at `dim`, the tokens at places int64[B, N]."""
    shape = [len(places), *[1] * (dim - 1), places.shape[1], 1]
    size = [*states.shape[:dim], places.shape[1], states.shape[-1]]
    return states.gather(dim, places.view(shape).expand(size))


def _prefix(lm: LanguageModel, prompt: PromptEmbeds) -> KnownPrefix | None:
    """What is to be put before every row, as the model has read it; None where all is read anew."""
    shared, single = prompt.shared, len(prompt.prompt_tokens) == 1
    known = lm.prefix
    usable = common_length([shared, known.ids]) if known else 0
    if known and usable >= (LEAST if single else max(LEAST, len(shared) // 2)):
        return known.cut(usable)
    if single or len(shared) < LEAST:
        return None
    start = prompt.embeds.shape[1] - prompt.prompt_tokens[0]
    cache = empty_cache(lm)
    lm.model.base_model(
        inputs_embeds=prompt.embeds[:1, start : start + len(shared)],
        past_key_values=cache,
        use_cache=True,
    )
    layers = roomy_layers(cache)
    if not all(layer.is_initialized for layer in layers):  # some use another layer's keys
        return None
    known = KnownPrefix(shared, [(layer.keys, layer.values) for layer in layers])
    if not any(weight.requires_grad for weight in lm.model.parameters()):
        lm.prefix = known
    return known
