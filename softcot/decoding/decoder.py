"""One batched decoder: key-value cache, streaming, stopping, seeds."""

import hashlib
import itertools
import math
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch.nn.functional import cross_entropy, pad
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache

from softcot.decoding.shared_prefix import read_prompts
from softcot.decoding.static_cache import FixedRows, rows_for
from softcot.models.batches import PromptEmbeds
from softcot.models.batches import join as join_prompts
from softcot.models.cache import empty_cache, join_cache, keeps_all
from softcot.models.language_model import LanguageModel
from softcot.models.memory import memory_told
from softcot.support.errors import UserError
from softcot.support.presets import MAX_NEW_TOKENS


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen."""

    temperature: float = 0.0
    """0 takes the likeliest token; 1 samples from the model's own distribution."""
    top_p: float = 1.0
    """Sample from the smallest set of tokens that holds this much probability."""
    top_k: int = 0
    """Sample from this many likeliest tokens; 0 means all."""
    repetition_penalty: float = 1.0
    """What the logits of tokens that the answer has already are divided by, or multiplied by where
    they are negative (arXiv 1909.05858); 1 changes nothing."""
    seed: int = 41
    """Decides the samples, together with the row's own seed."""
    max_new_tokens: int = MAX_NEW_TOKENS
    """Where an answer is cut off."""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        checks = {
            "temperature must be a number from 0 to 10": (
                math.isfinite(self.temperature) and 0 <= self.temperature <= 10
            ),
            "top-p must be above 0 and at most 1": 0 < self.top_p <= 1,
            "top-k must be a whole number, 0 or more": _whole(self.top_k, 0),
            "repetition-penalty must be a number from 0.1 to 10": (
                math.isfinite(self.repetition_penalty) and 0.1 <= self.repetition_penalty <= 10
            ),
            "seed must be a whole number, 0 or more": _whole(self.seed, 0),
            "max-new-tokens must be a whole number, 1 or more": _whole(self.max_new_tokens, 1),
        }
        for rule, kept in checks.items():
            if not kept:
                name = rule.split()[0].replace("-", "_")
                raise UserError(f"The {rule}; it is {getattr(self, name)!r}.")


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


GREEDY = Sampling()


@dataclass
class Completion:
    """What one row has written so far."""

    ids: list[int] = field(default_factory=list)
    """New tokens, the end token included."""
    finished: bool = False
    """No more tokens will come."""
    seconds: float = 0.0
    """From the start of the decoding to this row's last token."""
    stop_reason: Literal["", "end", "length", "stopped"] = ""
    """The model ended it, the limit cut it, or the caller wants no more of it."""


def can_join(lm: LanguageModel) -> bool:
    """Whether rows of a model can join those that are being written."""
    return keeps_all(empty_cache(lm))


DEAD = 1 / 8
"""Share of a batch that may be finished rows: to take one out moves others, in every layer."""


