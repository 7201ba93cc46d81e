"""How much K thoughts carry of a note that only the assistant has read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from softcot.data.families.notes import COUNTS
from softcot.evaluation.experiments import TOLD, WHISPERED_K, plan
from softcot.evaluation.records import Record
from softcot.methods import METHODS, SoftCoT, ToldCoT, ZeroShotCoT
from softcot.report.cells import PERCENT
from softcot.report.charts import figure, line
from softcot.report.parts import MISSING, Cell, Figure, Section, Table
from softcot.report.results import Key, Results, key_of, key_of_run
from softcot.support.presets import is_laboratory

Found = Mapping[Key, Record]
Way = tuple[str, str, int]
"""Method, control and K."""

FACTS = {f"mini-notes-{count}": f"{count} fact{'s' * (count > 1)}" for count in COUNTS}
STORIES = {task: task for task in TOLD}
"""Tasks and what their columns are called."""


def section(results: Results) -> Section | None:
    """Accuracy against K for notes of one to eight facts and for real ones, with their bounds."""
    whole = {key_of(record): record for record in [*results, *results.ready_made]}
    tables, figures = [], []
    for pair, experiment, columns, what in _asked(whole):
        keys = {key_of_run(run) for run in plan(experiment, pair)}
        if found := {key: record for key, record in whole.items() if key in keys}:
            tables.append(_table(f"Accuracy in % with a note, {what}: {pair}", found, columns))
            figures.append(_chart(f"What thoughts carry of a note, {what}: {pair}", found, columns))
    if not tables:
        return None
    return Section(
        "whisper",
        "How much do thoughts carry?",
        "The assistant alone reads a note. It has one, two, four or eight facts, each a number, a "
        "place or a colour, and the base is asked for one of them or for the sum of two; or it is "
        "the story of a word problem of SVAMP, or the facts behind a question of StrategyQA. "
        f"{METHODS[ZeroShotCoT.name].title} was told nothing, {METHODS[ToldCoT.name].title} reads "
        "the note itself. swap: another problem's note.",
        tables,
        figures,
    )


def _asked(whole: Found) -> Iterator[tuple[str, str, Mapping[str, str], str]]:
    """What may be shown: a pair, an experiment, its tasks with their titles, and what it is of."""
    for pair in dict.fromkeys(key.pair for key in whole):
        yield pair, "whisper", FACTS, "by its facts"
        if not is_laboratory(pair):
            yield pair, "told", STORIES, "by data set"


def _ways() -> dict[str, Way]:
    """What is compared, by its label."""
    alone = {METHODS[name].title: (name, "none", 0) for name in (ZeroShotCoT.name, ToldCoT.name)}
    return (
        alone
        | {_own(k): (SoftCoT.name, "none", k) for k in WHISPERED_K}
        | {f"swap, K = {k}": (SoftCoT.name, "swap", k) for k in WHISPERED_K}
    )


def _own(k: int) -> str:
    return f"{METHODS[SoftCoT.name].title}, K = {k}"


def _cell(found: Found, way: Way, task: str) -> Cell:
    for key, record in found.items():
        if (key.method, key.control, key.k) == way and key.task == task:
            low, high = (100 * bound for bound in record.interval)
            return PERCENT.number(record.accuracy, record.command, low, high)
    return MISSING


def _table(title: str, found: Found, columns: Mapping[str, str]) -> Table:
    rows = [
        [Cell(label), *(_cell(found, way, task) for task in columns)]
        for label, way in _ways().items()
    ]
    return Table(
        title,
        ["Way", *columns.values()],
        [row for row in rows if any(cell.value is not None for cell in row[1:])],
        "With each its 95 % interval.",
        brief=True,
    )


def _chart(title: str, found: Found, columns: Mapping[str, str]) -> Figure:
    ways = _ways()
    traces = [
        line(
            f"{METHODS[SoftCoT.name].title}, {label}",
            list(WHISPERED_K),
            [_cell(found, ways[_own(k)], task) for k in WHISPERED_K],
            SoftCoT.name,
            place,
        )
        for place, (task, label) in enumerate(columns.items())
    ]
    bounds = [
        line(f"{bound}, {label}", list(WHISPERED_K), [cell] * len(WHISPERED_K), way[0], place)
        for bound, way in list(ways.items())[:2]
        for place, (task, label) in enumerate(columns.items())
        if (cell := _cell(found, way, task)) != MISSING
    ]
    widest = ways[_own(WHISPERED_K[-1])]
    said = ", ".join(f"{label} {_cell(found, widest, t).text}" for t, label in columns.items())
    return figure(
        title,
        f"Accuracy in % with K = {WHISPERED_K[-1]} thoughts: {said}.",
        traces + bounds,
        "K",
        "Accuracy in %",
        ticks=WHISPERED_K,
    )
