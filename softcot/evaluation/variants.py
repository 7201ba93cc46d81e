"""The same problems asked in several ways, a batch at a time: what a sweep and an edit come to.

For looking, with running figures; what is reported comes from `softcot.evaluation.evaluator`.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import numpy as np

from softcot.data.answers import is_correct, parse
from softcot.data.problems import Problem
from softcot.decoding.decoder import Sampling, decode
from softcot.evaluation.records import interval
from softcot.evaluation.scoring import gold_logprobs
from softcot.methods import Method
from softcot.support.errors import UserError
from softcot.support.presets import MAX_NEW_TOKENS


@dataclass(frozen=True)
class Variant:
    """One way to ask."""

    label: str
    method: Method
    k: int | None = None
    """K; None leaves it to the method."""


@dataclass
class Trial:
    """What a variant has come to so far, problem by problem."""

    label: str
    k: int
    """K."""
    answers: list[str | None] = field(default_factory=list)
    """None where nothing could be read."""
    correct: list[bool] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    """Log-probability (nats) of each worked gold answer."""
    seconds: float = 0.0
    """Reading, thinking and writing, over all problems."""
    cut: int = 0
    """Answers that were cut off."""
    tokens: int = 0
    """Written so far, also of answers that have not ended."""

    @property
    def n(self) -> int:
        """Problems so far."""
        return len(self.answers)

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return float(np.mean(self.correct))

    @property
    def accuracy_interval(self) -> list[float]:
        """Its 95 % bootstrap interval."""
        return interval(np.array(self.correct, dtype=float))

    def against(self, other: Trial) -> Effect:
        """What this variant does to the answers of another, over the problems both have."""
        n = min(self.n, other.n)
        pairs = zip(self.answers[:n], other.answers[:n], strict=True)
        flips = np.array([mine != theirs for mine, theirs in pairs], dtype=float)
        changes = np.array(self.logprobs[:n]) - np.array(other.logprobs[:n])
        gains = np.array(self.correct[:n], dtype=float) - np.array(other.correct[:n], dtype=float)
        return Effect(
            n,
            *((float(values.mean()), interval(values)) for values in (flips, changes, gains)),
        )


@dataclass(frozen=True)
class Effect:
    """A paired comparison; each figure with its 95 % bootstrap interval."""

    n: int
    flipped: tuple[float, list[float]]
    """Share of answers that changed."""
    logprob: tuple[float, list[float]]
    """Mean change of the gold answer's log-probability, nats."""
    accuracy: tuple[float, list[float]]
    """Change of the share of right answers."""


def try_variants(
    variants: Sequence[Variant],
    problems: Sequence[Problem],
    *,
    batch_size: int = 25,
    max_new_tokens: int = MAX_NEW_TOKENS,
) -> Generator[list[Trial]]:
    """Ask every problem in every way, greedily.

    Args:
        variants: At least one; all of one task.
        problems: With gold answers.
        batch_size: Problems asked together, after which there is something to see.
        max_new_tokens: Where an answer is cut off.

    Yields:
        One trial for each variant, after every token, so that closing the generator stops the
        work; they change when one has had a batch, and are the same objects every time.

    Raises:
        UserError: There is no problem, or one cannot be asked this way.
    """
    if not problems:
        raise UserError("There is no problem to try; allow at least one.")
    sampling = Sampling(max_new_tokens=max_new_tokens)
    counts = [variant.method.checked_k(variant.k) for variant in variants]
    trials = [Trial(v.label, count) for v, count in zip(variants, counts, strict=True)]
    for start in range(0, len(problems), batch_size):
        batch = problems[start : start + batch_size]
        for variant, trial in zip(variants, trials, strict=True):
            yield from _ask(variant.method, trial, batch, trials, sampling)


def _ask(
    method: Method,
    trial: Trial,
    problems: Sequence[Problem],
    trials: list[Trial],
    sampling: Sampling,
) -> Generator[list[Trial]]:
    kind, started = method.task.answer_kind, time.perf_counter()
    prompt = method.prepare(problems, trial.k)
    rows, before = [], trial.tokens
    for rows in decode(method.lm, prompt, sampling):
        trial.tokens = before + sum(len(row.ids) for row in rows)
        yield trials
    trial.seconds += time.perf_counter() - started
    trial.cut += sum(row.stop_reason == "length" for row in rows)
    answers = [parse(kind, method.said(row.ids)) for row in rows]
    trial.answers += answers
    trial.correct += [
        is_correct(kind, answer, problem.answer)
        for answer, problem in zip(answers, problems, strict=True)
    ]
    trial.logprobs += gold_logprobs(method, problems, prompt)
    yield trials
