"""How it works, walked through on the question of the page, as HTML."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from softcot.analysis.geometry import Exploration
from softcot.thoughts.pair import Pair
from softcot.web.templating import render

FIGURE = Path(__file__).resolve().parents[2] / "assets" / "method.svg"

LISTED = 8
"""Thoughts whose nearest tokens are named."""


def tour(
    seen: Exploration, k: int, pair: Pair, laboratory: bool = True, prompted: str | None = None
) -> str:
    """The figure, and each of its steps with what it is for this question.

    Args:
        seen: The question and its thoughts.
        k: K.
        pair: The two models.
        laboratory: Whether they are this project's own.
        prompted: The question that the base answers, where the thoughts are another one's.
    """
    figure = Markup(FIGURE.read_text(encoding="utf-8") if FIGURE.is_file() else "")
    shown = {"seen": seen, "k": k, "listed": LISTED, "figure": figure}
    asked = seen.question if prompted is None else prompted
    swapped = asked.strip() != seen.question.strip()
    note = getattr(seen, "note", "")
    models = {"pair": pair, "laboratory": laboratory}
    return render("tour.html", **shown, **models, asked=asked, swapped=swapped, note=note)
