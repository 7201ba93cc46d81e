"""The small invented encyclopedia, and units of measure.

Entities are invented so that no text outside the laboratory says anything about them. Every entity
has the same few facts as others of its kind; numbers have two digits.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from softcot.data.families.reading import Entry, invented_word, ranked

CLIMATES = ("cold", "hot", "wet", "dry")
FOODS = ("grass", "fish", "seeds", "honey")


@dataclass(frozen=True)
class Facts:
    """What the encyclopedia says about one entity; which facts it has depends on its kind."""

    weight: int = 0
    """Kilograms, of a creature."""
    age: int = 0
    """Years that a creature lives."""
    climate: str = ""
    """What a creature needs, what a valley has."""
    food: str = ""
    """What a creature eats, what a valley is full of."""
    load: int = 0
    """Kilograms that a cart can carry."""
    year: int = 0
    """When a cart was invented, when a traveller died."""


def _invent(kind: str, count: int, rng: random.Random, taken: set[str]) -> list[str]:
    names: list[str] = []
    while len(names) < count:
        name = invented_word(rng)
        if len(name) > 3 and name not in taken:
            taken.add(name)
            names.append(name if kind == "creature" else name.capitalize())
    return names


def invent_facts(kind: str, rng: random.Random) -> Facts:
    """What might be true of an entity of this kind."""
    number = lambda: rng.randint(10, 99)  # noqa: E731
    if kind == "creature":
        return Facts(number(), number(), rng.choice(CLIMATES), rng.choice(FOODS))
    if kind == "valley":
        return Facts(climate=rng.choice(CLIMATES), food=rng.choice(FOODS))
    if kind == "cart":
        return Facts(load=number(), year=number())
    return Facts(year=number())


def _build() -> tuple[dict[str, tuple[Entry, ...]], dict[str, Facts]]:
    rng = random.Random("encyclopedia")
    taken: set[str] = set()
    entries: dict[str, tuple[Entry, ...]] = {}
    facts: dict[str, Facts] = {}
    for kind, count in (("creature", 40), ("valley", 20), ("cart", 20), ("traveller", 20)):
        names = _invent(kind, count, rng, taken)
        entries[kind] = ranked([Entry(kind, name, f"[{name}]") for name in names])
        facts |= {name: invent_facts(kind, rng) for name in names}
    return entries, facts


ENTITIES, FACTS = _build()
"""Entities by kind, and what is true of each by name."""

_UNITS = {
    "week": (7, "days"),
    "fortnight": (14, "days"),
    "day": (24, "hours"),
    "year": (12, "months"),
    "decade": (10, "years"),
    "lustrum": (5, "years"),
    "foot": (12, "inches"),
    "hand": (4, "inches"),
    "span": (9, "inches"),
    "cubit": (18, "inches"),
    "yard": (3, "feet"),
    "fathom": (6, "feet"),
    "chain": (22, "yards"),
    "league": (3, "miles"),
    "stone": (14, "pounds"),
    "pound": (16, "ounces"),
    "gallon": (8, "pints"),
    "peck": (16, "pints"),
    "firkin": (9, "gallons"),
    "pin": (4, "gallons"),
    "quire": (24, "sheets"),
    "ream": (20, "quires"),
    "tray": (30, "eggs"),
}
_USUAL_UNITS = frozenset("week day year decade foot yard pound gallon".split())
_ENTRIES = [
    Entry("unit", name, f"[{name}]", value=value, usual=name in _USUAL_UNITS)
    for name, (value, _) in _UNITS.items()
]
UNITS = ranked(_ENTRIES)
PARTS = {name: part for name, (_, part) in _UNITS.items()}
MEASURED = {
    "days": ("The voyage lasts", "The course takes"),
    "hours": ("The storm lasts", "The festival lasts"),
    "months": ("The lease runs for", "The training takes"),
    "years": ("The castle stood for", "The tree has lived for"),
    "inches": ("The shelf measures", "The plank measures"),
    "feet": ("The rope measures", "The wall measures"),
    "yards": ("The field measures", "The path measures"),
    "miles": ("The road runs for", "The river runs for"),
    "pounds": ("The sack weighs", "The crate weighs"),
    "ounces": ("The cheese weighs", "The parcel weighs"),
    "pints": ("The jug holds", "The tub holds"),
    "gallons": ("The tank holds", "The barrel holds"),
    "sheets": ("The printer uses", "The school orders"),
    "quires": ("The bindery uses", "The office orders"),
    "eggs": ("The bakery uses", "The farm sells"),
}
