"""What accuracy costs: every method at several settings, in tokens, passes, time and arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from softcot.evaluation.experiments import ASSISTED, COSTS, VOTES, VOTING, plan
from softcot.evaluation.records import Record
from softcot.methods import METHODS, SoftCoT, ZeroShotCoT
from softcot.report.cells import (
    PERCENT,
    TOKENS,
    Grid,
    Line,
    Unit,
    Values,
    command_of,
    pooled,
    tasks_of,
    trained_of,
)
from softcot.report.charts import figure, line, named, stairs
from softcot.report.parts import MISSING, Cell, Figure, Section, Table
from softcot.report.real import by_pair
from softcot.report.results import Key, Results, key_of_run
from softcot.support.text import counted

SECONDS, GIGA = Unit(1, ".3f"), Unit(1e-9, ",.2f")
COLUMNS = ["Method and K", "Accuracy,\u00a0%", "New tokens", "Passes", "GFLOP", "Seconds"]
GFLOP = COLUMNS.index("GFLOP")

TICKS = tuple(part * 10**power for power in range(-2, 5) for part in (1, 1.5, 2, 3, 5, 7))
"""Of arithmetic: votes cost ten times what one answer does, models a hundred times one another."""

SOME_VOTES = (5, VOTES)
"""Of a method's samples, how many vote."""


GROUPS = (
    METHODS[SoftCoT.name].title,
    "Other makers of soft thoughts",
    "Nothing trained",
    "Trained without an assistant",
)
"""What the figure tells apart."""


class Setting(NamedTuple):
    """One way to ask a method."""

    method: str
    k: int | None = None
    """None for the method's own."""
    votes: int = 1
    """Samples whose majority counts; of one, the greedy answer."""


class Point(NamedTuple):
    """A setting in the figure."""

    method: str
    title: str
    gflop: float
    accuracy: Cell
    height: float
    """Its accuracy in %."""


Lines = Mapping[Setting, Line]


def section(results: Results) -> Section | None:
    """One row for each setting, and accuracy against arithmetic."""
    tables, figures = [], []
    if results.has_own("cost", beside="grid"):
        found = {way: _line(results, way) for way in _settings()}
        found = {way: records for way, records in found.items() if records}
        tasks = trained_of(*found.values())
        rows = _rows(found, tasks, command_of("cost"))
        points = _points(rows)
        tables += [_by_task(found), _prices("", rows, found, points)]
        figures += _chart("", points)
    for pair, task, lines in _between(results):
        rows = _rows(lines, [task], f"{command_of('cost')} --pair {pair} --task {task}")
        points = _points(rows)
        tables.append(_prices(f": {pair} on {task}", rows, lines, points))
        figures += _chart(f": {pair} on {task}", points)
    if not tables:
        return None
    return Section(
        "cost",
        "What does accuracy cost?",
        "Every method at several settings, greedy: fewer words, more hints, more thoughts; or "
        "several samples at temperature 1, which vote and are counted together. Mini's are means "
        "over the tasks that all settings have. Arithmetic is two operations for each "
        "weight and token of base and assistant, without what attention adds; seconds are those of "
        "the machine that made the records, all of a batch together.",
        tables,
        figures,
    )


def _settings() -> Iterator[Setting]:
    for name in METHODS:
        for k in COSTS.get(name, (None,)):
            yield Setting(name, k)
        for votes in SOME_VOTES if name in VOTING else ():
            yield Setting(name, votes=votes)


def _line(results: Results, way: Setting) -> Line:
    return results.line(way.method, k=way.k, decoding="votes" if way.votes > 1 else "greedy")


def _between(results: Results) -> Iterator[tuple[str, str, Lines]]:
    """What ready-made models were asked with several settings: pair, task and records."""
    for pair, known in by_pair(results).items():
        for task in ASSISTED:
            found = _of_pair(pair, task, known)
            if any(way.k is not None for way in found):
                yield pair, task, found


def _of_pair(pair: str, task: str, known: Mapping[Key, Record]) -> Lines:
    found = {}
    for run in plan("cost", pair):
        if run.task == task and (key := key_of_run(run)) in known:
            found[Setting(run.protocol.method, run.protocol.k)] = {task: known[key]}
    return found


def _by_task(found: Lines) -> Table:
    grid = Grid(tasks_of(found.values()), "cost")
    rows = [
        grid.row(_title(way), _scores(way, records), PERCENT, records)
        for way, records in found.items()
    ]
    return grid.table("Accuracy in % of every setting", "Method and K", rows)


