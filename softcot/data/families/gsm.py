"""``mini-gsm``: word problems of two to four steps about somebody's collection."""

from __future__ import annotations

import random
from dataclasses import dataclass

from softcot.data.families import situations
from softcot.data.families.family import Draft, Family, article, calculate, equation, sentence
from softcot.data.families.people import MOMENTS, THINGS, Person, two_people
from softcot.data.families.reading import Entry, Reader

OUTCOMES = {
    "add": "{he} gains {b}: ",
    "subtract": "{he} loses {b}: ",
    "multiply": "times {b}: ",
    "divide": "one part in {b}: ",
}
LARGEST = 120
"""No quantity on the way grows beyond this."""


@dataclass(frozen=True)
class Step:
    """One change of the quantity."""

    text: str
    operation: str
    amount: int
    entries: tuple[Entry, ...]
    hint: str


def possible_operations(total: int) -> list[str]:
    """The operations that keep a quantity whole, positive and at most :data:`LARGEST`."""
    possible = ["add"] if total <= LARGEST - 20 else []
    possible += ["subtract"] if total > 3 else []
    possible += ["multiply"] if total <= 24 else []
    possible += ["divide"] if proper_parts(total) else []
    return possible


def draw_amount(rng: random.Random, operation: str, total: int) -> int:
    """A number that may be combined with ``total``."""
    if operation == "add":
        return rng.randint(2, 20)
    if operation == "subtract":
        return rng.randint(2, min(20, total - 1))
    if operation == "multiply":
        return rng.randint(2, min(5, LARGEST // total))
    return rng.choice(proper_parts(total))


def proper_parts(total: int) -> list[int]:
    """The numbers of parts, 2 to 5, that ``total`` falls into with more than one in each."""
    return [parts for parts in (2, 3, 4, 5) if total % parts == 0 and total > parts]


def draw_step(
    rng: random.Random,
    reader: Reader,
    total: int,
    who: Person,
    other: Person,
    things: str,
    pronouns: bool = True,
) -> Step:
    """A change of ``total``, told in words that ``reader`` picks."""
    operation = rng.choice(possible_operations(total))
    situation = reader.pick(rng, situations.CHANGES[operation])
    amount, hint = draw_amount(rng, operation, total), operation
    entries: tuple[Entry, ...] = (situation,)
    quantity = f"{amount} {things}"
    words = [word for word in situations.AMOUNTS if word.value < total]
    if "{q}" in situation.text and any(map(reader.knows, words)) and rng.random() < 0.2:
        word = reader.pick(rng, words)
        amount, entries, hint = word.value, (situation, word), f"{operation} {word.value}"
        of = "" if word.name.endswith("dozen") else "of "
        quantity = f"{article(word.text)} {word.text} {of}{things}"
    by_pronoun = pronouns and situation.text.startswith("{n}") and rng.random() < 0.5
    text = situation.text.format(
        n=who.he if by_pronoun else who.name,
        m=other.name,
        q=quantity,
        b=amount,
        t=things,
        r=who.himself,
    )
    if "{q}" in situation.text:
        text = rng.choice((text, text, f"{text} {rng.choice(MOMENTS)}"))
    return Step(text, operation, amount, entries, hint)


def outcome(step: Step, total: int, who: Person) -> str:
    """The step as a sentence of the rationale."""
    lead = OUTCOMES[step.operation].format(he=who.he, b=step.amount)
    return sentence(lead + equation(step.operation, total, step.amount))


def write(rng: random.Random, reader: Reader) -> Draft:
    """A story with a start, two to four changes and sometimes a fact that does not matter."""
    who, other = two_people(rng)
    things = rng.choice(THINGS)
    start = total = rng.randint(3, 30)
    told: list[str] = []
    steps: list[Step] = []
    reasoning = [f"{who.name} starts with {start} {things}."]
    for _ in range(rng.choice((2, 3, 3, 4))):
        # The first change may open the story, where a pronoun would stand for nobody.
        step = draw_step(rng, reader, total, who, other, things, pronouns=bool(told))
        steps.append(step)
        told.append(sentence(rng.choice(("", "", "then ")) * bool(told) + step.text))
        reasoning.append(outcome(step, total, who))
        total = calculate(step.operation, total, step.amount)
    return Draft(
        question=_story(rng, who, other, things, start, told),
        rationale=" ".join(reasoning),
        answer=str(total),
        hint=" ".join(step.hint for step in steps),
        entries=tuple(entry for step in steps for entry in step.entries),
        operations=tuple(step.operation for step in steps),
    )


def _story(
    rng: random.Random, who: Person, other: Person, things: str, start: int, told: list[str]
) -> str:
    opening = rng.choice(
        (
            f"{who.name} has {start} {things}.",
            f"{who.name} starts the week with {start} {things}.",
            f"At first, {who.name} owns {start} {things}.",
            f"There are {start} {things} in {who.name}'s box.",
        )
    )
    asked = rng.choice(
        (
            f"How many {things} does {who.name} have now?",
            f"How many {things} are left for {who.name} in the end?",
            f"What number of {things} does {who.name} have after all this?",
        )
    )
    if rng.random() < 0.3:
        aside = rng.choice(
            (
                f"{other.name} is {rng.randint(6, 60)} years old.",
                f"The trip takes {rng.randint(2, 50)} minutes.",
                f"It is {rng.randint(2, 30)} degrees outside.",
                f"{other.name}'s own box holds {rng.randint(2, 40)} {things}.",
            )
        )
        told = told.copy()
        # Never between two changes: a pronoun that follows would stand for the wrong person.
        told.insert(rng.choice((0, len(told))), aside)
    order = rng.random()
    if order < 0.7:
        return " ".join([opening, *told, asked])
    if order < 0.85:
        return " ".join([asked, opening, *told])
    return " ".join([*told, f"At the very start, {who.name} had {start} {things}.", asked])


FAMILY = Family("mini-gsm", "number", write)
