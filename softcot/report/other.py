"""Records that no experiment asks for, so that none is dropped in silence."""

from __future__ import annotations

from collections.abc import Iterable

from softcot.evaluation.records import Record, counted
from softcot.report.cells import COUNT, PERCENT, recorded
from softcot.report.parts import MISSING, Cell, Section, Table
from softcot.report.results import Results

CUT = ["Cut off at the token limit,\u00a0%"]
"""Heads a column of its own, where a record tells it."""


def section(results: Results) -> Section | None:
    """One row for each record of other tasks, pairs, splits or settings."""
    if not results.others:
        return None
    columns = "Pair Task Split Method Control K Weights Decoding Problems Accuracy,\u00a0%".split(
        " "
    )
    tells_cut = any(record.cut is not None for record in results.others)
    rows = []
    for record in results.others:
        temperature = record.sampling.get("temperature", 0)
        decoding = f"temperature {temperature:g}" if temperature else "greedy"
        if record.samples > 1:
            decoding += f", {record.samples} samples"
        labels = [
            record.pair,
            record.task,
            record.split,
            record.method,
            record.control,
            str(record.k),
            record.trained_on or "–",
            decoding,
        ]
        rows.append(
            [
                *map(Cell, labels),
                COUNT.number(record.n, record.command),
                recorded(record),
                *([_cut(record)] if tells_cut else []),
            ]
        )
    return Section(
        "other",
        "Other records",
        "Records that belong to none of the experiments above, as they are.",
        [Table("Accuracy in %", columns + CUT * tells_cut, rows, left_out_of(results.others))],
    )


def _cut(record: Record) -> Cell:
    return MISSING if record.cut is None else PERCENT.number(record.cut, record.command)


def left_out_of(records: Iterable[Record]) -> str:
    """What could not be judged in each split, in a sentence, as far as it is known."""
    found = {f"{r.task}, {r.split}: {counted(r.left_out)}": None for r in records if r.left_out}
    return f"Problems that cannot be judged are left out. {'; '.join(found)}." if found else ""
