"""``mini-asdiv``: one or two steps in many situations: comparing, units, sharing, rates."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from softcot.data.families import encyclopedia, situations
from softcot.data.families.family import Draft, Family, calculate, equation, sentence
from softcot.data.families.gsm import Step, draw_step, outcome
from softcot.data.families.people import THINGS, Person, two_people
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

    def then(self, step: Step, who: Person) -> None:
        """One change more to what ``who`` has."""
        self.told.append(sentence(f"then {step.text}"))
        self.reasoning.append(outcome(step, self.total, who))
        self.total = calculate(step.operation, self.total, step.amount)
        self.operations.append(step.operation)
        self.hints.append(step.hint)
        self.entries.extend(step.entries)

    def asking(self, asked: str, rng: random.Random) -> Draft:
        """The finished problem; now and then it opens with the question."""
        sentences = [asked, *self.told] if rng.random() < 0.2 else [*self.told, asked]
        return Draft(
            question=" ".join(sentences),
            rationale=" ".join(self.reasoning),
            answer=str(self.total),
            hint=" ".join(self.hints),
            entries=tuple(self.entries),
            operations=tuple(self.operations),
        )


def compare(rng: random.Random, reader: Reader) -> Draft:
    """How many has the other one, given the difference; then perhaps a change."""
    who, other = two_people(rng)
    things = rng.choice(THINGS)
    start = rng.randint(8, 60)
    operation = rng.choice(("add", "subtract"))
    situation = reader.pick(rng, situations.COMPARISONS[operation])
    gap = rng.randint(2, min(20, start - 3))
    relation = "more" if operation == "add" else "fewer"
    telling = Telling(
        told=[
            f"{who.name} has {start} {things}.",
            sentence(situation.text.format(n=who.name, m=other.name, b=gap, t=things)),
        ],
        reasoning=[f"{other.name} has {gap} {relation}: {equation(operation, start, gap)}."],
        total=calculate(operation, start, gap),
        operations=[operation],
        hints=[operation],
        entries=[situation],
    )
    if rng.random() < 0.4:
        step = draw_step(rng, reader, telling.total, other, who, things, pronouns=False)
        telling.then(step, other)
    return telling.asking(f"How many {things} does {other.name} have?", rng)


def convert(rng: random.Random, reader: Reader) -> Draft:
    """A measure in another unit, there or back, then perhaps some more of it."""
    unit = reader.pick(rng, encyclopedia.UNITS)
    big, small = unit.text.strip("[]"), encyclopedia.PARTS[unit.name]
    bigs = "feet" if big == "foot" else f"{big}s"
    thing, count = rng.choice(encyclopedia.MEASURED[small]), rng.randint(2, 9)
    whole = count * unit.value
    known = f"One {big} is {unit.value} {small}."
    if rng.random() < 0.3:
        telling = Telling(
            told=[f"{thing} {whole} {small}."],
            reasoning=[known, f"{equation('divide', whole, unit.value)}."],
            total=count,
            operations=["divide"],
            hints=[f"divide {unit.value}"],
            entries=[unit],
        )
        return telling.asking(f"How many {bigs} is that?", rng)
    telling = Telling(
        told=[f"{thing} {count} {bigs}."],
        reasoning=[known, f"{equation('multiply', count, unit.value)}."],
        total=whole,
        operations=["multiply"],
        hints=[f"multiply {unit.value}"],
        entries=[unit],
    )
    if rng.random() < 0.6:
        return telling.asking(f"How many {small} is that?", rng)
    extra = rng.randint(2, 9)
    telling.told.append(f"Another {extra} {small} are added to it.")
    telling.reasoning.append(f"{equation('add', whole, extra)}.")
    telling.total += extra
    telling.operations.append("add")
    telling.hints.append("add")
    return telling.asking(f"How many {small} is that in all?", rng)


def divide_up(rng: random.Random, reader: Reader) -> Draft:
    """Equal shares or equal batches, then a change."""
    who, other = two_people(rng)
    things = rng.choice(THINGS)
    part, parts = rng.randint(3, 12), rng.randint(3, 8)
    whole = part * parts
    if rng.random() < 0.5:
        operation, total = "divide", part
        told = f"{who.name} and {parts - 1} friends share {whole} {things} equally."
        reasoning = f"Each gets {equation('divide', whole, parts)}."
    else:
        operation, total = "multiply", whole
        told = f"{who.name} fills {parts} bags with {part} {things} each."
        reasoning = f"All the bags hold {equation('multiply', parts, part)}."
    telling = Telling([told], [reasoning], total, [operation], [operation])
    telling.then(draw_step(rng, reader, total, who, other, things), who)
    return telling.asking(f"How many {things} does {who.name} have then?", rng)


SCENES: tuple[Callable[[random.Random, Reader], Draft], ...] = (
    compare,
    compare,
    convert,
    convert,
    divide_up,
)


def write(rng: random.Random, reader: Reader) -> Draft:
    """A problem from one of the scenes."""
    return rng.choice(SCENES)(rng, reader)


FAMILY = Family("mini-asdiv", "number", write)
