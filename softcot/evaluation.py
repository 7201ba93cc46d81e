"""Protocol x task -> a record: every problem answered for every seed, and the answers scored."""

import hashlib
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from softcot.answers import is_correct, parse
from softcot.controls import SEEDED
from softcot.decoding import Sampling, decode, finish
from softcot.errors import UserError
from softcot.files import write_text
from softcot.methods import Method, get_method
from softcot.models import Pair
from softcot.problems import Problem
from softcot.processes import Processes
from softcot.provenance import provenance
from softcot.records import SCHEMA, Record, Row, figures
from softcot.scoring import gold_logprobs
from softcot.tasks import Task


@dataclass(frozen=True)
class Protocol:
    """How problems are asked and scored."""

    method: str
    """One of `METHODS`."""
    control: str = "none"
    """What replaces a question's own thoughts."""
    thoughts: int | None = None
    """K, for a method with thoughts; None leaves it to the method."""
    trained_on: str | None = None
    """The task whose weights are used; None takes those that serve the task."""
    sampling: Sampling = Sampling()
    """How tokens are chosen; its seed gives way to each of `seeds`."""
    seeds: tuple[int, ...] = (41,)
    """Each decides samples and controls once."""
    samples: int = 1
    """Answers to each problem for every seed; with more than one their majority counts."""
    gold_logprob: bool = False
    """Whether to score the worked gold answers too."""

    def __post_init__(self):
        """Refuse values that make no sense."""
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise UserError("The seeds must be one or more different numbers, such as 41-45.")
        if self.samples < 1:
            raise UserError(f"The number of samples must be 1 or more; it is {self.samples}.")
        if self.samples > 1 and self.sampling.temperature == 0:
            raise UserError("At temperature 0 all samples are equal; choose one above 0.")

    def rounds(self) -> list[tuple[int, ...]]:
        """Seeds that see the same prompts, which so need to be read only once."""
        if self.control in SEEDED:
            return [(seed,) for seed in self.seeds]
        return [self.seeds]

    def build(self, pair: Pair, task: Task, seed: int) -> Method:
        """The method that is asked.

        Raises:
            UserError: It or its control is unknown, or its weights are not there.
        """
        return get_method(
            self.method,
            pair,
            task,
            control=self.control,
            seed=seed,
            trained_on=self.trained_on,
        )


