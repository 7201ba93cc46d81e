"""What soft thoughts do between ready-made models, with every control beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

from softcot.evaluation.experiments import (
    ASSISTED_CONTROLS,
    CURVED,
    JUDGES,
    MAKERS,
    REAL,
    REAL_CURVE,
    plan,
)
from softcot.evaluation.records import Record
from softcot.methods import METHODS, SoftCoT, ZeroShotCoT
from softcot.report.cells import (
    COUNT,
    NATS,
    PERCENT,
    POINTS,
    TOKENS,
    Line,
    Unit,
    Values,
    minus,
    recorded,
    scores,
    way_title,
)
from softcot.report.controls import shifted
from softcot.report.judgement import EMPTY, HARD, OWN, Way, line_of, sentences
from softcot.report.other import left_out_of
from softcot.report.parts import MISSING, Cell, Section, Table
from softcot.report.results import Key, Results, key_of, key_of_run
from softcot.support.presets import DEFAULT_THOUGHTS
from softcot.thoughts.controls import CONTROLS

SHARE = Unit(100, ".2f")
COSINE = Unit(1, ".3f")
GIGA = Unit(1e-9, ",.1f")

WAYS: tuple[Way, ...] = (
    *((name, "none") for name in METHODS if name not in MAKERS),
    *((SoftCoT.name, control) for control in CONTROLS),
    *((name, control) for name in MAKERS for control in ASSISTED_CONTROLS if name != SoftCoT.name),
)
"""What makes no thoughts of a question, then every maker with its controls below it."""


def section(results: Results) -> Section | None:
    """Tables for each pair that has any of these records."""
    pairs = by_pair(results)
    tables = [t for pair, found in with_lent(results).items() for t in _tables(pair, found)]
    if not tables:
        return None
    return Section(
        "real",
        "What do soft thoughts do between ready-made models?",
        "Greedy answers to problems that people wrote. swap: another question's thoughts. mean: "
        "the average thought of each slot. Where own thoughts are no better than these, what was "
        "trained is a static prompt and no thinking. In the task `notes` the assistant alone has "
        "read a number that the base is asked for.",
        tables,
        summary=" ".join(text for pair, found in pairs.items() for text in sentences(pair, found)),
    )


def by_pair(results: Results) -> dict[str, dict[Key, Record]]:
    """The records of each pair of ready-made models, by what they are the results of."""
    pairs: dict[str, dict[Key, Record]] = {}
    for record in results.ready_made:
        pairs.setdefault(record.pair, {})[key_of(record)] = record
    return pairs


def with_lent(results: Results) -> dict[str, dict[Key, Record]]:
    """The same, each with what its base answered alone beside another assistant."""
    return {pair: _lent(pair, found, results) | found for pair, found in by_pair(results).items()}


def _lent(pair: str, found: Mapping[Key, Record], results: Results) -> dict[Key, Record]:
    """What no assistant takes part in, of another pair with this base and these problems."""
    own = {record.task: record for record in found.values()}  # all of a task have its problems
    return {
        key_of(record)._replace(pair=pair): record
        for record in results.ready_made
        if (record.method, record.control) in (HARD, EMPTY)
        and (like := own.get(record.task))
        and like.fingerprints["base"] == record.fingerprints["base"]
        and like.problem_ids() == record.problem_ids()
    }


def _tables(pair: str, found: Mapping[Key, Record]) -> list[Table]:
    """All tables of a pair that have a row."""
    lines = {way: line_of(pair, found, way) for way in WAYS}
    tasks = [task for task in REAL if any(task in line for line in lines.values())]
    command = f"python -m softcot reproduce --pair {pair} --experiment real"
    own, others = lines[OWN], {way: line for way, line in lines.items() if way != OWN}
    asked = {way: line for way, line in lines.items() if way[1] == "none"}
    title = {way: way_title(*way) for way in WAYS}

    def table(what: str, rows: list[list[Cell]], note: str, brief: bool = False) -> Table:
        return Table(f"{what}: {pair}", ["Method and control", *tasks], rows, note, brief)

    def row(way: Way, values: Values, unit: Unit) -> list[Cell]:
        cells = (unit.cell(values[t], command) if t in values else MISSING for t in tasks)
        return [Cell(title[way]), *cells]

    tables = [
        table(
            "Accuracy in %",
            [row(way, scores(line), PERCENT) for way, line in lines.items()],
            " ".join(
                [
                    _counts(lines.values(), tasks),
                    "With each its 95 % interval.",
                    left_out_of(record for line in lines.values() for record in line.values()),
                ]
            ).strip(),
            brief=True,
        ),
        table(
            "Each way minus zero-shot CoT, in points",
            [
                row(way, minus(line, lines[HARD]), POINTS)
                for way, line in lines.items()
                if way != HARD
            ],
            "Paired over problems, with 95 % intervals.",
            brief=True,
        ),
        table(
            "A maker's own thoughts minus another question's and average ones, in points",
            [
                [Cell(f"{METHODS[name].title} minus {control}"), *cells]
                for name in MAKERS
                for control in JUDGES[1:]
                for _, *cells in [
                    row((name, control), minus(lines[name, "none"], lines[name, control]), POINTS)
                ]
            ],
            "Paired over problems, with 95 % intervals. Where these are not above zero, what was "
            "trained is a static prompt.",
            brief=True,
        ),
        table(
            "SoftCoT with its own thoughts minus each other way, in points",
            [row(way, minus(own, line), POINTS) for way, line in others.items()],
            "Paired over problems, with 95 % intervals.",
        ),
        table(
            "Change of the log-probability of the worked gold answer against SoftCoT's own "
            "thoughts, in nats",
            [row(way, shifted(own, line), NATS) for way, line in others.items()],
            "Below zero: the own thoughts make the worked answer likelier than this way does.",
        ),
        table(
            "Answers cut off at the token limit, in %",
            [
                [Cell(title[way]), *_told(line, tasks, attrgetter("cut"), PERCENT)]
                for way, line in lines.items()
            ],
            "An answer that is cut off counts as it stands.",
        ),
        table(
            "Answers in which nothing could be read, in %",
            [
                [Cell(title[way]), *_told(line, tasks, attrgetter("parse_failures"), PERCENT)]
                for way, line in lines.items()
            ],
            "They count as wrong.",
        ),
        table(
            "New tokens an answer",
            [
                [Cell(title[way]), *_told(line, tasks, attrgetter("mean_new_tokens"), TOKENS)]
                for way, line in asked.items()
            ],
            "Means. A method that is trained on people's answers writes as short as they do.",
        ),
        table(
            "Arithmetic for an answer, in GFLOP",
            [
                [Cell(title[way]), *_told(line, tasks, attrgetter("flops"), GIGA)]
                for way, line in asked.items()
            ],
            "Two operations for each weight and token of base and assistant, without what "
            "attention adds.",
        ),
        _curve(pair, found),
        _notes(pair, found),
        _collapse(pair, found, [*tasks, "notes"]),
    ]
    return [kept for one in tables if (kept := _without_empty_rows(one)).rows]


def _counts(lines: Iterable[Line], tasks: Sequence[str]) -> str:
    """How many problems each task has."""
    known = {task: line[task].n for line in lines for task in line}
    return "Problems: " + ", ".join(f"{task} {known[task]}" for task in tasks) + "."


def _told(
    line: Line, tasks: Sequence[str], ask: Callable[[Record], float | None], unit: Unit
) -> list[Cell]:
    """What a record of each task says of itself, where there is one and it says it."""
    cells = []
    for record in map(line.get, tasks):
        value = ask(record) if record else None
        if record is None or value is None:
            cells.append(MISSING)
        else:
            cells.append(unit.number(value, record.command))
    return cells


def _curve(pair: str, found: Mapping[Key, Record]) -> Table:
    """SoftCoT against K, on the task that has a curve."""
    hard, own = (line_of(pair, found, way).get(CURVED) for way in (HARD, OWN))
    by_k = {0: hard, DEFAULT_THOUGHTS: own}
    by_k |= {key.k: found.get(key) for key in map(key_of_run, plan("curve", pair))}
    known = {k: record for k, record in sorted(by_k.items()) if record is not None}
    rows = [[Cell(str(k)), recorded(record)] for k, record in known.items()]
    there = any(k in known for k in REAL_CURVE)
    return Table(
        f"Accuracy in % on {CURVED} against K: {pair}",
        ["K", "Accuracy,\u00a0%"],
        rows if there else [],
        f"K = 0 is {METHODS[ZeroShotCoT.name].title}.",
    )


def _notes(pair: str, found: Mapping[Key, Record]) -> Table:
    """Whether a number gets through."""
    rows, counts = [], set()
    for run in plan("notes", pair):
        if record := found.get(key_of_run(run)):
            control = run.protocol.control
            rows.append([Cell("own" if control == "none" else control), recorded(record)])
            counts.add((record.n, record.k))
    said = ", ".join(f"{n} problems, K = {k}" for n, k in sorted(counts))
    return Table(
        f"Numbers that the base names though only the assistant has read them, in %: {pair}",
        ["Thoughts", "Accuracy,\u00a0%"],
        rows,
        f"{said}; with each its 95 % interval.",
        brief=True,
    )


def _collapse(pair: str, found: Mapping[Key, Record], tasks: Sequence[str]) -> Table:
    """How much the thoughts themselves depend on the question."""
    rows, curve = [], plan("curve", pair)
    for run in plan("all", pair):
        record = found.get(key_of_run(run))
        if record and record.collapse and run.task in tasks and run not in curve:
            seen, title = record.collapse, way_title(record.method, record.control)
            cells = [
                unit.number(seen[name], record.command)
                for name, unit in (
                    ("questions", COUNT),
                    ("cosine", COSINE),
                    ("effective_rank", TOKENS),
                    ("varying", SHARE),
                )
            ]
            rows.append([Cell(f"{record.task}, {title}, K = {record.k}"), *cells])
    return Table(
        f"How much the vectors in the slots depend on the question: {pair}",
        ["Task and method", "Questions", "Cosine", "Effective rank", "Varying energy,\u00a0%"],
        rows,
        "Cosine between the vectors of two questions in the same slot, the number of directions "
        "that the questions fill there, and the share of the energy that is not in their mean, "
        "averaged over slots. Of a static prompt these are 1, 1 and 0.",
    )


def _without_empty_rows(table: Table) -> Table:
    """The table without rows that hold nothing."""
    rows = [row for row in table.rows if any(cell.value is not None for cell in row[1:])]
    return replace(table, rows=rows)
