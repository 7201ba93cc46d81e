"""The records behind a report: which experiments they belong to, and whether they fit together."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from softcot.data.tasks import get_task
from softcot.evaluation.experiments import (
    CHOICES,
    EXPERIMENTS,
    READY_MADE_CHOICES,
    Run,
    mini_tasks,
    plan,
)
from softcot.evaluation.records import Record, load_record
from softcot.methods import METHODS
from softcot.support.deviations import REAL_DEVIATIONS, REAL_PAIR, deviating
from softcot.support.errors import UserError
from softcot.support.presets import is_laboratory

REPORT_FILE = "report.json"
"""What a report is called, also in a folder of records."""

_DEVIATING = {deviating(name, REAL_PAIR) for name in REAL_DEVIATIONS}


class Key(NamedTuple):
    """What a record is the result of."""

    pair: str
    task: str
    method: str
    control: str
    k: int
    trained_on: str | None
    decoding: str
    """greedy, sampled, votes, top-k with its number, or other for what no experiment does."""
    noise: float | None = None
    """Length of its own noise; None for the usual one, or none."""


def key_of(record: Record) -> Key:
    """What a record is the result of."""
    return Key(
        record.pair,
        record.task,
        record.method,
        record.control,
        record.k,
        record.trained_on,
        _decoding(record.sampling, record.samples),
        _noise(record.method, record.noise),
    )


def _noise(method: str, noise: float | None) -> float | None:
    """Noise of another length than the method's own; a record's method may be unknown here."""
    known = METHODS.get(method)
    return None if known and noise == known.noise else noise


def _decoding(sampling: Mapping[str, Any], samples: int) -> str:
    usual = {"top_p": 1, "repetition_penalty": 1}
    if any(sampling.get(name, value) != value for name, value in usual.items()):
        return "other"
    if cut := sampling.get("top_k"):
        return f"top-{cut}" if (sampling["temperature"], samples) == (1, 1) else "other"
    plain: dict[float | None, str] = {0: "greedy", 1: "sampled" if samples == 1 else "votes"}
    return plain.get(sampling.get("temperature"), "other")


def _weights_of(task: str, method: str, control: str) -> str | None:
    """The task whose weights a method is asked with where nobody chose."""
    fresh = METHODS[method].kind is None or control == "untrained"
    return None if fresh else get_task(task).projection


def key_of_run(run: Run) -> Key:
    """What the record of a run would be the result of."""
    asked = run.protocol
    default = METHODS[asked.method].default_k
    return Key(
        run.pair,
        run.task,
        asked.method,
        asked.control,
        default if asked.k is None else asked.k,
        asked.trained_on or _weights_of(run.task, asked.method, asked.control),
        _decoding(asdict(asked.sampling), asked.samples),
        _noise(asked.method, asked.noise),
    )


def keys(experiment: str) -> frozenset[Key]:
    """The records that an experiment, or "all" of them, is made of."""
    return _keys(tuple(plan(experiment)))


@cache
def _keys(runs: tuple[Run, ...]) -> frozenset[Key]:
    return frozenset(map(key_of_run, runs))


def belongs(record: Record) -> bool:
    """Whether a record is one of an experiment's."""
    return record.split == "test" and key_of(record) in keys("all")


def ready_made(record: Record) -> bool:
    """Whether a record is one of those that measure a pair of ready-made models."""
    if record.split != "test" or is_laboratory(record.pair):
        return False
    return key_of(record) in _keys(tuple(plan("all", record.pair)))


def tries(record: Record) -> bool:
    """Whether a record is one of those that something, such as a pair's prompts, is chosen by."""
    prompts = None if is_laboratory(record.pair) else record.prompts
    return record.split == "validation" and (key_of(record), prompts) in _tried(record.pair)


@cache
def _tried(pair: str) -> frozenset[tuple[Key, str | None]]:
    experiments = CHOICES if is_laboratory(pair) else READY_MADE_CHOICES
    runs = (run for experiment in experiments for run in plan(experiment, pair))
    return frozenset((key_of_run(run), run.prompts) for run in runs)


