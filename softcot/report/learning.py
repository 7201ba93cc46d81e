"""What was trained, how far, and whether thoughts of ready-made models know the question."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from softcot.methods import METHODS, SoftCoT, ZeroShotCoT
from softcot.report.cells import COUNT, PERCENT, Unit
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
    """What a `training.json` says."""

    pair: str
    task: str
    method: str
    start: str
    settings: dict[str, Any]
    """The rest of its configuration."""
    command: str
    history: Sequence[dict[str, Any]]
    """A validation each; `swap_loss` is there where thoughts depend on a question at all."""
    weights: str | None = None
    """Fingerprint of what came out."""

    @property
    def swaps(self) -> bool:
        """Whether every validation swapped thoughts."""
        return all(KINDS["swapped"] in entry for entry in self.history)

    @property
    def best(self) -> float:
        """The lowest loss of a validation, whose weights were kept."""
        return min(float(entry[KINDS["own"]]) for entry in self.history)

    @property
    def last_quarter(self) -> float:
        """Share of its loss that the last quarter of the steps took away; 0 once it is level."""
        end = self.history[-1]
        late = [one for one in self.history if one["step"] <= 0.75 * end["step"]] or self.history
        before, after = (float(one[KINDS["own"]]) for one in (late[-1], end))
        return (before - after) / before if before else 0.0

    @property
    def rate(self) -> float | None:
        """The learning rate, where it was taken down."""
        return self.settings.get("learning_rate")


def training_files(root: Path) -> list[Path]:
    """The records of trainings of mini and of ready-made pairs below a checkout.

    They are beside the weights that are shipped, and in a folder where the weights are not: those
    of settings that were not chosen, and those that are too large.
    """
    pairs = (pair for pair in PRESETS if pair == "mini" or not is_laboratory(pair))
    places = (f"checkpoints/{pair}/*" for pair in pairs)
    shipped = (path for place in places for path in root.glob(f"{place}/training.json"))
    return [*shipped, *root.glob("assets/trainings/*.json")]


def load_trainings(files: Iterable[Path]) -> list[Training]:
    """What some `training.json` say, those of a pair and a task together.

    Raises:
        UserError: A file is no such record.
    """
    found = [_load(path) for path in files]
    order = list(METHODS)
    return sorted(
        found,
        key=lambda one: (one.pair, one.task, order.index(one.method), one.start, one.rate or 0.0),
    )


def _load(path: Path) -> Training:
    try:
        content = read_object(path)
        config, history = dict(content["config"]), content["history"]
        method = content.get("method", SoftCoT.name)
        assert method in METHODS and history
        assert all({"step", KINDS["own"]} <= entry.keys() for entry in history)
        return Training(
            content["pair"],
            content["task"],
            method,
            config.pop("start"),
            config,
            content["command"],
            history,
            content.get("fingerprints", {}).get("trained"),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, AssertionError):
        raise UserError(f"{path} is no record of a training with validations; remove it.") from None


def section(trainings: Iterable[Training], used: Collection[str | None] = ()) -> Section | None:
    """What was tried for each pair, then losses of own and swapped thoughts of each of its tasks.

    Args:
        trainings: As `load_trainings` gives them.
        used: Fingerprints of the weights that records were made with.
    """
    trainings = list(trainings)
    if not trainings:
        return None
    ready_made = [one for one in trainings if not is_laboratory(one.pair)]
    pairs = {pair: list(runs) for pair, runs in groupby(ready_made, lambda one: one.pair)}
    swapping = groupby((t for t in ready_made if t.swaps), lambda one: (one.pair, one.task))
    groups = [(f"{task}, {pair}", list(runs)) for (pair, task), runs in swapping]
    return Section(
        "learning",
        "Do thoughts learn to depend on the question?",
        "Mean loss of validation answers in training, with a question's own thoughts and with "
        "another's. Where both are equal, what is learnt is a static prompt. `plain` trains the "
        "projection as it stands; `vocabulary`, `random` and `answers` are starts of a training in "
        "coordinates in which the assistant's states are centred and white.",
        [
            *(_settings(pair, runs, used) for pair, runs in pairs.items()),
            *(_table(title, runs) for title, runs in groups),
            _ends(trainings, used),
        ],
        [_figure(title, runs) for title, runs in groups],
    )


def _settings(pair: str, runs: Sequence[Training], used: Collection[str | None]) -> Table:
    """Every training in a line, and which of them the records were made with."""
    rows = []
    for run in runs:
        numbers = [
            COUNT.number(run.settings[name], run.command) if name in run.settings else MISSING
            for name in ("steps", "batch_size")
        ]
        last = run.history[-1]
        ends = [_loss(last.get(name), run) for name in KINDS.values()]
        chosen = "yes" if run.weights in used and run.weights is not None else "no"
        rows.append(
            [
                Cell(f"{run.task}, {METHODS[run.method].title}"),
                Cell(run.start if run.swaps else MISSING.text),
                MISSING if run.rate is None else Cell(f"{run.rate:g}", run.rate),
                *numbers,
                _loss(run.best, run),
                *ends,
                Cell(chosen),
            ]
        )
    return Table(
        f"What was trained, and with which settings: {pair}",
        [
            "Task and method",
            "Start",
            "Learning rate",
            "Steps",
            "Batch",
            "Best validation loss",
            "Own, at the end",
            "Swapped, at the end",
            "In the records",
        ],
        rows,
        "Nats a token, on validation problems, whose best loss chooses among settings. In the "
        "records: whether answers were given with these weights. What knows no question has "
        "nothing to swap.",
    )


def _ends(trainings: Sequence[Training], used: Collection[str | None]) -> Table:
    """Whether the trainings whose weights answered had come to their end."""
    rows = [
        [
            Cell(f"{run.pair}: {run.task}, {METHODS[run.method].title}"),
            COUNT.number(run.history[-1]["step"], run.command),
            _loss(run.best, run),
            PERCENT.number(run.last_quarter, run.command),
        ]
        for run in trainings
        if run.weights in used and run.weights is not None
    ]
    return Table(
        "How far the trainings behind the records went",
        ["Training", "Steps", "Best validation loss", "Fell in the last quarter,\u00a0%"],
        rows,
        "What the last quarter of the steps took away of the validation loss. Where that is much, "
        "the loss was still falling, and a longer training may do better.",
    )


def _loss(value: float | None, run: Training) -> Cell:
    return MISSING if value is None else LOSS.number(value, run.command)


def _labels(runs: Sequence[Training]) -> list[str]:
    """A name for each of the trainings of a task: what they differ in, or the start."""

    def parts(run: Training) -> tuple[str, str, str]:
        rate = "" if run.rate is None else f"{run.rate:g}"
        return METHODS[run.method].title, run.start, rate

    columns = list(zip(*map(parts, runs), strict=True))
    differ = [number for number, column in enumerate(columns) if len(set(column)) > 1] or [1]
    return [", ".join(parts(run)[number] for number in differ) for run in runs]


def _table(title: str, runs: Sequence[Training]) -> Table:
    steps = sorted({entry["step"] for run in runs for entry in run.history})
    columns = [(run, whose) for run in runs for whose in KINDS]
    rows = [
        [Cell(f"{step}"), *(_at(run, step, KINDS[whose]) for run, whose in columns)]
        for step in steps
    ]
    heads = [f"{label}, {whose}" for label in _labels(runs) for whose in KINDS]
    return Table(f"Validation loss of own and swapped thoughts: {title}", ["Step", *heads], rows)


def _at(run: Training, step: int, name: str) -> Cell:
    found = [entry[name] for entry in run.history if entry["step"] == step]
    return _loss(found[0] if found else None, run)


def _figure(title: str, runs: Sequence[Training]) -> Figure:
    """Own thoughts in the accent, swapped ones in grey; each training has its dash."""
    traces, labels = [], _labels(runs)
    for place, (run, label) in enumerate(zip(runs, labels, strict=True)):
        steps = [entry["step"] for entry in run.history]
        for whose, name in KINDS.items():
            cells = [_at(run, step, name) for step in steps]
            hue = SoftCoT.name if whose == "own" else ZeroShotCoT.name
            traces.append(line(f"{whose}, {label}", steps, cells, hue, place))
    ends = ", ".join(
        f"{label}: own {run.history[-1]['validation_loss']:.3f}, swapped "
        f"{run.history[-1]['swap_loss']:.3f}"
        for run, label in zip(runs, labels, strict=True)
    )
    name = f"Loss of own and swapped thoughts over training: {title}"
    return figure(name, f"At the end, {ends}.", traces, "Step", "Validation loss, nats a token")
