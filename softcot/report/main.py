"""The main comparison: every method on every task."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from softcot.evaluation.records import Comparison, Record, compare
from softcot.methods import METHODS, SoftCoT, ZeroShotCoT
from softcot.report import paper
from softcot.report.cells import (
    COUNT,
    PERCENT,
    POINTS,
    TOKENS,
    Grid,
    Line,
    alike,
    span,
    tasks_of,
    with_best,
)
from softcot.report.charts import dots, figure, markers, sideways
from softcot.report.parts import MISSING, Cell, Figure, Section, Table
from softcot.report.results import Results

ALONE = "Problems that only one of the two answers rightly, in %"
"""Title of the table that says how often a random problem shows a difference."""

SUBSETS = ("read", "unread")


def section(results: Results) -> Section | None:
    """Accuracy, paired differences, cost and reading of all methods, and the paper's figures."""
    if not results.has("main"):
        return None
    lines = {name: results.line(name, decoding="sampled") for name in METHODS}
    lines = {name: line for name, line in lines.items() if line}
    grid = Grid(tasks_of(lines.values()), "main")
    rows = with_best([grid.accuracy(METHODS[name].title, line) for name, line in lines.items()])
    accuracy = grid.table(
        "Accuracy in % of every method",
        "Method",
        rows,
        note="With each figure its 95 % interval; the best of each column is bold.",
        brief=True,
    )
    tables = [
        accuracy,
        *_comparisons(grid, lines),
        *_alone(grid, lines),
        _costs(grid, lines),
        *_reading(grid, lines),
    ]
    return Section(
        "main",
        "Which method answers best?",
        "Every method answers the same problems with the same seeds. A task without a training "
        "split is served by weights that were trained on another.",
        tables + paper.main_tables(),
        [_chart(grid, dict(zip(lines, rows, strict=True)))],
        _summary(record for line in lines.values() for record in line.values()),
    )


def _chart(grid: Grid, rows: dict[str, list[Cell]]) -> Figure:
    """A line for each method: its average with the interval, and a marker for each task."""
    at = grid.headline
    average, _ = grid.groups[at - 1]
    labels = [row[0].text for row in rows.values()]
    traces = []
    if at > len(grid.tasks):
        for place, task in enumerate(grid.tasks):
            traces.append(markers(task, labels, [row[place + 1] for row in rows.values()], place))
            del traces[-1]["error_y"]  # those of all tasks would hide one another
    soft = {name: row for name, row in rows.items() if name == SoftCoT.name}
    for name, own in ((ZeroShotCoT.name, rows), (SoftCoT.name, soft)):
        x, cells = [row[0].text for row in own.values()], [row[at] for row in own.values()]
        shown = {"legendgroup": average, "showlegend": name != SoftCoT.name}
        traces.append(dots(average, x, cells, name) | shown)
    chart = figure(
        "Accuracy of every method on every task",
        f"Accuracy in %. {grid.summary(list(rows.values()))}.",
        [sideways(trace) for trace in traces],
        "Accuracy in %",
        "",
    )
    order = {"categoryorder": "array", "categoryarray": labels, "autorange": "reversed"}
    chart.plotly["layout"]["yaxis"] |= order
    return chart


def _summary(records: Iterable[Record]) -> str:
    """What the table's figures are over."""
    records = list(records)
    seeds = span(len(record.seeds) for record in records)
    return (
        f"{span(record.n for record in records)} problems of each task, sampled at temperature 1 "
        f"with {seeds} seed{'s' * (seeds != '1')}."
    )


def _comparisons(grid: Grid, lines: dict[str, Line]) -> list[Table]:
    """What SoftCoT adds to every other method, and whether that may be chance."""
    soft = lines.get(SoftCoT.name)
    others = {METHODS[name].title: line for name, line in lines.items() if name != SoftCoT.name}
    if not soft or not others:
        return []
    differences, chances = [], []
    for label, other in others.items():
        found = [_compared(other, soft, tasks) for _, tasks in grid.groups]
        differences.append([Cell(label), *(_gain(one, grid.command) for one in found)])
        chances.append([Cell(label), *(_chance(one, grid.command) for one in found)])
    return [
        grid.table(
            "SoftCoT minus each other method, in points",
            "Method",
            differences,
            note="Paired over problems and seeds, with 95 % intervals.",
        ),
        grid.table(
            "Probability of such a difference by chance",
            "Method",
            chances,
            note="Two-sided p of a sign-flip permutation test over problems, not corrected for "
            "the number of comparisons; 0.001 is the least it can show.",
        ),
    ]


