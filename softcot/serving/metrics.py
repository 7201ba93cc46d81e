"""What a server counts, in the text form that Prometheus reads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds at which the distributions are counted."""


class Distribution:
    """How long something took, as a cumulative histogram."""

    def __init__(self) -> None:
        self.below = [0] * len(BOUNDS)
        self.total, self.count = 0.0, 0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.total, self.count = self.total + seconds, self.count + 1
        for place, bound in enumerate(BOUNDS):
            self.below[place] += seconds <= bound

    def lines(self, name: str) -> list[str]:
        """As Prometheus reads it."""
        buckets = [*zip(map(str, BOUNDS), self.below, strict=True), ("+Inf", self.count)]
        return [
            *(f'{name}_bucket{{le="{bound}"}} {count}' for bound, count in buckets),
            f"{name}_sum {self.total:.6f}",
            f"{name}_count {self.count}",
        ]


class Metrics:
    """Requests, tokens and seconds of a server since it started; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._tokens: Counter[str] = Counter()
        self._first, self._whole = Distribution(), Distribution()

    def ended(self, model: str, outcome: str) -> None:
        """Count a request: `answered`, `refused`, `failed` or `left`, by a client who hung up."""
        with self._lock:
            self._requests[model, outcome] += 1

    def took(self, prompt: int, written: int, first: float | None, whole: float) -> None:
        """Count what a request cost: its tokens, and seconds to its first token and its last."""
        with self._lock:
            self._tokens["prompt"] += prompt
            self._tokens["written"] += written
            self._whole.add(whole)
            if first is not None:
                self._first.add(first)

    def text(self, now: Mapping[str, int]) -> str:
        """All of it, with some numbers as they are now."""
        with self._lock:
            lines = ["# TYPE softcot_requests_total counter"]
            for (model, outcome), count in sorted(self._requests.items()):
                labels = f'model="{model}",outcome="{outcome}"'
                lines.append(f"softcot_requests_total{{{labels}}} {count}")
            lines.append("# TYPE softcot_tokens_total counter")
            for kind, count in sorted(self._tokens.items()):
                lines.append(f'softcot_tokens_total{{kind="{kind}"}} {count}')
            for name, taken in (("first_token", self._first), ("request", self._whole)):
                lines.append(f"# TYPE softcot_{name}_seconds histogram")
                lines += taken.lines(f"softcot_{name}_seconds")
            for name, number in now.items():
                lines += [f"# TYPE softcot_{name} gauge", f"softcot_{name} {number}"]
        return "\n".join([*lines, ""])
