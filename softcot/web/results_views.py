"""A report as HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from softcot.data.tasks import TASKS
from softcot.methods import METHODS, ZeroShotCoT
from softcot.web.templating import render

Part = Mapping[str, Any]
"""A report or a part of one, as `softcot.web.results` checked it."""


_HARD = METHODS[ZeroShotCoT.name]


def _names() -> dict[str, str]:
    """What the page calls the report's tasks and methods."""
    titles = {name: task.title for name, task in TASKS.items() if task.splits}
    plain, short = _HARD.title, _HARD.short or _HARD.title
    return titles | {plain: short, plain[0].lower() + plain[1:]: short[0].lower() + short[1:]}


def results(report: Part) -> str:
    """The whole tab: title, conclusions, note, list of sections, sections.

    Everything has the names that it has on the other tabs; commands and code keep theirs.
    """
    called = _names()
    either = "|".join(sorted(map(re.escape, called), key=len, reverse=True))
    pattern = re.compile(rf"`[^`]*`|(?<![\w-])(?:{either})(?![\w-])")
    shown = _renamed(report, lambda text: pattern.sub(lambda m: called.get(m[0], m[0]), text))
    tasks = [(title, name) for name, title in called.items() if name in TASKS]
    return render("results.html", report=shown, interval=_interval, tasks=tasks)


def _renamed(part: Any, rename: Callable[[str], str]) -> Any:
    if isinstance(part, str):
        return rename(part)
    if isinstance(part, list):
        return [_renamed(inside, rename) for inside in part]
    if isinstance(part, Mapping):
        kept = ("command", "id")
        return {n: v if n in kept else _renamed(v, rename) for n, v in part.items()}
    return part


def _interval(cell: Part) -> str:
    """The bounds with the decimals and the signs of the number between them."""
    low, high, text = cell["low"], cell["high"], cell["text"]
    if low is None or high is None:
        return ""
    signed = text.startswith(("+", "-")) or low < 0
    decimals = re.search(r"\.(\d+)", text)
    spec = f"{'+' * signed}z,.{len(decimals[1]) if decimals else 0}f"
    between = " to " if signed else "–"
    return f"{low:{spec}}{between}{high:{spec}}".replace("-", "−")