def _compared(before: Line, after: Line, tasks: list[str]) -> Comparison | None:
    if any(task not in before or task not in after for task in tasks):
        return None
    pairs = [alike(before[task].scores(), after[task].scores()) for task in tasks]
    return compare(*map(list, zip(*pairs, strict=True)))


def _gain(found: Comparison | None, command: str) -> Cell:
    if found is None:
        return MISSING
    low, high = (100 * bound for bound in found.interval)
    return POINTS.number(found.difference, command, low, high)


def _chance(found: Comparison | None, command: str) -> Cell:
    if found is None:
        return MISSING
    return Cell(f"{found.p:.3f}", round(found.p, 4), command=command)


def _alone(grid: Grid, lines: dict[str, Line]) -> list[Table]:
    """How often one of hard CoT and SoftCoT is right and the other is not."""
    hard, soft = (lines.get(name) for name in (ZeroShotCoT.name, SoftCoT.name))
    if not hard or not soft:
        return []
    pairs = {
        task: [scores > 0 for scores in alike(hard[task].scores(), soft[task].scores())]
        for task in hard
        if task in soft
    }
    only_soft = {task: (after & ~before) * 1.0 for task, (before, after) in pairs.items()}
    only_hard = {task: (before & ~after) * 1.0 for task, (before, after) in pairs.items()}
    rows = [
        grid.row(f"{METHODS[SoftCoT.name].title} alone", only_soft, PERCENT),
        grid.row(f"{METHODS[ZeroShotCoT.name].title} alone", only_hard, PERCENT),
    ]
    note = "The same seed for both, with 95 % intervals."
    return [grid.table(ALONE, "Right", rows, note=note)]


def _costs(grid: Grid, lines: dict[str, Line]) -> Table:
    """What an answer takes, and how often it cannot be read."""
    figures = {
        "New tokens an answer": ("mean_new_tokens", TOKENS),
        "Forward passes one after another": ("mean_passes", TOKENS),
        "No readable answer, %": ("parse_failures", PERCENT),
    }
    if any(record.cut is not None for line in lines.values() for record in line.values()):
        figures["Cut off at the token limit, %"] = ("cut", PERCENT)
    rows = []
    for name, line in lines.items():
        row = [Cell(METHODS[name].title)]
        for field, unit in figures.values():
            found = [getattr(record, field) for record in line.values()]
            whole = len(found) == len(grid.tasks) and None not in found
            row.append(unit.number(float(np.mean(found)), grid.command) if whole else MISSING)
        rows.append(row)
    return Table(
        "Cost of an answer",
        ["Method", *figures],
        rows,
        "Means over the tasks. Passes count those that wait for one another: a token each, and "
        "what a method needs before the first.",
    )


def _reading(grid: Grid, lines: dict[str, Line]) -> list[Table]:
    """Accuracy where the base has read all of a problem's words and facts, and where not."""
    shown = [name for name in (ZeroShotCoT.name, SoftCoT.name) if name in lines]
    rows = []
    for task in grid.tasks:
        records = [lines[name].get(task) for name in shown]
        if not any(record and record.subsets for record in records):
            continue
        row = [Cell(task)]
        for subset in SUBSETS:
            parts = [record.subsets.get(subset) if record else None for record in records]
            sizes = [part["n"] for part in parts if part]
            row.append(COUNT.number(sizes[0], grid.command) if sizes else MISSING)
            row += [_part(record, subset) for record in records]
        rows.append(row)
    if not rows:
        return []
    titles = [METHODS[name].title for name in shown]
    columns = [f"{subset}: {what}" for subset in SUBSETS for what in ("problems", *titles)]
    return [
        Table(
            "Accuracy in % by what the base has read of a problem's words and facts",
            ["Task", *columns],
            rows,
            "read: all of them; unread: not all of them.",
            brief=True,
        )
    ]


def _part(record: Record | None, subset: str) -> Cell:
    if record is None or subset not in record.subsets:
        return MISSING
    part = record.subsets[subset]
    low, high = (100 * bound for bound in part["interval"])
    return PERCENT.number(part["accuracy"], record.command, low, high)