def evaluate(
    pair: Pair,
    task: Task,
    protocol: Protocol,
    problems: Sequence[Problem],
    *,
    split: str = "test",
    batch_size: int = 128,
    partial: str | Path | None = None,
    command: str = "",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Record:
    """Answer every problem for every seed and score the answers.

    A row depends on its problem and its seed alone: up to rounding, neither the batch size nor
    an interruption changes a record. Where `accelerate launch` started several processes, each
    answers its share, and all return the same record.

    Args:
        pair: The two frozen models.
        task: Decides instruction, projection and answer kind.
        protocol: How they are asked.
        problems: What to answer; each with a gold answer.
        split: Where the problems are from: a split of the task, or the name of a file.
        batch_size: Rows decoded together.
        partial: File that keeps finished batches, so that an interrupted run goes on where it was;
            each of several processes has one with its number.
        command: The command line, for the record.
        progress: Called with (own rows done, own rows in all) at the start and after every batch.

    Raises:
        UserError: Any of the inputs makes no sense.
    """
    _check(problems, task, batch_size)
    method = protocol.build(pair, task, protocol.seeds[0])
    _check_origin(pair, method)
    protocol = replace(protocol, thoughts=method.thoughts_for(protocol.thoughts))
    # What cannot be asked at all fails here, before anything is shown or written.
    method.prepare([max(problems, key=lambda problem: len(problem.question))], protocol.thoughts)
    settings = _settings(pair, task, method, protocol)
    settings |= {"split": split, "n": len(problems)}
    origin = provenance(pair.base.device, command)
    key = {"of": _digest(problems), "commit": origin["commit"], "scored": protocol.gold_logprob}
    key["prompts"] = pair.prompting(task.name)["template_hash"]
    processes = Processes.of(pair.base.device)
    ledger = _Ledger(partial and processes.own(Path(partial)), settings | key)
    mine = processes.share(range(len(problems)))
    total = len(mine) * len(protocol.seeds) * protocol.samples
    progress(len(ledger.rows), total)
    for seeds in protocol.rounds():
        method = protocol.build(pair, task, seeds[0])
        numbers = ledger.missing(seeds[0], mine)
        size = max(1, batch_size // (len(seeds) * protocol.samples))
        for batch in _batches(problems, numbers, size):
            started = time.perf_counter()
            rows = _answer(task, method, [problems[i] for i in batch], protocol, seeds)
            ledger.add(batch, rows, time.perf_counter() - started)
            progress(len(ledger.rows), total)
    ledger.join(processes)
    return _record(ledger, problems, settings | origin)


def _check_origin(pair: Pair, method: Method) -> None:
    """Refuse weights that were trained with other prompts: their figures would mean nothing."""
    weights = getattr(method, "weights", None)
    found = pair.mismatches(weights) if weights is not None else []
    if found:
        raise UserError(found[0])


class _Ledger:
    """The rows answered so far, by seed, problem and sample, and on disk if it has a path.

    The file has the settings on its first line and a batch on each further one.
    """

    def __init__(self, path: str | Path | None, settings: dict[str, Any]):
        self.path = None if path is None else Path(path)
        self.rows: dict[tuple[int, int, int], Row] = {}
        self.seconds = 0.0
        if self.path is None:
            return
        head = json.dumps(settings)
        if not self.path.exists():
            write_text(self.path, f"{head}\n")
            return
        # A kill may have left half a line at the end.
        whole = self.path.read_text(encoding="utf-8").split("\n")[:-1]
        if whole[:1] != [head]:
            raise UserError(
                f"{path} holds an unfinished evaluation with other settings, models or code; "
                "delete it to start this one."
            )
        write_text(self.path, "".join(f"{line}\n" for line in whole))
        for line in whole[1:]:
            self._take(line)

    def missing(self, seed: int, numbers: Sequence[int]) -> list[int]:
        """Those of the problems' numbers that have no row yet."""
        return [i for i in numbers if (seed, i, 0) not in self.rows]

    def add(self, numbers: list[int], rows: list[Row], seconds: float) -> None:
        """Keep the rows of one batch, those of each problem together."""
        line = json.dumps([numbers, [asdict(row) for row in rows], seconds])
        self._take(line)
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")

    def join(self, processes: Processes) -> None:
        """Add the rows of all other processes; the slowest one decides the time."""
        found = processes.everyone([(self.rows, self.seconds)])
        self.rows = {place: row for rows, _ in found for place, row in rows.items()}
        self.seconds = max(seconds for _, seconds in found)

    def _take(self, line: str) -> None:
        numbers, rows, seconds = json.loads(line)
        found = [Row(**row) for row in rows]
        places = [i for i in numbers for _ in range(len(rows) // len(numbers))]
        pairs = zip(places, found, strict=True)
        self.rows |= {(row.seed, i, row.sample): row for i, row in pairs}
        self.seconds += seconds


def _check(problems: Sequence[Problem], task: Task, batch_size: int) -> None:
    if not problems:
        raise UserError("There is no problem to evaluate on; allow at least one.")
    if batch_size < 1:
        raise UserError(f"The batch size must be 1 or more; it is {batch_size}.")
    for problem in problems:
        if parse(task.answer_kind, problem.answer) is None:
            raise UserError(
                f"The gold answer {problem.answer!r} of the question {problem.question[:60]!r} "
                f"is not of the task's kind, {task.answer_kind}; correct it or name another task."
            )


def _settings(pair: Pair, task: Task, method: Method, protocol: Protocol) -> dict[str, Any]:
    """What the record says of the models, the method and how it is asked."""
    sampling = asdict(protocol.sampling)
    sampling.pop("seed")
    return {
        "pair": pair.name,
        "fingerprints": {
            "base": pair.fingerprints["base"],
            "assistant": pair.fingerprints["assistant"] if method.asks_assistant else None,
            "trained": method.fingerprint(),
        },
        "task": task.name,
        "answer_kind": task.answer_kind,
        "method": method.name,
        "control": protocol.control,
        "thoughts": protocol.thoughts,
        "trained_on": method.trained_on,
        "sampling": sampling,
        "seeds": list(protocol.seeds),
        "samples": protocol.samples,
    }


def _record(ledger: _Ledger, problems: Sequence[Problem], settings: dict[str, Any]) -> Record:
    seeds, samples = settings["seeds"], settings["samples"]
    numbers = range(len(problems))
    rows = [ledger.rows[seed, i, k] for seed in seeds for i in numbers for k in range(samples)]
    known = [problem.meta.get("unread") for problem in problems]
    subsets = {}
    for name, unread in {"read": False, "unread": True}.items():
        chosen = [words is not None and bool(words) == unread for words in known]
        part = [row for i, row in enumerate(rows) if chosen[i // samples % len(problems)]]
        if part:
            found = figures(settings["answer_kind"], part, len(seeds), samples)
            subsets[name] = {"n": sum(chosen), **found}
    return Record(
        schema=SCHEMA,
        **settings,
        **figures(settings["answer_kind"], rows, len(seeds), samples),
        seconds=round(ledger.seconds, 3),
        subsets=subsets,
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
    task: Task,
    method: Method,
    problems: list[Problem],
    protocol: Protocol,
    seeds: tuple[int, ...],
) -> list[Row]:
    """Rows of each problem: each seed, its samples."""
    prompt = method.prepare(problems, protocol.thoughts)
    scored = [None] * len(problems)
    if protocol.gold_logprob:
        scored = gold_logprobs(method, problems, prompt)
    # A problem brings its own random numbers, so its sample does not depend on its place.
    row_seeds = [int(problem.id, 16) for problem in problems]
    steps = decode(method.lm, prompt, protocol.sampling, row_seeds, protocol.samples, seeds)
    rows = []
    places = itertools.product(range(len(problems)), seeds, range(protocol.samples))
    for (place, seed, sample), completion in zip(places, finish(steps), strict=True):
        problem, text = problems[place], method.lm.text(completion.ids)
        parsed = parse(task.answer_kind, text)
        rows.append(
            Row(
                id=problem.id,
                prompt=prompt.hashes[place],
                seed=seed,
                sample=sample,
                text=text,
                parsed=parsed,
                gold=problem.answer,
                correct=is_correct(task.answer_kind, parsed, problem.answer),
                tokens=len(completion.ids),
                passes=prompt.passes[place] + len(completion.ids),
                gold_logprob=scored[place],
            )
        )
    return rows