def _rows(found: Lines, tasks: list[str], command: str) -> dict[Setting, list[Cell]]:
    """Every setting's figures over some tasks, below `COLUMNS`."""
    return {way: _row(way, records, tasks, command) for way, records in found.items()}


def _prices(
    where: str, rows: Mapping[Setting, list[Cell]], found: Lines, points: list[Point]
) -> Table:
    """A row for each setting; without seconds where they are not all of one device."""
    devices = {record.device for records in found.values() for record in records.values()}
    note = "Passes wait for one another. An en dash where no record says it."
    if best := ", ".join(point.title for point in _frontier(points)):
        note = f"The highest mean for its arithmetic, from the cheapest on: {best}. {note}"
    columns = COLUMNS
    if len(devices) > 1:
        columns, note = COLUMNS[:-1], f"{note} The records are of more than one device."
    return Table(
        f"Accuracy and cost of an answer{where}",
        columns,
        [row[: len(columns)] for row in rows.values()],
        note,
        brief=bool(where),
    )


def _points(rows: Mapping[Setting, list[Cell]]) -> list[Point]:
    """The settings of which the arithmetic is known, the cheapest first."""
    found = [
        Point(way.method, row[0].text, cost, row[1], row[1].value or 0.0)
        for way, row in rows.items()
        if (cost := row[GFLOP].value) is not None
    ]
    return sorted(found, key=lambda point: (point.gflop, -point.height))


def _frontier(points: list[Point]) -> list[Point]:
    """Those that answer better than all that cost less."""
    best: list[Point] = []
    for point in points:
        if not best or point.height > best[-1].height:
            best.append(point)
    return best


def _chart(where: str, points: list[Point]) -> list[Figure]:
    """Accuracy against arithmetic: marks of a kind for each group, names where a pointer rests."""
    if not points:
        return []
    traces = []
    for place, group in enumerate(GROUPS):
        if own := [point for point in points if _group(point.method) == group]:
            method = SoftCoT.name if group == GROUPS[0] else ZeroShotCoT.name
            marks = line(group, *_places(own), method, place)
            traces.append(named(marks, [point.title for point in own]))
    said = ", ".join(f"{one.title} {one.accuracy.text} at {one.gflop:,.2f}" for one in points)
    chart = figure(
        f"Accuracy against the arithmetic of an answer{where}",
        f"Accuracy in % at GFLOP: {said}.",
        [stairs("The best for its cost", *_places(_frontier(points))), *traces],
        "GFLOP",
        "Accuracy in %",
        ticks=TICKS,
        scale="log",
    )
    return [chart]


def _group(name: str) -> str:
    """Which of `GROUPS` a method belongs to."""
    method = METHODS[name]
    if name == SoftCoT.name:
        return GROUPS[0]
    if issubclass(method, SoftCoT):
        return GROUPS[1]
    return GROUPS[2 if method.kind is None else 3]


def _places(points: list[Point]) -> tuple[list[float], list[Cell]]:
    return [point.gflop for point in points], [point.accuracy for point in points]


def _title(way: Setting) -> str:
    kind = METHODS[way.method]
    if way.votes > 1:
        return f"{kind.title}, {way.votes} votes"
    count = kind.default_k if way.k is None else way.k
    return (
        f"{kind.title}, {counted(count, kind.counted.removesuffix('s'))}" if count else kind.title
    )


def _scores(way: Setting, records: Line) -> Values:
    return {task: record.scores(way.votes) for task, record in records.items()}


def _row(way: Setting, records: Line, tasks: list[str], command: str) -> list[Cell]:
    own = [records[task] for task in tasks]
    if way.votes > 1:
        command = command_of("self-consistency")

    def mean(values: list[float | None], unit: Unit) -> Cell:
        known = [value for value in values if value is not None]
        whole = known and len(known) == len(values)
        return unit.number(float(np.mean(known)), command) if whole else MISSING

    return [
        Cell(_title(way)),
        PERCENT.cell(pooled(_scores(way, records), tasks), command),
        mean([record.mean_new_tokens * way.votes for record in own], TOKENS),
        mean([record.mean_passes for record in own], TOKENS),
        mean([_flops(record, way) for record in own], GIGA),
        mean([_seconds(record, way.votes) for record in own], SECONDS),
    ]


def _flops(record: Record, way: Setting) -> float | None:
    """Of what votes. Where each sample has a prompt of its own, only that of all is known."""
    several = METHODS[way.method].many and way.votes != record.samples
    return None if several else record.flops_of(way.votes)


def _seconds(record: Record, votes: int) -> float | None:
    """Of an answer, or of all samples where they all vote: a part of them was never timed."""
    if votes != record.samples:
        return None
    return record.seconds / (record.n * len(record.seeds))