class Decoder:
    """Rows that one model writes together; others may join at any time.

    Args:
        lm: The base model.
        sampling: How tokens are chosen, for rows that come without a choice of their own.
    """

    def __init__(self, lm: LanguageModel, sampling: Sampling = GREEDY):
        self.lm = lm
        self.sampling = sampling
        self.joins = can_join(lm)
        """Whether prompts that come later step in the same batch, and not in one of their own."""
        if lm.compiled and not self.joins:
            raise UserError(
                f"{lm.name} sees some tokens through a window and is not compiled here; leave out "
                "--compile."
            )
        self._groups: list[_Group] = []
        self._started = time.perf_counter()

    @property
    def open(self) -> int:
        """Rows that are not finished."""
        return sum(not pen.ended for group in self._groups for pen in group.pens)

    def add(
        self,
        prompt: PromptEmbeds,
        row_seeds: Sequence[int] | None = None,
        samples: int = 1,
        seeds: Sequence[int] | None = None,
        sampling: Sampling | None = None,
        started: float | None = None,
    ) -> list[Completion]:
        """Let prompts join; they are read with the next step, or by `read`.

        Args:
            prompt: Left-padded prompts, read once however many rows each has.
            row_seeds: What makes the samples of a prompt its own (its number by default): a prompt
                with the same seeds is sampled the same way, whatever stands beside it.
            samples: Rows for each prompt and seed.
            seeds: Instead of the one of the sampling, if there are several.
            sampling: How their tokens are chosen; by default as the decoder's.
            started: When their seconds begin to count, on `time.perf_counter`; by default with the
                decoder.

        Returns:
            Their rows, for each prompt, each seed, its samples. Every step writes into them.
        """
        sampling = sampling or self.sampling
        started = self._started if started is None else started
        draws = list(itertools.product(seeds or [sampling.seed], range(samples)))
        own = range(len(prompt.prompt_tokens)) if row_seeds is None else row_seeds
        pens = [
            _Pen(
                Completion(),
                sampling,
                _generator(seed, row_seed, n),
                min(sampling.max_new_tokens, self.lm.context - length),
                started,
            )
            for length, row_seed in zip(prompt.prompt_tokens, own, strict=True)
            for seed, n in draws
        ]
        self._groups.append(_Group(self.lm, prompt, pens))
        return [pen.row for pen in pens]

    @property
    def unread(self) -> int:
        """Prompts that came and were not read."""
        return sum(len(group.mask) for group in self._groups if group.prompt is not None)

    @memory_told()
    def read(self) -> None:
        """Read the prompts that came last, before those that write do their next step.

        Raises:
            OutOfMemory: The GPU's memory is too small.
            Exception: Reading failed; their rows are stopped, and all others are as they were.
        """
        self._gather()
        for group in [group for group in self._groups if group.prompt is not None]:
            try:
                group.read(compiled=False)
            except Exception:
                self._groups.remove(group)
                self._stop(group.pens)
                raise

    def _gather(self) -> None:
        """Drop what has ended; prompts that were not read, and have as many rows, are one batch."""
        self._groups = [group for group in self._groups if group.keep_open()]
        if not self.joins:
            return
        gathered = [group for group in self._groups if group.prompt is None]
        waiting: dict[tuple[int, int], list[_Group]] = {}
        for group in self._groups:
            if group.prompt is not None:
                alike = len(group.pens) // len(group.mask), group.prompt.embeds.shape[-1]
                waiting.setdefault(alike, []).append(group)
        for groups in waiting.values():
            if len(groups) == 1:  # to join copies all of a prompt
                gathered += groups
                continue
            prompt = join_prompts([group.prompt for group in groups if group.prompt is not None])
            pens = [pen for group in groups for pen in group.pens]
            gathered.append(_Group(self.lm, prompt, pens))
        self._groups = gathered

    @staticmethod
    def _stop(pens: Iterable["_Pen"]) -> None:
        for pen in pens:
            if not pen.ended:
                pen.row.stop_reason = "stopped"

    def leave(self, rows: Sequence[Completion]) -> None:
        """Write no more into some rows; those that are open are marked as stopped."""
        gone = {id(row) for row in rows}
        pens = (pen for group in self._groups for pen in group.pens)
        self._stop(pen for pen in pens if id(pen.row) in gone)

    @memory_told()
    def step(self) -> None:
        """Write one token into every row that is not finished.

        Raises:
            OutOfMemory: The GPU's memory is too small; the rows can go on no more.
        """
        self._gather()
        # Where rows join, the batch has another shape with the next step.
        compiled = self.lm.compiled and len(self._groups) == 1
        for group in self._groups:
            group.read(compiled)
        if self.joins and len(self._groups) > 1:
            self._groups[0].join(self._groups[1:])
            del self._groups[1:]
        for group in self._groups:
            tokens, now, ends = group.choose(), time.perf_counter(), self.lm.end_ids
            for pen, token in zip(group.pens, tokens.tolist(), strict=True):
                if not pen.ended:
                    pen.write(token, token in ends, now)

    def close(self) -> None:
        """End the work; what is open is marked as stopped."""
        self._stop(pen for group in self._groups for pen in group.pens)
        self._groups = []


