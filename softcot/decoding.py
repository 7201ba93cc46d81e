"""One batched decoder: key-value cache, streaming, stopping, seeds."""

import hashlib
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from transformers import DynamicCache

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
) -> Iterator[list[Row]]:
    """Write the answers of all rows, token by token.

    Args:
        lm: The base model.
        prompt: Left-padded prompts, one for each row.
        sampling: How tokens are chosen.
        row_seeds: What makes the samples of a row its own (the row's number by default): a row
            with the same seeds is sampled the same way, whatever stands beside it.

    Yields:
        All rows after each step. They are the same objects every time, so read them at once.
        Closing the generator stops the work and marks the open rows as "stopped".
    """
    rows = [Row() for _ in prompt.prompt_tokens]
    seeds = range(len(rows)) if row_seeds is None else row_seeds
    generators = [_generator(sampling.seed, seed) for seed in seeds]
    limits = [min(sampling.max_new_tokens, lm.context - n) for n in prompt.prompt_tokens]
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


def _steps(lm, prompt, sampling, generators, rows) -> Iterator[tuple[list[int], list[int]]]:
    """Yield (numbers of the open rows, their next tokens) until the caller finished all rows."""
    alive = list(range(len(rows)))
    cache = DynamicCache(config=lm.model.config)
    mask, positions, inputs = prompt.attention_mask, prompt.position_ids, prompt.embeds
    while alive:
        logits = _forward(lm, inputs, mask, positions, cache)
        tokens = _choose(logits, sampling, [generators[index] for index in alive])
        yield alive, tokens.tolist()
        kept = [i for i, index in enumerate(alive) if not rows[index].finished]
        if len(kept) < len(alive):
            # A finished row costs nothing from here on: it leaves the batch and the cache.
            alive = [alive[i] for i in kept]
            select = torch.tensor(kept, dtype=torch.long, device=mask.device)
            cache.batch_select_indices(select)
            mask, positions, tokens = mask[select], positions[select], tokens[select]
        inputs = lm.embed(tokens[:, None])
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        positions = positions[:, -1:] + 1


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
    size = logits.shape[-1]
    scores, tokens = (logits.double() / sampling.temperature).topk(
        min(sampling.top_k, size) if sampling.top_k else size
    )
    probabilities = scores.softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    mass = (probabilities * (before < sampling.top_p)).cumsum(-1)
    # One number from each row's own generator picks the token: rows stay independent.
    draws = torch.stack([torch.rand(1, generator=g, dtype=torch.float64) for g in generators])
    chosen = torch.searchsorted(mass, draws.to(mass.device) * mass[:, -1:], right=True)
    return tokens.gather(1, chosen.clamp(max=tokens.shape[1] - 1)).squeeze(1)


def _generator(seed: int, row_seed: int) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}\n{row_seed}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
