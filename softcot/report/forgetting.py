"""What training on one task does to the others."""

from __future__ import annotations

import numpy as np

from softcot.evaluation.experiments import trained_tasks
from softcot.methods import METHODS, SoftCoT
from softcot.report.cells import POINTS, Grid, Line, alike, minus, pooled, tasks_of
from softcot.report.charts import colour, figure, points
from softcot.report.parts import Cell, Figure, Section, Table
from softcot.report.results import Results

Matrix = dict[str, Line]
"""The records of one method: trained on, evaluated on."""


def section(results: Results) -> Section | None:
    """Accuracy of everything that is trained, on the task it was trained on and on others."""
    if not results.has("forgetting"):
        return None
    base = results.line(SoftCoT.name, k=0)
    matrices = {name: _matrix(results, name) for name in METHODS}
    matrices = {name: matrix for name, matrix in matrices.items() if matrix}
    lines = [line for matrix in matrices.values() for line in matrix.values()]
    grid = Grid(tasks_of([base, *lines]), "forgetting", averages=False)
    accuracies, changes = [grid.accuracy("Untouched base", base)], []
    for name, matrix in matrices.items():
        for trained_on, line in matrix.items():
            label = f"{METHODS[name].title}, trained on {trained_on}"
            change = minus(line, base)
            others = pooled(change, [task for task in grid.tasks if task != trained_on])
            accuracies.append(grid.accuracy(label, line))
            changes.append([*grid.row(label, change, POINTS), POINTS.cell(others, grid.command)])
    tables = [grid.table("Accuracy in %, greedy", "Method", accuracies)]
    charts = []
    if base and matrices:
        title = "Change against the untouched base, in points"
        table = grid.table(title, "Method", changes)
        columns = [*table.columns, "Mean of the other tasks"]
        tables.append(Table(title, columns, changes, table.note))
        summary, names = _summary(grid, base, matrices)
        if names:
            tables.append(summary)
            charts.append(_chart(summary, names))
    return Section(
        "forgetting",
        "What is forgotten?",
        "Everything that can be trained, trained on one task and evaluated on all, against the "
        "base as it was. SoftCoT with K = 0 is that base exactly: training moved none of its "
        "weights.",
        tables,
        charts,
    )


def _matrix(results: Results, name: str) -> Matrix:
    if METHODS[name].kind is None:
        return {}
    lines = {task: results.line(name, trained_on=task) for task in trained_tasks()}
    return {trained_on: line for trained_on, line in lines.items() if line}


def _summary(grid: Grid, base: Line, matrices: dict[str, Matrix]) -> tuple[Table, list[str]]:
    """Means over the trainings of each method that was evaluated after all of them, and which."""
    there = {trained_on for matrix in matrices.values() for trained_on in matrix}
    order = [trained_on for trained_on in trained_tasks() if trained_on in there]
    pairs = [(trained_on, task) for trained_on in order for task in grid.tasks]
    parts = [[pair for pair in pairs if (pair[0] == pair[1]) == own] for own in (True, False)]
    rows = {}
    for name, matrix in matrices.items():
        cells = [POINTS.cell(mean_change(matrix, base, part), grid.command) for part in parts]
        rows[name] = [Cell(METHODS[name].title), *cells]
    known = {name: row for name, row in rows.items() if any(c.value is not None for c in row[1:])}
    table = Table(
        "Mean change against the untouched base after training on one task, in points",
        ["Method", "Task it was trained on", "Other tasks"],
        [*known.values()],
        "Means over the tables' entries, with 95 % intervals.",
        brief=True,
    )
    return table, [*known]


def mean_change(matrix: Matrix, base: Line, pairs: list[tuple[str, str]]) -> np.ndarray | None:
    """Numbers float[S, n], one for each problem, whose mean is that of some entries' changes.

    A problem is met once for each training, so its changes are added up before an interval takes
    problems for independent.

    Args:
        matrix: The records of one method.
        base: Those of the untouched base.
        pairs: The entries: trained on, evaluated on.

    Returns:
        None where an entry is missing.
    """
    changes: dict[str, list[np.ndarray]] = {}
    for trained_on, task in pairs:
        change = minus(matrix.get(trained_on, {}), base).get(task)
        if change is None:
            return None
        changes.setdefault(task, []).append(change)
    sums = {task: np.sum(alike(*found), axis=0) for task, found in changes.items()}
    whole = pooled(sums, list(sums))
    # The mean over the problems of all tasks is to be that over the entries.
    return None if whole is None else whole * (len(sums) / len(pairs))


def _chart(summary: Table, names: list[str]) -> Figure:
    labels = [row[0].text for row in summary.rows]
    hues = [colour(name) for name in names]
    traces = []
    for place, pattern in ((1, ""), (2, "/")):
        cells = [row[place] for row in summary.rows]
        marker = {
            "color": hues,
            "line": {"color": hues, "width": 1},
            "pattern": {"shape": pattern, "size": 6, "solidity": 0.25},
        }
        title = summary.columns[place]
        traces.append({"type": "bar", "name": title, **points(labels, cells), "marker": marker})
    said = "; ".join(f"{a.text} {b.text} and {c.text}" for a, b, c in summary.rows)
    return figure(
        summary.title,
        f"Points on the task trained on and on the others: {said}.",
        traces,
        "Method",
        "Change in points",
        barmode="group",
    )
