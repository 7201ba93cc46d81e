"""What the page's head and the Compare panel show, as HTML, and what all panels have in common."""

from __future__ import annotations

from collections.abc import Sequence

from softcot.analysis.geometry import Exploration, Thought
from softcot.data.problems import Problem
from softcot.evaluation.answering import Column
from softcot.methods import METHODS
from softcot.web.templating import render

THOUGHTS = render(
    "section.html",
    title="Inside the thoughts",
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


def columns(shown: Sequence[Column], swapped: bool = False, stopped: bool = False) -> str:
    """One card for each column, as it stands; before the first token, those that wait."""
    return render("columns.html", columns=shown, methods=METHODS, swapped=swapped, stopped=stopped)


def idle_columns() -> str:
    """The two cards before anything ran."""
    return columns([])


def column(shown: Column, swapped: bool = False, stopped: bool = False) -> str:
    """The card of one method."""
    return render("column.html", column=shown, methods=METHODS, swapped=swapped, stopped=stopped)


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
