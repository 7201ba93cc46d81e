"""The Inside panel's texts and tables as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from softcot.analysis.inspection import Inspection
from softcot.analysis.lens import Reading
from softcot.analysis.trajectory import Trajectory
from softcot.web import views

EMPTY = '<p class="empty">Press “Look inside” to measure the thoughts of the question above.</p>'

WAITING = '<p class="empty">Nothing measured yet.</p>'

INTRODUCTION = (
    '<div class="section-title"><h2>One question, from all sides</h2><p>Whatever a vector is, some '
    "token is nearest to it and some head attends to it. So each measure stands beside that of "
    "random vectors of the same lengths, or beside what happens when the thought is left out.</p>"
    "</div>"
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
    return f'<div class="section-title"><h2>{title}</h2><p>{about}.</p></div>'


def facts(seen: Inspection) -> str:
    """The figures that say most, each beside the placebo's."""
    own, placebo = seen.geometry.thoughts, seen.geometry.placebo
    ratios, count = seen.geometry.norm_ratios, len(seen.geometry.norm_ratios)
    lengths = f"{ratios.min():.2f} to {ratios.max():.2f}"
    rows = [
        (
            "Directions they fill",
            f"{own.effective_rank:.1f} of {count}",
            f"{placebo.effective_rank:.1f}",
            "effective rank",
        ),
        (
            "Cosine between two thoughts",
            _mean_off_diagonal(own.cosines),
            _mean_off_diagonal(placebo.cosines),
            "mean",
        ),
        ("Length, in typical tokens", lengths, "the same", ""),
    ]
    if own.to_others is not None:
        means = (f"{shape.to_others.mean():.2f}" for shape in (own, placebo))
        said = "same slot; near 1 is a static prompt"
        rows.append(("Cosine to other questions' thoughts", *means, said))
    items = "".join(
        f"<div><dt>{name}</dt><dd><b>{value}</b> <span>placebo {other}</span>"
        f"<span>{note}</span></dd></div>"
        for name, value, other, note in rows
    )
    return (
        f'<dl class="measures">{items}</dl><p class="note">The base answered: '
        f"<q>{escape(seen.answer)}</q></p>"
    )


def readings(seen: Inspection) -> str:
    """Both vocabularies' tokens for each thought."""
    rows = "".join(
        f"{views.thought_row(thought.number)}"
        f'<td data-label="The assistant would write">{_chips(said)}</td>'
        f'<td data-label="Nearest tokens of the base">{views.neighbours(thought.nearest)}</td>'
        f'<td class="placebo" data-label="Placebo">{views.neighbours(thought.placebo)}</td></tr>'
        for thought, said in zip(seen.exploration.thoughts, seen.assistant, strict=True)
    )
    return (
        '<table class="thoughts"><thead><tr><th scope="col">Thought</th>'
        '<th scope="col">The assistant would write</th>'
        '<th scope="col">Nearest tokens of the base</th>'
        '<th scope="col">Placebo: a random vector of the same length</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def effects(seen: Inspection) -> str:
    """Attention to each thought beside what leaving it out does, and what it does alone."""
    changes = np.stack([seen.dropped, seen.kept])
    largest = max(float(np.abs(changes).max()), 1e-6)
    most = max(float(seen.attention.max()), 1e-6)
    rows = "".join(
        f"{views.thought_row(number)}"
        f"<td>{_bar(share / most, f'{100 * share:.2f} %')}</td>"
        f"<td>{_bar(abs(dropped) / largest, views.signed(dropped, 2))}</td>"
        f"<td>{_bar(abs(kept) / largest, views.signed(kept, 2))}</td></tr>"
        for number, (share, dropped, kept) in enumerate(
            zip(seen.attention.tolist(), *changes.tolist(), strict=True), start=1
        )
    )
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="What each thought does">'
        '<table class="effects bars"><thead><tr><th scope="col">Thought</th>'
        '<th scope="col">Attention from the answer</th>'
        '<th scope="col">Left out: change of the answer’s log p</th>'
        '<th scope="col">Alone: change against no thoughts</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def entry(found: Trajectory) -> str:
    """A problem of the map."""
    novelty = "" if found.read else " · new to the base"
    return (
        f'<p class="origin"><q>{escape(found.question)}</q></p>'
        f'<p class="note">{escape(found.kind)} · answer {escape(found.answer)}{novelty}</p>'
    )


def _bar(share: float, text: str) -> str:
    return (
        f'<span class="bar" style="--share:{min(share, 1):.3f}"></span>'
        f'<span class="value">{text}</span>'
    )


def _chips(found: Sequence[Reading]) -> str:
    return views.chips(
        (one.token, one.probability, f"{100 * one.probability:.0f} %") for one in found[:3]
    )


def _mean_off_diagonal(cosines: np.ndarray) -> str:
    count = len(cosines)
    if count < 2:
        return "–"
    return f"{(cosines.sum() - np.trace(cosines)) / (count * (count - 1)):.2f}"
