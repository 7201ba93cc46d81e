"""Names, pronouns, things and small words: the part of the vocabulary that every model has read."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from softcot.data.families.names import MEN, WOMEN
from softcot.data.families.nouns import NOUNS
from softcot.data.families.reading import invented_word

__all__ = ["MEN", "MOMENTS", "THINGS", "WOMEN", "Person", "told_number", "two_people"]

THINGS = tuple(dict.fromkeys(NOUNS.values()))
INVENTED = 0.2
"""Share of names that are made up: a name may be anything that begins with a capital letter."""
MOMENTS = tuple(
    "on Monday, on Tuesday, on Wednesday, on Thursday, on Friday, on Saturday, on Sunday, "
    "after lunch, after school, in the morning, in the afternoon, in the evening, at night, "
    "later that day, the next day, at the weekend, during the week, a week later".split(", ")
)
NUMBER_WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()


@dataclass(frozen=True)
class Person:
    """Somebody in a problem."""

    name: str
    he: str
    him: str
    his: str

    @property
    def himself(self) -> str:
        """The reflexive pronoun."""
        return f"{self.him}self"


def two_people(
    rng: random.Random,
    women: Sequence[str] = WOMEN,
    men: Sequence[str] = MEN,
    invented: float = INVENTED,
) -> tuple[Person, Person]:
    """Two people with different names.

    Args:
        rng: Draws them.
        women: Names to draw from.
        men: Likewise.
        invented: Share of names that are made up instead.
    """
    first, second = _person(rng, women, men, invented), _person(rng, women, men, invented)
    while second.name == first.name:
        second = _person(rng, women, men, invented)
    return first, second


def _person(
    rng: random.Random, women: Sequence[str], men: Sequence[str], invented: float
) -> Person:
    woman = rng.random() < 0.5
    name = rng.choice(women if woman else men)
    if rng.random() < invented:
        name = invented_word(rng).capitalize()
    return Person(name, *(("she", "her", "her") if woman else ("he", "him", "his")))


def told_number(number: int, rng: random.Random) -> str:
    """A number as people write it: small ones now and then in words, large ones with a comma."""
    if number < len(NUMBER_WORDS) and rng.random() < 0.12:
        return NUMBER_WORDS[number]
    return f"{number:,}" if rng.random() < 0.6 else str(number)
