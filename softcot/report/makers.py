"""Who should make the thoughts: every maker, beside what its own thoughts are judged by."""

from __future__ import annotations

from softcot.evaluation.experiments import JUDGES, MAKERS
from softcot.evaluation.records import Record
from softcot.methods import METHODS, SoftCoT, ZeroShotCoT
from softcot.report.cells import POINTS, Grid, Line, Unit, minus, tasks_of, way_title
from softcot.report.charts import bars, figure
from softcot.report.parts import MISSING, Cell, Section, Table
from softcot.report.results import Results

SAMENESS = Unit(1, ".3f")


def section(results: Results) -> Section | None:
    """Accuracy of every maker on every task, with swapped and average thoughts beside it."""
    ways = [(name, control) for name in MAKERS for control in JUDGES]
    lines = {way: results.line(*way) for way in ways}
    lines = {way: line for way, line in lines.items() if line}
    if not any(name != SoftCoT.name for name, _ in lines):
        return None
    hard = results.line(ZeroShotCoT.name)
    grid = Grid(tasks_of([hard, *lines.values()]), "makers")
    rows = [grid.accuracy(way_title(*way), line) for way, line in lines.items()]
    own = {name: line for (name, control), line in lines.items() if control == "none"}
    gains = [
        grid.row(
            f"{METHODS[name].title} minus {control}", minus(line, lines[name, control]), POINTS
        )
        for name, line in own.items()
        for control in JUDGES[1:]
        if (name, control) in lines
    ]
    accuracy = [grid.accuracy(METHODS[ZeroShotCoT.name].title, hard)] if hard else []
    chart = figure(
        "Accuracy of every maker of thoughts",
        f"Accuracy in %. {grid.summary(rows)}.",
        [
            bars(row[0].text, grid.tasks, row[1 : len(grid.tasks) + 1], name)
            for (name, control), row in zip(lines, rows, strict=True)
            if control == "none"
        ],
        "Task",
        "Accuracy in %",
        barmode="group",
    )
    return Section(
        "makers",
        "Who should make the thoughts?",
        "A frozen assistant (SoftCoT), one that was trained for it, the base itself, or an "
        "assistant with several placeholders, of which the first is asked here. swap: another "
        "question's thoughts. mean: the average thought of each slot.",
        [
            grid.table(
                "Accuracy in % by who made the thoughts, greedy",
                "Maker",
                accuracy + rows,
                brief=True,
            ),
            grid.table("What a question's own thoughts add, in points", "Maker", gains, brief=True),
            _sameness(grid, own),
        ],
        [chart],
    )


def _sameness(grid: Grid, own: dict[str, Line]) -> Table:
    """How much each maker's thoughts depend on the question, where the records say it."""
    rows = [
        [Cell(METHODS[name].title), *(_likeness(line.get(task)) for task in grid.tasks)]
        for name, line in own.items()
    ]
    return Table(
        "Cosine between the thoughts of two questions",
        ["Maker", *grid.tasks],
        rows,
        "In the same slot; 1 is a static prompt.",
    )


def _likeness(record: Record | None) -> Cell:
    if record is None or record.collapse is None:
        return MISSING
    return SAMENESS.number(record.collapse["cosine"], record.command)
