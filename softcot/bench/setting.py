"""What a measurement is asked for, and what it finds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from softcot.bench.measuring import Side


@dataclass(frozen=True)
class Setting:
    """What all measurements share."""

    pair: dict[str, Any]
    """What `softcot.thoughts.pair.load_pair` takes."""
    shape: str | None = None
    """Random models of this shape instead; one of `softcot.bench.shapes.SHAPES`."""
    task: str = "mini-gsm"
    """Whose problems are used."""
    rounds: int = 3
    """Turns of each side; the median counts."""
    quick: bool = False
    """So little work that only the measurement itself is tested."""
    scale: bool = False
    """Whether to show also how evaluation grows from 100 to 10,000 problems."""
    gguf: Path | None = None
    """What llama.cpp reads."""
    llama_python: Path | None = None
    """A Python that has llama-cpp-python; this one by default."""
    base_url: str | None = None
    """Of a vLLM server that has the base."""
    partial: Path | None = None
    """Where a long measurement keeps what it has, if anywhere."""
    progress: Callable[[str, int, int], None] = lambda name, done, total: None
    """Called with (what is being measured, turns done, turns in all)."""

    def source(self) -> tuple[dict[str, Any], str | None]:
        """What `softcot.bench.shapes.get_pair` takes, for another process."""
        return self.pair, self.shape


@dataclass
class Found:
    """One measurement."""

    sides: dict[str, Side]
    ratios: list[dict[str, Any]]
    """What is compared: `what`, its `value`, the `goal`, and whether "more" or "less" is better.
    A goal of None is no goal: the value is only reported."""
    settings: dict[str, Any] = field(default_factory=dict)
    """How much of what was done."""
