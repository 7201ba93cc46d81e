"""What came of one request: how it ended, what was answered, and how long that took."""

import time
from dataclasses import dataclass, field
from typing import Any, Literal

End = Literal["answered", "busy", "left", "failed"]

BUSY = ("Too many requests are waiting", "Queue is full")
"""How a server refuses whom it has no place for; every other refusal is a failure."""

UNTOLD = frozenset({"seconds", "id", "created"})
"""Fields that differ between two equal answers."""


@dataclass
class Reply:
    """One request on its way, and in the end what came of it."""

    begun: float = field(default_factory=time.monotonic)
    first: float | None = None
    """Seconds until the first words."""
    whole: float | None = None
    """Seconds until the end."""
    end: End = "failed"
    said: str = ""
    """Of what was refused or failed: why."""
    answer: Any = None
    queued: int = 0
    """Messages that told a place in the queue."""

    def words(self) -> None:
        """Note that something can be read."""
        if self.first is None:
            self.first = time.monotonic() - self.begun

    def close(self, end: End, said: str = "", answer: Any = None) -> "Reply":
        """Note how it ended."""
        self.whole = time.monotonic() - self.begun
        self.end, self.said, self.answer = end, " ".join(said.split())[:300], comparable(answer)
        return self

    def refuse(self, said: str) -> "Reply":
        """Note a refusal, which is a failure unless there was no place."""
        return self.close("busy" if any(one in said for one in BUSY) else "failed", said)


def comparable(answer: Any) -> Any:
    """An answer without what differs between two equal ones."""
    if isinstance(answer, dict):
        return {name: comparable(one) for name, one in answer.items() if name not in UNTOLD}
    if isinstance(answer, list):
        return [comparable(one) for one in answer]
    return answer
