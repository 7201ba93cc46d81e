"""Whether thoughts can be asked in another number than they were trained in."""

from __future__ import annotations

from collections.abc import Iterator

from softcot.evaluation.experiments import ASKED_K
from softcot.methods import METHODS, SoftCoT, ZeroShotCoT
from softcot.report.cells import Grid, Line, tasks_of
from softcot.report.charts import figure, line
from softcot.report.parts import Cell, Section, Table
from softcot.report.results import Results
from softcot.support.presets import FIXED, MAX_THOUGHTS

TASK = "mini-gsm"
DRAWN = f"1 to {MAX_THOUGHTS}, drawn"
"""K of mini's own training."""


def section(results: Results) -> Section | None:
    """Accuracy by the K of the training and the K of the question."""
    pairs = {DRAWN: "mini"} | {pair.removeprefix("fixed-"): pair for pair in FIXED}
    trained = {name: _curve(results, pair) for name, pair in pairs.items()}
    trained = {name: curve for name, curve in trained.items() if curve}
    if not trained.keys() - {DRAWN}:
        return None
    hard = {task: one for task, one in results.line(ZeroShotCoT.name).items() if task == TASK}
    grid = Grid(
        tasks_of([hard, *(one for curve in trained.values() for one in curve.values())]),
        "trained-k",
    )
    rows = {
        name: [grid.accuracy("", curve.get(k, {}))[1] for k in ASKED_K]
        for name, curve in trained.items()
    }
    alone = grid.accuracy("", hard)[1]
    table = Table(
        f"Accuracy in % on {TASK} by K in training (rows) and K asked (columns), greedy; "
        f"{METHODS[ZeroShotCoT.name].title} {alone.text}",
        ["Trained with", *map(str, ASKED_K)],
        [[Cell(f"K = {name}"), *cells] for name, cells in rows.items()],
        brief=True,
    )
    chart = figure(
        "Accuracy against K, by the K of the training",
        f"Accuracy in % on {TASK}, worst and best of all K asked: {'; '.join(_reach(rows))}.",
        [
            line(f"SoftCoT, trained with K = {name}", list(ASKED_K), cells, SoftCoT.name, place)
            for place, (name, cells) in enumerate(rows.items())
        ],
        "K asked",
        "Accuracy in %",
        ticks=list(ASKED_K),
    )
    return Section(
        "trained-k",
        "Does K in training bind K in use?",
        "The paper trains each K alone; here each step of a training draws its K. Projections that "
        "had one K in every step, asked with others.",
        [table],
        [chart],
    )


def _reach(rows: dict[str, list[Cell]]) -> Iterator[str]:
    """The least and the largest accuracy of each training."""
    for name, cells in rows.items():
        known = [cell.value for cell in cells if cell.value is not None]
        yield f"trained with K = {name} {min(known):.1f} and {max(known):.1f}"


def _curve(results: Results, pair: str) -> dict[int, Line]:
    """The records of each K, of the one task."""
    found = {k: results.line(SoftCoT.name, k=k, pair=pair) for k in ASKED_K}
    return {k: {TASK: line[TASK]} for k, line in found.items() if TASK in line}
