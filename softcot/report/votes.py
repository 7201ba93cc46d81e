"""Self-consistency: the majority of several samples."""

from __future__ import annotations

import numpy as np

from softcot.evaluation.records import Record, variety
from softcot.methods import METHODS, SoftCoT, SoftCoTP, SoftCoTPP, ZeroShotCoT
from softcot.report import paper
from softcot.report.cells import (
    PERCENT,
    POINTS,
    TOKENS,
    Grid,
    Line,
    Unit,
    Values,
    difference,
    tasks_of,
)
from softcot.report.charts import figure, line
from softcot.report.parts import MISSING, Cell, Section, Table
from softcot.report.results import Results

SHARED = Unit(1, ".3f")

VOTES = (1, 5, 10)
"""How many of the samples vote."""


def section(results: Results) -> Section | None:
    """Accuracy of the majority of N samples, with and without soft thoughts."""
    if not results.has("self-consistency"):
        return None
    names = (ZeroShotCoT.name, SoftCoT.name, SoftCoTP.name, SoftCoTPP.name)
    lines = {name: results.line(name, decoding="votes") for name in names}
    lines = {name: line for name, line in lines.items() if line}
    grid = Grid(tasks_of(lines.values()), "self-consistency")
    found = {(name, n): voted(line, n) for name, line in lines.items() for n in VOTES}
    rows = {
        (name, n): grid.row(f"{METHODS[name].title}, N = {n}", values, PERCENT, lines[name])
        for (name, n), values in found.items()
        if values
    }
    gains = [grid.row(f"N = {n}", _gains(found, n), POINTS) for n in VOTES]
    tables = [grid.table("Accuracy in % of the majority of N samples", "Method", [*rows.values()])]
    if {ZeroShotCoT.name, SoftCoT.name} <= lines.keys():
        tables.append(grid.table("What SoftCoT adds to zero-shot CoT, in points", "N", gains))
    tables += _variety(grid, lines)
    traces = []
    for name in dict.fromkeys(name for name, _ in rows):
        counts = [n for n in VOTES if (name, n) in rows]
        for place, task in enumerate(grid.tasks):
            cells = [rows[name, n][place + 1] for n in counts]
            traces.append(line(f"{METHODS[name].title}, {task}", counts, cells, name, place))
    chart = figure(
        "Accuracy of the majority of N samples",
        f"Accuracy in %. {grid.summary(list(rows.values()))}.",
        traces,
        "N",
        "Accuracy in %",
        ticks=VOTES,
    )
    return Section(
        "self-consistency",
        "Does it add to self-consistency?",
        "N samples at temperature 1 vote on the answer. If SoftCoT's gain adds to that of voting, "
        "it is there at every N.",
        [*tables, paper.votes_table()],
        [chart],
    )


def voted(line: Line, votes: int) -> Values:
    """Whether the majority of the first `votes` samples is right, where there are so many."""
    return {task: record.scores(votes) for task, record in line.items() if votes <= record.samples}


def _variety(grid: Grid, lines: dict[str, Line]) -> list[Table]:
    """What the samples have among them, where some are of thoughts of their own."""
    if not {SoftCoTP.name, SoftCoTPP.name} & lines.keys():
        return []

    def rows(name: str, unit: Unit) -> list[list[Cell]]:
        return [
            [Cell(METHODS[method].title), *(_chains(line.get(task), name, unit) for task in tasks)]
            for method, line in lines.items()
        ]

    tasks = grid.tasks
    return [
        Table(
            "Problems that at least one of the samples answers rightly, in %",
            ["Method", *tasks],
            rows("pass", PERCENT),
        ),
        Table("Different answers among the samples", ["Method", *tasks], rows("answers", TOKENS)),
        Table(
            "Cosine between the thoughts of two samples",
            ["Method", *tasks],
            rows("cosine", SHARED),
            "Slot by slot; where all samples have the same thoughts, there is none.",
        ),
    ]


def _chains(record: Record | None, name: str, unit: Unit) -> Cell:
    if record is None:
        return MISSING
    known = variety(record.rows, record.samples) | (record.chains or {})
    return unit.number(known[name], record.command) if name in known else MISSING


def _gains(found: dict[tuple[str, int], Values], votes: int) -> dict[str, np.ndarray]:
    hard, soft = (found.get((name, votes), {}) for name in (ZeroShotCoT.name, SoftCoT.name))
    return {task: difference(soft[task], hard[task]) for task in soft if task in hard}
