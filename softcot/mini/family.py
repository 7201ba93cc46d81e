"""What the five families have in common: a writer, and how its draft becomes a problem."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from softcot.mini.reading import EVERYTHING, SHIPPED_FRACTION, Entry, Reader, Reads
from softcot.problems import AnswerKind, Problem

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


@dataclass(frozen=True)
class Family:
    """One family of problems."""

    name: str
    title: str
    answer_kind: AnswerKind
    write: Callable[[random.Random, Reader], Draft]
    has_training_split: bool = True

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


def choices(rng: random.Random, right: str, wrong: Sequence[str]) -> tuple[str, str]:
    """Five lettered options with ``right`` among them: their text and the right letter."""
    options = [right, *dict.fromkeys(text for text in wrong if text != right)][:5]
    rng.shuffle(options)
    # The letter stands after its option, so that finding it is copying what follows.
    text = ", ".join(
        f"{option} ({letter})" for letter, option in zip("ABCDE", options, strict=True)
    )
    return f"Answer choices: {text}.", "ABCDE"[options.index(right)]


def sentence(text: str) -> str:
    """A template's text without its brackets, as a sentence."""
    text = text.replace("[", "").replace("]", "")
    return text[0].upper() + text[1:] + "."


def article(text: str) -> str:
    """``a`` or ``an``, by the first letter of a template's text."""
    return "an" if text.lstrip("[")[0] in "aeiou" else "a"
