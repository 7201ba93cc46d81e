"""Whether it is a question's own thoughts that help: SoftCoT under every control."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from softcot.evaluation.records import Record, interval
from softcot.methods import METHODS, SoftCoT, ZeroShotCoT
from softcot.report.cells import (
    NATS,
    PERCENT,
    Grid,
    Line,
    Values,
    alike,
    difference,
    pooled,
    scores,
    tasks_of,
)
from softcot.report.charts import bars, figure, markers
from softcot.report.parts import MISSING, Cell, Figure, Section, Table
from softcot.report.results import Results
from softcot.thoughts.controls import CONTROLS

_MEANING = (
    "swap: another question's thoughts. shuffle: the question's own in another order. mean: the "
    "average thought of each slot. noise: random, as long as the own. zero: nothing. untrained: "
    "those of random weights."
)


def section(results: Results) -> Section | None:
    """What is left of SoftCoT when something else stands in the place of its thoughts."""
    if not results.has("controls"):
        return None
    hard = results.line(ZeroShotCoT.name)
    lines = {control: results.line(SoftCoT.name, control) for control in CONTROLS}
    lines = {control: line for control, line in lines.items() if line}
    grid = Grid(tasks_of([hard, *lines.values()]), "controls")
    own = lines.pop("none", {})
    named = {METHODS[ZeroShotCoT.name].title: hard, METHODS[SoftCoT.name].title: own} | lines
    rows = [grid.accuracy(label, line) for label, line in named.items() if line]
    title = "Accuracy in % with something else in the place of SoftCoT's thoughts, greedy"
    accuracy = grid.table(title, "Thoughts", rows, note=_MEANING, brief=True)
    return Section(
        "controls",
        "Is it the question's own thoughts?",
        "SoftCoT with something else in the place of a question's own thoughts. A gain that "
        "survives swap and mean comes from a static prompt and not from thinking.",
        [accuracy, *_effects(grid, hard, own, lines)],
        [_chart(grid, rows)],
        _summary(grid, rows),
    )


def _summary(grid: Grid, rows: Sequence[Sequence[Cell]]) -> str:
    """What is left with another question's thoughts and with the average ones."""
    at = grid.headline
    found = {row[0].text: row[at].text for row in rows if row[at].value is not None}
    ways = {
        METHODS[ZeroShotCoT.name].title: "zero-shot CoT {} %",
        METHODS[SoftCoT.name].title: "SoftCoT {} % with the question's own thoughts",
        "swap": "{} % with another question's (swap)",
        "mean": "{} % with the average thought of each slot (mean)",
    }
    said = [text.format(found[way]) for way, text in ways.items() if way in found]
    return f"{grid.groups[at - 1][0]}, greedy: {', '.join(said)}." if said else ""


def _effects(grid: Grid, hard: Line, own: Line, lines: dict[str, Line]) -> list[Table]:
    """What each control changes against the question's own thoughts."""
    lost = [
        grid.cells(label, partial(_lost, grid, hard, own, line)) for label, line in lines.items()
    ]
    flips = [grid.row(label, flipped(own, line), PERCENT) for label, line in lines.items()]
    shifts = [grid.row(label, shifted(own, line), NATS) for label, line in lines.items()]
    tables = [
        grid.table(
            "Share of SoftCoT's gain that is lost, in %",
            "Thoughts",
            lost,
            note="Of what SoftCoT adds to zero-shot CoT; more than 100 means worse than zero-shot "
            "CoT. An en dash where the interval of the gain is not above zero.",
        ),
        grid.table(
            "Problems whose answer changes, in %",
            "Thoughts",
            flips,
            note="Against the question's own thoughts, with 95 % intervals.",
        ),
        grid.table(
            "Change of the log-probability of the worked gold answer, in nats",
            "Thoughts",
            shifts,
            note="Against the question's own thoughts, with 95 % intervals.",
        ),
    ]
    return [table for table in tables if _filled(table)]


def _filled(table: Table) -> bool:
    return any(cell.value is not None for row in table.rows for cell in row)


def _lost(grid: Grid, hard: Line, own: Line, line: Line, tasks: list[str]) -> Cell:
    before, after, controlled = (pooled(scores(one), tasks) for one in (hard, own, line))
    if before is None or after is None or controlled is None:
        return MISSING
    before, after, controlled = alike(before, after, controlled)
    gain = after - before
    if interval(gain)[0] <= 0:
        return MISSING
    share = 100 * (after - controlled).mean() / gain.mean()
    return Cell(f"{share:z.0f}", round(float(share), 4), command=grid.command)


def flipped(own: Line, line: Line) -> Values:
    """Whether each parsed answer is another one than with the question's own thoughts."""

    def answers(record: Record) -> np.ndarray:
        found = np.array([row.parsed for row in record.rows], dtype=object)
        return found.reshape(len(record.seeds), -1)

    pairs = {task: alike(answers(own[task]), answers(r)) for task, r in line.items() if task in own}
    return {task: (before != after) * 1.0 for task, (before, after) in pairs.items()}


def shifted(own: Line, line: Line) -> Values:
    """How much likelier the worked gold answer is than with the question's own thoughts."""
    pairs = {
        task: (own[task].gold_logprobs(), record.gold_logprobs())
        for task, record in line.items()
        if task in own
    }
    return {
        task: difference(after, before)
        for task, (before, after) in pairs.items()
        if before is not None and after is not None
    }


def _chart(grid: Grid, rows: list[list[Cell]]) -> Figure:
    """Bars for the average, a marker for each task."""
    labels = [row[0].text for row in rows]
    soft, at = METHODS[SoftCoT.name].title, grid.headline
    average, _ = grid.groups[at - 1]
    traces = []
    for name, method in ((soft, SoftCoT.name), ("without its own thoughts", ZeroShotCoT.name)):
        chosen = [row for row in rows if (row[0].text == soft) == (name == soft)]
        x = [row[0].text for row in chosen]
        traces.append(bars(name, x, [row[at] for row in chosen], method, faint=True))
    if at > len(grid.tasks):
        for place, task in enumerate(grid.tasks):
            traces.append(markers(task, labels, [row[place + 1] for row in rows], place))
    chart = figure(
        "SoftCoT with something else in the place of its thoughts",
        f"Accuracy in %. {grid.summary(rows)}.",
        traces,
        "Thoughts",
        f"Accuracy in %, bars: {average}",
        barmode="overlay",
    )
    order = {"categoryorder": "array", "categoryarray": labels}
    chart.plotly["layout"]["xaxis"] |= order
    return chart
