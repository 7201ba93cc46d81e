"""The knob of the laboratory: which situations and facts the base has reasoned with.

Every situation (a way of saying that something happens) and every fact (what a word or an entity
stands for) belongs to a kind, such as ``gain`` or ``creature``. Within its kind it has a rank,
drawn once with a fixed seed. A base that has read the fraction ``r`` knows the first ``r`` of each
kind: a smaller ``r`` forgets, it never reshuffles. The usual words of a kind have no rank and are
read by every base. The problems do not depend on the knob.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

SHIPPED_FRACTION = 0.6
"""How much the shipped base has read."""

EVERYTHING = 1.0
USUAL = 0.2
"""Share of usual words among those that a problem is told with."""


@dataclass(frozen=True)
class Entry:
    """One situation or fact."""

    kind: str
    name: str
    """Unique within its kind."""
    text: str
    """A template; what stands in [brackets] gives its meaning away."""
    rank: float = 0.0
    """In [0, 1): the entry is read by every base whose fraction is above it."""
    operation: str = ""
    value: int = 0
    """The number it stands for, if any."""
    usual: bool = False
    """Whether it is a usual way to say it, which every base has read."""
    past: str = ""
    """The template in the past; empty for one that has none."""

    @property
    def key(self) -> str:
        """Its name across kinds."""
        return f"{self.kind}/{self.name}"

    def is_read(self, fraction: float) -> bool:
        """Whether a base that has read ``fraction`` of everything has reasoned with this entry."""
        return self.usual or self.rank < fraction


def ranked(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries of one kind with their ranks, evenly spaced in a fixed random order.

    The usual ones, which everybody has read, have none.
    """
    order = [entry for entry in entries if not entry.usual]
    random.Random(f"rank:{entries[0].kind}").shuffle(order)
    places = {entry.name: place / len(order) for place, entry in enumerate(order)}
    return tuple(replace(entry, rank=places.get(entry.name, 0.0)) for entry in entries)


class Reader(Protocol):
    """Chooses the words of a problem; what it may choose from is what a model has read."""

    def pick(self, rng: random.Random, entries: Sequence[Entry]) -> Entry:
        """One of the entries."""

    def knows(self, entry: Entry) -> bool:
        """Whether it may pick this entry."""


@dataclass(frozen=True)
class Reads:
    """Picks among the entries that a base of this fraction has read."""

    fraction: float = EVERYTHING

    def pick(self, rng: random.Random, entries: Sequence[Entry]) -> Entry:
        """One of the entries read: a usual one in `USUAL` of all cases, if there are any."""
        usual = [entry for entry in entries if entry.usual]
        others = [entry for entry in entries if not entry.usual and self.knows(entry)]
        if usual and (not others or rng.random() < USUAL):
            return rng.choice(usual)
        return rng.choice(others)

    def knows(self, entry: Entry) -> bool:
        """Whether the base has read it."""
        return entry.is_read(self.fraction)


@dataclass(frozen=True)
class ReadsWithGaps(Reads):
    """Like :class:`Reads`, but some entries come with their telling words made unreadable.

    A base that is to use hints must meet words that it cannot read beside a hint that explains
    them. They are made-up words, so nothing is given away about the real words it has not read.
    """

    gaps: float = 0.5
    """Probability that an entry is made unreadable."""

    def pick(self, rng: random.Random, entries: Sequence[Entry]) -> Entry:
        """One of the entries read, perhaps with invented words in place of its telling ones."""
        entry = super().pick(rng, entries)
        if rng.random() >= self.gaps:
            return entry
        text = re.sub(r"\[[^]]*\]", lambda _: f"[{_gibberish(rng)}]", entry.text)
        # A made-up word for a number stands for any number up to the one it replaces.
        value = rng.randint(2, entry.value) if entry.value > 2 else entry.value
        return replace(entry, text=text, past="", value=value)


def _gibberish(rng: random.Random) -> str:
    return " ".join(invented_word(rng) for _ in range(rng.choice((1, 1, 2, 3))))


def invented_word(rng: random.Random) -> str:
    """A pronounceable word that means nothing."""
    onsets, vowels, codas = (
        "b bl d dr f fl g gr k kl m n p pr r s st t tr v z".split(),
        "aeiou",
        ("b d g k l m n p r rk sh t x zz").split(),
    )
    return "".join(
        rng.choice(onsets) + rng.choice(vowels) for _ in range(rng.choice((1, 1, 2)))
    ) + rng.choice(codas)


def telling_words(key: str, question: str) -> list[tuple[int, int]]:
    """Where a question says what an entry means.

    Args:
        key: The entry's, as the metadata of a generated problem has it.
        question: The problem's.

    Returns:
        Starts and ends of the words that stand in brackets in the entry's text, in order; none
        where the question has other words for it.
    """
    name = key.split("/", 1)[-1]
    template = name if "[" in name else rf"[{name}]"
    told = template[template.index("[") : template.rindex("]") + 1]
    parts = re.split(r"(\{\w\}|[][])", told)
    said = {"[": r"(\b", "]": r"\w*)"}  # one yard, two yards
    pattern = "".join(
        r"[^.?!]+?" if part.startswith("{") else said.get(part, re.escape(part)) for part in parts
    )
    found = re.search(pattern, question, re.IGNORECASE)
    return [] if found is None else [found.span(n + 1) for n in range(len(found.groups()))]
