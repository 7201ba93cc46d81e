"""One batched decoder: key-value cache, streaming, stopping, seeds."""

import hashlib
import itertools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from softcot.errors import UserError
from softcot.models import LanguageModel, PromptEmbeds
from softcot.presets import MAX_NEW_TOKENS


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen."""

    temperature: float = 0.0
    """0 takes the likeliest token; 1 samples from the model's own distribution."""
    top_p: float = 1.0
    """Sample from the smallest set of tokens that holds this much probability."""
    top_k: int = 0
    """Sample from this many likeliest tokens; 0 means all."""
    seed: int = 41
    """Decides the samples, together with the row's own seed."""
    max_new_tokens: int = MAX_NEW_TOKENS
    """Where an answer is cut off."""

    def __post_init__(self):
        """Refuse values that mean nothing."""
        checks = {
            "temperature must be a number from 0 to 10": (
                math.isfinite(self.temperature) and 0 <= self.temperature <= 10
            ),
            "top-p must be above 0 and at most 1": 0 < self.top_p <= 1,
            "top-k must be a whole number, 0 or more": _whole(self.top_k, 0),
            "seed must be a whole number, 0 or more": _whole(self.seed, 0),
            "max-new-tokens must be a whole number, 1 or more": _whole(self.max_new_tokens, 1),
        }
        for rule, kept in checks.items():
            if not kept:
                name = rule.split()[0].replace("-", "_")
                raise UserError(f"The {rule}; it is {getattr(self, name)!r}.")


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


@dataclass
class Row:
    """What one row has written so far."""

    ids: list[int] = field(default_factory=list)
    """New tokens, the end token included."""
    finished: bool = False
    """No more tokens will come."""
    seconds: float = 0.0
    """From the start of the decoding to this row's last token."""
    stop_reason: Literal["", "end", "length", "stopped"] = ""
    """The model ended it, the limit cut it, or the caller closed the decoder."""


def decode(
    lm: LanguageModel,
    prompt: PromptEmbeds,
    sampling: Sampling,
    row_seeds: Sequence[int] | None = None,
    samples: int = 1,
    seeds: Sequence[int] | None = None,
) -> Iterator[list[Row]]:
    """Write the answers of all rows, token by token.

    Args:
        lm: The base model.
        prompt: Left-padded prompts, read once however many rows each has.
        sampling: How tokens are chosen.
        row_seeds: What makes the samples of a prompt its own (its number by default): a prompt
            with the same seeds is sampled the same way, whatever stands beside it.
        samples: Rows for each prompt and seed.
        seeds: Instead of the one of `sampling`, if there are several.

    Yields:
        All rows after each step: for each prompt, each seed, its samples. They are the same
        objects every time, so read them at once. Closing the generator stops the work and marks
        the open rows as "stopped".
    """
    draws = list(itertools.product(seeds or [sampling.seed], range(samples)))
    lengths = [length for length in prompt.prompt_tokens for _ in draws]
    rows = [Row() for _ in lengths]
    own = range(len(prompt.prompt_tokens)) if row_seeds is None else row_seeds
    generators = [_generator(seed, row_seed, n) for row_seed in own for seed, n in draws]
    limits = [min(sampling.max_new_tokens, lm.context - length) for length in lengths]
    start = time.perf_counter()
    try:
        for alive, tokens in _steps(lm, prompt, sampling, generators, rows):
            seconds = time.perf_counter() - start
            for index, token in zip(alive, tokens, strict=True):
                row = rows[index]
                row.ids.append(token)
                row.seconds = seconds
                if token in lm.end_ids:
                    row.finished, row.stop_reason = True, "end"
                elif len(row.ids) >= limits[index]:
                    row.finished, row.stop_reason = True, "length"
            yield rows
    finally:
        for row in rows:
            if not row.finished:
                row.stop_reason = "stopped"


def finish(steps: Iterator[list[Row]]) -> list[Row]:
    """Run a decoder to its end and return its rows."""
    rows: list[Row] = []
    for rows in steps:  # noqa: B007
        pass
    return rows


ROOM = 64
"""Tokens that a cache has room for ahead of those that are written."""


class _RoomyLayer(DynamicLayer):
    """One layer's keys and values, float[B, H, T, d], in buffers with room ahead.

    A new token is written into its place; without room all tokens would be copied for each.
    """

    room: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(self, key_states, value_states, *args, **kwargs):
        """Add the newest tokens' keys and values and return those of all tokens."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        known = self.get_seq_length()
        length = known + key_states.shape[-2]
        if self.room is None or length > self.room[0].shape[-2]:
            self.room = tuple(
                states.new_empty(*states.shape[:-2], length + ROOM, states.shape[-1])
                for states in (key_states, value_states)
            )
            if known:
                for buffer, old in zip(self.room, (self.keys, self.values), strict=True):
                    buffer[..., :known, :] = old
        for buffer, new in zip(self.room, (key_states, value_states), strict=True):
            buffer[..., known:length, :] = new
        self._look(length)
        return self.keys, self.values

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Repeat every row; the room is made anew with the next token."""
        super().batch_repeat_interleave(repeats)
        self.room = None

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep some rows, and the room if there is any."""
        if self.room is None:
            return super().batch_select_indices(indices)
        length = self.get_seq_length()
        self.room = tuple(buffer[indices] for buffer in self.room)
        self._look(length)

    def _look(self, length: int) -> None:
        self.keys, self.values = (buffer[..., :length, :] for buffer in self.room)


def _cache(lm: LanguageModel) -> DynamicCache:
    """An empty cache that grows by writing; layers of a special kind stay the library's own."""
    cache = DynamicCache(config=lm.model.config)
    cache.layers = [_RoomyLayer() if type(one) is DynamicLayer else one for one in cache.layers]
    return cache


