"""How much K thoughts carry of a note that only the assistant has read."""

from __future__ import annotations

from collections.abc import Iterator

from softcot.data.families.notes import COUNTS
from softcot.evaluation.experiments import WHISPERED_K, Run, plan
from softcot.evaluation.records import Record
from softcot.methods import METHODS, SoftCoT, ToldCoT, ZeroShotCoT
from softcot.report.cells import PERCENT
from softcot.report.charts import figure, line
from softcot.report.parts import MISSING, Cell, Figure, Section, Table
from softcot.report.results import Key, Results, key_of, key_of_run

Found = dict[Key, Record]


def section(results: Results) -> Section | None:
    """Accuracy against K for notes of one to eight facts, with its bounds."""
    whole = {key_of(record): record for record in [*results, *results.ready_made]}
    by_pair = {pair: _own(pair, whole) for pair in dict.fromkeys(key.pair for key in whole)}
    by_pair = {pair: found for pair, found in by_pair.items() if found}
    if not by_pair:
        return None
    return Section(
        "whisper",
        "How much do thoughts carry?",
        "The assistant alone reads a note of one, two, four or eight facts, each a number, a place "
        "or a colour; the base is asked for one of them or for the sum of two. "
        f"{METHODS[ZeroShotCoT.name].title} was told nothing, {METHODS[ToldCoT.name].title} reads "
        "the note itself. swap: another problem's note.",
        [_table(pair, found) for pair, found in by_pair.items()],
        [_chart(pair, found) for pair, found in by_pair.items()],
    )


def _own(pair: str, whole: Found) -> Found:
    keys = {key_of_run(run) for run in _runs(pair)}
    return {key: record for key, record in whole.items() if key in keys}


def _runs(pair: str) -> Iterator[Run]:
    yield from plan("whisper", pair)


def _ways() -> dict[str, tuple[str, str, int]]:
    """Label -> method, control and K."""
    alone = {METHODS[name].title: (name, "none", 0) for name in (ZeroShotCoT.name, ToldCoT.name)}
    title = METHODS[SoftCoT.name].title
    own = {f"{title}, K = {k}": (SoftCoT.name, "none", k) for k in WHISPERED_K}
    return alone | own | {f"swap, K = {k}": (SoftCoT.name, "swap", k) for k in WHISPERED_K}


def _cell(found: Found, way: tuple[str, str, int], count: int) -> Cell:
    for key, record in found.items():
        if (key.method, key.control, key.k) == way and key.task == f"mini-notes-{count}":
            low, high = (100 * bound for bound in record.interval)
            return PERCENT.number(record.accuracy, record.command, low, high)
    return MISSING


def _table(pair: str, found: Found) -> Table:
    rows = [
        [Cell(label), *(_cell(found, way, count) for count in COUNTS)]
        for label, way in _ways().items()
    ]
    return Table(
        f"Accuracy in % by the facts of the note: {pair}",
        ["Way", *(f"{count} fact{'s' * (count > 1)}" for count in COUNTS)],
        [row for row in rows if any(cell.value is not None for cell in row[1:])],
        "With each its 95 % interval.",
        brief=True,
    )


def _chart(pair: str, found: Found) -> Figure:
    ways = _ways()
    traces = [
        line(
            f"{METHODS[SoftCoT.name].title}, {count} fact{'s' * (count > 1)}",
            list(WHISPERED_K),
            [
                _cell(found, ways[f"{METHODS[SoftCoT.name].title}, K = {k}"], count)
                for k in WHISPERED_K
            ],
            SoftCoT.name,
            place,
        )
        for place, count in enumerate(COUNTS)
    ]
    bounds = [
        line(f"{label}, {count}", list(WHISPERED_K), [cell] * len(WHISPERED_K), way[0], place)
        for label, way in list(ways.items())[:2]
        for place, count in enumerate(COUNTS)
        if (cell := _cell(found, way, count)) != MISSING
    ]
    said = ", ".join(f"{c} facts {_cell(found, ways[_widest()], c).text}" for c in COUNTS)
    return figure(
        f"What thoughts carry of a note: {pair}",
        f"Accuracy in % with K = {WHISPERED_K[-1]} thoughts: {said}.",
        traces + bounds,
        "K",
        "Accuracy in %",
        ticks=WHISPERED_K,
    )


def _widest() -> str:
    return f"{METHODS[SoftCoT.name].title}, K = {WHISPERED_K[-1]}"
