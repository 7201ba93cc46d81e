"""``mini-aqua``: a chain of arithmetic instructions with five options to choose from."""

from __future__ import annotations

import random

from softcot.data.families import situations
from softcot.data.families.family import Draft, Family, calculate, choices, equation
from softcot.data.families.people import Person, told_number, two_people
from softcot.data.families.reading import Reader

Step = tuple[str, int]

LARGEST = 120
"""No result on the way grows beyond this: the options are compared, and that is hard enough."""


def write(rng: random.Random, reader: Reader) -> Draft:
    """A start value, two or three instructions, five options."""
    start = total = rng.randint(4, 40)
    steps, told, reasoning, entries = [], [], [], []
    for _ in range(rng.choice((2, 2, 3))):
        operation = rng.choice(possible_operations(total))
        amount = draw_amount(rng, operation, total)
        situation = reader.pick(rng, situations.INSTRUCTIONS[operation])
        steps.append((operation, amount))
        entries.append(situation)
        told.append(
            situation.text.format(b=told_number(amount, rng)).replace("[", "").replace("]", "")
        )
        reasoning.append(f"{equation(operation, total, amount)}.")
        total = calculate(operation, total, amount)
    who, _ = two_people(rng)
    options = choices(rng, str(total), _wrong_options(rng, start, steps, total))
    reasoning += [f"That is {total}.", options.walk]
    return Draft(
        question=f"{_frame(rng, who, start, told)} {options.text}",
        rationale=" ".join(reasoning),
        answer=options.letter,
        hint=" ".join(operation for operation, _ in steps),
        entries=tuple(entries),
        operations=tuple(operation for operation, _ in steps),
        people=(who.name,),
    )


def possible_operations(total: int) -> list[str]:
    """The operations that keep a result whole, positive and at most :data:`LARGEST`."""
    possible = ["add"] if total <= LARGEST - 20 else []
    possible += ["subtract"] if total > 3 else []
    possible += ["multiply"] if total <= 24 else []
    possible += ["divide"] if _parts(total) else []
    return possible


def draw_amount(rng: random.Random, operation: str, total: int) -> int:
    """A number that may be combined with ``total``."""
    if operation == "add":
        return rng.randint(2, 20)
    if operation == "subtract":
        return rng.randint(2, min(20, total - 1))
    if operation == "multiply":
        return rng.randint(2, min(5, LARGEST // total))
    return rng.choice(_parts(total))


def _parts(total: int) -> list[int]:
    """The numbers of parts, 2 to 5, that ``total`` falls into with more than one in each."""
    return [parts for parts in (2, 3, 4, 5) if total % parts == 0 and total > parts]


def _frame(rng: random.Random, who: Person, start: int, told: list[str]) -> str:
    chain = ", then ".join(told)
    return rng.choice(
        (
            f"Start from the number {start}. {chain[0].upper()}{chain[1:]}. Which number results?",
            f"{who.name} thinks of {start}. The rule says: {chain}. What does {who.he} end with?",
            f"A price is {start} dollars. The shop's orders are: {chain}. What is the new price?",
            f"What is the outcome when you take {start} and {chain}?",
            f"Take {start}. {chain[0].upper()}{chain[1:]}. What do you get?",
            f"{who.name} has the number {start}. Now {chain}. What is the result?",
            f"Begin with {start}, then {chain}. What number do you get?",
        )
    )


def _wrong_options(rng: random.Random, start: int, steps: list[Step], right: int) -> list[str]:
    """What one or more misread instructions would give, and near misses, in random order."""
    wrong: set[int] = set()
    for _ in range(12):
        total = start
        for operation, amount in steps:
            misread = rng.choice(("add", "subtract", "multiply", "divide", operation))
            if misread == "divide" and total % amount:
                misread = operation if operation != "divide" else "subtract"
            total = calculate(misread, total, amount)
        if 0 < total < 200:
            wrong.add(total)
    while len(wrong - {right}) < 4:
        wrong.add(max(1, right + rng.randint(-6, 6)))
    ordered = sorted(wrong - {right})
    rng.shuffle(ordered)
    return [str(number) for number in ordered]


FAMILY = Family("mini-aqua", "letter", write)