@dataclass
class _Pen:
    """A row, how its tokens are chosen, and how many it may have."""

    row: Completion
    sampling: Sampling
    generator: torch.Generator
    """Where its random numbers come from."""
    limit: int
    started: float
    """When its seconds began, on `time.perf_counter`."""

    @property
    def ended(self) -> bool:
        """Whether nothing more is written here."""
        return bool(self.row.stop_reason)

    @property
    def rule(self) -> tuple[float, float, int, float]:
        """All of its sampling that decides how logits become a token."""
        chosen = self.sampling
        return chosen.temperature, chosen.top_p, chosen.top_k, chosen.repetition_penalty

    def write(self, token: int, end: bool, now: float) -> None:
        """Add a token, and see whether it was the last.

        Others may look on from another thread: whoever sees that a row is finished sees all of it.
        """
        row = self.row
        row.ids.append(token)
        row.seconds = now - self.started
        if end:
            row.finished, row.stop_reason = True, "end"
        elif len(row.ids) >= self.limit:
            row.finished, row.stop_reason = True, "length"


class _Group:
    """Rows that are in one batch, and what the model keeps of them."""

    logits: torch.Tensor
    """float32[B, V], for the next token, once the prompts are read."""
    tokens: torch.Tensor
    """int64[B], chosen from them and not yet read."""
    fresh = False
    """Whether no tokens were chosen from the logits yet."""

    def __init__(self, lm: LanguageModel, prompt: PromptEmbeds, pens: list[_Pen]):
        self.lm, self.pens = lm, pens
        self.prompt: PromptEmbeds | None = prompt
        """What is still to be read first."""
        self.cache = empty_cache(lm)
        self.mask, self.positions = prompt.attention_mask, prompt.position_ids
        self.fixed: FixedRows | None = None
        """Where the rows are while a compiled model writes them."""

    def keep_open(self) -> bool:
        """Drop the finished rows as soon as they are many; False if all rows are finished."""
        kept = [i for i, pen in enumerate(self.pens) if not pen.ended]
        if not kept:
            return False
        if self.fixed:
            many = rows_for(len(kept)) < self.fixed.rows
        else:
            many = len(self.pens) - len(kept) >= DEAD * len(self.pens)
        if many and len(kept) < len(self.pens):
            self._select(kept)
        return True

    def _select(self, kept: list[int]) -> None:
        if self.prompt is not None:  # nothing is read yet, and a prompt may have several rows
            return
        self._unfix()
        kept = _moving_few(kept)
        self.pens = [self.pens[i] for i in kept]
        select = torch.tensor(kept, dtype=torch.long, device=self.mask.device)
        self.cache.batch_select_indices(select)
        self.mask, self.positions = self.mask[select], self.positions[select]
        if self.fresh:
            self.logits = self.logits[select]
        else:
            self.tokens = self.tokens[select]

    def read(self, compiled: bool) -> None:
        """Read the newest tokens, or the prompts, which each of their rows goes on from."""
        if self.fresh:
            return
        self.fresh = True
        if self.prompt is None:
            self._read_tokens(compiled)
            return
        self.logits = read_prompts(self.lm, self.prompt, self.cache)
        self.prompt = None
        repeats = len(self.pens) // len(self.mask)
        self.positions = self.positions[:, -1:]
        if repeats > 1:
            self.cache.batch_repeat_interleave(repeats)
            self.logits, self.mask, self.positions = (
                tensor.repeat_interleave(repeats, dim=0)
                for tensor in (self.logits, self.mask, self.positions)
            )

    def choose(self) -> torch.Tensor:
        """Choose the next tokens, int64[B]; each row by its own rule, which many may share."""
        rules: dict[tuple[float, float, int, float], list[int]] = {}
        for place, pen in enumerate(self.pens):
            rules.setdefault(pen.rule, []).append(place)
        if len(rules) == 1:
            self.tokens = _chosen(self.logits, self.pens)
        else:
            self.tokens = torch.empty(len(self.pens), dtype=torch.long, device=self.mask.device)
            for places in rules.values():
                alike = [self.pens[place] for place in places]
                self.tokens[places] = _chosen(self.logits[places], alike)
        self.fresh = False
        return self.tokens

    def _read_tokens(self, compiled: bool) -> None:
        before = self.mask
        self.mask = torch.cat([before, before.new_ones(len(before), 1)], dim=1)
        # A finished row that still stands here must not count beyond what the model knows.
        self.positions = (self.positions + 1).clamp(max=self.lm.context - 1)
        embeds = self.lm.embed(self.tokens[:, None])
        if self.fixed and (self.fixed.full or not compiled):
            self._unfix()
        if compiled:
            self.fixed = self.fixed or FixedRows(self.lm, self.cache, before)
            self.logits = self.fixed.step(embeds, self.positions)
        else:
            self._forward(embeds)

    def _unfix(self) -> None:
        if self.fixed:
            self.fixed.put_back(self.cache)
            self.fixed = None

    def join(self, others: Sequence["_Group"]) -> None:
        """Take other groups' rows in."""
        groups = (self, *others)
        length = max(int(group.mask.sum(1).max()) for group in groups)
        length = join_cache(self.cache, [group.cache for group in others], length)
        self.mask = torch.cat([_right(group.mask, length) for group in groups])
        self.positions = torch.cat([group.positions for group in groups])
        self.logits = torch.cat([group.logits for group in groups])
        self.pens = [pen for group in groups for pen in group.pens]

    def _forward(self, embeds: torch.Tensor) -> None:
        self.logits = self.lm.next_logits(embeds, self.mask, self.positions, self.cache)


