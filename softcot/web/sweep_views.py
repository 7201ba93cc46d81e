"""The Sweep panel's texts and table as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from softcot.data.tasks import get_task
from softcot.evaluation.variants import Trial
from softcot.web import views

INTRODUCTION = (
    '<div class="section-title"><h2>How many thoughts?</h2><p>The same test problems of the chosen '
    "kind with every K, from none, which is hard chain-of-thought, to the largest that the "
    "projection was trained for. Each K is a batch of its own, so that its time can be seen.</p>"
    "</div>"
)

EMPTY = '<p class="empty">Press “Run sweep” to draw the curves.</p>'

ALT = "Curves against K; the table below lists the same numbers"


def said(task: str, count: int) -> str:
    """What the curves are of."""
    title = f"<span>{get_task(task).title}</span>"
    return f'<p class="note">{title}: {count} test problems for each K, greedy.</p>'


def table(trials: Sequence[Trial]) -> str:
    """The numbers behind the curves."""
    rows = "".join(
        f'<tr><th scope="row">{trial.k}</th>'
        f"<td>{views.percent(trial.accuracy, trial.accuracy_interval)}</td>"
        f"<td>{views.number(sum(trial.logprobs) / trial.n)}</td>"
        f"<td>{1000 * trial.seconds / trial.n:.0f} ms</td></tr>"
        for trial in trials
    )
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Numbers of the sweep">'
        '<table class="effects"><thead><tr><th scope="col">K</th><th scope="col">Right</th>'
        '<th scope="col">log p of the right answer</th><th scope="col">Time a problem</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
    )
