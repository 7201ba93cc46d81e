"""The Sweep panel's texts and table as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from softcot.data.tasks import get_task
from softcot.evaluation.variants import Trial
from softcot.web.templating import render

INTRODUCTION = render(
    "section.html",
    title="How many thoughts?",
    text="The same test problems of the chosen kind with every K, from none, which is hard "
    "chain-of-thought, to the largest that the projection was trained for. Each K is a batch of "
    "its own, so that its time can be seen.",
)

EMPTY = render("empty.html", text="Press “Run sweep” to draw the curves.")

ALT = "Curves against K; the table below lists the same numbers"


def said(task: str, count: int) -> str:
    """What the curves are of."""
    return render("sweep_note.html", title=get_task(task).title, count=count)


def progress(trials: Sequence[Trial], total: int) -> str:
    """How many values of K are done, and how much was written so far."""
    done = sum(trial.n > 0 for trial in trials)
    written = sum(trial.tokens for trial in trials)
    return render("sweep_progress.html", done=done, total=total, written=written)


def table(trials: Sequence[Trial]) -> str:
    """The numbers behind the curves."""
    return render("sweep_table.html", trials=trials)
