"""How the problems are told: all that is said around the words that count.

A manner has names, things, and ways to begin, to go on and to ask. Models are trained with one; the
test on reworded problems has another, of which no sentence is the same.

Placeholders: ``{n}`` the person, ``{m}`` somebody else, ``{he}``, ``{him}`` and ``{his}``, ``{t}``
the things, ``{a}`` how many there are at first, ``{b}`` an amount, ``{x}`` and ``{y}`` numbers that
do not matter.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from softcot.data.families.people import INVENTED, MEN, MOMENTS, THINGS, WOMEN, Person, two_people


@dataclass(frozen=True)
class Manner:
    """One way to tell problems."""

    openings: tuple[Sequence[str], Sequence[str]]
    """In the present and in the past."""
    endings: Sequence[str]
    """What there was at first, told last."""
    asked: Sequence[str]
    quantities: Mapping[str, Sequence[str]]
    """Operation -> how an amount of things that are known is said."""
    links: Sequence[str]
    """What a change may begin with; often nothing."""
    joints: Sequence[str]
    """What stands between two things that one person does."""
    borders: Sequence[str]
    """What stands between two whole sentences that are one."""
    asides: Sequence[str]
    """Facts that do not matter."""
    compared: Sequence[str]
    """How many the other one has, asked."""
    parted: Sequence[str]
    """How many each one has, or all have, asked."""
    owns: tuple[Sequence[str], Sequence[str]]
    """How many one has, where two are compared; in the present and in the past."""
    shared: Sequence[str]
    """Equal shares: ``{w}`` things for ``{q}`` people, one of whom has ``{f}`` friends."""
    batches: Sequence[str]
    """Equal batches: ``{q}`` of ``{p}`` things each."""
    moments: Sequence[str] = MOMENTS
    women: Sequence[str] = WOMEN
    men: Sequence[str] = MEN
    invented: float = INVENTED
    """Share of names that are made up."""
    things: Sequence[str] = THINGS

    def people(self, rng: random.Random) -> tuple[Person, Person]:
        """Two people with different names."""
        return two_people(rng, self.women, self.men, self.invented)


TRAINED = Manner(
    openings=(
        (
            "{n} has {a} {t}",
            "{n} has {a} {t}",
            "{n} has {a} {t}",
            "{n} owns {a} {t}",
            "{n} starts with {a} {t}",
            "{n} starts the week with {a} {t}",
            "{n} has {a} {t} at first",
            "at first, {n} has {a} {t}",
            "in the beginning {n} has {a} {t}",
            "there are {a} {t} in {n}'s box",
            "there are {a} {t} in {n}'s bag",
            "{n}'s box holds {a} {t}",
            "{n} has a box of {a} {t}",
            "{n} has a collection of {a} {t}",
            "{n} keeps {a} {t} in a drawer",
        ),
        (
            "{n} had {a} {t}",
            "{n} had {a} {t}",
            "{n} had {a} {t}",
            "{n} owned {a} {t}",
            "{n} started with {a} {t}",
            "{n} had {a} {t} at first",
            "at first, {n} had {a} {t}",
            "in the beginning {n} had {a} {t}",
            "there were {a} {t} in {n}'s box",
            "there were {a} {t} in {n}'s bag",
            "{n} bought {a} {t}",
            "{n} collected {a} {t}",
            "{n} had a box of {a} {t}",
        ),
    ),
    endings=(
        "at the very start, {n} had {a} {t}",
        "before all this, {n} had {a} {t}",
        "{n} had {a} {t} to begin with",
    ),
    asked=(
        "how many {t} does {n} have now?",
        "how many {t} does {n} have now?",
        "how many {t} does {he} have now?",
        "how many {t} does {n} have?",
        "how many {t} does {he} have?",
        "how many does {n} have now?",
        "how many does {he} have now?",
        "how many does {he} have?",
        "how many {t} does {n} have left?",
        "how many {t} does {he} have left?",
        "how many does {he} have left?",
        "how many {t} are left?",
        "how many are left?",
        "how many {t} are left for {n} in the end?",
        "how many {t} does {n} have in total?",
        "how many {t} does {he} have in total?",
        "how many {t} does {n} have altogether?",
        "how many does {he} have altogether?",
        "how many {t} does {n} have in all?",
        "how many {t} are there now?",
        "how many {t} are there in total?",
        "how many {t} has {n} got now?",
        "how many {t} does {n} have in the end?",
        "how many {t} does {n} end up with?",
        "how many {t} remain?",
        "what number of {t} does {n} have after all this?",
        "what is the number of {t} that {n} has now?",
        "now how many {t} does {n} have?",
        "find the number of {t} that {n} has now",
    ),
    quantities={
        "add": ("{b} {t}",) * 5
        + ("{b} more {t}", "{b} more {t}", "{b} more", "another {b} {t}", "{b}"),
        "subtract": ("{b} {t}",) * 5 + ("{b} of the {t}", "{b} of them", "{b}"),
    },
    links=("",) * 8 + ("then ", "then ", "next, ", "after that, ", "later, ", "afterwards, "),
    joints=(" and ", " and then ", ", then ", " and "),
    borders=(", and ", ", then ", "; "),
    asides=(
        "{m} is {x} years old",
        "the trip takes {x} minutes",
        "it is {y} degrees outside",
        "{m}'s own box holds {x} {t}",
        "{n} is {x} years old",
        "the box weighs {y} pounds",
        "the shop closes in {y} minutes",
    ),
    compared=(
        "how many {t} does {m} have?",
        "how many {t} does {m} have?",
        "how many does {m} have?",
        "how many {t} has {m} got?",
        "how many {t} are {m}'s?",
    ),
    parted=(
        "how many {t} does {n} have then?",
        "how many {t} does {n} have now?",
        "how many {t} does {n} have?",
        "how many does {n} have?",
        "how many {t} is that for {n}?",
    ),
    owns=(("{n} has {a} {t}", "{n} has {a} {t}", "{n} owns {a} {t}"), ("{n} had {a} {t}",)),
    shared=(
        "{n} and {f} friends share {w} {t} equally",
        "{n} shares {w} {t} equally with {f} friends",
        "{w} {t} are shared equally by {q} people, one of them {n}",
        "{n} puts {w} {t} into {q} equal bags and takes one bag",
    ),
    batches=(
        "{n} fills {q} bags with {p} {t} each",
        "{n} has {q} bags with {p} {t} in each bag",
        "{n} has {q} boxes of {p} {t}",
        "{n} buys {q} boxes of {p} {t} each",
        "{n} packs {p} {t} into each of {q} boxes",
        "each of {n}'s {q} boxes holds {p} {t}",
    ),
)
"""What models are trained with."""
