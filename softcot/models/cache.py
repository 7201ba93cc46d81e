"""The keys and values of rows that are decoded together: they grow, leave and join."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from softcot.models.language_model import LanguageModel

ROOM = 64
"""Tokens that a cache has room for ahead of those that are written."""


class RoomyLayer(DynamicLayer):
    """One layer's keys and values, float[B, H, T, d], in buffers with room ahead.

    A new token is written into its place; without room all tokens would be copied for each.
    """

    keys: torch.Tensor
    values: torch.Tensor
    room: tuple[torch.Tensor, ...] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add the newest tokens' keys and values and return those of all tokens."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        known = self.get_seq_length()
        length = known + key_states.shape[-2]
        room = self.room
        if room is None or length > room[0].shape[-2]:
            room = tuple(
                states.new_empty(*states.shape[:-2], length + ROOM, states.shape[-1])
                for states in (key_states, value_states)
            )
            if known:
                for buffer, old in zip(room, (self.keys, self.values), strict=True):
                    buffer[..., :known, :] = old
        for buffer, new in zip(room, (key_states, value_states), strict=True):
            buffer[..., known:length, :] = new
        self._look(room, length)
        return self.keys, self.values

    def hold(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Take these for all that was read; the room is made anew with the next token."""
        self.keys, self.values, self.room = keys, values, None

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Repeat every row; the room is made anew with the next token."""
        super().batch_repeat_interleave(repeats)
        self.room = None

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep some rows, and the room if there is any."""
        if self.room is None:
            return super().batch_select_indices(indices)
        self._look(tuple(buffer[indices] for buffer in self.room), self.get_seq_length())

    def join(self, others: Sequence["RoomyLayer"], length: int) -> None:
        """Add the others' rows; all are left padded, or cut, to `length` tokens."""
        layers = (self, *others)
        room = (
            _stacked([layer.keys for layer in layers], length),
            _stacked([layer.values for layer in layers], length),
        )
        self._look(room, length)

    def _look(self, room: tuple[torch.Tensor, ...], length: int) -> None:
        """Keep these buffers, of which the first tokens are written."""
        self.room = room
        self.keys, self.values = (buffer[..., :length, :] for buffer in room)


def empty_cache(lm: LanguageModel) -> DynamicCache:
    """An empty cache that grows by writing; layers of a special kind stay the library's own."""
    cache = DynamicCache(config=lm.model.config)
    cache.layers = [RoomyLayer() if type(one) is DynamicLayer else one for one in cache.layers]
    return cache


def keeps_all(cache: DynamicCache) -> bool:
    """Whether every layer keeps every token; those that see through a window do not."""
    return all(isinstance(layer, RoomyLayer) for layer in cache.layers)


def roomy_layers(cache: DynamicCache) -> list[RoomyLayer]:
    """The layers of a cache that keeps all tokens."""
    layers = [layer for layer in cache.layers if isinstance(layer, RoomyLayer)]
    assert len(layers) == len(cache.layers), "some layers forget tokens"
    return layers


def join_cache(cache: DynamicCache, others: Sequence[DynamicCache], length: int) -> None:
    """Put the others' rows below those of a cache; no row may hold more than `length` tokens."""
    joining = zip(*map(roomy_layers, others), strict=True)
    for layer, added in zip(roomy_layers(cache), joining, strict=True):
        layer.join(added, length)


def _stacked(parts: Sequence[torch.Tensor], length: int) -> torch.Tensor:
    """Several float[B, H, T, d], right aligned one below the other: [all B, H, length + room, d].

    Padding is zero: attention gives it no weight, but no weight times infinity is no number.
    """
    _, heads, _, width = parts[0].shape
    buffer = parts[0].new_empty(sum(map(len, parts)), heads, length + ROOM, width)
    below = buffer.split([len(part) for part in parts])
    for place, part in zip(below, parts, strict=True):
        kept = part[..., -length:, :]
        padding = length - kept.shape[-2]
        place[..., :padding, :] = 0
        place[..., padding:length, :] = kept
    return buffer
