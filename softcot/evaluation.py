"""Method x task x seeds -> a record: one JSON file that says how its figures came about.

The record's schema lives here. A figure is only ever shown from a record that was read back and
found consistent with its own rows.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import numpy as np
from scipy.stats import bootstrap

from softcot.answers import is_correct, parse
from softcot.decoding import Sampling, decode, finish
from softcot.errors import UserError
from softcot.files import write_text
from softcot.methods import Method, get_method
from softcot.models import Pair
from softcot.problems import Problem
from softcot.provenance import provenance
from softcot.tasks import Task

SCHEMA = "softcot-record-2"
RESAMPLES = 9999
"""Bootstrap resamples behind every interval."""


@dataclass(frozen=True)
class Row:
    """One problem answered once."""

    id: str
    """The problem's."""
    seed: int
    parsed: str | None
    """The answer read from the completion, None if none could be read."""
    gold: str
    correct: bool
    tokens: int
    """Length of the completion, its end token included."""


@dataclass(frozen=True)
class Record:
    """The result of one evaluation."""

    schema: str
    command: str
    """The command line that makes this record again; empty for a run started from Python."""
    created: str
    """UTC date."""
    pair: str
    fingerprints: dict[str, str | None]
    """Of ``base``, ``assistant`` and ``trained``; None where the method uses none."""
    task: str
    split: str
    """A split of the task, or the name of the file the problems came from."""
    method: str
    control: str
    thoughts: int
    """K, 0 for a method without thoughts."""
    sampling: dict[str, Any]
    """The fields of `Sampling` without the seed."""
    seeds: list[int]
    n: int
    """Number of problems; each was answered once for every seed."""
    accuracy: float
    """From 0 to 1, over all rows."""
    interval: list[float]
    """95 % bootstrap interval of the accuracy, over problems."""
    parse_failures: float
    """Share of rows with no readable answer."""
    mean_new_tokens: float
    seconds: float
    """Time spent answering."""
    subsets: dict[str, dict[str, Any]]
    """The same figures over the problems the base can read (``read``) and the others."""
    versions: dict[str, str]
    commit: str
    dirty: bool
    """Whether the package differed from the commit."""
    device: str
    rows: list[Row]
    """Seed after seed, each in the order of the problems."""

    def scores(self) -> np.ndarray:
        """float[n]: each problem's share of correct rows."""
        correct = [float(row.correct) for row in self.rows]
        return np.reshape(correct, (len(self.seeds), -1)).mean(0)

    def problem_ids(self) -> list[str]:
        """The n problems, in order."""
        return [row.id for row in self.rows[: self.n]]

    def to_json(self) -> str:
        """The record as JSON text, one line for each row so that a diff shows answers."""
        head = json.dumps(asdict(replace(self, rows=[])), indent=2).removesuffix("[]\n}")
        rows = ",\n".join(f"    {json.dumps(asdict(row))}" for row in self.rows)
        return f"{head}[\n{rows}\n  ]\n}}\n"


