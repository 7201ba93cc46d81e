"""What the page's head and the Compare panel show, as HTML, and what all panels have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest

from softcot.analysis.geometry import Exploration, Thought
from softcot.data.families.reading import telling_words
from softcot.data.problems import Problem
from softcot.evaluation.answering import Column
from softcot.methods import METHODS
from softcot.web.cautions import Caution
from softcot.web.explorer import Seen
from softcot.web.requests import Asked
from softcot.web.templating import render

Span = tuple[int, int]
"""Where a part of a text begins and ends."""

STEP = re.compile(r"\S.*?(?:[.!?](?=\s)|$)", re.MULTILINE)
"""A step of an answer: a sentence or a line."""

THOUGHTS = render("section.html", title="Inside the thoughts", text="")

ABOUT_MAP = render(
    "note.html",
    text="The projected thoughts among the base's own token embeddings, compared by direction. The "
    "axes of the map are fitted on the vocabulary alone and hold a part of its variance; the table "
    "measures in the full space, with a placebo to judge it by.",
)


HEADER = render("header.html")


def examples(
    problems: Sequence[Problem],
    laboratory: bool = True,
    picked: bool = False,
    often: float | None = None,
) -> str:
    """Problems to choose from, as buttons that carry their number in `data-index`.

    With the project's own models, whose base has not read everything, they say what is new to it.

    Args:
        problems: What is offered.
        laboratory: Whether the models are the project's own.
        picked: Whether the first one was chosen for what it shows.
        often: The share of random problems that show the same, where records say it.
    """
    told = {"laboratory": laboratory, "picked": picked, "often": often}
    return render("examples.html", problems=problems, **told)


def columns(
    shown: Sequence[Column], swapped: bool = False, stopped: bool = False, unread: bool = False
) -> str:
    """One card for each column, as it stands; before the first token, those that wait.

    The first two are compared: where they part is marked in both.

    Args:
        shown: The columns.
        swapped: Whether the thoughts are another question's.
        stopped: Whether nothing more is written.
        unread: Whether the models have never read what is asked: then no answer is called right.
    """
    told = {"columns": shown, "partings": _partings(shown), "methods": METHODS}
    return render("columns.html", **told, swapped=swapped, stopped=stopped, unread=unread)


def idle_columns() -> str:
    """The two cards before anything ran."""
    return columns([])


def column(shown: Column, swapped: bool = False, stopped: bool = False) -> str:
    """The card of one method."""
    state = {"swapped": swapped, "stopped": stopped, "unread": False, "parted": None}
    return render("column.html", column=shown, methods=METHODS, **state)


def caution(found: Caution | None, pair: str) -> str:
    """The sentences with what a pair has never read, and what to ask instead; nothing for None."""
    if found is None:
        return ""
    spans = [(part.start, part.end) for part in found.unread]
    sentences = _marked(found.text, spans)
    return render("caution.html", sentences=sentences, found=found, pair=pair)


def _marked(text: str, spans: Sequence[Span]) -> list[list[tuple[bool, str]]]:
    """The sentences of a text in which a span begins, each in parts; see `_parts`."""
    return [
        _parts(text[start:end], sorted((a - start, b - start) for a, b in spans))
        for start, end in (sentence.span() for sentence in STEP.finditer(text))
        if any(start <= a < end for a, _ in spans)
    ]


def _partings(shown: Sequence[Column]) -> list[Span | None]:
    """Of each column, the step to mark."""
    marked = _parting(*shown[:2]) if len(shown) > 1 else []
    return [*marked, *[None] * (len(shown) - len(marked))]


def _parting(*two: Column) -> list[Span | None]:
    """Of two columns: the first step in which they differ, as far as it is written in both.

    A column that has ended differs by having no such step.
    """
    written = [[step.span() for step in STEP.finditer(column.text.strip())] for column in two]
    for spans in zip_longest(*written):
        if any(_is_open(*each) for each in zip(two, written, spans, strict=True)):
            return [None, None]
        said = [
            span and column.text.strip()[slice(*span)]
            for column, span in zip(two, spans, strict=True)
        ]
        if said[0] != said[1]:
            return list(spans)
    return [None, None]


def _is_open(column: Column, written: Sequence[Span], span: Span | None) -> bool:
    """Whether a step may still change: the last one, or the next, of what is being written."""
    return not column.done and span in (None, *written[-1:])


def reading(problem: Problem, laboratory: bool = True) -> str:
    """The sentences with words that the base has not reasoned with; nothing without any.

    Only of the project's own models, and of a generated problem, it is known.
    """
    question = problem.question
    new = problem.meta.get("unread", ()) if laboratory else ()
    spans = [span for key in new for span in telling_words(key, question)]
    return render("reading.html", sentences=_marked(question, spans))


def _parts(text: str, spans: Sequence[Span]) -> list[tuple[bool, str]]:
    """(whether it is in one of the spans, the text) for the parts of a text."""
    parts, done = [], 0
    for start, end in spans:
        if 0 <= start < len(text):
            parts += [(False, text[done:start]), (True, text[start:end])]
            done = end
    return [*parts, (False, text[done:])]


def plan(seen: Seen, k: int, swapped: bool, arriving: bool = False) -> str:
    """What each of K thoughts says to the assistant; where that is nothing, beside the placebo.

    Args:
        seen: The thoughts.
        k: K.
        swapped: Whether they are another question's.
        arriving: Whether they take the place of others.
    """
    return render("plan.html", plan=seen.plan, k=k, swapped=swapped, arriving=arriving)


def standing(asked: Asked | None, stale: bool) -> str:
    """What the answers belong to, where that is not what stands beside them."""
    return render("standing.html", asked=asked, stale=stale)


def message(text: str) -> str:
    """A sentence that says what went wrong; nothing for nothing."""
    return render("message.html", text=text)


def progress(done: int, total: int, what: str) -> str:
    """A bar, and its numbers in words."""
    return render("progress.html", done=done, total=total, what=what)


def strip(question: str, k: int) -> str:
    """What the panels that change nothing about it are working on."""
    return render("strip.html", question=question, k=k)


def origin(exploration: Exploration, k: int, swapped: bool, guessed: str = "") -> str:
    """Whose thoughts the map and the table show.

    Args:
        exploration: The thoughts.
        k: K.
        swapped: Whether they are another question's.
        guessed: The kind of problem that a typed question was taken for; empty where it is known.
    """
    found = {"question": exploration.question, "k": k, "swapped": swapped, "guessed": guessed}
    return render("origin.html", **found)


def thought_table(thoughts: Sequence[Thought]) -> str:
    """Norms and nearest tokens, with the placebo's beside them."""
    return render("thought_table.html", thoughts=thoughts)


def sampled(temperature: float, seed: int) -> str:
    """How answers are chosen from now on; nothing where the likeliest are taken."""
    return render("sampled.html", temperature=temperature, seed=seed) if temperature else ""
