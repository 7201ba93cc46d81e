"""How many thoughts it takes: accuracy against K."""

from __future__ import annotations

from collections.abc import Sequence

from softcot.evaluation.experiments import CURVE, HINT_CURVE, trained_tasks
from softcot.methods import AssistCoT, Method, SoftCoT
from softcot.report.cells import Grid, Line, tasks_of
from softcot.report.charts import figure, line, shaded
from softcot.report.parts import Cell, Section, Table
from softcot.report.results import Results
from softcot.support.presets import MAX_THOUGHTS

TOLERANCE = 3.0
"""Points below the best that still count as level."""

Curve = dict[int, Line]
"""The records of each K, by task."""


def section(results: Results) -> Section | None:
    """Accuracy against the number of soft thoughts and of hard hint tokens."""
    if not results.has("thoughts"):
        return None
    counts: dict[type[Method], Sequence[int]] = {SoftCoT: CURVE, AssistCoT: HINT_CURVE}
    curves = {kind: _curve(results, kind, some) for kind, some in counts.items()}
    curves = {kind: curve for kind, curve in curves.items() if curve}
    grid = Grid(tasks_of(one for curve in curves.values() for one in curve.values()), "thoughts")
    tables = {kind: _table(grid, kind, curve) for kind, curve in curves.items()}
    levels = " ".join(_levels(kind, tables[kind], list(curve)) for kind, curve in curves.items())
    chart = figure(
        "Accuracy against the number of thoughts",
        levels,
        [
            line(f"{kind.title}, {task}", list(curve), row[1:], kind.name, place)
            for kind, curve in curves.items()
            for place, (task, row) in enumerate(zip(grid.tasks, tables[kind].rows, strict=False))
        ],
        "K",
        "Accuracy in %",
        **shaded(1, MAX_THOUGHTS, "K in SoftCoT's training"),
    )
    text = (
        "Accuracy against K: soft thoughts, and the hard tokens of a hint. A curve is level from "
        f"a K on when neither it nor a larger one is more than {TOLERANCE:.0f} points below the "
        f"best. The paper finds about 6 soft and 24 hard tokens best. {levels}"
    )
    return Section(
        "thoughts", "How many thoughts does it take?", text, list(tables.values()), [chart]
    )


def _curve(results: Results, kind: type[Method], counts: Sequence[int]) -> Curve:
    lines = {count: results.line(kind.name, k=count) for count in counts}
    # The controls bring one K of a task that has no curve.
    taught = trained_tasks()
    lines = {
        count: {task: record for task, record in line.items() if task in taught}
        for count, line in lines.items()
    }
    return {count: line for count, line in lines.items() if line}


def _table(grid: Grid, kind: type[Method], curve: Curve) -> Table:
    """A row for each task, a column for each K."""
    columns = [grid.accuracy("", line)[1:] for line in curve.values()]
    labels = [Cell(label) for label, _ in grid.groups]
    return Table(
        f"{kind.title}: accuracy in % against K, greedy",
        ["Task", *map(str, curve)],
        [list(row) for row in zip(labels, *columns, strict=True)],
        brief=kind is SoftCoT,
    )


def _levels(kind: type[Method], table: Table, counts: list[int]) -> str:
    """From which K on each row of a table is level, and how level, in a sentence."""
    found = []
    for label, *cells in table.rows:
        known = {k: c.value for k, c in zip(counts, cells, strict=True) if c.value is not None}
        start = knee(known)
        if start is not None and len(known) > 1:
            rest = [value for count, value in known.items() if count >= start]
            found.append(f"{label.text} {max(rest) - min(rest):.1f} at K ≥ {start}")
    if not found:
        return ""
    return f"{kind.title}, points between best and worst once level: {', '.join(found)}."


def knee(curve: dict[int, float], tolerance: float = TOLERANCE) -> int | None:
    """The smallest K from which on no accuracy is more than `tolerance` below the best of all.

    Args:
        curve: Accuracy in % by K.
        tolerance: In points.
    """
    start = None
    for count in sorted(curve, reverse=True):
        # A hair more, as 100 times an accuracy is not exact.
        if curve[count] < max(curve.values()) - tolerance - 1e-6:
            break
        start = count
    return start
