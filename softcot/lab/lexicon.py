"""The lexicon of a model, gathered while its training questions are drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from softcot.data.families import encyclopedia, people, situations
from softcot.data.lexicon import (
    MOMENT,
    NAME,
    Clause,
    Lexicon,
    Span,
    Token,
    clauses,
    form_of,
    number,
    written,
)
from softcot.data.problems import Problem

CLASSES: dict[str, tuple[str, ...]] = {
    NAME: (*people.WOMEN, *people.MEN),
    "thing": tuple(people.THINGS),
    MOMENT: tuple(people.MOMENTS),
    "count": tuple(people.NUMBER_WORDS[2:]),
    "amount": tuple(entry.name for entry in situations.AMOUNTS),
} | {kind: tuple(e.name for e in found) for kind, found in encyclopedia.ENTITIES.items()}
"""Words that stand for each other in the problems of the laboratory."""

OFTEN = 1000
"""Times that a form must come for its smallest and largest numbers to be all that it can hold."""


@dataclass
class Gatherer:
    """Keeps what problems are told with, problem by problem."""

    seen: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Class -> the words of it that came."""
    forms: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """Task -> form -> times that it came, then the smallest and largest of each of its numbers."""

    def add(self, problem: Problem) -> None:
        """One problem more, all of whose words are real ones."""
        known = self.forms.setdefault(problem.task, {})
        told = frozenset(problem.meta.get("people", ()))
        self.seen[NAME] |= told
        for clause in clauses(problem.question):
            # Any name stands for any other, also for those that were made up for the problem.
            texts = tuple(_SOMEBODY if t.text in told else t.text for t in clause.tokens)
            values = [value for value in map(number, texts) if value is not None]
            form, words = _taken(tuple(_anonymous(text) for text in texts), clause.asks)
            for name, word in words:
                if name != NAME:
                    self.seen[name].add(word)
            kept = known.setdefault(form, [0, *(value for value in values for _ in range(2))])
            kept[0] += 1
            for place, value in enumerate(values):
                low, high = 2 * place + 1, 2 * place + 2
                kept[low], kept[high] = min(kept[low], value), max(kept[high], value)

    def lexicon(self) -> Lexicon:
        """What all of them held."""
        tasks = sorted(self.forms)
        return Lexicon(
            members={name: self._came(name) for name in sorted(CLASSES)},
            numbers={task: span for task in tasks if (span := _widest(self.forms[task]))},
            forms={
                task: {form: _said(kept) for form, kept in sorted(self.forms[task].items())}
                for task in tasks
            },
            open=(NAME,),
        )

    def _came(self, name: str) -> tuple[str, ...]:
        """The words of a class that came, as they are declared, sorted."""
        small = {text.lower() for text in self.seen[name]}
        return tuple(sorted(word for word in CLASSES[name] if word.lower() in small))


_SOMEBODY = people.WOMEN[0]

_ALL = Lexicon(CLASSES, {}, {})
"""Knows which word is of which class, and nothing else."""


def _anonymous(text: str) -> str:
    """A token, every number as 0: what differs in numbers alone is taken apart once."""
    return text if number(text) is None else "0"


@lru_cache(maxsize=100_000)
def _taken(texts: tuple[str, ...], asks: bool) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The form of a clause of these tokens, and the words of each class in it."""
    tokens = tuple(Token(text, place, place + 1) for place, text in enumerate(texts))
    slots = _ALL.slots(Clause(tokens, "", False))
    return form_of(slots, asks), tuple((s.kind[1:-1], s.text) for s in slots if s.kind[0] == "<")


def _spans(kept: list[int]) -> list[Span]:
    return list(zip(kept[1::2], kept[2::2], strict=True))


def _said(kept: list[int]) -> str:
    return written(_spans(kept)) if kept[0] >= OFTEN else ""


def _widest(forms: Mapping[str, list[int]]) -> Span | None:
    """Smallest and largest number of a task, but for the answers that one may choose from."""
    spans = [
        span for form, kept in forms.items() if not form.startswith("(") for span in _spans(kept)
    ]
    return (min(low for low, _ in spans), max(high for _, high in spans)) if spans else None
