"""The test bed of what soft thoughts carry: the assistant is told facts, the base asked for one.

Nothing but the thoughts can tell the base what stands in the note, so that what arrives is what
they carried.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

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

PLACES = "bakery castle farm office river road school shop".split()
COLOURS = "black blue brown green red silver white yellow".split()

COUNTS = (1, 2, 4, 8)
"""Facts of a note."""

SUMS = 0.25
"""Share of the notes with two numbers or more that are asked for the sum of two."""


def note_problem(rng: random.Random) -> Problem:
    """One fact for the assistant alone, and the question for its number."""
    name, thing, number = rng.choice(NAMES), rng.choice(THINGS), rng.choice(NUMBERS)
    return Problem(
        task="notes",
        question=f"How many {thing} does {name} have?",
        answer=str(number),
        note=f"{name} has {number} {thing}.",
    )


def facts_problem(task: str, counts: Sequence[int] = COUNTS) -> Callable[[random.Random], Problem]:
    """What draws problems of a task: a note of several facts about different people.

    Each fact is a number of things, a place or a colour. Asked is for one, or for the sum of two
    numbers.

    Args:
        task: Name of the task.
        counts: How many facts a note may have.
    """

    def draw(rng: random.Random) -> Problem:
        thing, people = rng.choice(THINGS), rng.sample(NAMES, rng.choice(counts))
        facts = [_fact(rng, name, thing) for name in people]
        kind, name, value = rng.choice(facts)
        question, answer, rationale = _asked(kind, name, thing), value, ""
        numbers = [fact for fact in facts if fact[0] == "number"]
        if len(numbers) > 1 and rng.random() < SUMS:
            (_, one, left), (_, other, right) = rng.sample(numbers, 2)
            kind, answer = "sum", str(int(left) + int(right))
            question = f"How many {thing} do {one} and {other} have together?"
            rationale = f"{left} + {right} = {answer}."
        return Problem(
            task=task,
            question=question,
            answer=answer,
            rationale=rationale,
            note=" ".join(_told(*fact, thing) for fact in facts),
            meta={"facts": len(facts), "asked": kind},
        )

    return draw


def _fact(rng: random.Random, name: str, thing: str) -> tuple[str, str, str]:
    """What is known of somebody: its kind, the name, and the value."""
    kind = rng.choice(("number", "place", "colour"))
    values: dict[str, Sequence[object]] = {"number": NUMBERS, "place": PLACES, "colour": COLOURS}
    return kind, name, str(rng.choice(values[kind]))


def _told(kind: str, name: str, value: str, thing: str) -> str:
    """A fact as a sentence of a note."""
    said = {
        "number": f"{name} has {value} {thing}.",
        "place": f"{name} is at the {value}.",
        "colour": f"The colour of {name} is {value}.",
    }
    return said[kind]


def _asked(kind: str, name: str, thing: str) -> str:
    """The question for it."""
    asked = {
        "number": f"How many {thing} does {name} have?",
        "place": f"At which place is {name}?",
        "colour": f"What is the colour of {name}?",
    }
    return asked[kind]
