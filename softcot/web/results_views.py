"""A report as HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from softcot.web.templating import render

Part = Mapping[str, Any]
"""A report or a part of one, as `softcot.web.results` checked it."""


def results(report: Part) -> str:
    """The whole tab: title, note, list of sections, sections."""
    return render("results.html", report=report, interval=_interval)


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
