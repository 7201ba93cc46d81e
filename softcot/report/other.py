"""Records that no experiment asks for, so that none is dropped in silence."""

from __future__ import annotations

from softcot.report.cells import COUNT, PERCENT
from softcot.report.parts import Cell, Section, Table
from softcot.report.results import Results


def section(results: Results) -> Section | None:
    """One row for each record of other tasks, pairs, splits or settings."""
    if not results.others:
        return None
    columns = "Pair Task Split Method Control K Weights Decoding Problems Accuracy,\u00a0%".split(
        " "
    )
    rows = []
    for record in results.others:
        low, high = (100 * bound for bound in record.interval)
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
                PERCENT.number(record.accuracy, record.command, low, high),
            ]
        )
    return Section(
        "other",
        "Other records",
        "Records that belong to none of the experiments above, as they are.",
        [Table("Accuracy in %", columns, rows)],
    )
