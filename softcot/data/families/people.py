"""Names, pronouns and things: the part of the vocabulary that every model has read."""

from __future__ import annotations

import random
from dataclasses import dataclass

WOMEN = "Ana Cara Eve Gia Iris Kate Mia Olga Rosa Tara Uma Vera Wendy Zoe Nina Lena".split()
MEN = "Ben Dan Finn Hugo Jack Liam Noah Pete Quinn Sam Tom Umar Victor Will Yusuf Omar".split()
THINGS = (
    "marbles coins stickers books pencils shells buttons stamps cards beads ribbons candles "
    "postcards badges magnets keys"
).split()
MOMENTS = (
    "on Monday",
    "on Friday",
    "after lunch",
    "in the morning",
    "in the evening",
    "later that day",
    "the next day",
    "at the weekend",
)


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


def two_people(rng: random.Random) -> tuple[Person, Person]:
    """Two people with different names."""
    people = [Person(n, "she", "her", "her") for n in WOMEN]
    people += [Person(n, "he", "him", "his") for n in MEN]
    first, second = rng.sample(people, 2)
    return first, second
