"""The Train panel's texts as HTML."""

from __future__ import annotations

from softcot.training.live import JUDGED, LiveTraining
from softcot.web import views

INTRODUCTION = (
    '<div class="section-title"><h2>Train a projection</h2><p>One linear layer, from the map '
    "between both vocabularies on; both models stay frozen. Every step draws its own K. Stop keeps "
    "the best weights so far, and what was trained can be used under Compare at once.</p></div>"
)

EMPTY = '<p class="empty">Press “Train”. On two processor cores it takes about two minutes.</p>'

ALT = "Accuracy and losses against the steps"

MAP = (
    '<div class="section-title"><h2>The thoughts while it learns</h2><p>Those of the question that '
    "stands under Compare, on axes that were fitted on the vocabulary alone.</p></div>"
)

MAP_ALT = "Map of the thoughts with the present weights"


def status(live: LiveTraining) -> str:
    """How far the training is, or what it came to."""
    if live.phase == "judging":
        return '<p class="note">Judging hard CoT and the shipped projection first.</p>'
    if live.phase == "thinking":
        return '<p class="note">Both models read the training problems, once.</p>'
    if live.phase == "training":
        return views.progress(live.done, live.total, "steps")
    best = live.result
    ended = "Finished" if best.finished else "Stopped"
    text = (
        f"{ended} after {best.seconds:.0f} s; kept are the weights of step {best.best_step}, "
        f"validation loss {best.best_loss:.4f}."
    )
    if live.accuracies:
        text += (
            f" At the last look {100 * live.accuracies[-1][1]:.0f} % of {JUDGED} validation "
            f"problems were right, with hard CoT {100 * live.alone:.0f} %"
        )
        shipped = live.shipped
        text += "." if shipped is None else f", with the shipped projection {100 * shipped:.0f} %."
    if live.share is not None:
        text += f" That is {100 * live.share:.0f} % of the shipped projection's gain."
    return f'<p class="note">{text}</p>'