def _moving_few(kept: list[int]) -> list[int]:
    """The same rows in an order in which most stay where they are: the last ones fill the gaps."""
    staying, last = set(kept), [row for row in kept if row >= len(kept)]
    return [row if row in staying else last.pop() for row in range(len(kept))]


def _right(mask: torch.Tensor, length: int) -> torch.Tensor:
    """The last columns of a mask, int64[B, T], with padding in front where it has too few."""
    return pad(mask[:, -length:], (length - min(length, mask.shape[1]), 0))


def decode(
    lm: LanguageModel,
    prompt: PromptEmbeds,
    sampling: Sampling,
    row_seeds: Sequence[int] | None = None,
    samples: int = 1,
    seeds: Sequence[int] | None = None,
) -> Generator[list[Completion]]:
    """Write the answers to some prompts, token by token; the arguments are those of `Decoder`.

    Yields:
        All rows after each step, in the order of `Decoder.add`. They are the same objects every
        time, so read them at once. Closing the generator stops the work and marks the open rows as
        "stopped".
    """
    with closing(Decoder(lm, sampling)) as decoder:
        rows = decoder.add(prompt, row_seeds, samples, seeds)
        while decoder.open:
            decoder.step()
            yield rows


def finish(steps: Iterator[list[Completion]]) -> list[Completion]:
    """Run a decoder to its end and return its rows."""
    rows: list[Completion] = []
    for rows in steps:  # noqa: B007
        pass
    return rows


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


def _chosen(logits: torch.Tensor, pens: Sequence[_Pen]) -> torch.Tensor:
    """Next tokens int64[B] of rows with one rule, from logits float32[B, V]."""
    sampling = pens[0].sampling
    if sampling.repetition_penalty != 1:
        logits = logits.clone()
        for row, pen in zip(logits, pens, strict=True):
            written = torch.tensor(sorted({*pen.row.ids}), dtype=torch.long, device=row.device)
            scores = row[written]
            penalty = sampling.repetition_penalty
            row[written] = torch.where(scores < 0, scores * penalty, scores / penalty)
    return _choose(logits, sampling, [pen.generator for pen in pens])


def _choose(
    logits: torch.Tensor, sampling: Sampling, generators: Sequence[torch.Generator]
) -> torch.Tensor:
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


def number_of(seed: int, row_seed: int, sample: int = 0) -> int:
    """A number of 63 bits that a row's samples are drawn from."""
    digest = hashlib.sha256(f"{seed}\n{row_seed}\n{sample}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _generator(seed: int, row_seed: int, sample: int) -> torch.Generator:
    return torch.Generator().manual_seed(number_of(seed, row_seed, sample))
