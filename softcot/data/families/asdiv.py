"""``mini-asdiv``: one or two steps in many situations: comparing, units, sharing, rates."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from softcot.data.families import encyclopedia, situations
from softcot.data.families.family import Draft, Family, calculate, equation, sentence
from softcot.data.families.gsm import Step, draw_start, draw_step, outcome, tell
from softcot.data.families.manner import TRAINED, Manner
from softcot.data.families.people import Person, told_number
from softcot.data.families.reading import Entry, Reader


@dataclass
class Telling:
    """A problem while it is being written."""

    told: list[str]
    reasoning: list[str]
    total: int
    operations: list[str]
    hints: list[str]
    entries: list[Entry] = field(default_factory=list)
    people: tuple[str, ...] = ()

    def then(self, step: Step, who: Person, rng: random.Random, manner: Manner) -> None:
        """One change more to what ``who`` has."""
        link = rng.choice(manner.links)
        self.told += tell(rng, "", [(link + step.text, "")], who, manner)
        self.reasoning.append(outcome(step, self.total))
        self.total = calculate(step.operation, self.total, step.amount)
        self.operations.append(step.operation)
        self.hints.append(step.hint)
        self.entries.extend(step.entries)

    def asking(self, asked: str, rng: random.Random) -> Draft:
        """The finished problem; now and then it opens with the question."""
        asked = sentence(asked)
        sentences = [asked, *self.told] if rng.random() < 0.15 else [*self.told, asked]
        return Draft(
            question=" ".join(sentences),
            rationale=" ".join(self.reasoning),
            answer=str(self.total),
            hint=" ".join(self.hints),
            entries=tuple(self.entries),
            operations=tuple(self.operations),
            people=self.people,
        )


def compare(rng: random.Random, reader: Reader, manner: Manner) -> Draft:
    """How many has the other one, given the difference; then perhaps a change."""
    who, other = manner.people(rng)
    things, past = rng.choice(manner.things), rng.random() < 0.25
    start = max(8, draw_start(rng))
    operation = rng.choice(("add", "subtract"))
    situation = reader.pick(rng, situations.COMPARISONS[operation])
    gap = rng.randint(2, min(max(20, start // 2), start - 3))
    relation = "more" if operation == "add" else "fewer"
    template = situation.past if past and situation.past else situation.text
    words = {"n": who.name, "m": other.name, "t": things}
    opening = rng.choice(manner.owns[past])
    told = [
        sentence(opening.format(**words, a=told_number(start, rng))),
        sentence(template.format(**words, b=told_number(gap, rng))),
    ]
    telling = Telling(
        told=told if rng.random() < 0.85 else told[::-1],
        reasoning=[f"That is {gap} {relation}: {equation(operation, start, gap)}."],
        total=calculate(operation, start, gap),
        operations=[operation],
        hints=[operation],
        entries=[situation],
        people=(who.name, other.name),
    )
    if rng.random() < 0.45:
        step = draw_step(
            rng, reader, telling.total, other, who, things, manner, pronouns=False, past=past
        )
        telling.then(step, other, rng, manner)
    return telling.asking(rng.choice(manner.compared).format(**words), rng)


def convert(rng: random.Random, reader: Reader, manner: Manner) -> Draft:
    """A measure in another unit, there or back, then perhaps some more of it."""
    unit = reader.pick(rng, encyclopedia.UNITS)
    big, small = unit.text.strip("[]"), encyclopedia.PARTS[unit.name]
    bigs = "feet" if big == "foot" else f"{big}s"
    thing, count = rng.choice(encyclopedia.MEASURED[small]), rng.randint(2, 12)
    whole = count * unit.value
    known = f"One {big} is {unit.value} {small}."
    if rng.random() < 0.3:
        telling = Telling(
            told=[f"{thing} {told_number(whole, rng)} {small}."],
            reasoning=[known, f"{equation('divide', whole, unit.value)}."],
            total=count,
            operations=["divide"],
            hints=[f"divide {unit.value}"],
            entries=[unit],
        )
        return telling.asking(rng.choice(MEASURED).format(u=bigs), rng)
    telling = Telling(
        told=[f"{thing} {told_number(count, rng)} {bigs}."],
        reasoning=[known, f"{equation('multiply', count, unit.value)}."],
        total=whole,
        operations=["multiply"],
        hints=[f"multiply {unit.value}"],
        entries=[unit],
    )
    if rng.random() < 0.6:
        return telling.asking(rng.choice(MEASURED).format(u=small), rng)
    extra = rng.randint(2, 9)
    telling.told.append(f"Another {extra} {small} are added to it.")
    telling.reasoning.append(f"{equation('add', whole, extra)}.")
    telling.total += extra
    telling.operations.append("add")
    telling.hints.append("add")
    return telling.asking(rng.choice(MEASURED_IN_ALL).format(u=small), rng)


def divide_up(rng: random.Random, reader: Reader, manner: Manner) -> Draft:
    """Equal shares or equal batches, then perhaps a change."""
    who, other = manner.people(rng)
    things = rng.choice(manner.things)
    part, parts = rng.randint(3, 20), rng.randint(2, 9)
    whole = part * parts
    said = told_number(part, rng), told_number(parts, rng)
    if rng.random() < 0.5:
        operation, total = "divide", part
        told = rng.choice(manner.shared)
        reasoning = f"Each gets {equation('divide', whole, parts)}."
    else:
        operation, total = "multiply", whole
        told = rng.choice(manner.batches)
        reasoning = f"Together that is {equation('multiply', parts, part)}."
    words = {
        "n": who.name, "t": things, "w": told_number(whole, rng), "p": said[0], "q": said[1],
        "f": told_number(parts - 1, rng),
    }  # fmt: skip
    telling = Telling(
        [sentence(told.format(**words))], [reasoning], total, [operation], [operation]
    )
    telling.people = who.name, other.name
    if rng.random() < 0.75:
        step = draw_step(rng, reader, total, who, other, things, manner)
        telling.then(step, who, rng, manner)
    return telling.asking(rng.choice(manner.parted).format(n=who.name, he=who.he, t=things), rng)


MEASURED = ("how many {u} is that?", "how many {u} is that?", "how many {u} are that?")
MEASURED_IN_ALL = ("how many {u} is that in all?", "how many {u} is that in total?")

SCENES: tuple[Callable[[random.Random, Reader, Manner], Draft], ...] = (
    compare,
    compare,
    convert,
    convert,
    divide_up,
)


def write(rng: random.Random, reader: Reader, manner: Manner = TRAINED) -> Draft:
    """A problem from one of the scenes."""
    return rng.choice(SCENES)(rng, reader, manner)


FAMILY = Family("mini-asdiv", "number", write)
