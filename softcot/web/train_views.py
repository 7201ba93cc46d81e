"""The Train panel's texts as HTML."""

from __future__ import annotations

from softcot.thoughts.projection import Projection
from softcot.training.live import LiveTraining
from softcot.web.templating import render

INTRODUCTION = render(
    "section.html",
    title="Train a projection",
    text="One linear layer; both models stay frozen. "
    "Every step draws its own K. Stop keeps the best weights so far, and what was trained can be "
    "used under Compare at once.",
)

EMPTY = render(
    "empty.html", text="Press “Train”. On two processor cores it takes about two minutes."
)

EMPTY_LARGE = render(
    "empty.html",
    text="Press “Train”. With models of this size every step takes seconds: a few of them show "
    "how it goes rather than what can be learned.",
)

WAITING = render("empty.html", text="Nothing trained yet.")

ALT = "Accuracy, losses, and how alike the thoughts of two questions are, against the steps"

MAP = render(
    "section.html",
    title="The thoughts while it learns",
    text="Those of the question that stands under Compare, on axes that were fitted on the "
    "vocabulary alone.",
)

TRAINED = "Use the projection that was trained on this page"
BROUGHT = "Use the projection that you brought"
"""What the choice under Compare is called."""

MAP_ALT = "Map of the thoughts with the present weights"


def status(live: LiveTraining) -> str:
    """How far the training is, or what it came to."""
    return render("training.html", live=live, judged=live.judged)


def brought(projection: Projection) -> str:
    """What a projection of the reader's own was made for."""
    return render("brought.html", projection=projection)
