"""What accuracy costs: every method at several settings, in tokens, passes, time and arithmetic."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from softcot.evaluation.experiments import COSTS
from softcot.evaluation.records import Record
from softcot.methods import METHODS
from softcot.report.cells import (
    PERCENT,
    TOKENS,
    Grid,
    Line,
    Unit,
    command_of,
    pooled,
    scores,
    tasks_of,
    trained_of,
)
from softcot.report.charts import figure, line
from softcot.report.parts import MISSING, Cell, Section, Table
from softcot.report.results import Results

SECONDS, GIGA = Unit(1, ".3f"), Unit(1e-9, ".2f")

Setting = tuple[str, int | None]
"""Method and K; None is the method's own."""


def section(results: Results) -> Section | None:
    """One row for each setting, and accuracy against new tokens."""
    found = {way: _line(results, *way) for way in _settings()}
    found = {way: records for way, records in found.items() if records}
    if not results.has_own("cost", beside="grid"):
        return None
    grid, tasks = Grid(tasks_of(found.values()), "cost"), trained_of(*found.values())
    rows = {way: _row(way, records, tasks) for way, records in found.items()}
    traces = [
        line(METHODS[name].title, [row[2].value or 0.0 for row in own], [row[1] for row in own],
             name, place)
        for place, name in enumerate(dict.fromkeys(name for name, _ in rows))
        if (own := [row for (method, _), row in rows.items() if method == name])
    ]  # fmt: skip
    said = ", ".join(f"{row[0].text} {row[1].text} at {row[2].text}" for row in rows.values())
    return Section(
        "cost",
        "What does accuracy cost?",
        "Every method at several settings, greedy: fewer words, more hints, more thoughts. Means "
        f"over {', '.join(tasks)}. Arithmetic is two operations for each weight and token of "
        "base and assistant, without what attention adds; seconds are those of the machine that "
        "made the records, all of a batch together.",
        [
            grid.table(
                "Accuracy in % of every setting, greedy",
                "Method and K",
                [grid.accuracy(_title(*way), records) for way, records in found.items()],
            ),
            Table(
                "Accuracy and cost of an answer",
                ["Method and K", "Accuracy,\u00a0%", "New tokens", "Passes", "Seconds", "GFLOP"],
                list(rows.values()),
                "Passes wait for one another. An en dash where a record is older than the figure.",
            ),
        ],
        [
            figure(
                "Accuracy against the tokens of an answer",
                f"Accuracy in % at new tokens: {said}.",
                traces,
                "New tokens",
                "Accuracy in %",
            )
        ],
    )


def _settings() -> Iterator[Setting]:
    for name in METHODS:
        for k in COSTS.get(name, (None,)):
            yield name, k


def _title(method: str, k: int | None) -> str:
    kind = METHODS[method]
    count = kind.default_k if k is None else k
    counted = kind.counted.removesuffix("s") if count == 1 else kind.counted
    return f"{kind.title}, {count} {counted}" if count else kind.title


def _line(results: Results, method: str, k: int | None) -> Line:
    return results.line(method, k=k)


def _row(way: Setting, records: Line, tasks: list[str]) -> list[Cell]:
    """A setting's figures over the tasks that all settings have."""
    command, own = command_of("cost"), [records[task] for task in tasks]

    def mean(values: list[float | None], unit: Unit) -> Cell:
        known = [value for value in values if value is not None]
        whole = known and len(known) == len(values)
        return unit.number(float(np.mean(known)), command) if whole else MISSING

    return [
        Cell(_title(*way)),
        PERCENT.cell(pooled(scores(records), tasks), command),
        mean([record.mean_new_tokens for record in own], TOKENS),
        mean([record.mean_passes for record in own], TOKENS),
        mean([_seconds(record) for record in own], SECONDS),
        mean([record.flops for record in own], GIGA),
    ]


def _seconds(record: Record) -> float:
    return record.seconds / (record.n * len(record.seeds) * record.samples)
