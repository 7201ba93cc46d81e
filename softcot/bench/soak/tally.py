"""What a soak counts: how requests of each kind ended, how long they took, and what was wrong."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from softcot.bench.soak.replies import Reply

TOLD = 20
"""Failures and wrong answers that a record quotes; all of them are counted."""

SHARES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "max": 100.0}
"""Percentiles of a record."""


@dataclass
class Kind:
    """Requests of one kind."""

    ends: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    """Answers that are not what the same request is answered alone."""
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """For the record; latencies in seconds, of answers alone."""
        ends = {end: self.ends[end] for end in ("answered", "busy", "left", "failed")}
        spread = {"first_words": percentiles(self.first), "whole": percentiles(self.whole)}
        return ends | {"wrong": self.wrong} | spread


@dataclass
class Tally:
    """All of them."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    """Some of what went wrong, a sentence each."""
    queued: int = 0
    """Messages that told a place in the queue."""

    def add(self, kind: str, reply: Reply, expected: Any) -> None:
        """Count a request, and compare its answer, if it has one."""
        one = self.kinds.setdefault(kind, Kind())
        one.ends[reply.end] += 1
        self.queued += reply.queued
        if reply.end == "failed":
            self._tell(f"{kind}: {reply.said}")
        if reply.end != "answered":
            return
        assert reply.whole is not None and reply.first is not None
        one.first.append(reply.first)
        one.whole.append(reply.whole)
        if reply.answer != expected:
            one.wrong += 1
            self._tell(f"{kind}: {str(reply.answer)[:400]} instead of {str(expected)[:400]}")

    def _tell(self, sentence: str) -> None:
        if len(self.told) < TOLD:
            self.told.append(sentence)

    def count(self, end: str) -> int:
        """Requests that ended so."""
        return sum(kind.ends[end] for kind in self.kinds.values())

    @property
    def wrong(self) -> int:
        """Answers that were wrong."""
        return sum(kind.wrong for kind in self.kinds.values())

    @property
    def unanswered(self) -> list[str]:
        """Kinds of which nothing was answered, so nothing is known."""
        return sorted(name for name, kind in self.kinds.items() if not kind.ends["answered"])


def percentiles(seconds: Sequence[float]) -> dict[str, float] | None:
    """How seconds are spread; None where there are none."""
    if not seconds:
        return None
    found = np.percentile(seconds, list(SHARES.values()))
    return dict(zip(SHARES, map(float, found), strict=True))
