"""The Intervene panel's cards and tables as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from softcot.evaluation.answering import Column
from softcot.evaluation.variants import Effect, Trial
from softcot.web import views

INTRODUCTION = (
    '<div class="section-title"><h2>Change the thoughts</h2><p>The base answers the question '
    "above four times at once: with its own thoughts, with the edited ones, and with two placebos. "
    "An edit that does no more than a placebo tells nothing about these thoughts.</p></div>"
)

TRIAL = (
    '<div class="section-title"><h2>The same edit on many problems</h2><p>Problems of the chosen '
    "kind, from the test split. Every figure has its 95 % interval.</p></div>"
)

LABEL = "Own thoughts, edited ones and placebos"

AMOUNTS = {"mix": "Share of the second question", "add": "Steps, in typical token embeddings"}

_TITLES = {
    "": ("Own thoughts", "What the assistant thought of this question"),
    "noise": ("Placebo: noise", "Random vectors, as long as the own thoughts"),
    "mean": ("Placebo: mean", "The average thought of each slot, over other questions"),
    "zero": ("Placebo: zero", "Nothing in the slots"),
}

_ROWS = {"own": "Own thoughts", "edited": "Edited"}


def idle() -> str:
    """The cards before anything ran."""
    heads = [_TITLES[""], ("Edited", "The same with your edit"), _TITLES["noise"], _TITLES["mean"]]
    return views.cards((views.idle_card(head, "Press “Run edit”.") for head in heads), LABEL)


def cards(columns: Sequence[Column], stopped: bool = False) -> str:
    """Own thoughts, edited ones and placebos as they stand; the others compared to the first."""
    if not columns:
        return idle()
    own = columns[0]
    heads = [
        _TITLES[""],
        ("Edited", f"With the edit <code>{escape(_edits(columns[1]))}</code>"),
        *(_TITLES[_edits(column)] for column in columns[2:]),
    ]
    drawn = (
        views.answer_card(
            column, head, _difference(column, own) if place else views.gold_score(column), stopped
        )
        for place, (column, head) in enumerate(zip(columns, heads, strict=True))
    )
    return views.cards(drawn, LABEL)


def effects(trials: Sequence[Trial], total: int) -> str:
    """What an edit and the placebos come to, against the own thoughts."""
    own, done = trials[0], min(trial.n for trial in trials)
    if not done:
        return views.progress(0, total, "problems")
    rows = "".join(_effect_row(trial, trial.against(own), trial is own) for trial in trials)
    return (
        f"{views.progress(done, total, 'problems') if done < total else ''}"
        '<div class="scroll" tabindex="0" role="group" aria-label="Effects of the edit">'
        '<table class="effects"><thead><tr><th scope="col">Thoughts</th>'
        '<th scope="col">Right</th><th scope="col">Answers that changed</th>'
        '<th scope="col">Change of log p of the right answer</th></tr></thead>'
        f'<tbody>{rows}</tbody></table></div><p class="note">{done} problems, greedy.</p>'
    )


def _effect_row(trial: Trial, effect: Effect, own: bool) -> str:
    name = _ROWS.get(trial.label) or _TITLES[trial.label][0]
    right = views.percent(trial.accuracy, trial.accuracy_interval)
    flipped = "" if own else views.percent(*effect.flipped)
    change, (low, high) = effect.logprob
    bounds = f"({views.signed(low)} to {views.signed(high)})"
    moved = "" if own else f"{views.signed(change)} <span>{bounds}</span>"
    cells = "".join(f"<td>{cell}</td>" for cell in (right, flipped, moved))
    return f'<tr><th scope="row">{name}</th>{cells}</tr>'


def _edits(column: Column) -> str:
    """What was done to a column's thoughts, as its title says it."""
    return column.title.partition(", ")[2].removeprefix("untrained").removeprefix(", ")


def _difference(column: Column, own: Column) -> str:
    if not (column.done and own.done):
        return ""
    same = column.answer == own.answer
    notes = ["Same answer" if same else f"Answer changed from {escape(own.answer or 'none')}"]
    if column.gold_logprob is not None and own.gold_logprob is not None:
        change = views.signed(column.gold_logprob - own.gold_logprob)
        notes.append(f"log p of the right answer {change}")
    return " · ".join(notes)
