"""``mini-asdiv``: one or two steps in many situations: comparing, units, sharing, rates."""

from __future__ import annotations

import random
from collections.abc import Callable

from softcot.mini import encyclopedia, situations
from softcot.mini.family import Draft, Family, calculate, equation, sentence
from softcot.mini.gsm import Step, draw_step, outcome
from softcot.mini.people import THINGS, two_people
from softcot.mini.reading import Entry, Reader


def compare(rng: random.Random, reader: Reader) -> Draft:
    """How many has the other one, given the difference; then perhaps a change."""
    who, other = two_people(rng)
    things = rng.choice(THINGS)
    start = rng.randint(8, 60)
    operation = rng.choice(("add", "subtract"))
    situation = reader.pick(rng, situations.COMPARISONS[operation])
    gap = rng.randint(2, min(20, start - 3))
    total = calculate(operation, start, gap)
    told = [
        f"{who.name} has {start} {things}.",
        sentence(situation.text.format(n=who.name, m=other.name, b=gap, t=things)),
    ]
    relation = "more" if operation == "add" else "fewer"
    reasoning = [f"{other.name} has {gap} {relation}: {equation(operation, start, gap)}."]
    hints, entries, operations = [operation], [situation], [operation]
    if rng.random() < 0.4:
        step = draw_step(rng, reader, total, other, who, things, pronouns=False)
        told.append(sentence(f"then {step.text}"))
        reasoning.append(outcome(step, total, other))
        total = calculate(step.operation, total, step.amount)
        hints.append(step.hint)
        entries.extend(step.entries)
        operations.append(step.operation)
    asked = f"How many {things} does {other.name} have?"
    return _draft(told, asked, reasoning, total, hints, entries, operations, rng)


def convert(rng: random.Random, reader: Reader) -> Draft:
    """A measure in another unit, there or back, then perhaps some more of it."""
    unit = reader.pick(rng, encyclopedia.UNITS)
    big, small = unit.text.strip("[]"), encyclopedia.PARTS[unit.name]
    bigs = "feet" if big == "foot" else f"{big}s"
    thing, count = rng.choice(encyclopedia.MEASURED[small]), rng.randint(2, 9)
    whole, operations = count * unit.value, ["multiply"]
    if rng.random() < 0.3:
        told, asked = [f"{thing} {whole} {small}."], f"How many {bigs} is that?"
        reasoning, total = [f"{equation('divide', whole, unit.value)}."], count
        operations = ["divide"]
    else:
        told, asked = [f"{thing} {count} {bigs}."], f"How many {small} is that?"
        reasoning, total = [f"{equation('multiply', count, unit.value)}."], whole
        if rng.random() < 0.4:
            extra = rng.randint(2, 9)
            told.append(f"Another {extra} {small} are added to it.")
            asked = f"How many {small} is that in all?"
            reasoning.append(f"{equation('add', total, extra)}.")
            total += extra
            operations.append("add")
    reasoning.insert(0, f"One {big} is {unit.value} {small}.")
    hints = [f"{operations[0]} {unit.value}", *operations[1:]]
    return _draft(told, asked, reasoning, total, hints, [unit], operations, rng)


def divide_up(rng: random.Random, reader: Reader) -> Draft:
    """Equal shares or equal batches, then a change."""
    who, other = two_people(rng)
    things = rng.choice(THINGS)
    part, parts = rng.randint(3, 12), rng.randint(2, 8)
    whole = part * parts
    if rng.random() < 0.5:
        told = [f"{who.name} and {parts - 1} friends share {whole} {things} equally."]
        reasoning = [f"Each gets {equation('divide', whole, parts)}."]
        total, operation = part, "divide"
    else:
        told = [f"{who.name} fills {parts} bags with {part} {things} each."]
        reasoning = [f"All the bags hold {equation('multiply', parts, part)}."]
        total, operation = whole, "multiply"
    step: Step = draw_step(rng, reader, total, who, other, things)
    told.append(sentence(f"then {step.text}"))
    reasoning.append(outcome(step, total, who))
    total = calculate(step.operation, total, step.amount)
    asked = f"How many {things} does {who.name} have then?"
    return _draft(
        told,
        asked,
        reasoning,
        total,
        [operation, step.hint],
        list(step.entries),
        [operation, step.operation],
        rng,
    )


def _draft(
    told: list[str],
    asked: str,
    reasoning: list[str],
    total: int,
    hints: list[str],
    entries: list[Entry],
    operations: list[str],
    rng: random.Random,
) -> Draft:
    sentences = [asked, *told] if rng.random() < 0.2 else [*told, asked]
    return Draft(
        question=" ".join(sentences),
        rationale=" ".join(reasoning),
        answer=str(total),
        hint=" ".join(hints),
        entries=tuple(entries),
        operations=tuple(operations),
    )


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


FAMILY = Family("mini-asdiv", "Everyday sums", "number", write)
