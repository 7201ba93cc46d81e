"""The Intervene panel's cards and tables as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from softcot.evaluation.answering import Column
from softcot.evaluation.variants import Trial
from softcot.thoughts.edits import EDITS
from softcot.web.templating import render, signed

INTRODUCTION = render(
    "section.html",
    title="Change the thoughts",
    text="The base answers the question above four times at once: with its own thoughts, with the "
    "edited ones, and with two placebos. An edit that does no more than a placebo tells nothing "
    "about these thoughts.",
)

TRIAL = render(
    "section.html",
    title="The same edit on many problems",
    text="Problems of the chosen kind, from the test split. Every figure has its 95 % interval. "
    "Log p of the worked answer says how likely the base finds a problem's worked solution, in "
    "nats.",
)

EXPLAINED = render("edits.html", edits=EDITS)
"""What each edit puts into the chosen slots."""

LABEL = "Own thoughts, edited ones and placebos"

AMOUNTS = {"mix": "Share of the second question", "add": "Steps, in typical token embeddings"}

_TITLES = {
    "own": ("Own thoughts", "What the assistant thought of this question"),
    "edited": ("Edited", "The same with your edit"),
    "noise": ("Placebo: noise", "Random vectors, as long as the own thoughts"),
    "mean": ("Placebo: mean", "The average thought of each slot, over other questions"),
    "zero": ("Placebo: zero", "Nothing in the slots"),
}


def idle() -> str:
    """The cards before anything ran."""
    waiting = [(_TITLES[kind], None, "") for kind in ("own", "edited", "noise", "mean")]
    return render("edited_cards.html", label=LABEL, cards=waiting)


def cards(columns: Sequence[Column], stopped: bool = False, unread: bool = False) -> str:
    """Own thoughts, edited ones and placebos as they stand; the others compared to the first.

    Args:
        columns: The four of them, or none.
        stopped: Whether nothing more is written.
        unread: Whether the models have never read what is asked: then no answer is called right.
    """
    if not columns:
        return idle()
    own, edits = columns[0], _edits(columns[1])
    heads = [_TITLES[kind] for kind in ("own", "edited", *map(_edits, columns[2:]))]
    remarks = [None, *(_difference(column, own) for column in columns[1:])]
    drawn = zip(heads, columns, remarks, strict=True)
    state = {"edits": edits, "stopped": stopped, "unread": unread}
    return render("edited_cards.html", label=LABEL, cards=drawn, **state)


def effects(trials: Sequence[Trial], total: int) -> str:
    """What an edit and the placebos come to, against the own thoughts."""
    done = min(trial.n for trial in trials)
    return render("edit_effects.html", trials=trials, titles=_TITLES, done=done, total=total)


def _edits(column: Column) -> str:
    """What was done to a column's thoughts, as its title says it."""
    return column.title.partition(", ")[2].removeprefix("untrained").removeprefix(", ")


def _difference(column: Column, own: Column) -> str:
    if not (column.done and own.done):
        return ""
    same = column.answer == own.answer
    notes = ["Same answer" if same else f"Answer changed from {own.answer or 'none'}"]
    if column.gold_logprob is not None and own.gold_logprob is not None:
        change = signed(column.gold_logprob - own.gold_logprob)
        notes.append(f"change of log p of the worked answer {change}")
    return " · ".join(notes)
