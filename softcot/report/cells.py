"""Records to cells: means with intervals, by task and over several tasks together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from softcot.evaluation.experiments import mini_tasks, trained_tasks
from softcot.evaluation.records import Record, interval
from softcot.methods import METHODS
from softcot.report.parts import MISSING, Cell, Table

Line = Mapping[str, Record]
"""The records of one way to answer, by task."""
Values = Mapping[str, np.ndarray]
"""A number for each answer, float[S, n], by task."""
_NOTHING: Line = {}


@dataclass(frozen=True)
class Unit:
    """How numbers are shown."""

    factor: float
    spec: str

    def cell(self, values: np.ndarray | None, command: str = "") -> Cell:
        """The mean of float[S, n] with its interval, or the missing cell for None."""
        if values is None:
            return MISSING
        low, high = (self.factor * bound for bound in interval(values))
        return self.number(float(values.mean()), command, low, high)

    def number(
        self, value: float, command: str = "", low: float | None = None, high: float | None = None
    ) -> Cell:
        """A number as a cell; its bounds are in the unit already."""
        value = round(self.factor * value, 4)
        low, high = (None if x is None else round(x, 4) for x in (low, high))
        return Cell(f"{value:{self.spec}}", value, low, high, command=command)


PERCENT = Unit(100, "z.1f")
POINTS = Unit(100, "+z.1f")
NATS = Unit(1, "+z.2f")
COUNT = Unit(1, ",.0f")
TOKENS = Unit(1, ".1f")


def command_of(experiment: str) -> str:
    """The command that makes an experiment's records."""
    return f"python -m softcot reproduce --experiment {experiment}"


def way_title(method: str, control: str) -> str:
    """What the tables call a method under a control."""
    return METHODS[method].title + (f", {control}" if control != "none" else "")


def recorded(record: Record) -> Cell:
    """A record's accuracy in %, with the interval that it says."""
    low, high = (PERCENT.factor * bound for bound in record.interval)
    return PERCENT.number(record.accuracy, record.command, low, high)


def scores(line: Line) -> Values:
    """Whether each answer is right."""
    return {task: record.scores() for task, record in line.items()}


def alike(*arrays: np.ndarray) -> list[np.ndarray]:
    """The numbers float[S, n] of several records of a task, for the problems that all have.

    Records have the first problems of a task, some of them fewer.
    """
    n = min(array.shape[-1] for array in arrays)
    return [array[..., :n] for array in arrays]


def difference(after: np.ndarray, before: np.ndarray) -> np.ndarray:
    """float[S, n]: what one adds to the other, problem by problem, as far as both go."""
    after, before = alike(after, before)
    return after - before


def minus(after: Line, before: Line) -> Values:
    """What one way to answer adds to another, answer by answer, where both were tried."""
    return {
        task: difference(after[task].scores(), before[task].scores())
        for task in after
        if task in before
    }


def pooled(values: Values, tasks: Sequence[str]) -> np.ndarray | None:
    """float[S, n]: as many answers of each of some tasks, or None where a task is missing."""
    if not tasks or any(task not in values for task in tasks):
        return None
    return np.concatenate(alike(*(values[task] for task in tasks)), axis=1)


def span(counts: Iterable[int]) -> str:
    """The least and the largest of some counts, or the one they all are."""
    found = sorted(set(counts))
    return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,} to {found[-1]:,}"


def tasks_of(lines: Iterable[Line]) -> list[str]:
    """The tasks that any of some lines has, in their usual order."""
    found = {task for line in lines for task in line}
    return [task for task in mini_tasks() if task in found]


def trained_of(*lines: Line) -> list[str]:
    """The tasks with a training split that all of some lines have."""
    return [task for task in trained_tasks() if all(task in line for line in lines)]


class Grid:
    """A table with a column for each task and, behind them, for averages over tasks.

    An average is over the problems of its tasks together, as many of each. Where rows have
    different numbers of problems, the table's note says which has how many.

    Args:
        tasks: The tasks, in order.
        experiment: Whose records it shows.
        averages: Whether to have averages.
    """

    def __init__(self, tasks: Sequence[str], experiment: str, *, averages: bool = True):
        self.tasks = list(tasks)
        self.command = command_of(experiment)
        self._counts: dict[str, dict[str, int]] = {}  # label of a row -> task -> problems
        self.groups = [(task, [task]) for task in tasks]
        trained = [task for task in tasks if task in trained_tasks()]
        if averages and len(trained) > 1:
            self.groups.append((f"Average of the {len(trained)} trained", trained))
        if averages and len(tasks) > len(trained) > 0:
            self.groups.append((f"Average of all {len(tasks)}", list(tasks)))

    @property
    def headline(self) -> int:
        """Place in a row of the column that says most: the first average, or the first task."""
        return len(self.tasks) + 1 if len(self.groups) > len(self.tasks) else 1

    def cells(self, label: str, make: Callable[[list[str]], Cell]) -> list[Cell]:
        """A row, made group by group."""
        return [Cell(label), *(make(tasks) for _, tasks in self.groups)]

    def row(self, label: str, values: Values, unit: Unit, line: Line = _NOTHING) -> list[Cell]:
        """A row of means; the cell of a task has the command of its record in `line`, if any."""
        self._counts[label] = {
            task: values[task].shape[-1] for task in self.tasks if task in values
        }
        first, *cells = self.cells(
            label, lambda tasks: unit.cell(pooled(values, tasks), self.command)
        )
        for place, task in enumerate(self.tasks):
            if task in line and cells[place] != MISSING:
                cells[place] = replace(cells[place], command=line[task].command)
        return [first, *cells]

    def accuracy(self, label: str, line: Line) -> list[Cell]:
        """A row of accuracies."""
        return self.row(label, scores(line), PERCENT, line)

    def table(self, title: str, first: str, rows: list[list[Cell]], **options: Any) -> Table:
        """The table of some rows; `first` heads their labels."""
        note = f"{options.pop('note', '')} {self._counted(rows)}".strip()
        columns = [first, *(label for label, _ in self.groups)]
        return Table(title, columns, rows, note=note, **options)

    def _counted(self, rows: Sequence[Sequence[Cell]]) -> str:
        """How many problems each row has, where that is not one number."""
        by_count: dict[int, list[str]] = {}
        for label in (row[0].text for row in rows):
            found = self._counts.get(label, {})
            for n in dict.fromkeys(found.values()):
                tasks = [task for task, count in found.items() if count == n]
                whole = len(tasks) == len(found)
                name = label if whole else f"{label} on {', '.join(tasks)}"
                by_count.setdefault(n, []).append(name)
        if len(by_count) < 2:
            return ""
        usual = max(by_count, key=lambda n: len(by_count[n]))
        others = (f"{n:,} for {'; '.join(by_count[n])}" for n in sorted(by_count) if n != usual)
        return f"Problems of a task: {usual:,}, but {'. '.join(others)}."

    def summary(self, rows: Sequence[Sequence[Cell]]) -> str:
        """The column that says most, in words."""
        label = self.groups[self.headline - 1][0]
        known = [row for row in rows if row[self.headline].value is not None]
        figures = ", ".join(f"{row[0].text} {row[self.headline].text}" for row in known)
        return f"{label}: {figures}"


def with_best(rows: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
    """The rows with the highest figures of every column marked; equal ones are all best."""
    columns = []
    for column in zip(*rows, strict=True):
        found = [cell for cell in column if cell.value is not None]
        top = max(found, key=lambda cell: cell.value).text if found else None
        columns.append([replace(c, best=c.value is not None and c.text == top) for c in column])
    return [list(row) for row in zip(*columns, strict=True)]
