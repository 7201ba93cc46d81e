"""Whether the size of the assistant matters."""

from __future__ import annotations

from softcot.evaluation.experiments import SIZED
from softcot.methods import METHODS, SoftCoT, ZeroShotCoT
from softcot.report import paper
from softcot.report.cells import Grid, tasks_of
from softcot.report.charts import figure, line
from softcot.report.parts import Section
from softcot.report.results import Results
from softcot.support.presets import ASSISTANT_SIZES

OWN_WIDTH = 128
"""Width of mini's own assistant; that of the others is in their pairs' names."""


def section(results: Results) -> Section | None:
    """SoftCoT's accuracy with narrower assistants of the same base."""
    if not results.has("assistant-size"):
        return None
    pairs = {int(pair.removeprefix("assistant-")): pair for pair in ASSISTANT_SIZES}
    pairs[OWN_WIDTH] = "mini"
    lines = {width: results.line(SoftCoT.name, pair=pair) for width, pair in pairs.items()}
    lines = {
        width: {task: record for task, record in line.items() if task in SIZED}
        for width, line in sorted(lines.items())
    }
    lines = {width: line for width, line in lines.items() if line}
    grid = Grid(tasks_of(lines.values()), "assistant-size")
    rows = [grid.accuracy(f"SoftCoT, width {width}", line) for width, line in lines.items()]
    hard = grid.accuracy(
        f"{METHODS[ZeroShotCoT.name].title}, no assistant", results.line(ZeroShotCoT.name)
    )
    table = grid.table("Accuracy in % by the width of the assistant, greedy", "Base", [hard, *rows])
    chart = figure(
        "Accuracy against the width of the assistant",
        f"Accuracy in %. {grid.summary([hard, *rows])}.",
        [
            line(
                f"SoftCoT, {task}",
                list(lines),
                [row[place + 1] for row in rows],
                SoftCoT.name,
                place,
            )
            for place, task in enumerate(grid.tasks)
        ],
        "Width of the assistant",
        "Accuracy in %",
        ticks=list(lines),
    )
    return Section(
        "assistant-size",
        "Does the size of the assistant matter?",
        "The same base with assistants of several widths, each with projections of its own; a "
        "narrower assistant is also shallower.",
        [table, paper.size_table()],
        [chart],
    )
