"""Whether the order of the methods is one of prompts: methods against what they are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from softcot.evaluation.experiments import CURVED, PROMPTS, UNTAUGHT, WORTH
from softcot.evaluation.records import Record
from softcot.methods import SoftCoT, ZeroShotCoT
from softcot.report.cells import PERCENT, POINTS, command_of, difference, way_title
from softcot.report.parts import MISSING, Cell, Section, Table
from softcot.report.results import Results
from softcot.support.deviations import DEVIATIONS, deviating

Way = tuple[str, str]
"""Method and control."""
Told = Mapping[str, Mapping[Way, Record]]
"""The records by what was told."""

HARD: Way = (ZeroShotCoT.name, "none")
WAYS: tuple[Way, ...] = (
    *((name, "none") for name in UNTAUGHT),
    (SoftCoT.name, "none"),
    (SoftCoT.name, "swap"),
)


def section(results: Results) -> Section | None:
    """Accuracy of every method with every set of prompts, and what it adds to zero-shot CoT."""
    tables = list(_tables(results))
    if not tables:
        return None
    return Section(
        "grid",
        "Does the order of the methods depend on the prompts?",
        "The same methods, told in several ways what to do. `mini-paper` has marks around the "
        "slots and names K, after the code that the paper released.",
        tables,
    )


def _tables(results: Results) -> Iterator[Table]:
    mini = {"mini": _of_mini(results, "mini"), "mini-paper": _of_mini(results, deviating("slots"))}
    if results.has_own("grid"):
        yield from _pair("mini", WORTH, mini, command_of("grid"))
    for pair in dict.fromkeys(record.pair for record in results.tried):
        told = {name: _of_real(results, pair, name) for name in PROMPTS}
        if any(way != HARD for found in told.values() for way in found):
            yield from _pair(pair, CURVED, told, f"{command_of('grid')} --pair {pair}")


def _of_mini(results: Results, pair: str) -> dict[Way, Record]:
    k = {SoftCoT.name: DEVIATIONS["slots"].k}
    lines = {way: results.line(*way, k=k.get(way[0]), pair=pair) for way in WAYS}
    return {way: line[WORTH] for way, line in lines.items() if WORTH in line}


def _of_real(results: Results, pair: str, prompts: str) -> dict[Way, Record]:
    return {
        (record.method, record.control): record
        for record in results.tried
        if (record.pair, record.task, record.prompts) == (pair, CURVED, prompts)
    }


def _pair(pair: str, task: str, told: Told, command: str) -> Iterator[Table]:
    ways = [way for way in WAYS if any(way in found for found in told.values())]
    columns = ["Method", *(f"`{name}`" for name in told)]

    def cells(way: Way, less: bool) -> Iterator[Cell]:
        for found in told.values():
            if way not in found or (less and HARD not in found):
                yield MISSING
            elif less:
                yield POINTS.cell(difference(found[way].scores(), found[HARD].scores()), command)
            else:
                yield PERCENT.cell(found[way].scores(), found[way].command)

    counts = {record.n for found in told.values() for record in found.values()}
    split = next(record.split for found in told.values() for record in found.values())
    note = f"{max(counts):,} {split} problems, greedy, with 95 % intervals."
    yield Table(
        f"Accuracy in % on {task} by prompts: {pair}",
        columns,
        [[Cell(way_title(*way)), *cells(way, less=False)] for way in ways],
        note,
    )
    yield Table(
        f"The same minus zero-shot CoT with the same prompts, in points: {pair}",
        columns,
        [[Cell(way_title(*way)), *cells(way, less=True)] for way in ways if way != HARD],
        "Paired over problems.",
    )
