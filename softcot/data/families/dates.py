"""``mini-dates``: which day is it, with five options to choose from."""

from __future__ import annotations

import calendar
import random
from datetime import date, timedelta

from softcot.data.families.family import Draft, Family, choices, equation
from softcot.data.families.people import two_people
from softcot.data.families.reading import Entry, Reader, ranked

YEAR = 2023
"""Problems play in one year that has no 29 February."""
_SPANS = {
    "tomorrow": 1,
    "a week from today": 7,
    "a fortnight from today": 14,
    "a sennight from today": 7,
    "a long weekend from today": 3,
    "overmorrow": 2,
    "the day after tomorrow": 2,
    "an octave from today": 8,
    "a novena from today": 9,
    "a tenday from today": 10,
    "yesterday": -1,
    "the day before yesterday": -2,
    "a week before today": -7,
    "a fortnight before today": -14,
    "ereyesterday": -2,
    "a sennight before today": -7,
    "a tenday before today": -10,
    "an octave before today": -8,
    "a novena before today": -9,
    "a long weekend before today": -3,
}
_USUAL = frozenset(
    {"tomorrow", "yesterday", "a week from today", "a week before today", "the day after tomorrow"}
)
SPANS = ranked(
    [
        Entry(
            kind="span",
            name=name,
            text=f"[{name}]",
            operation="add" if days > 0 else "subtract",
            value=abs(days),
            usual=name in _USUAL,
        )
        for name, days in _SPANS.items()
    ]
)
EVENTS = "exam concert wedding match meeting party voyage lesson".split()


def write(rng: random.Random, reader: Reader) -> Draft:
    """Today's date, a span of days in words, perhaps a shift by some days, five dates."""
    today = date(YEAR, 1, 1) + timedelta(days=rng.randint(30, 330))
    who, _ = two_people(rng)
    event, span = rng.choice(EVENTS), reader.pick(rng, SPANS)
    name, spoken = f"{who.name}'s {event}", span.text[1:-1]
    days = span.value if span.operation == "add" else -span.value
    told = [
        f"Today is {written(today)}.",
        f"{rng.choice(('', 'The day of '))}{name} {'is' if days > 0 else 'was'} {spoken}.",
    ]
    reasoning, day = _move(today, days)
    shift = 0
    if rng.random() < 0.4:
        shift = rng.randint(2, 9) * rng.choice((1, -1))
        told.append(f"It is then moved {abs(shift)} days {'later' if shift > 0 else 'earlier'}.")
        more, day = _move(day, shift)
        reasoning += more
    near = [-days, days + 1, days - 1, 1, -1, 7, 14, 2, 10]
    wrong = [written(today + timedelta(days=d + shift)) for d in rng.sample(near, len(near))]
    options = choices(rng, written(day), wrong)
    asked = rng.choice((f"On which date is the {event}?", f"What is the date of the {event}?"))
    operations = [span.operation] + (["add" if shift > 0 else "subtract"] if shift else [])
    hint = f"{span.operation} {span.value}" + (f" {operations[1]}" if shift else "")
    return Draft(
        question=f"{' '.join(told)} {asked} {options.text}",
        rationale=" ".join([*reasoning, options.walk]),
        answer=options.letter,
        hint=hint,
        entries=(span,),
        operations=tuple(operations),
        people=(who.name,),
    )


def written(day: date) -> str:
    """A date in words: ``March 14``."""
    return f"{calendar.month_name[day.month]} {day.day}"


def in_words(place: int) -> str:
    """The date of the year's ``place``-th day, counted from 1."""
    return written(date(YEAR, 1, 1) + timedelta(days=place - 1))


def _move(day: date, days: int) -> tuple[list[str], date]:
    """The calculation that takes ``day`` on by ``days`` (negative: back), and where it ends."""
    there = day + timedelta(days=days)
    count, target = day.day, day.day + days
    steps = []
    if there.month != day.month and days < 0:
        length = calendar.monthrange(YEAR, there.month)[1]
        steps.append(f"{calendar.month_name[there.month]} has {length} days: "
                     f"{equation('add', count, length)}.")  # fmt: skip
        count, target = count + length, target + length
    steps.append(f"{equation('add' if days > 0 else 'subtract', count, abs(days))}.")
    if there.month != day.month and days > 0:
        length = calendar.monthrange(YEAR, day.month)[1]
        steps.append(f"{calendar.month_name[day.month]} has {length} days: "
                     f"{equation('subtract', target, length)}.")  # fmt: skip
    steps.append(f"That is {written(there)}.")
    return steps, there


FAMILY = Family("mini-dates", "letter", write)
