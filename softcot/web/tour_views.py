"""How it works, walked through on the question of the page."""

from __future__ import annotations

from html import escape
from pathlib import Path

from softcot.analysis.geometry import Exploration, Thought
from softcot.thoughts.pair import Pair
from softcot.web import views

FIGURE = Path(__file__).resolve().parents[2] / "assets" / "method.svg"

REGIME = (
    "This is a laboratory. Both models are small and were trained from scratch by this project so "
    "that one thing can be seen clearly: the base reasons well but has read little, the assistant "
    "has read more but cannot reason in steps. Where a question holds words or facts that are new "
    "to the base, the thoughts supply them; where it does not, they change almost nothing. "
    "Do not expect these models to answer anything outside the five families of problems."
)

LISTED = 8
"""Thoughts whose nearest tokens are named."""


def tour(seen: Exploration, k: int, pair: Pair, laboratory: bool = True) -> str:
    """The figure, and each of its steps with what it is for this question.

    Args:
        seen: The question and its thoughts.
        k: K.
        pair: The two models.
        laboratory: Whether they are this project's own.
    """
    question = f"<q>{escape(views.shorten(seen.question))}</q>"
    slots = f'<span class="slots-drawn" aria-hidden="true">{"▢ " * k}</span>'
    full = slots.replace("▢", "▣")
    steps = (
        (
            "The assistant reads",
            f"{question} {slots}",
            f"The question and {k} placeholders, in one pass. Its last states at these places, "
            f"{pair.assistant.width} numbers each, are the thoughts; nothing is decoded.",
            [("inside", "What it would write there")],
        ),
        (
            "One layer carries them over",
            _nearest(seen.thoughts[:k]),
            f"A single linear projection, {pair.assistant.width} to {pair.base.width}, is all that "
            "was trained. These are the base's tokens nearest to each thought.",
            [("compare", "The map"), ("train", "Train one")],
        ),
        (
            "They stand after the question",
            f"{question} {full}",
            "The projected vectors take the places of tokens in the base's prompt. With K = 0 it "
            "is the prompt of hard chain-of-thought.",
            [("intervene", "Change them")],
        ),
        (
            "The base writes",
            "<b>Reasoning</b>, then <b>the answer</b>",
            "Ordinary text, token by token. Hard chain-of-thought is the same model without the "
            "thoughts, in the same batch.",
            [("compare", "Run both")],
        ),
        (
            "Do the thoughts matter?",
            "Swap, noise, mean",
            "Another question's thoughts, noise and the average thought are the controls. What "
            "survives them is not thinking.",
            [("intervene", "Placebos"), ("sweep", "Any K"), ("results", "Whole tasks")],
        ),
    )
    figure = FIGURE.read_text(encoding="utf-8") if FIGURE.is_file() else ""
    regime = f'<p class="regime">{REGIME}</p>' if laboratory else ""
    items = "".join(_step(*step) for step in steps)
    return (
        '<section class="sheet how"><h2>How it works, on this question</h2>'
        '<div class="figure" tabindex="0" role="group" aria-label="Figure of the method">'
        f'{figure}</div><ol class="steps">{items}</ol>{regime}</section>'
    )


def _step(title: str, example: str, text: str, links: list[tuple[str, str]]) -> str:
    ways = " ".join(f'<a href="?tab={tab}" data-tab="{tab}">{name}</a>' for tab, name in links)
    return (
        f'<li><h3>{title}</h3><div class="on-question">{example}</div><p>{text}</p>'
        f'<p class="ways">{ways}</p></li>'
    )


def _nearest(thoughts: list[Thought]) -> str:
    if not thoughts:
        return "K = 0: no thoughts"
    named = views.chips(
        (thought.nearest[0].token, thought.nearest[0].cosine, str(thought.number))
        for thought in thoughts[:LISTED]
    )
    return named + (" …" if len(thoughts) > LISTED else "")
