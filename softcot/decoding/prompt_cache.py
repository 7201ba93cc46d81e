"""What the frozen base makes of prompts up to their first slot, computed once for a training.

No token there can see a thought, so no step changes these keys and values. They are kept in
memory, and only of models that remember every token in every layer: one with a sliding window
forgets some of them on the way.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache

from softcot.models.batches import common_length
from softcot.models.cache import empty_cache, keeps_all
from softcot.models.language_model import LanguageModel
from softcot.models.loading import free_gigabytes

SHARE = 0.25
"""Of the device's free memory; more is never kept."""

Ids = tuple[int, ...]


class PromptCache:
    """Keys and values of prompts up to their first slot, found by their token ids.

    Args:
        base: The frozen model; nothing is kept if its weights are trained.
    """

    def __init__(self, base: LanguageModel):
        self.base = base
        self._rows: dict[Ids, tuple[torch.Tensor, torch.Tensor]] = {}
        """float[layers, 2, heads, T, d_head] of each, keys first: what it begins with, which is one
        tensor for all prompts that were kept together, and what is its own."""

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._rows)

    def keep(
        self,
        prefixes: Iterable[Ids],
        batch_size: int,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """Compute and keep all of these; none if memory is short or the model forgets tokens.

        Args:
            prefixes: Token ids, at least one each.
            batch_size: Rows that are computed at once.
            progress: Called after every batch with the batches done and all batches.
        """
        # Fixed batches, whatever the training does later: a resumed one finds the same bits.
        new = sorted({*prefixes} - self._rows.keys(), key=lambda ids: (len(ids), ids))
        size = _token_bytes(self.base) if new else None
        if size is None:
            return
        # What all begin with is the instruction, with its examples: it is read and kept once.
        # Every row keeps a token of its own.
        shared = min(common_length(new), len(new[0]) - 1)
        tokens = shared + sum(len(ids) - shared for ids in new)
        if size * tokens > SHARE * 1e9 * free_gigabytes(self.base.device):
            return
        begun = _begin(self.base, new[0][:shared]) if shared else None
        chunks = [new[start : start + batch_size] for start in range(0, len(new), batch_size)]
        for done, chunk in enumerate(chunks, start=1):
            own = _read(self.base, begun, [ids[shared:] for ids in chunk])
            start = own[0][..., :0, :] if begun is None else begun
            self._rows |= {ids: (start, rest) for ids, rest in zip(chunk, own, strict=True)}
            progress(done, len(chunks))

    def cache(self, prefixes: Sequence[Ids]) -> DynamicCache | None:
        """A new cache that has read these prefixes, left padded; None where one is not kept."""
        if not all(ids in self._rows for ids in prefixes):
            return None
        rows = [self._rows[ids] for ids in prefixes]
        layers, pair, heads, _, width = rows[0][0].shape
        longest = max(map(len, prefixes))
        padded = rows[0][0].new_zeros(layers, pair, len(rows), heads, longest, width)
        for number, (start, own) in enumerate(rows):
            edge = longest - own.shape[-2]
            padded[:, :, number, :, edge:] = own
            padded[:, :, number, :, edge - start.shape[-2] : edge] = start
        cache = DynamicCache(config=self.base.model.config)
        for number, (keys, values) in enumerate(padded):
            cache.update(keys, values, number)
        return cache


@torch.no_grad()
def _token_bytes(base: LanguageModel) -> int | None:
    """Bytes of one token's keys and values; None where they are not those of a plain model."""
    cache = empty_cache(base)
    if not keeps_all(cache):
        return None
    one = torch.tensor([[base.pad_id]], device=base.device)
    base.model.base_model(input_ids=one, past_key_values=cache, use_cache=True)
    layers: Any = cache.layers  # a layer may use another's keys and have none
    kept = [tensor for layer in layers for tensor in (layer.keys, layer.values)]
    if any(tensor is None or tensor.shape != kept[0].shape for tensor in kept):
        return None
    return sum(tensor.nbytes for tensor in kept)


@torch.no_grad()
def _begin(base: LanguageModel, ids: Ids) -> torch.Tensor:
    """Keys and values of what all prompts begin with, float[layers, 2, heads, T, d_head]."""
    cache = DynamicCache(config=base.model.config)
    row = torch.tensor([ids], device=base.device)
    base.model.base_model(input_ids=row, past_key_values=cache, use_cache=True)
    layers: Any = cache.layers  # the library does not say what they hold
    return torch.stack([torch.stack((x.keys[0], x.values[0])) for x in layers])


@torch.no_grad()
def _read(
    base: LanguageModel, begun: torch.Tensor | None, rows: Sequence[Ids]
) -> list[torch.Tensor]:
    """Keys and values of rows that go on from there, float[layers, 2, heads, T, d_head] each."""
    cache = DynamicCache(config=base.model.config)
    shared = 0 if begun is None else begun.shape[-2]
    for number, (keys, values) in enumerate(begun if begun is not None else ()):
        cache.update(*(part.expand(len(rows), -1, -1, -1) for part in (keys, values)), number)
    # Right padding: no real token can see it, so it needs no mask.
    ids = pad_sequence([torch.tensor(own) for own in rows], True, base.pad_id).to(base.device)
    positions = torch.arange(shared, shared + ids.shape[1], device=base.device)
    base.model.base_model(
        input_ids=ids,
        attention_mask=ids.new_ones(len(ids), shared + ids.shape[1]),
        position_ids=positions.expand(len(ids), -1),
        past_key_values=cache,
        use_cache=True,
    )
    layers: Any = cache.layers
    own = (slice(shared, shared + len(row)) for row in rows)
    return [
        torch.stack([torch.stack((x.keys[i, :, part], x.values[i, :, part])) for x in layers])
        for i, part in enumerate(own)
    ]
