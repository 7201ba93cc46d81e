"""``mini-gsm``: word problems of one to four steps about somebody's collection."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from softcot.data.families import situations
from softcot.data.families.family import Draft, Family, article, calculate, equation, sentence
from softcot.data.families.manner import TRAINED, Manner
from softcot.data.families.people import Person, told_number
from softcot.data.families.reading import Entry, Reader

OUTCOMES = {
    "add": "gain {b}: ",
    "subtract": "lose {b}: ",
    "multiply": "times {b}: ",
    "divide": "one part in {b}: ",
}
"""They name nobody: what is written for Anna is written for whoever comes."""
LARGEST = 9_999
"""No quantity on the way grows beyond this."""
PARTED = 144
"""Largest quantity that is divided, and half as much again as the largest that is multiplied."""
MULTIPLIED = 99
SIZES = ((3, 30), (31, 120), (121, 999), (1000, LARGEST))
SHARES = (0.62, 0.2, 0.11, 0.07)
"""How often a problem begins with a number of each size."""


@dataclass(frozen=True)
class Step:
    """One change of the quantity."""

    text: str
    operation: str
    amount: int
    entries: tuple[Entry, ...]
    hint: str
    subject: str = ""
    """The person it is about, as the text begins with them; empty where it begins otherwise."""


def draw_start(rng: random.Random) -> int:
    """How many there are in the beginning: mostly few, sometimes thousands."""
    low, high = rng.choices(SIZES, SHARES)[0]
    return rng.randint(low, high)


def possible_operations(total: int) -> list[str]:
    """The operations that keep a quantity whole, positive and at most :data:`LARGEST`."""
    possible = ["add"] if total <= LARGEST - 20 else []
    possible += ["subtract"] if total > 3 else []
    possible += ["multiply"] if total <= MULTIPLIED else []
    possible += ["divide"] if total <= PARTED and proper_parts(total) else []
    return possible


def draw_amount(rng: random.Random, operation: str, total: int) -> int:
    """A number that may be combined with ``total``."""
    if operation == "add":
        most = max(20, rng.choice((20, total, 2 * total)))
        return rng.randint(2, min(most, LARGEST - total))
    if operation == "subtract":
        most = max(20, rng.choice((20, total - 1)))
        return rng.randint(2, min(most, total - 1))
    if operation == "multiply":
        return rng.choice((2, 3, 4, 5, 2, 3, 4, 5, 6, 7, 8, 9, 10))
    return rng.choice(proper_parts(total))


def proper_parts(total: int) -> list[int]:
    """The numbers of parts, 2 to 9, that ``total`` falls into with more than one in each."""
    return [parts for parts in range(2, 10) if total % parts == 0 and total > parts]


def draw_step(
    rng: random.Random,
    reader: Reader,
    total: int,
    who: Person,
    other: Person,
    things: str,
    manner: Manner = TRAINED,
    pronouns: bool = True,
    past: bool = False,
) -> Step:
    """A change of ``total``, told in words that ``reader`` picks.

    Args:
        rng: Draws it.
        reader: Picks its words.
        total: How many there are before.
        who: Whose they are.
        other: Somebody else.
        things: What they are.
        manner: How it is told.
        pronouns: Whether ``who`` may be a pronoun.
        past: Whether it is told in the past, where its words have one.
    """
    operation = rng.choice(possible_operations(total))
    fitting = [one for one in situations.CHANGES[operation] if _fits(one, total)]
    situation = reader.pick(rng, fitting)
    amount, hint = draw_amount(rng, operation, total), operation
    if situation.value:
        amount, hint = situation.value, f"{operation} {situation.value}"
    entries: tuple[Entry, ...] = (situation,)
    quantity = _quantity(rng, operation, amount, things, manner)
    words = [word for word in situations.AMOUNTS if word.value < total]
    if "{q}" in situation.text and any(map(reader.knows, words)) and rng.random() < 0.15:
        word = reader.pick(rng, words)
        amount, entries, hint = word.value, (situation, word), f"{operation} {word.value}"
        of = "" if word.name.endswith("dozen") else "of "
        quantity = f"{article(word.text)} {word.text} {of}{things}"
    template = situation.past if past and situation.past else situation.text
    starts = template.startswith("{n}")
    subject = who.he if starts and pronouns and rng.random() < 0.55 else who.name
    text = template.format(
        n=subject if starts else who.name,
        m=other.name,
        q=quantity,
        b=told_number(amount, rng),
        t=things,
        r=who.himself,
    )
    return Step(text, operation, amount, entries, hint, subject if starts else "")


def _fits(situation: Entry, total: int) -> bool:
    """Whether a way to say something that holds its own number can be said of a quantity."""
    return situation.operation != "divide" or not situation.value or total % situation.value == 0


def _quantity(rng: random.Random, operation: str, amount: int, things: str, manner: Manner) -> str:
    """An amount of things that are known from before."""
    told = told_number(amount, rng)
    return (
        rng.choice(manner.quantities[operation]).format(b=told, t=things)
        if (operation in manner.quantities)
        else f"{told} {things}"
    )


def outcome(step: Step, total: int) -> str:
    """The step as a sentence of the rationale."""
    lead = OUTCOMES[step.operation].format(b=step.amount)
    return sentence(lead + equation(step.operation, total, step.amount))


def write(rng: random.Random, reader: Reader, manner: Manner = TRAINED) -> Draft:
    """A story with a start, one to four changes and sometimes a fact that does not matter."""
    who, other = manner.people(rng)
    things, past = rng.choice(manner.things), rng.random() < 0.4
    start = total = draw_start(rng)
    steps: list[Step] = []
    reasoning = [f"Start with {start}."]
    for _ in range(rng.choice((1, 2, 2, 3, 3, 4))):
        # The first change may open the story, where a pronoun would stand for nobody.
        step = draw_step(
            rng, reader, total, who, other, things, manner, pronouns=bool(steps), past=past
        )
        steps.append(step)
        reasoning.append(outcome(step, total))
        total = calculate(step.operation, total, step.amount)
    return Draft(
        question=_story(rng, who, other, things, start, steps, past, manner),
        rationale=" ".join(reasoning),
        answer=str(total),
        hint=" ".join(step.hint for step in steps),
        entries=tuple(entry for step in steps for entry in step.entries),
        operations=tuple(step.operation for step in steps),
        people=(who.name, other.name),
    )


def _story(
    rng: random.Random,
    who: Person,
    other: Person,
    things: str,
    start: int,
    steps: Sequence[Step],
    past: bool,
    manner: Manner,
) -> str:
    words = {
        "n": who.name, "m": other.name, "he": who.he, "him": who.him, "his": who.his, "t": things,
        "a": told_number(start, rng),
    }  # fmt: skip
    opening = rng.choice(manner.openings[past]).format(**words)
    asked = sentence(rng.choice(manner.asked).format(**words))
    order = rng.random()
    first = opening if order < 0.9 else ""
    told = tell(rng, first, [(step.text, step.subject) for step in steps], who, manner)
    if rng.random() < 0.25:
        numbers = {"x": rng.randint(2, 60), "y": rng.randint(2, 40)}
        aside = sentence(rng.choice(manner.asides).format(**words, **numbers))
        # Never between two changes: a pronoun that follows would stand for the wrong person.
        told.insert(rng.choice((0, len(told))), aside)
    if order < 0.78:
        return " ".join([*told, asked])
    if order < 0.9:
        return " ".join([asked, *told])
    last = sentence(rng.choice(manner.endings).format(**words))
    return " ".join([*told, last, asked])


def tell(
    rng: random.Random,
    opening: str,
    told: Sequence[tuple[str, str]],
    who: Person,
    manner: Manner,
) -> list[str]:
    """An opening and changes (text, whom it begins with) as sentences, some of them joined."""
    sentences: list[str] = [opening] if opening else []
    about = opening.startswith(f"{who.name} ")
    for place, (text, subject) in enumerate(told):
        if sentences and about and subject and rng.random() < 0.22:
            # One person does both: the second has no subject.
            sentences[-1] += rng.choice(manner.joints) + text.removeprefix(f"{subject} ")
            continue
        if sentences and rng.random() < 0.1:
            sentences[-1] += rng.choice(manner.borders) + text
        else:
            link = rng.choice(manner.links) if place or opening else ""
            moment = rng.choice(manner.moments) if rng.random() < 0.25 else ""
            if moment and not link and rng.random() < 0.5:
                text = f"{moment}, {text}"
            elif moment:
                text = f"{text} {moment}"
            sentences.append(link + text)
        about = bool(subject)
    return [sentence(text) for text in sentences]


FAMILY = Family("mini-gsm", "number", write)
