"""Whether thoughts come to depend on the question while they are trained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from softcot.methods import SoftCoT, ZeroShotCoT
from softcot.report.cells import Unit
from softcot.report.charts import figure, line
from softcot.report.parts import MISSING, Cell, Figure, Section, Table
from softcot.support.errors import UserError
from softcot.support.presets import PRESETS, is_laboratory
from softcot.support.reading import read_object

LOSS = Unit(1, ".3f")
KINDS = {"own": "validation_loss", "swapped": "swap_loss"}
"""Whose thoughts, and where a training's history has their loss."""


@dataclass(frozen=True)
class Training:
    """What a `training.json` says of a training with swapped thoughts in its validations."""

    pair: str
    task: str
    start: str
    command: str
    history: Sequence[dict[str, Any]]


def training_files(root: Path) -> list[Path]:
    """The records of trainings of ready-made pairs below a checkout.

    They are beside the weights that are shipped, and in a folder where the weights are not.
    """
    places = (f"checkpoints/{pair}/projection-*" for pair in PRESETS if not is_laboratory(pair))
    shipped = (path for place in places for path in root.glob(f"{place}/training.json"))
    return [*shipped, *root.glob("assets/trainings/*.json")]


def load_trainings(files: Iterable[Path]) -> list[Training]:
    """What some `training.json` say, those of a pair and a task together.

    Raises:
        UserError: A file is no such record.
    """
    found = []
    for path in files:
        try:
            content = read_object(path)
            start, history = content["config"]["start"], content["history"]
            pair, task = content["pair"], content["task"]
            assert all({"step", *KINDS.values()} <= entry.keys() for entry in history)
            found.append(Training(pair, task, start, content["command"], history))
        except (ValueError, KeyError, TypeError, AttributeError, AssertionError):
            raise UserError(
                f"{path} is no record of a training whose validations swap thoughts; remove it."
            ) from None
    return sorted(found, key=lambda one: (one.pair, one.task, one.start))


def section(trainings: Iterable[Training]) -> Section | None:
    """Losses of own and swapped thoughts, a table and a figure for each pair and task."""
    groups = [
        (f"{task}, {pair}", list(runs))
        for (pair, task), runs in groupby(trainings, lambda one: (one.pair, one.task))
    ]
    if not groups:
        return None
    return Section(
        "learning",
        "Do thoughts learn to depend on the question?",
        "Mean loss of validation answers in training, with a question's own thoughts and with "
        "another's. Where both are equal, what is learnt is a static prompt. `plain` trains the "
        "projection as it stands; `vocabulary`, `random` and `answers` are starts of a training in "
        "coordinates in which the assistant's states are centred and white.",
        [_table(title, runs) for title, runs in groups],
        [_figure(title, runs) for title, runs in groups],
    )


def _table(title: str, runs: Sequence[Training]) -> Table:
    steps = sorted({entry["step"] for run in runs for entry in run.history})
    columns = [(run, whose) for run in runs for whose in KINDS]
    rows = [
        [Cell(f"{step}"), *(_at(run, step, KINDS[whose]) for run, whose in columns)]
        for step in steps
    ]
    heads = [f"{run.start}, {whose}" for run, whose in columns]
    return Table(f"Validation loss of own and swapped thoughts: {title}", ["Step", *heads], rows)


def _at(run: Training, step: int, name: str) -> Cell:
    found = [entry[name] for entry in run.history if entry["step"] == step]
    return LOSS.number(found[0], run.command) if found else MISSING


def _figure(title: str, runs: Sequence[Training]) -> Figure:
    """Own thoughts in the accent, swapped ones in grey; each start has its dash."""
    traces = []
    for place, run in enumerate(runs):
        steps = [entry["step"] for entry in run.history]
        for whose, name in KINDS.items():
            cells = [_at(run, step, name) for step in steps]
            hue = SoftCoT.name if whose == "own" else ZeroShotCoT.name
            traces.append(line(f"{whose}, {run.start}", steps, cells, hue, place))
    ends = ", ".join(
        f"{run.start}: own {run.history[-1]['validation_loss']:.3f}, swapped "
        f"{run.history[-1]['swap_loss']:.3f}"
        for run in runs
    )
    name = f"Loss of own and swapped thoughts over training: {title}"
    return figure(name, f"At the end, {ends}.", traces, "Step", "Validation loss, nats a token")
