"""``mini-reworded``: problems in a manner that no training has, and some that were written by hand.

The sums and the words that count are those of the two families of word problems. All that is said
around them is another: names that nobody was trained with, other ways to begin, to go on and to
ask. So the test says whether a model reads a problem or recognises a template.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from softcot.data.families import asdiv, gsm
from softcot.data.families.family import Draft, Family
from softcot.data.families.manner import Manner
from softcot.data.families.names import MEN_OF_TESTS, WOMEN_OF_TESTS
from softcot.data.families.reading import Reader
from softcot.data.problems import Problem, Split
from softcot.data.task import GeneratedProblems
from softcot.support.reading import read_text

BY_HAND = Path(__file__).parent / "reworded.json"
"""The problems that were written by hand."""

MANNER = Manner(
    openings=(
        (
            "today {n} has {a} {t} with {him}",
            "{n} counts {a} {t} on the table",
            "on the shelf {n} has {a} {t}",
            "let us say {n} has {a} {t}",
            "{a} {t} belong to {n}",
            "right now {n} has exactly {a} {t}",
        ),
        (
            "yesterday {n} had {a} {t}",
            "{n} counted {a} {t} on the table",
            "once {n} had {a} {t}",
            "{a} {t} belonged to {n}",
            "last week {n} had exactly {a} {t}",
            "{n}'s pockets were full: {n} had {a} {t}",
        ),
    ),
    endings=("it all began with {a} {t}", "{n} had begun with {a} {t}"),
    asked=(
        "so how many {t} has {he} now?",
        "can you say how many {t} {n} has now?",
        "please work out how many {t} {n} has",
        "how many {t} would you count now?",
        "how many of the {t} does {n} still have?",
        "tell me how many {t} {he} has at the end",
        "what is {n}'s number of {t} now?",
        "and how many {t} are with {n} at last?",
        "after that, how many {t} does {he} have?",
        "with how many {t} is {n} left?",
    ),
    quantities={
        "add": ("{b} {t}", "{b} new {t}", "{b} extra {t}", "{b} further {t}"),
        "subtract": ("{b} {t}", "{b} of those {t}", "some {t}, {b} to be exact"),
    },
    links=("", "", "soon ", "a little later ", "but then ", "in the end ", "that same day "),
    joints=(", and soon after ", " but ", "; next "),
    borders=(", so ", ", while ", " and so "),
    asides=(
        "{m} lives {x} miles away",
        "there are {x} windows in the house",
        "the bus comes every {y} minutes",
        "{n}'s house has number {x}",
    ),
    compared=(
        "so how many {t} does {m} own?",
        "can you say how many {t} {m} has?",
        "and {m}, how many {t} has {m}?",
    ),
    parted=(
        "so how many {t} has {n}?",
        "can you say how many {t} {n} has?",
        "how many {t} would {n} count then?",
    ),
    owns=(
        ("{a} {t} belong to {n}", "today {n} has {a} {t}"),
        ("{a} {t} belonged to {n}", "yesterday {n} had {a} {t}"),
    ),
    shared=(
        "{q} people, {n} among them, divide {w} {t} so that each gets the same",
        "{w} {t} go in equal parts to {n} and {f} others",
    ),
    batches=(
        "{n} has {q} bags, and there are {p} {t} in every one of them",
        "in each of the {q} boxes that {n} has lie {p} {t}",
    ),
    moments=("before breakfast", "around noon", "a day after", "in March", "on the way home"),
    women=WOMEN_OF_TESTS,
    men=MEN_OF_TESTS,
    invented=0.0,
)
"""Of its sentences, none is one of the training's."""


def write(rng: random.Random, reader: Reader) -> Draft:
    """A problem about a collection, a comparison, or equal parts."""
    scene = rng.choice((gsm.write, gsm.write, asdiv.compare, asdiv.divide_up))
    return scene(rng, reader, MANNER)


@cache
def by_hand() -> tuple[Problem, ...]:
    """The problems that were written by hand; `meta` says what of them is new to the base."""
    rows = json.loads(read_text(BY_HAND))
    return tuple(
        Problem(
            task=FAMILY.name,
            question=row["question"],
            answer=str(row["answer"]),
            meta={"unread": row.get("unread", []), "by_hand": True, "sum": row["sum"]},
        )
        for row in rows
    )


@dataclass(frozen=True)
class RewordedProblems(GeneratedProblems):
    """Those that were written by hand, then as many drawn ones as are asked for."""

    splits: tuple[Split, ...] = ("test",)

    def problems(self, task: str, split: Split, count: int, seed: int) -> list[Problem]:
        """``count`` problems with different questions, those that were written by hand first."""
        written = [replace(problem, task=task) for problem in by_hand()][:count]
        return written + super().problems(task, split, count - len(written), seed)

    def left_out(self, task: str, split: Split) -> Mapping[str, int]:
        """None of them."""
        return {}


FAMILY = Family("mini-reworded", "number", write)
