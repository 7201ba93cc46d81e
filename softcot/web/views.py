"""Data to HTML. Every text that a person or a model wrote is escaped here, and only here.

Those of a report are escaped in `results_views`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from softcot.analysis.geometry import Exploration, Thought
from softcot.analysis.vocabulary import Neighbour
from softcot.data.problems import Problem
from softcot.evaluation.answering import Column
from softcot.methods import METHODS, SoftCoT
from softcot.models.language_model import LanguageModel
from softcot.thoughts.pair import Pair

SENTENCE = (
    "A frozen language model answers the same question twice: alone, thinking in words, and with "
    "<em>soft thoughts</em>, vectors that a smaller frozen assistant makes in a single pass."
)

THOUGHTS = (
    '<div class="section-title"><h2>Inside the thoughts</h2><p>The projected thoughts among the '
    "base's own token embeddings, compared by direction. The axes of the map are fitted on the "
    "vocabulary alone and hold a part of its variance; the table measures in the full space, with "
    "a placebo to judge it by.</p></div>"
)


def header(pair: Pair, device: str) -> str:
    """Title, one sentence, and what is running where."""
    facts = [
        f"Running on {escape(device)}",
        f"Pair <b>{escape(pair.name)}</b>",
        f"base {_size(pair.base)}",
        f"assistant {_size(pair.assistant)}",
        "both frozen",
    ]
    items = "".join(f"<li>{fact}</li>" for fact in facts)
    return (
        f'<header class="masthead"><h1>SoftCoT Explorer</h1><p class="lead">{SENTENCE}</p>'
        f'<ul class="facts">{items}</ul></header>'
    )


def examples(problems: Sequence[Problem], laboratory: bool = True) -> str:
    """Problems to choose from, as buttons that carry their number in `data-index`.

    With the project's own models, whose base has not read everything, they say what is new to it.
    """
    buttons = (
        f'<button type="button" class="example" data-index="{index}">'
        f'<span class="example-question" translate="no">{escape(problem.question)}</span>'
        '<span class="example-facts"><span>answer '
        f'<b translate="no">{escape(problem.answer)}</b></span>'
        f"{_novelty(problem) if laboratory else ''}</span></button>"
        for index, problem in enumerate(problems)
    )
    return f'<div class="examples">{"".join(buttons)}</div>'


def columns(shown: Sequence[Column], swapped: bool = False, stopped: bool = False) -> str:
    """One card for each column, as it stands; before the first token, those that wait."""
    if not shown:
        return idle_columns()
    return cards(column(one, swapped, stopped) for one in shown)


def cards(drawn: Iterable[str], label: str = "Answers") -> str:
    """Answer cards side by side."""
    return f'<section class="answers" aria-label="{label}">{"".join(drawn)}</section>'


def idle_columns() -> str:
    """The two cards before anything ran."""
    waiting = (
        ("Hard CoT", "The base alone, thinking in words", "Press Run to see the base on its own."),
        ("SoftCoT", "The same base, with soft thoughts", "Press Run to see it with thoughts."),
    )
    return cards(idle_card((name, about), hint) for name, about, hint in waiting)


def idle_card(head: tuple[str, str], hint: str) -> str:
    """A column that nothing was asked of yet."""
    return (
        f'<article class="answer-card idle">{column_head(*head)}'
        f'<p class="completion">{hint}</p></article>'
    )


def message(text: str) -> str:
    """A sentence that says what went wrong; nothing for nothing."""
    return f'<p class="message" role="alert">{escape(text)}</p>' if text else ""


def progress(done: int, total: int, what: str) -> str:
    """A bar, and its numbers in words."""
    return (
        f'<div class="progress"><progress max="{total}" value="{done}" aria-label="{what}">'
        f"</progress><span>{done} of {total} {what}</span></div>"
    )


def percent(value: float, bounds: Sequence[float]) -> str:
    """A share with its interval, both in %."""
    low, high = (f"{100 * bound:.0f}" for bound in bounds)
    return f"{100 * value:.0f} % <span>({low} to {high})</span>"


def number(value: float, digits: int = 1) -> str:
    """A number with a true minus sign; nothing is minus zero."""
    return f"{value:z.{digits}f}".replace("-", "−")


def signed(value: float, digits: int = 1) -> str:
    """The same for a change, which has a sign in any case."""
    return f"{value:+z.{digits}f}".replace("-", "−")


def strip(question: str, k: int) -> str:
    """What the panels that change nothing about it are working on."""
    text = escape(shorten(question))
    asked = f"<q>{text}</q>" if text else "<span>nothing yet</span>"
    return (
        f'<p class="strip"><b>{_thoughts(k)}</b> of {asked} '
        '<a href="?tab=compare" data-tab="compare">Change it</a></p>'
    )


def origin(exploration: Exploration, k: int, swapped: bool) -> str:
    """Whose thoughts the map and the table show."""
    whose = "another question (swapped in)" if swapped else "the question"
    count = f"{k} soft thought{'s' * (k != 1)}"
    return (
        f'<p class="origin"><b>{count}</b> of {whose}: '
        f"<q>{escape(shorten(exploration.question))}</q></p>"
    )


def thought_table(thoughts: Sequence[Thought]) -> str:
    """Norms and nearest tokens, with the placebo's beside them."""
    if not thoughts:
        return (
            '<p class="empty">K = 0: no thoughts. '
            "The prompt is exactly the one of hard chain-of-thought.</p>"
        )
    rows = "".join(
        f"{thought_row(thought.number)}"
        f'<td class="norm" data-label="Norm">{thought.norm_ratio:.2f}×</td>'
        f'<td data-label="Nearest tokens">{neighbours(thought.nearest)}</td>'
        f'<td class="placebo" data-label="Placebo">{neighbours(thought.placebo)}</td></tr>'
        for thought in thoughts
    )
    return (
        '<table class="thoughts"><caption class="sr-only">Nearest tokens of every soft thought'
        '</caption><thead><tr><th scope="col">Thought</th>'
        '<th scope="col" title="Length, in median token embeddings">Norm</th>'
        '<th scope="col">Nearest tokens and their cosine</th>'
        '<th scope="col">Placebo: a random vector of the same norm</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def thought_row(number: int) -> str:
    """The beginning of a table's row about a thought; its number picks it all over the page."""
    return (
        f'<tr data-thought="{number}"><th scope="row"><button type="button" class="number" '
        f'aria-label="Thought {number}">{number}</button></th>'
    )


def answer_card(
    column: Column, head: tuple[str, str], remark: str = "", stopped: bool = False
) -> str:
    """A column as it stands.

    Args:
        column: What was written and read.
        head: Its name, and as HTML what it was given.
        remark: HTML below the answer.
        stopped: Whether somebody ended it.
    """
    state = "done" if column.done else "stopped" if stopped else "running"
    note = column.note or ("Stopped." if state == "stopped" else "")
    if state == "running" and not column.new_tokens:
        note = "The assistant reads the question first."
    votes = " · ".join(f"{escape(answer)} ×{count}" for answer, count in column.votes.items())
    notes = [f"Votes: {votes}" if votes else "", escape(note), remark]
    return (
        f'<article class="answer-card {state}">{column_head(*head)}'
        f'<p class="completion">{escape(column.text.strip())}<span class="caret"></span></p>'
        f'<footer class="verdict">{_answer(column)}'
        f'<span class="meter">{column.new_tokens} tokens · {column.seconds:.1f} s</span></footer>'
        + "".join(f'<p class="note">{text}</p>' for text in notes if text)
        + "</article>"
    )


def gold_score(column: Column) -> str:
    """The log-probability of the right answer, if it is known."""
    if column.gold_logprob is None:
        return ""
    return f"log p of the right answer {number(column.gold_logprob)}"


def column(shown: Column, swapped: bool = False, stopped: bool = False) -> str:
    """The card of one method."""
    method, count = METHODS[shown.method], _thoughts(shown.k)
    about = escape(method.about.format(thoughts=count, k=shown.k))
    soft = method is SoftCoT
    if soft and shown.k and "untrained" in shown.title:
        about = (
            f"With {count} of an <mark>untrained</mark> projection "
            '<a href="?tab=train" data-tab="train">Train one</a>'
        )
    elif soft and not shown.k:
        about = "K = 0: no thoughts, the same prompt as hard CoT"
    elif soft and swapped:
        about = f"With {count} of <mark>another question</mark>"
    return answer_card(shown, (method.short or shown.title, about), gold_score(shown), stopped)


def column_head(name: str, about: str) -> str:
    """The head of a card: a name, and as HTML what it was given."""
    return f'<header><h2>{escape(name)}</h2><p class="about">{about}</p></header>'


def _answer(column: Column) -> str:
    if column.answer is None:
        return '<span class="answer none">no answer</span>' if column.done else ""
    answer = f'<span class="answer">Answer <b translate="no">{escape(column.answer)}</b></span>'
    badge = {
        True: '<span class="badge right">✓ right</span>',
        False: '<span class="badge wrong">✗ wrong</span>',
        None: "",
    }
    return answer + badge[column.correct]


def neighbours(found: Sequence[Neighbour]) -> str:
    """Tokens with their cosines, or with what else they are ranked by."""
    # The tint is the cosine, so that the two columns can be compared at a glance.
    return chips(
        (n.token, n.cosine, f"{n.cosine if n.score is None else n.score:.2f}") for n in found
    )


def chips(found: Iterable[tuple[str, float, str]]) -> str:
    """Tokens, each with the strength of its tint (0 to 1) and a number beside it."""
    items = "".join(
        f'<li style="--cosine:{max(tint, 0):.2f}"><code>{escape(token)}</code>'
        f"<span>{number}</span></li>"
        for token, tint, number in found
    )
    return f'<ul class="chips">{items}</ul>'


def _novelty(problem: Problem) -> str:
    if "unread" not in problem.meta:
        return ""
    new = bool(problem.meta["unread"])
    word = "new to the base" if new else "familiar"
    return f'<span class="novelty{" new" * new}">{word}</span>'


def _thoughts(count: int) -> str:
    return f"{count} soft thought{'s' * (count != 1)}"


def _size(lm: LanguageModel) -> str:
    return f"{sum(p.numel() for p in lm.model.parameters()) / 1e6:.1f} M"


def shorten(text: str, limit: int = 160) -> str:
    """A text, cut off where it is longer than `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
