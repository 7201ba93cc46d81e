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
from softcot.support.presets import UNCONTRASTED

SHARED = Unit(1, ".3f")

VOTES = (1, 5, 10)
"""How many of the samples vote."""

Way = tuple[str, str]
"""Method and pair."""

HARD, SOFT = (ZeroShotCoT.name, "mini"), (SoftCoT.name, "mini")
WAYS: dict[Way, str] = {
    (kind.name, "mini"): kind.title for kind in (ZeroShotCoT, SoftCoT, SoftCoTP, SoftCoTPP)
} | {(SoftCoTPP.name, UNCONTRASTED): f"{SoftCoTPP.title} without the contrastive loss"}
"""What votes, with its titles."""


def section(results: Results) -> Section | None:
    """Accuracy of the majority of N samples, with and without soft thoughts."""
    if not results.has("self-consistency"):
        return None
    lines = {way: results.line(way[0], decoding="votes", pair=way[1]) for way in WAYS}
    lines = {way: line for way, line in lines.items() if line}
    grid = Grid(tasks_of(lines.values()), "self-consistency")
    found = {(way, n): voted(line, n) for way, line in lines.items() for n in VOTES}
    rows = {
        (way, n): grid.row(f"{WAYS[way]}, N = {n}", values, PERCENT, lines[way])
        for (way, n), values in found.items()
        if values
    }
    gains = [grid.row(f"N = {n}", _gains(found, n, HARD, SOFT), POINTS) for n in VOTES]
    many = [way for way in lines if METHODS[way[0]].many]
    tables = [grid.table("Accuracy in % of the majority of N samples", "Method", [*rows.values()])]
    if {HARD, SOFT} <= lines.keys():
        tables.append(grid.table("What SoftCoT adds to zero-shot CoT, in points", "N", gains))
    if many and SOFT in lines:
        title = "What sets of thoughts add to one set with as many samples, in points"
        beyond = [
            grid.row(f"{WAYS[way]}, N = {n}", _gains(found, n, SOFT, way), POINTS)
            for way in many
            for n in VOTES[1:]
        ]
        tables.append(grid.table(title, "Method", beyond, brief=True))
    tables += _variety(grid, lines) if many else []
    tables += _noises(results)
    traces = []
    for place, way in enumerate(lines):
        cells = {n: rows[way, n][grid.headline] for n in VOTES if (way, n) in rows}
        cells = {n: cell for n, cell in cells.items() if cell.value is not None}
        if cells:
            traces.append(line(WAYS[way], [*cells], [*cells.values()], way[0], place))
    chart = figure(
        f"Accuracy of the majority of N samples: {grid.groups[grid.headline - 1][0]}",
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


def _variety(grid: Grid, lines: dict[Way, Line]) -> list[Table]:
    """What the samples have among them, where some are of thoughts of their own."""

    def rows(name: str, unit: Unit) -> list[list[Cell]]:
        return [
            [Cell(WAYS[way]), *(_chains(line.get(task), name, unit) for task in tasks)]
            for way, line in lines.items()
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


def _noises(results: Results) -> list[Table]:
    """The vote behind noise of several lengths, one of which was chosen."""
    lines: dict[float, dict[str, Record]] = {}
    for record in results.tried:
        if record.pair == "mini" and record.noise is not None:
            lines.setdefault(record.noise, {})[record.task] = record
    if not lines:
        return []
    grid = Grid(tasks_of(lines.values()), "noise")
    rows = [
        grid.accuracy(f"{noise:g}{' (chosen)' * (noise == SoftCoTP.noise)}", lines[noise])
        for noise in sorted(lines)
    ]
    title = f"{SoftCoTP.title}: accuracy in % of the majority by the length of its noise"
    note = "As a share of the thought's; on validation problems, 10 samples of each."
    return [grid.table(title, "Noise", rows, note=note)]


def _chains(record: Record | None, name: str, unit: Unit) -> Cell:
    if record is None:
        return MISSING
    known = variety(record.rows, record.samples) | (record.chains or {})
    return unit.number(known[name], record.command) if name in known else MISSING


def _gains(
    found: dict[tuple[Way, int], Values], votes: int, before: Way, after: Way
) -> dict[str, np.ndarray]:
    less, more = (found.get((way, votes), {}) for way in (before, after))
    return {task: difference(more[task], less[task]) for task in more if task in less}