def _steps(lm, prompt, sampling, generators, rows) -> Iterator[tuple[list[int], list[int]]]:
    """Yield (numbers of the open rows, their next tokens) until the caller finished all rows."""
    alive = list(range(len(rows)))
    cache = _cache(lm)
    mask, positions = prompt.attention_mask, prompt.position_ids
    logits = _forward(lm, prompt.embeds, mask, positions, cache)
    if len(rows) > len(mask):
        cache.batch_repeat_interleave(len(rows) // len(mask))
        logits, mask, positions = (
            tensor.repeat_interleave(len(rows) // len(tensor), dim=0)
            for tensor in (logits, mask, positions)
        )
    while True:
        tokens = _choose(logits, sampling, [generators[index] for index in alive])
        yield alive, tokens.tolist()
        kept = [i for i, index in enumerate(alive) if not rows[index].finished]
        if not kept:
            return
        if len(kept) < len(alive):
            # A finished row costs nothing from here on: it leaves the batch and the cache.
            alive = [alive[i] for i in kept]
            select = torch.tensor(kept, dtype=torch.long, device=mask.device)
            cache.batch_select_indices(select)
            mask, positions, tokens = mask[select], positions[select], tokens[select]
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        positions = positions[:, -1:] + 1
        logits = _forward(lm, lm.embed(tokens[:, None]), mask, positions, cache)


@torch.inference_mode()
def log_probabilities(
    lm: LanguageModel, prompt: PromptEmbeds, targets: Sequence[Sequence[int]]
) -> list[float]:
    """Log-probability (nats) of a target after each prompt, every token given those before it."""
    cache = DynamicCache(config=lm.model.config)
    ids = pad_sequence([torch.tensor(target) for target in targets], True, lm.pad_id).to(lm.device)
    given = torch.arange(ids.shape[1], device=lm.device)
    ahead = prompt.position_ids[:, -1:] + 1 + given
    before = lm.model.base_model(
        inputs_embeds=prompt.embeds,
        attention_mask=prompt.attention_mask,
        position_ids=prompt.position_ids,
        past_key_values=cache,
    ).last_hidden_state[:, -1:]
    after = lm.model.base_model(
        inputs_embeds=lm.embed(ids),
        attention_mask=torch.cat([prompt.attention_mask, torch.ones_like(ids)], dim=1),
        position_ids=ahead,
        past_key_values=cache,
    ).last_hidden_state
    states = torch.cat([before, after], dim=1)
    # Row by row: the logits of a whole batch of a large vocabulary would fill the memory.
    return [
        -cross_entropy(
            lm.logits(row[: len(target)]).float(),
            torch.tensor(target, device=lm.device),
            reduction="sum",
        ).item()
        for row, target in zip(states, targets, strict=True)
    ]


@torch.inference_mode()
def _forward(lm, embeds, mask, positions, cache) -> torch.Tensor:
    """Logits float32[B, V] of the next token; the cache grows in place."""
    output = lm.model(
        inputs_embeds=embeds,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return output.logits[:, -1].float()


def _choose(logits: torch.Tensor, sampling: Sampling, generators: list) -> torch.Tensor:
    """Next tokens int64[B] from logits float32[B, V]."""
    if sampling.temperature == 0:
        return logits.argmax(-1)
    scores = logits.double() / sampling.temperature
    tokens = None
    if sampling.top_k or sampling.top_p < 1:  # sorting is slow, and all tokens need no order
        size = scores.shape[-1]
        scores, tokens = scores.topk(min(sampling.top_k or size, size))
    probabilities = scores.softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    mass = (probabilities * (before < sampling.top_p)).cumsum(-1)
    # One number from each row's own generator picks the token: rows stay independent.
    draws = torch.stack([torch.rand(1, generator=g, dtype=torch.float64) for g in generators])
    chosen = torch.searchsorted(mass, draws.to(mass.device) * mass[:, -1:], right=True)
    chosen = chosen.clamp(max=mass.shape[1] - 1)
    return (chosen if tokens is None else tokens.gather(1, chosen)).squeeze(1)


def _generator(seed: int, row_seed: int, sample: int) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}\n{row_seed}\n{sample}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
