"""One more token for every row, in buffers of fixed shape: what a compiler can make fast."""

import math
from typing import Any

import torch
from transformers import DynamicCache, StaticCache

from softcot.models.cache import roomy_layers
from softcot.models.language_model import LanguageModel

BLOCK = 256
"""Tokens by which the buffers grow; each length, like each number of rows, is compiled anew."""


def rows_for(count: int) -> int:
    """Rows of the buffers for so many rows: a power of two, so that few shapes are compiled."""
    return 2 ** math.ceil(math.log2(count))


class FixedRows:
    """Rows of a batch in a cache that keeps its shape while they grow.

    Args:
        lm: The model, which compiles its step.
        cache: What it has read, float[B, H, T, d] a layer.
        mask: int64[B, T], 1 on tokens and 0 on padding.
    """

    @torch.inference_mode()
    def __init__(self, lm: LanguageModel, cache: DynamicCache, mask: torch.Tensor):
        self.lm = lm
        self.count, self.length = mask.shape
        self.rows = rows_for(self.count)
        self.room = BLOCK * (self.length // BLOCK + 1)
        self.cache = StaticCache(config=lm.model.config, max_cache_len=self.room)
        for layer, given in zip(self._layers, roomy_layers(cache), strict=True):
            layer.lazy_initialization(*map(self._padded, (given.keys, given.values)))
            layer.keys[: self.count, :, : self.length] = given.keys
            layer.values[: self.count, :, : self.length] = given.values
            layer.cumulative_length.fill_(self.length)
        # Ready-made, so that no step makes it again: 0 where a token is seen, far below elsewhere.
        hidden = torch.finfo(lm.dtype).min
        self.mask = torch.full((self.rows, 1, 1, self.room), hidden, device=lm.device).to(lm.dtype)
        self.mask[: self.count, 0, 0, : self.length].masked_fill_(mask.bool(), 0)

    @property
    def full(self) -> bool:
        """Whether no token has room any more."""
        return self.length == self.room

    @torch.inference_mode()
    def step(self, embeds: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """Read one token of every row, float[B, 1, d]; logits float32[B, V] of the next one."""
        self.mask[..., self.length] = 0
        self.length += 1
        output = self.lm.compiled_forward(
            inputs_embeds=self._padded(embeds),
            attention_mask=self.mask,
            position_ids=self._padded(positions),
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return output.logits[: self.count, -1].float()

    def put_back(self, cache: DynamicCache) -> None:
        """Write all that was read into the cache that the rows came from."""
        for layer, own in zip(roomy_layers(cache), self._layers, strict=True):
            layer.hold(*(t[: self.count, :, : self.length] for t in (own.keys, own.values)))

    @property
    def _layers(self) -> Any:
        """Those of the buffers: the library's types do not say what they hold."""
        return self.cache.layers

    def _padded(self, tensor: torch.Tensor) -> torch.Tensor:
        """A tensor with as many rows as the buffers."""
        missing = self.rows - len(tensor)
        return torch.cat([tensor, tensor.new_zeros(missing, *tensor.shape[1:])])