def evaluate(
    pair: Pair,
    task: Task,
    method_name: str,
    *,
    problems: Sequence[Problem],
    split: str = "test",
    control: str = "none",
    thoughts: int | None = None,
    seeds: Sequence[int] = (41,),
    sampling: Sampling = Sampling(),
    batch_size: int = 64,
    partial: str | Path | None = None,
    command: str = "",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Record:
    """Answer every problem once for every seed and score the answers.

    A row depends on its problem and its seed alone: up to rounding, neither the batch size nor
    an interruption changes a record.

    Args:
        pair: The two frozen models.
        task: Decides instruction, projection and answer kind.
        method_name: One of `METHODS`.
        problems: What to answer; each with a gold answer.
        split: Where the problems are from: a split of the task, or the name of a file.
        control: What replaces a question's own thoughts.
        thoughts: K, for a method with thoughts; None leaves it to the method.
        seeds: Each decides samples and controls once.
        sampling: How tokens are chosen; its seed gives way to each of `seeds`.
        batch_size: Problems decoded together.
        partial: File that keeps finished batches, so that an interrupted run goes on where it was.
        command: The command line, for the record.
        progress: Called with (rows done, rows in all) at the start and after every batch.

    Raises:
        UserError: Any of the inputs makes no sense.
    """
    _check(problems, task, seeds, batch_size)
    methods = [get_method(method_name, pair, task, control=control, seed=seed) for seed in seeds]
    thoughts = methods[0].thoughts_for(thoughts)
    # What cannot be asked at all fails here, before anything is shown or written.
    methods[0].prepare([max(problems, key=lambda problem: len(problem.question))], thoughts)
    settings = _settings(pair, task, methods[0], thoughts, sampling)
    settings |= {"split": split, "control": control, "seeds": list(seeds), "n": len(problems)}
    origin = provenance(pair.base.device, command)
    ledger = _Ledger(partial, settings | {"of": _digest(problems), "commit": origin["commit"]})
    progress(len(ledger.rows), len(problems) * len(seeds))
    for seed, method in zip(seeds, methods, strict=True):
        seeded = replace(sampling, seed=seed)
        for batch in _batches(problems, ledger.missing(seed, len(problems)), batch_size):
            started = time.perf_counter()
            rows = _answer(pair, task, method, [problems[i] for i in batch], thoughts, seeded)
            ledger.add(seed, batch, rows, time.perf_counter() - started)
            progress(len(ledger.rows), len(problems) * len(seeds))
    return _record(ledger, problems, settings | origin)


def figures(rows: Sequence[Row], repeats: int) -> dict[str, Any]:
    """What rows come to that hold each problem `repeats` times, seed after seed."""
    scores = [float(row.correct) for row in rows]
    return {
        "accuracy": float(np.mean(scores)),
        "interval": interval(np.reshape(scores, (repeats, -1)).mean(0)),
        "parse_failures": float(np.mean([row.parsed is None for row in rows])),
        "mean_new_tokens": float(np.mean([row.tokens for row in rows])),
    }


def interval(values: np.ndarray) -> list[float]:
    """95 % bootstrap interval (percentile) of the mean of float[n], the same on every call."""
    if len(values) < 2:
        return [float(values.mean())] * 2
    found = bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=50,  # resamples in memory at once
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return [float(found.low), float(found.high)]


def write_record(record: Record, path: str | Path) -> None:
    """Write a record to `path`, whole or not at all."""
    write_text(path, record.to_json())


def load_record(path: str | Path) -> Record:
    """Read a record and check it: the schema, every type, and the figures against the rows.

    Raises:
        UserError: The file is missing, of another schema, or its figures are not those of its rows.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
        return _checked(record)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} is not a usable record ({error}); "
            "make it again with `python -m softcot evaluate`."
        ) from error


def _checked(entry: Any) -> Record:
    if not isinstance(entry, dict) or entry.get("schema") != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    for name in entry.keys() ^ {field.name for field in fields(Record)}:
        raise ValueError(f"the field {name!r} is {'unknown' if name in entry else 'missing'}")
    for field in fields(Record):
        if not _fits(entry[field.name], field.type):
            raise ValueError(f"the field {field.name!r} has a wrong type")
    record = Record(**entry | {"rows": [Row(**row) for row in entry["rows"]]})
    if [row.seed for row in record.rows] != [s for s in record.seeds for _ in range(record.n)]:
        raise ValueError("its rows are not one for each problem and seed")
    for name, value in figures(record.rows, len(record.seeds)).items():
        # Another version of scipy may draw other resamples and be a problem or two off.
        tolerance = 2 / record.n if name == "interval" else 1e-9
        if not np.allclose(getattr(record, name), value, rtol=0, atol=tolerance):
            raise ValueError(f"the field {name!r} does not follow from its rows")
    return record


def _fits(value: Any, kind: Any) -> bool:
    """Whether a JSON value is of an annotated type."""
    inner = get_args(kind)
    if kind is Any:
        return True
    if isinstance(kind, UnionType):
        return any(_fits(value, one) for one in inner)
    if get_origin(kind) is list:
        return isinstance(value, list) and all(_fits(item, inner[0]) for item in value)
    if get_origin(kind) is dict:
        return isinstance(value, dict) and all(_fits(item, inner[1]) for item in value.values())
    if is_dataclass(kind):
        types = {field.name: field.type for field in fields(kind)}
        return (
            isinstance(value, dict)
            and value.keys() == types.keys()
            and all(_fits(value[name], types[name]) for name in types)
        )
    if kind in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if kind is float else kind)


class _Ledger:
    """The rows answered so far, by (seed, number of the problem), and on disk if it has a path.

    The file has the settings on its first line and a batch on each further one.
    """

    def __init__(self, path: str | Path | None, settings: dict[str, Any]):
        self.path = None if path is None else Path(path)
        self.rows: dict[tuple[int, int], Row] = {}
        self.seconds = 0.0
        self._lines = [json.dumps(settings)]
        if self.path is None or not self.path.exists():
            self._write()
            return
        head, *lines = self.path.read_text(encoding="utf-8").splitlines() or [""]
        if head != self._lines[0]:
            raise UserError(
                f"{path} holds an unfinished evaluation with other settings, models or code; "
                "delete it to start this one."
            )
        for line in lines:
            self._take(line)

    def missing(self, seed: int, count: int) -> list[int]:
        """Numbers below `count` that have no row yet."""
        return [i for i in range(count) if (seed, i) not in self.rows]

    def add(self, seed: int, numbers: list[int], rows: list[Row], seconds: float) -> None:
        """Keep the rows of one batch."""
        self._take(json.dumps([seed, numbers, [asdict(row) for row in rows], seconds]))
        self._write()

    def _write(self) -> None:
        if self.path is not None:
            write_text(self.path, "\n".join([*self._lines, ""]))

    def _take(self, line: str) -> None:
        seed, numbers, rows, seconds = json.loads(line)
        self.rows |= {(seed, i): Row(**row) for i, row in zip(numbers, rows, strict=True)}
        self.seconds += seconds
        self._lines.append(line)


def _check(problems: Sequence[Problem], task: Task, seeds: Sequence[int], batch_size: int) -> None:
    if not problems:
        raise UserError("There is no problem to evaluate on; allow at least one.")
    if not seeds or len(set(seeds)) < len(seeds):
        raise UserError("The seeds must be one or more different numbers, such as 41-45.")
    if batch_size < 1:
        raise UserError(f"The batch size must be 1 or more; it is {batch_size}.")
    for problem in problems:
        if parse(task.answer_kind, problem.answer) is None:
            raise UserError(
                f"The gold answer {problem.answer!r} of the question {problem.question[:60]!r} "
                f"is not of the task's kind, {task.answer_kind}; correct it or name another task."
            )


def _settings(
    pair: Pair, task: Task, method: Method, thoughts: int, sampling: Sampling
) -> dict[str, Any]:
    """What the record says of the models, the method and how it is asked."""
    return {
        "pair": pair.name,
        "fingerprints": {
            "base": pair.fingerprints["base"],
            "assistant": pair.fingerprints["assistant"] if method.asks_assistant else None,
            "trained": method.fingerprint(),
        },
        "task": task.name,
        "method": method.name,
        "thoughts": thoughts,
        "sampling": {name: value for name, value in asdict(sampling).items() if name != "seed"},
    }


def _record(ledger: _Ledger, problems: Sequence[Problem], settings: dict[str, Any]) -> Record:
    seeds = settings["seeds"]
    rows = [ledger.rows[seed, i] for seed in seeds for i in range(len(problems))]
    return Record(
        schema=SCHEMA,
        **settings,
        **figures(rows, len(seeds)),
        seconds=round(ledger.seconds, 3),
        subsets=_subsets(problems, rows, len(seeds)),
        rows=rows,
    )


def _digest(problems: Sequence[Problem]) -> str:
    text = json.dumps([[problem.question, problem.answer] for problem in problems])
    return hashlib.sha256(text.encode()).hexdigest()


def _batches(
    problems: Sequence[Problem], numbers: list[int], batch_size: int
) -> Iterator[list[int]]:
    """Numbers of problems in batches of like length, so that little of a batch is padding."""
    numbers = sorted(numbers, key=lambda i: len(problems[i].question))
    for start in range(0, len(numbers), batch_size):
        yield numbers[start : start + batch_size]


def _answer(
    pair: Pair,
    task: Task,
    method: Method,
    problems: list[Problem],
    thoughts: int,
    sampling: Sampling,
) -> list[Row]:
    # A problem brings its own random numbers, so its sample does not depend on its place.
    row_seeds = [int(problem.id, 16) for problem in problems]
    prompt = method.prepare(problems, thoughts)
    rows = []
    completions = finish(decode(method.lm, prompt, sampling, row_seeds))
    for problem, completion in zip(problems, completions, strict=True):
        parsed = parse(task.answer_kind, pair.base.text(completion.ids))
        correct = is_correct(task.answer_kind, parsed, problem.answer)
        rows.append(
            Row(
                id=problem.id,
                seed=sampling.seed,
                parsed=parsed,
                gold=problem.answer,
                correct=correct,
                tokens=len(completion.ids),
            )
        )
    return rows


def _subsets(
    problems: Sequence[Problem], rows: list[Row], repeats: int
) -> dict[str, dict[str, Any]]:
    """The figures of the problems the base can read and of the others, where that is known."""
    found = {}
    for name, unread in {"read": False, "unread": True}.items():
        chosen = [
            "unread" in problem.meta and bool(problem.meta["unread"]) == unread
            for problem in problems
        ]
        if any(chosen):
            part = [row for row, wanted in zip(rows, chosen * repeats, strict=True) if wanted]
            found[name] = {"n": sum(chosen), **figures(part, repeats)}
    return found
