"""When soft thoughts help: bases that have read more or less."""

from __future__ import annotations

from softcot.methods import METHODS, SoftCoT, ZeroShotCoT
from softcot.report.cells import POINTS, Grid, Line, minus, tasks_of
from softcot.report.charts import band, figure, line
from softcot.report.parts import Cell, Figure, Section
from softcot.report.results import Results
from softcot.support.presets import READINGS

HARD, SOFT, SWAP = METHODS[ZeroShotCoT.name].title, METHODS[SoftCoT.name].title, "SoftCoT, swap"


def section(results: Results) -> Section | None:
    """What SoftCoT, with own and with other questions' thoughts, adds by what the base has read."""
    if not results.has("regime"):
        return None
    shares = {int(pair.removeprefix("reading-")): _lines(results, pair) for pair in READINGS}
    shares = {share: lines for share, lines in shares.items() if any(lines.values())}
    grid = Grid(tasks_of(line for lines in shares.values() for line in lines.values()), "regime")
    accuracies = [
        grid.accuracy(f"{share} %: {way}", line)
        for share, lines in shares.items()
        for way, line in lines.items()
    ]
    gains = {
        (way, share): grid.row(f"{share} %: {way}", minus(lines[way], lines[HARD]), POINTS)
        for way in (SOFT, SWAP)
        for share, lines in shares.items()
    }
    tables = [
        grid.table("Accuracy in %, greedy, by the share that the base has read", "Base", accuracies)
    ]
    charts, summary = [], ""
    if any(cell.value is not None for row in gains.values() for cell in row):
        title = "Gain over zero-shot CoT in points, by the share that the base has read"
        tables.append(grid.table(title, "Base", list(gains.values()), brief=True))
        charts.append(_chart(grid, gains))
        summary = _summary(grid, gains)
    return Section(
        "regime",
        "When do soft thoughts help?",
        "Small bases that have read more or less of what their problems need, beside the same "
        "assistant. Where a base has read everything, the assistant has nothing to tell it.",
        tables,
        charts,
        summary,
    )


def _summary(grid: Grid, gains: dict[tuple[str, int], list[Cell]]) -> str:
    """What SoftCoT adds to each of the bases."""
    found = [
        f"{row[grid.headline].text} at {share} %"
        for (way, share), row in gains.items()
        if way == SOFT and row[grid.headline].value is not None
    ]
    if not found:
        return ""
    return (
        "SoftCoT's gain over zero-shot CoT in points, by the share that the base has read "
        f"({grid.groups[grid.headline - 1][0]}, greedy): {', '.join(found)}."
    )


def _lines(results: Results, pair: str) -> dict[str, Line]:
    return {
        HARD: results.line(ZeroShotCoT.name, pair=pair),
        SOFT: results.line(SoftCoT.name, pair=pair),
        SWAP: results.line(SoftCoT.name, "swap", pair=pair),
    }


def _chart(grid: Grid, gains: dict[tuple[str, int], list[Cell]]) -> Figure:
    traces = []
    for way in (SOFT, SWAP):
        shares = [share for other, share in gains if other == way]
        # A control is not SoftCoT: only the method as it is has the accent.
        method = SoftCoT.name if way == SOFT else ZeroShotCoT.name
        for place, task in enumerate(grid.tasks):
            cells = [gains[way, share][place + 1] for share in shares]
            traces.append(band(shares, cells, method))
            drawn = line(f"{way}, {task}", shares, cells, method, place)
            drawn["error_y"]["visible"] = False  # the band shows the same
            traces.append(drawn)
    return figure(
        "Gain over zero-shot CoT against what the base has read",
        f"Gain in points. {grid.summary(list(gains.values()))}.",
        traces,
        "Share of the situations that the base has read, %",
        "Points",
        ticks=list(dict.fromkeys(share for _, share in gains)),
    )
