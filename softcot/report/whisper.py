"""How much K thoughts carry of a note that only the assistant has read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from softcot.data.families.notes import COUNTS
from softcot.evaluation.experiments import TOLD, WHISPERED_K, plan
from softcot.evaluation.records import Record
from softcot.methods import METHODS, SoftCoT, ToldCoT, ZeroShotCoT
from softcot.report.cells import recorded
from softcot.report.charts import line, panels
from softcot.report.parts import MISSING, Cell, Figure, Section, Table
from softcot.report.results import Key, Results, key_of, key_of_run
from softcot.support.presets import is_laboratory
from softcot.support.text import counted

Found = Mapping[Key, Record]
Cells = Mapping[tuple[str, str, int, str], Cell]
"""By method, control, K and task."""


class Way(NamedTuple):
    """One way to answer a question about a note."""

    method: str
    control: str = "none"
    counts: tuple[int, ...] = (0,)
    """Its K; 0 where there are no thoughts."""


WAYS = {
    METHODS[SoftCoT.name].title: Way(SoftCoT.name, counts=WHISPERED_K),
    "swap": Way(SoftCoT.name, "swap", WHISPERED_K),
    METHODS[ToldCoT.name].title: Way(ToldCoT.name),
    METHODS[ZeroShotCoT.name].title: Way(ZeroShotCoT.name),
}
"""What is compared, by its label: thoughts, their control, and the bounds above and below them."""

FACTS = {f"mini-notes-{count}": counted(count, "fact") for count in COUNTS}
STORIES = {task: task for task in TOLD}
"""Tasks and what their columns are called."""


def section(results: Results) -> Section | None:
    """Accuracy against K for notes of one to eight facts and for real ones, with their bounds."""
    whole = {key_of(record): record for record in [*results, *results.ready_made]}
    tables, figures = [], []
    for pair, experiment, columns, what in _asked(whole):
        keys = {key_of_run(run) for run in plan(experiment, pair)}
        if found := {key: record for key, record in whole.items() if key in keys}:
            cells = _cells(found)
            tables.append(_table(f"Accuracy in % with a note, {what}: {pair}", cells, columns))
            figures.append(_chart(f"What thoughts carry of a note, {what}: {pair}", cells, columns))
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


def _cells(found: Found) -> Cells:
    return {
        (key.method, key.control, key.k, key.task): recorded(record)
        for key, record in found.items()
    }


def _table(title: str, cells: Cells, columns: Mapping[str, str]) -> Table:
    rows = [
        [
            Cell(f"{label}, K = {k}" if k else label),
            *(cells.get((way.method, way.control, k, task), MISSING) for task in columns),
        ]
        for label, way in WAYS.items()
        for k in way.counts
    ]
    return Table(
        title,
        ["Way", *columns.values()],
        [row for row in rows if any(cell.value is not None for cell in row[1:])],
        "With each its 95 % interval.",
        brief=True,
    )


def _chart(title: str, cells: Cells, columns: Mapping[str, str]) -> Figure:
    """A panel for each kind of note, in which own thoughts stand between their bounds."""
    widest = WHISPERED_K[-1]
    own = {
        label: cells.get((SoftCoT.name, "none", widest, task), MISSING)
        for task, label in columns.items()
    }
    said = ", ".join(f"{label} {cell.text}" for label, cell in own.items())
    return panels(
        title,
        f"Accuracy in % with K = {widest} thoughts: {said}.",
        {label: _lines(cells, task) for task, label in columns.items()},
        "K",
        "Accuracy in %",
        ticks=WHISPERED_K,
        scale="log",
    )


def _lines(cells: Cells, task: str) -> list[dict[str, Any]]:
    """Accuracy of each way against K; level where the way has none."""
    lines = []
    for place, (label, way) in enumerate(WAYS.items()):
        row = [cells.get((way.method, way.control, k, task), MISSING) for k in way.counts]
        row *= len(WHISPERED_K) // len(row)
        # Swapped thoughts are a control: SoftCoT as it is alone has the accent.
        hue = way.method if way.control == "none" else ZeroShotCoT.name
        lines.append(line(label, WHISPERED_K, row, hue, place))
    return lines
