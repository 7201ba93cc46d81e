"""``mini-strategy``: yes or no, from two facts about entities of the invented encyclopedia."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from softcot.data.families.encyclopedia import ENTITIES, FACTS, invent_facts
from softcot.data.families.family import Draft, Family
from softcot.data.families.reading import Entry, Reader


@dataclass(frozen=True)
class Kind:
    """A kind of question: two entities, the fact of each that counts, when the answer is yes."""

    first: str
    second: str
    facts: tuple[str, str]
    questions: tuple[str, ...]
    says: tuple[str, str]
    """The facts as sentences."""
    holds: Callable[[Any, Any], bool]
    """Whether the answer is yes, given the two facts: two numbers or two words."""
    compared: tuple[str, str]
    """The comparison as a sentence when the answer is yes, and when it is no."""


MORE = ("{x} is more than {y}.", "{x} is not more than {y}.")
SAME = ("The words {x} and {y} are the same.", "The words {x} and {y} are different.")

KINDS = (
    Kind(
        "creature", "creature", ("weight", "weight"),
        ("Is a {a} heavier than a {b}?", "Would a {a} outweigh a {b} on the scales?",
         "If a {a} and a {b} sat on a seesaw, would the {a} sink?"),
        ("A {a} weighs {x} kilograms.", "A {b} weighs {y} kilograms."),
        lambda x, y: x > y, MORE,
    ),
    Kind(
        "creature", "creature", ("age", "age"),
        ("Does a {a} usually live longer than a {b}?",
         "Born on the same day, would a {a} be expected to outlive a {b}?",
         "Is the life of a {a} longer than that of a {b}?"),
        ("A {a} lives {x} years.", "A {b} lives {y} years."),
        lambda x, y: x > y, MORE,
    ),
    Kind(
        "cart", "creature", ("load", "weight"),
        ("Could a {a} cart carry a {b}?", "Can a {b} be moved safely on a {a} cart?",
         "Is a {a} cart strong enough for a {b}?"),
        ("A {a} cart carries {x} kilograms.", "A {b} weighs {y} kilograms."),
        lambda x, y: x > y, MORE,
    ),
    Kind(
        "traveller", "cart", ("year", "year"),
        ("Could {a} have driven a {b} cart?", "Was the {b} cart around while {a} was alive?",
         "Might {a} have owned a {b} cart?"),
        ("{a} died in the year {x}.", "The {b} cart came in the year {y}."),
        lambda x, y: x > y, MORE,
    ),
    Kind(
        "creature", "valley", ("climate", "climate"),
        ("Would a {a} feel at home in the {b} valley?",
         "Does the weather of the {b} valley suit a {a}?",
         "Could a {a} stand the climate of the {b} valley?"),
        ("A {a} needs a {x} place.", "The {b} valley is {y}."),
        lambda x, y: x == y, SAME,
    ),
    Kind(
        "creature", "valley", ("food", "food"),
        ("Would a {a} find its food in the {b} valley?", "Could a {a} eat well in the {b} valley?",
         "Is there a meal for a {a} in the {b} valley?"),
        ("A {a} eats {x}.", "The {b} valley is full of {y}."),
        lambda x, y: x == y, SAME,
    ),
)  # fmt: skip


def write(rng: random.Random, reader: Reader) -> Draft:
    """A question whose answer is as often yes as no."""
    kind, wanted = rng.choice(KINDS), rng.random() < 0.5
    for _ in range(40):
        first = reader.pick(rng, ENTITIES[kind.first])
        second = reader.pick(rng, ENTITIES[kind.second])
        x, y = value_of(rng, first, kind.facts[0]), value_of(rng, second, kind.facts[1])
        if first.name != second.name and kind.holds(x, y) == wanted:
            break
    names = {"a": first.text[1:-1], "b": second.text[1:-1], "x": x, "y": y}
    question = rng.choice(kind.questions)
    yes = kind.holds(x, y)
    reasoning = [*kind.says, kind.compared[not yes]]
    return Draft(
        question=question.format(**names),
        rationale=" ".join(reasoning).format(**names),
        answer="yes" if yes else "no",
        hint=f"{x} {y}",
        entries=(first, second),
        operations=(kind.facts[0],),
    )


def value_of(rng: random.Random, entry: Entry, fact: str) -> int | str:
    """The fact about an entity; an entity with an invented name gets an invented one."""
    is_real = entry.text[1:-1] == entry.name
    return getattr(FACTS[entry.name] if is_real else invent_facts(entry.kind, rng), fact)


FAMILY = Family("mini-strategy", "yesno", write)
