"""The rows of a stored data set: what each must say, and how questions and answers are read."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from softcot.data.answers import read_gold
from softcot.data.problems import ENDING
from softcot.support.reading import json_rows as placed_rows

CHOICES = " Answer choices: "
"""Stands between a question and its options."""

LETTERS = string.ascii_uppercase[:8]
"""As many options as an answer can be read of."""

RawRow = Mapping[str, Any]
"""A row as it is stored."""


@dataclass(frozen=True)
class ReadRow:
    """What a row of a data set says, before it is known to be usable."""

    question: str
    answer: str | None
    """The gold answer in the form its kind parses to; None if it is not of that kind."""
    rationale: str = ""
    source_id: str = ""
    note: str = ""
    """What the assistant alone is told."""
    several: bool = False
    """Whether it has more than one answer, so that none can be told right or wrong."""
    ending: str = ENDING
    """How its worked answer ends, with ``{answer}`` where the gold answer stands."""


def json_rows(text: str) -> list[RawRow]:
    """The rows of a file with one JSON object a line, or with an array of them."""
    return [row for _, row in placed_rows(text)]


_LONE_NUMBER = re.compile(
    r"[-+\u2212\u2013]?\s?\$?(?:[\d,]*\.?\d+(?:\s?/\s?\d+)?|\d+ \d+/\d+|\(\d+/\d+\))"
    r"\s*(?:\([^()]*\))?"
)
"""A number and perhaps its unit in parentheses: ``9 (apples)``, ``7 1/2``, ``-(1/3)``; no time,
ratio or list."""


def lone_number(text: str) -> str | None:
    """The number that a gold answer is, None if it is more or other than that."""
    return read_gold("number", text.strip()) if _LONE_NUMBER.fullmatch(text.strip()) else None


def joined(*parts: str) -> str:
    """The parts of a question as one text."""
    return " ".join(part.strip() for part in parts)


def multiple_choice(
    question: str, options: Sequence[str], right: Sequence[int], rationale: str = ""
) -> ReadRow:
    """A multiple-choice question; ``right`` are the places of the right options."""
    lettered = [f"({letter}) {option}" for letter, option in zip(LETTERS, options, strict=False)]
    told_apart = [" ".join(option.casefold().split()) for option in options]
    return ReadRow(
        f"{question.strip()}{CHOICES}{', '.join(lettered)}.",
        LETTERS[right[0]] if right else None,
        rationale,
        several=len(right) > 1 or any(told_apart.count(told_apart[r]) > 1 for r in right),
    )
