"""What the five families have in common: a writer, and how its draft becomes a problem."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from softcot.data.families.reading import EVERYTHING, SHIPPED_FRACTION, Entry, Reader, Reads
from softcot.data.problems import AnswerKind, Problem

SYMBOLS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}


@dataclass(frozen=True)
class Draft:
    """A problem as its writer leaves it."""

    question: str
    rationale: str
    answer: str
    hint: str
    entries: tuple[Entry, ...]
    """Every situation and fact that must be understood to solve it."""
    operations: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    """The names of those whom it is about."""


@dataclass(frozen=True)
class Family:
    """One family of problems."""

    name: str
    """Name of its task."""
    answer_kind: AnswerKind
    write: Callable[[random.Random, Reader], Draft]

    def problem(self, rng: random.Random, reader: Reader | None = None) -> Problem:
        """Draw a problem in the words that ``reader`` chooses (by default: all there are)."""
        draft = self.write(rng, reader or Reads(EVERYTHING))
        return Problem(
            task=self.name,
            question=draft.question,
            answer=draft.answer,
            rationale=draft.rationale,
            hint=draft.hint,
            meta={
                "operations": list(draft.operations),
                "people": list(draft.people),
                "steps": draft.rationale.count("=") or draft.rationale.count("."),
                "situations": [entry.key for entry in draft.entries],
                "unread": [e.key for e in draft.entries if not e.is_read(SHIPPED_FRACTION)],
            },
        )


def calculate(operation: str, left: int, right: int) -> int:
    """``left`` and ``right`` combined; a division must leave no remainder."""
    if operation == "divide":
        quotient, remainder = divmod(left, right)
        if remainder:
            raise ValueError(f"{left} is not a multiple of {right}")
        return quotient
    return {"add": left + right, "subtract": left - right, "multiply": left * right}[operation]


def equation(operation: str, left: int, right: int) -> str:
    """The calculation in writing: ``12 + 5 = 17``."""
    return f"{left} {SYMBOLS[operation]} {right} = {calculate(operation, left, right)}"


LETTERS = "ABCDE"


@dataclass(frozen=True)
class Choices:
    """Five lettered options, one of them right."""

    text: str
    """As they stand in the question."""
    walk: str
    """The rationale's way to the letter: one option after the other until the right one."""
    letter: str


def choices(rng: random.Random, right: str, wrong: Sequence[str]) -> Choices:
    """``right`` among four of the ``wrong`` options, in random order."""
    options = [right, *dict.fromkeys(text for text in wrong if text != right)][:5]
    rng.shuffle(options)
    place = options.index(right)
    # A small model learns to compare two numbers; it hardly learns to look up a number's letter.
    return Choices(
        text=f"Answer choices: {', '.join(lettered(options))}.",
        walk=judged(right, options[: place + 1]),
        letter=LETTERS[place],
    )


def lettered(options: Sequence[str]) -> list[str]:
    """The options behind their letters: ``(A) 12``."""
    return [f"({letter}) {option}" for letter, option in zip(LETTERS, options, strict=False)]


def judged(result: str, options: Sequence[str]) -> str:
    """Each option with a verdict: ``(A) 12: no. (B) 15: yes.``."""
    verdicts = ["yes" if option == result else "no" for option in options]
    pairs = zip(lettered(options), verdicts, strict=True)
    return " ".join(f"{option}: {verdict}." for option, verdict in pairs)


def sentence(text: str) -> str:
    """A template's text without its brackets, as a sentence; a question mark stays its end."""
    text = text.replace("[", "").replace("]", "")
    return text[0].upper() + text[1:] + ("" if text.endswith("?") else ".")


def article(text: str) -> str:
    """``a`` or ``an``, by the first letter of a template's text."""
    return "an" if text.lstrip("[")[0] in "aeiou" else "a"
