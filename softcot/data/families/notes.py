"""The test bed of what soft thoughts carry: the assistant is told a fact, the base is asked for it.

Nothing but the thoughts can tell the base the number, so that what arrives is what they carried.
"""

from __future__ import annotations

import random

from softcot.data.problems import Problem

# Lists of its own: real pairs have records of these very problems.
NAMES = (
    "Ana Cara Eve Gia Iris Kate Mia Olga Rosa Tara Uma Vera Wendy Zoe Nina Lena "
    "Ben Dan Finn Hugo Jack Liam Noah Pete Quinn Sam Tom Umar Victor Will Yusuf Omar"
).split()
THINGS = (
    "marbles coins stickers books pencils shells buttons stamps cards beads ribbons candles "
    "postcards badges magnets keys"
).split()
NUMBERS = range(10, 100)
"""Of two digits: a tenth of all guesses has one of them right, a hundredth both."""


def note_problem(rng: random.Random) -> Problem:
    """One fact for the assistant alone, and the question for its number."""
    name, thing, number = rng.choice(NAMES), rng.choice(THINGS), rng.choice(NUMBERS)
    return Problem(
        task="notes",
        question=f"How many {thing} does {name} have?",
        answer=str(number),
        note=f"{name} has {number} {thing}.",
    )
