"""Problems in words that no training had: is it the language that is read, or its templates?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from softcot.data.families.reworded import by_hand
from softcot.evaluation.experiments import plan
from softcot.evaluation.records import Record
from softcot.methods import METHODS, SoftCoT
from softcot.report.cells import COUNT, PERCENT, POINTS, command_of, difference, way_title
from softcot.report.parts import MISSING, Cell, Section, Table
from softcot.report.results import Results, key_of, key_of_run

TITLE = "Problems in other words"

Choice = Callable[[Record], np.ndarray]
"""Which of a record's problems are meant, bool[n]."""


def section(results: Results) -> Section | None:
    """Accuracy on reworded problems, readable and not, generated and written by hand."""
    found = lines(results)
    if not found:
        return None
    return Section(
        "reworded",
        "Does it read other words?",
        "Word problems told in names, openings, links and questions that no training had; some "
        "were written by hand, the rest by rules that no training uses. readable: the base has "
        "read all words that count. swap: another question's thoughts.",
        [table for table in (_accuracy(found), _gains(found)) if table.rows],
        summary="",
    )


def lines(results: Results) -> dict[str, Record]:
    """The records of the experiment that are there, by what they show."""
    known = {key_of(record): record for record in results}
    found = {}
    for run in plan("reworded"):
        if record := known.get(key_of_run(run)):
            found[way_title(run.protocol.method, run.protocol.control)] = record
    return found


def _is_by_hand(record: Record) -> np.ndarray:
    """Whether each problem was written by hand, bool[n]."""
    written = {problem.id for problem in by_hand()}
    return np.array([name in written for name in record.problem_ids()])


GROUPS: dict[str, Choice] = {
    "all": lambda record: np.ones(record.n, dtype=bool),
    "by rules": lambda record: ~_is_by_hand(record),
    "by hand": _is_by_hand,
}
"""Who wrote the problems."""

SUBSETS = {"readable": "read", "not readable": "unread"}
"""What the base can read, and what a record calls it."""


def _accuracy(found: dict[str, Record]) -> Table:
    rows = [
        [
            Cell(label),
            *(_of_group(record, choose) for choose in GROUPS.values()),
            *(_of_subset(record, name) for name in SUBSETS.values()),
        ]
        for label, record in found.items()
    ]
    return Table(
        f"{TITLE}: accuracy in %, greedy",
        ["Thoughts", *GROUPS, *SUBSETS],
        rows,
        f"Problems: {'; '.join(_sizes(found))}. With each its 95 % interval.",
        brief=True,
    )


def _sizes(found: dict[str, Record]) -> list[str]:
    """How many problems each column has, for every record where they are not the same."""
    said: dict[str, list[str]] = {}
    for label, record in found.items():
        counts = {group: int(choose(record).sum()) for group, choose in GROUPS.items()}
        for group, name in SUBSETS.items():
            if name in record.subsets:
                counts[group] = int(record.subsets[name]["n"])
        text = ", ".join(f"{group} {COUNT.number(n).text}" for group, n in counts.items())
        said.setdefault(text, []).append(label)
    if len(said) == 1:
        return list(said)
    return [f"{', '.join(labels)}: {text}" for text, labels in said.items()]


def _of_group(record: Record, choose: Choice) -> Cell:
    chosen = choose(record)
    if not chosen.any():
        return MISSING
    return PERCENT.cell(record.scores()[:, chosen], record.command)


def _of_subset(record: Record, name: str) -> Cell:
    if name not in record.subsets:
        return MISSING
    part = record.subsets[name]
    low, high = (100 * bound for bound in part["interval"])
    return PERCENT.number(part["accuracy"], record.command, low, high)


def _gains(found: dict[str, Record]) -> Table:
    """What SoftCoT's own thoughts add, problem by problem."""
    soft = METHODS[SoftCoT.name].title
    own = found.get(soft)
    rows = []
    for label, record in found.items():
        if own is not None and label != soft:
            gain = difference(own.scores(), record.scores())
            shorter = min(own, record, key=lambda one: one.n)
            cells = []
            for choose in GROUPS.values():
                chosen = choose(shorter)
                values = gain[:, chosen] if chosen.any() else None
                cells.append(POINTS.cell(values, command_of("reworded")))
            rows.append([Cell(f"{soft} minus {label}"), *cells])
    return Table(
        f"{TITLE}: what the question's own thoughts add, in points",
        ["Difference", *GROUPS],
        rows,
        "Paired over problems, with 95 % intervals.",
    )
