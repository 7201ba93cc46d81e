"""Whether it matters who assists a ready-made base, with every control beside it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from pathlib import Path

import numpy as np

from softcot.evaluation.experiments import ASSISTANTS, ASSISTED_CONTROLS, REAL
from softcot.methods import METHODS, SoftCoT, ZeroShotCoT
from softcot.report.cells import PERCENT, POINTS, Line, minus
from softcot.report.judgement import HARD, JUDGING, joined, line_of, verdict
from softcot.report.parts import MISSING, Cell, Section, Table
from softcot.report.real import with_lent
from softcot.report.results import Results
from softcot.support.presets import PRESETS

OWN = "own"
JUDGES = [control for _, control in JUDGING.values()]
Thoughts = Mapping[str, Line]
"""The records of one assistant: what is in the slots, or no slots at all -> task -> record."""


def section(results: Results) -> Section | None:
    """A table for each base that several assistants have helped."""
    bases = {base: helped for base, helped in _by_base(results).items() if len(helped) > 1}
    if not bases:
        return None
    return Section(
        "assistants",
        "Does it matter who assists a ready-made base?",
        "One frozen base with projections from several assistants, trained with the settings in "
        "the tables of trainings; the base can read for itself, too. swap: another question's "
        "thoughts. shuffle: the question's own in another order. mean: the average thought of "
        "each slot. noise: random, as long as the own.",
        [_table(base, helped) for base, helped in bases.items()],
        summary=" ".join(_sentence(base, helped) for base, helped in bases.items()),
    )


def _by_base(results: Results) -> dict[str, dict[str, Thoughts]]:
    """Base -> assistant -> what it did."""
    bases: dict[str, dict[str, Thoughts]] = {}
    for pair, found in with_lent(results).items():
        for method in ASSISTANTS:
            own = {
                OWN if control == "none" else control: line_of(pair, found, (method, control))
                for control in ASSISTED_CONTROLS
            }
            if own[OWN]:
                base, assistant = _names(pair, method)
                hard = {METHODS[ZeroShotCoT.name].title: line_of(pair, found, HARD)}
                bases.setdefault(base, {}).setdefault(assistant, {**hard, **own})
    return bases


def _names(pair: str, method: str) -> tuple[str, str]:
    """Base and assistant of a pair, as their makers call them where the pair is a known one."""
    if pair not in PRESETS:
        return pair, pair
    base, assistant = (
        Path(str(model)).name.removesuffix("-GGUF")
        for model in (PRESETS[pair].base, PRESETS[pair].assistant)
    )
    return base, assistant if method == SoftCoT.name else "the base itself"


def _table(base: str, helped: Mapping[str, Thoughts]) -> Table:
    """A row for each assistant of a task that several have helped with."""
    asked = [task for thoughts in helped.values() for task in thoughts[OWN]]
    rows = [
        [Cell(f"{task}, {assistant}"), *_cells(task, thoughts)]
        for task in REAL
        if asked.count(task) > 1
        for assistant, thoughts in helped.items()
        if task in thoughts[OWN]
    ]
    inside = next(iter(helped.values()))
    return Table(
        f"Accuracy in % of {base} by its assistant, greedy",
        ["Task and assistant", *inside, *(f"{OWN} minus {control}" for control in JUDGES)],
        rows,
        "Differences in points, paired over problems; with each figure its 95 % interval.",
        brief=True,
    )


def _cells(task: str, thoughts: Thoughts) -> list[Cell]:
    """Accuracies, and what own thoughts add to those of the controls that judge them."""
    shown = [line.get(task) for line in thoughts.values()]
    gaps = [minus(thoughts[OWN], thoughts[control]).get(task) for control in JUDGES]
    return [
        *(PERCENT.cell(one.scores(), one.command) if one else MISSING for one in shown),
        *(POINTS.cell(gap, thoughts[OWN][task].command) for gap in gaps),
    ]


def _sentence(base: str, helped: Mapping[str, Thoughts]) -> str:
    """Whether any assistant's thoughts do better than another's, or than another question's.

    That none do is said of the tasks that all of them were tried on.
    """
    better = [
        f"the thoughts of {one} do better than those of {other} on {told}"
        for one, other in permutations(helped, 2)
        if (told := _above(minus(helped[one][OWN], helped[other][OWN])))
    ]
    thinking = [
        f"those of {name} do better than another question's on {told}"
        for name, thoughts in helped.items()
        if (told := _above(minus(thoughts[OWN], thoughts["swap"])))
    ]
    tasks = [] if better else _of_all(helped, OWN)
    if tasks:
        better = [f"no assistant's thoughts do better than those of any other on {joined(tasks)}"]
    if not thinking and (swapped := _of_all(helped, OWN, "swap")):
        of_none = f" on {joined(swapped)}" if swapped != tasks else " there"
        thinking = [f"none do better than another question's{of_none}"]
    said = better + thinking
    return f"With {joined([*helped])} as assistants of {base}, {joined(said)}." if said else ""


def _of_all(helped: Mapping[str, Thoughts], *ways: str) -> list[str]:
    """The tasks that every assistant has been tried on in these ways."""
    lines = [thoughts[way] for thoughts in helped.values() for way in ways]
    return [task for task in REAL if all(task in line for line in lines)]


def _above(gaps: Mapping[str, np.ndarray]) -> str:
    """The tasks with a difference above zero, and how large it is."""
    found = [f"{task} {POINTS.cell(gap).full}" for task, gap in gaps.items() if verdict(gap) > 0]
    return joined(found) if found else ""
