"""The Inside panel's texts and tables as HTML."""

from __future__ import annotations

import numpy as np

from softcot.analysis.inspection import Inspection
from softcot.analysis.trajectory import Trajectory
from softcot.web.templating import render

EMPTY = render(
    "empty.html", text="Press “Look inside” to measure the thoughts of the question above."
)

WAITING = render("empty.html", text="Nothing measured yet.")

INTRODUCTION = render(
    "section.html",
    title="One question, from all sides",
    text="Whatever a vector is, some token is nearest to it and some head attends to it. So each "
    "measure stands beside that of random vectors of the same lengths, or beside what happens when "
    "the thought is left out.",
)

PARTS = (
    ("What they read as", "What the assistant would write at each placeholder, and the base's "
     "tokens that are nearest to the projected thought", ""),
    ("What they do", "Attention says where the base looks while it writes; leaving a thought out "
     "says whether that mattered", ""),
    ("Where they lie", "The thoughts among the base's tokens, on three axes that were fitted on "
     "the vocabulary alone", "map"),
    ("To each other", "Cosines between the thoughts: those near 1 point the same way", "square"),
    ("Layer by layer", "What the base itself would write after each slot, read from every layer "
     "(logit lens)", "wide"),
    ("Heads that look", "The share of a head's attention that all thoughts together get from the "
     "answer's tokens", "small"),
)  # fmt: skip

MANY = (
    "Many problems on one map",
    "The thoughts of test problems of the chosen kind, coloured by what each of them should name; "
    "click one to see its problem",
)


def heading(title: str, about: str) -> str:
    """The title of a section with a sentence."""
    return render("section.html", title=title, text=f"{about}.")


def facts(seen: Inspection) -> str:
    """The figures that say most, each beside the placebo's."""
    shapes = (seen.geometry.thoughts, seen.geometry.placebo)
    cosines = [_mean_off_diagonal(shape.cosines) for shape in shapes]
    return render("facts.html", seen=seen, cosines=cosines)


def readings(seen: Inspection) -> str:
    """Both vocabularies' tokens for each thought."""
    rows = zip(seen.exploration.thoughts, seen.assistant, strict=True)
    return render("readings.html", rows=rows)


def effects(seen: Inspection) -> str:
    """Attention to each thought beside what leaving it out does, and what it does alone."""
    changes = np.stack([seen.dropped, seen.kept])
    return render(
        "thought_effects.html",
        rows=zip(seen.attention.tolist(), *changes.tolist(), strict=True),
        most=max(float(seen.attention.max()), 1e-6),
        largest=max(float(np.abs(changes).max()), 1e-6),
    )


def entry(found: Trajectory) -> str:
    """A problem of the map."""
    return render("entry.html", found=found)


def _mean_off_diagonal(cosines: np.ndarray) -> str:
    count = len(cosines)
    if count < 2:
        return "–"
    return f"{(cosines.sum() - np.trace(cosines)) / (count * (count - 1)):.2f}"
