"""The keys and values of rows that are decoded together: they grow, leave and join."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from softcot.models.language_model import LanguageModel

ROOM = 64
"""Tokens that a cache has room for ahead of those that are written."""

SPARE = 1 / 4
"""Rows that a cache which rows have joined has room for, beyond those it holds, as a share."""

Buffers = tuple[torch.Tensor, ...]
"""Keys and values, float[R, H, C, d], of which the first rows and tokens are in use."""


class RoomyLayer(DynamicLayer):
    """One layer's keys and values, float[B, H, T, d], in buffers with room ahead and below.

    A new token is written into its place, and so is a row that joins or that takes the place of
    one that leaves; without room all tokens of all rows would be copied for each.
    """

    keys: torch.Tensor
    values: torch.Tensor
    room: Buffers | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add the newest tokens' keys and values and return those of all tokens."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        known, rows = self.get_seq_length(), len(key_states)
        length = known + key_states.shape[-2]
        room = self.room
        if room is None or length > room[0].shape[-2]:
            most = min(len(room[0]), _with_spare(rows)) if room else rows
            room = tuple(_buffer(states, most, length) for states in (key_states, value_states))
            if known:
                for buffer, old in zip(room, (self.keys, self.values), strict=True):
                    buffer[:rows, :, :known] = old
        for buffer, new in zip(room, (key_states, value_states), strict=True):
            buffer[:rows, :, known:length] = new
        self._look(room, rows, length)
        return self.keys, self.values

    def hold(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Take these for all that was read; the room is made anew with the next token."""
        self.keys, self.values, self.room = keys, values, None

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Repeat every row; the room is made anew with the next token."""
        super().batch_repeat_interleave(repeats)
        self.room = None

    @torch.inference_mode()
    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep some rows in this order; those that stay where they are cost nothing."""
        if self.room is None:
            return super().batch_select_indices(indices)
        places = torch.arange(len(indices), device=indices.device)
        places = places[indices != places]
        length = self.get_seq_length()
        for buffer in self.room:
            written = buffer[:, :, :length]
            written[places] = written[indices[places]]
        self._look(self.room, len(indices), length)

    @torch.inference_mode()
    def join(self, others: Sequence["RoomyLayer"], length: int) -> int:
        """Add the others' rows; all are left padded, or cut, to the same number of tokens.

        Args:
            others: Whose rows.
            length: Tokens of the longest row.

        Returns:
            The number of tokens; more than `length` where all others can so stay where they are.
        """
        known, rows = self.get_seq_length(), len(self.keys)
        total = rows + sum(len(layer.keys) for layer in others)
        room = self.room
        stays = length <= known < length + ROOM // 2
        if room is None or total > len(room[0]) or not stays:
            parts, known = (self.keys, self.values), length
            room = tuple(_buffer(part, _with_spare(total), length) for part in parts)
            for buffer, part in zip(room, parts, strict=True):
                _lay(part, buffer[:rows, :, :length])
        for layer in others:
            below = slice(rows, rows + len(layer.keys))
            for buffer, part in zip(room, (layer.keys, layer.values), strict=True):
                _lay(part, buffer[below, :, :known])
            rows = below.stop
        self._look(room, rows, known)
        return known

    def _look(self, room: Buffers, rows: int, length: int) -> None:
        """Keep these buffers, of which the first rows and tokens are written."""
        self.room = room
        self.keys, self.values = (buffer[:rows, :, :length] for buffer in room)


def _with_spare(rows: int) -> int:
    return rows + math.ceil(SPARE * rows)


def _buffer(like: torch.Tensor, rows: int, length: int) -> torch.Tensor:
    """An empty buffer for states like float[B, H, T, d]: float[rows, H, length + room, d]."""
    return like.new_empty(rows, like.shape[1], length + ROOM, like.shape[-1])


def _lay(part: torch.Tensor, place: torch.Tensor) -> None:
    """Write float[B, H, T, d] to the right end of a place that is longer, or shorter.

    Padding is zero: attention gives it no weight, but no weight times infinity is no number.
    """
    length = place.shape[-2]
    kept = part[:, :, -length:]
    padding = length - kept.shape[-2]
    place[:, :, :padding] = 0
    place[:, :, padding:] = kept


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


def join_cache(cache: DynamicCache, others: Sequence[DynamicCache], length: int) -> int:
    """Put the others' rows below those of a cache; no row may hold more than `length` tokens.

    Returns:
        The tokens that every row holds now, padding included.
    """
    joining = zip(*map(roomy_layers, others), strict=True)
    alike = {
        layer.join(added, length) for layer, added in zip(roomy_layers(cache), joining, strict=True)
    }
    [length] = alike
    return length