class Results:
    """Records by what they are the results of.

    Args:
        records: As `load_records` gives them: one of a thing, over the same problems.
    """

    def __init__(self, records: Iterable[Record]):
        self.records = list(records)
        self.tried = [record for record in self.records if tries(record)]
        """Those that something is chosen by."""
        measured = [record for record in self.records if ready_made(record)]
        self.ready_made = [record for record in measured if record.pair not in _DEVIATING]
        """Those that measure pairs of ready-made models."""
        self.deviating = [record for record in measured if record.pair in _DEVIATING]
        """Those of such a pair's projections that were trained after the released code."""
        known = (belongs, tries, ready_made)
        self.others = [r for r in self.records if not any(one(r) for one in known)]
        """Those that belong to no experiment."""
        self._found = {key_of(record): record for record in self.records if belongs(record)}

    def __len__(self) -> int:
        """How many records belong to experiments."""
        return len(self._found)

    def __iter__(self) -> Iterator[Record]:
        """The records that belong to experiments."""
        return iter(self._found.values())

    def has(self, experiment: str) -> bool:
        """Whether any record is there for this experiment; those of `controls` serve several."""
        shared = frozenset() if experiment == "controls" else keys("controls")
        return not self._found.keys().isdisjoint(keys(experiment) - shared)

    def has_own(self, experiment: str, beside: str = "") -> bool:
        """Whether any record is there that this experiment, or one beside it, alone asks for."""
        others = [keys(name) for name in EXPERIMENTS if name not in (experiment, beside)]
        return not self._found.keys().isdisjoint(keys(experiment).difference(*others))

    def line(
        self,
        method: str,
        control: str = "none",
        *,
        k: int | None = None,
        trained_on: str | None = None,
        decoding: str = "greedy",
        pair: str = "mini",
    ) -> Mapping[str, Record]:
        """The records of one way to answer, by task, as far as they are there.

        Args:
            method: One of `METHODS`.
            control: What replaced a question's own thoughts.
            k: K; None for the method's own.
            trained_on: Whose weights; None for those that serve each task.
            decoding: greedy, sampled or votes.
            pair: Name of the pair.
        """
        count = METHODS[method].default_k if k is None else k
        found = {}
        for task in mini_tasks():
            weights = trained_on or _weights_of(task, method, control)
            key = Key(pair, task, method, control, count, weights, decoding)
            if key in self._found:
                found[task] = self._found[key]
        return found


def load_records(folder: str | Path) -> list[Record]:
    """All records below a folder, checked to be comparable with each other.

    Raises:
        UserError: One is unusable, two are of the same thing or do not fit together, or there
            is none.
    """
    found: dict[Path, Record] = {}
    seen: dict[Hashable, tuple[Hashable, Path]] = {}
    for path in sorted(Path(folder).rglob("*.json")):
        if path.name == REPORT_FILE:
            continue
        found[path] = load_record(path)
        for what, value, complaint in _claims(found[path], path):
            known, where = seen.setdefault(what, (value, path))
            if known != value:
                raise UserError(f"{where} and {path} are {complaint}.")
    if not found:
        raise UserError(
            f"There is no record in {folder}; make some with `python -m softcot reproduce`."
        )
    _check_problems(found)
    return list(found.values())


def _check_problems(found: Mapping[Path, Record]) -> None:
    """Refuse records of a task that are of other problems.

    Of a task of the mini pair some may be of the first ones only, as many as are enough.

    Raises:
        UserError: Two do not have the same problems.
    """
    longest: dict[Hashable, tuple[list[str], Path]] = {}
    for path in sorted(found, key=lambda path: -found[path].n):
        record, ids = found[path], found[path].problem_ids()
        whole = ready_made(record) or tries(record)
        if not whole and not belongs(record):
            continue
        what = (record.split, record.task, record.pair if whole else None)
        known, where = longest.setdefault(what, (ids, path))
        if ids != (known if whole else known[: len(ids)]):
            message = f"{where} and {path} are not over the same problems; evaluate one again."
            raise UserError(message)


def _claims(record: Record, path: Path) -> Iterator[tuple[Hashable, Hashable, str]]:
    """What a record takes for granted: a subject, a value, and what is wrong with two values."""
    key = key_of(record)
    for part, value in record.fingerprints.items():
        if value is None:
            continue
        own: tuple[Hashable, ...] = ()
        if part not in ("base", "assistant"):
            # Random weights stand for themselves: they have no task that they were trained on.
            own = (record.method, record.trained_on or (record.task, record.control))
        yield (
            (part, record.pair, *own),
            value,
            f"of different models ({part}); evaluate one again",
        )
    if tries(record):
        yield ("tried", key, record.prompts), path, "of the same thing; delete one"
    if belongs(record) or ready_made(record):
        yield key, path, "of the same thing; delete one"
        yield (
            ("seeds", key.decoding),
            tuple(record.seeds),
            "not of the same seeds; evaluate one again",
        )
