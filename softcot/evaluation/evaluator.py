"""Protocol x task -> a record: every problem answered for every seed, and the answers scored."""

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from softcot.data.answers import is_correct, parse, read_gold
from softcot.data.problems import Problem, digest
from softcot.data.tasks import Task
from softcot.decoding.backend import Alone, Backend, Session
from softcot.decoding.decoder import Completion, Sampling, can_join
from softcot.evaluation.chains import in_turn, thought_cosine
from softcot.evaluation.partial import PartialRecord
from softcot.evaluation.records import SCHEMA, Record, Row, figures, variety
from softcot.evaluation.scoring import gold_logprobs
from softcot.methods import METHODS, Method, SlotMethod, get_method
from softcot.models.batches import PromptEmbeds
from softcot.models.memory import TOO_SMALL, OutOfMemory, release
from softcot.support.errors import UserError
from softcot.support.processes import Processes
from softcot.support.provenance import provenance
from softcot.thoughts.collapse import collapse
from softcot.thoughts.controls import SEEDED
from softcot.thoughts.pair import Pair

SHARES = 4
"""Parts that a batch is filled up in: reading new prompts in few large parts costs least, and in
many small ones leaves the fewest places empty."""

ADVICE = (
    "lower --max-new-tokens, --samples or the number of seeds, which are written together, or "
    "choose a smaller pair"
)
"""What to do where the memory does not hold the answers to a single problem."""

LOOKED_AT = 64
"""Problems whose thoughts are compared with each other."""


@dataclass(frozen=True)
class Protocol:
    """How problems are asked and scored."""

    method: str
    """One of `METHODS`."""
    control: str = "none"
    """What replaces a question's own thoughts."""
    k: int | None = None
    """K, for a method with thoughts; None leaves it to the method."""
    trained_on: str | None = None
    """The task whose weights are used; None takes those that serve the task."""
    sampling: Sampling = Sampling()
    """How tokens are chosen; its seed gives way to each of `seeds`."""
    seeds: tuple[int, ...] = (41,)
    """Each decides samples and controls once."""
    samples: int = 1
    """Answers to each problem for every seed; with more than one their majority counts."""
    noise: float | None = None
    """Length of a method's own noise, as a share of a thought's; None leaves it to the method."""
    gold_logprob: bool = False
    """Whether to score the worked gold answers too."""

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise UserError("The seeds must be one or more different numbers, such as 41-45.")
        if self.samples < 1:
            raise UserError(f"The number of samples must be 1 or more; it is {self.samples}.")
        differs = self.method in METHODS and METHODS[self.method].many
        if self.samples > 1 and self.sampling.temperature == 0 and not differs:
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
            noise=self.noise,
        )


def evaluate(
    pair: Pair,
    task: Task,
    protocol: Protocol,
    problems: Sequence[Problem],
    *,
    split: str = "test",
    left_out: Mapping[str, int] | None = None,
    batch_size: int = 128,
    partial: str | Path | None = None,
    command: str = "",
    progress: Callable[[int, int], None] = lambda done, total: None,
    backend: Backend | None = None,
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
        left_out: Reason -> problems of the split that cannot be judged, for the record.
        batch_size: Rows decoded together.
        partial: File that keeps finished problems, so that an interrupted run goes on where it was;
            each of several processes has one with its number.
        command: The command line, for the record.
        progress: Called with (own rows done, own rows in all) at the start and as rows end.
        backend: What writes the answers; by default this process.

    Raises:
        UserError: Any of the inputs makes no sense.
    """
    _check(problems, task, batch_size)
    method = protocol.build(pair, task, protocol.seeds[0])
    _check_origin(pair, method)
    backend = backend or Alone()
    if refusal := backend.refusal(method.lm):
        raise UserError(refusal)
    k = method.checked_k(protocol.k)
    sets = method.sets(protocol.samples)
    if sets < protocol.samples and protocol.sampling.temperature == 0:
        raise UserError(
            f"At temperature 0 {method.title} has {sets} different answers to a question; ask for "
            "no more samples, or choose a temperature above 0."
        )
    # What cannot be asked at all fails here, before anything is shown or written.
    method.prepare([max(problems, key=lambda problem: len(problem.question))], k)
    protocol = replace(protocol, k=k)
    settings = settings_of(pair, task, method, protocol)
    told = pair.base.prompts.templates.name(task)
    settings |= {"split": split, "n": len(problems), "prompts": told}
    origin = provenance(pair.base.device, pair.base.numbers, command)
    origin["versions"] |= backend.versions
    key = settings | _deciding(pair, task, method, protocol, problems, origin)
    processes = Processes.of(pair.base.device)
    ledger = PartialRecord(partial and processes.own(Path(partial)), key)
    mine = processes.share(range(len(problems)))
    total = len(mine) * len(protocol.seeds) * protocol.samples
    progress(len(ledger.rows), total)
    for seeds in protocol.rounds():
        method = protocol.build(pair, task, seeds[0])
        while missing := ledger.missing(seeds[0], mine):
            try:
                with backend.session(batch_size) as session:
                    asked = _Round(task, method, problems, protocol, seeds, session)
                    for done in asked.answers(missing, batch_size):
                        ledger.add(*done)
                        progress(len(ledger.rows), total)
                continue
            except TOO_SMALL:
                if batch_size <= len(seeds) * protocol.samples:
                    raise OutOfMemory(ADVICE) from None
            batch_size //= 2  # what is answered stays, and the rest is asked in smaller batches
            release()
    ledger.join(processes)
    settings["left_out"] = None if left_out is None else dict(left_out)
    looked_at = problems[:LOOKED_AT]
    settings["collapse"] = _collapse(method, looked_at, k)
    settings["chains"] = _likeness(method, looked_at, k, sets) if protocol.samples > 1 else None
    settings["work"] = _work(method, looked_at, k, sets)
    return _record(ledger, problems, settings | origin)


def _collapse(method: Method, problems: Sequence[Problem], k: int) -> dict[str, float] | None:
    """How alike the thoughts of the first problems are, where it is their own that are asked."""
    if not isinstance(method, SlotMethod) or method.edits or not k or len(problems) < 2:
        return None
    return collapse(method.thoughts(problems, k).cpu().numpy())


def _work(method: Method, problems: Sequence[Problem], k: int, sets: int) -> dict[str, float]:
    """What an answer takes, see `Record.work`."""
    prompt = float(np.mean([len(prompt) for prompt in method.prompts(problems, k)]))
    heard = float(np.mean([method.heard_tokens(problem, k, sets) for problem in problems]))
    token = 2.0 * method.lm.multiplied
    thinking = 2.0 * method.thinker.multiplied * heard if method.thinker else 0.0
    return {
        "prompt_tokens": prompt,
        "heard_tokens": heard,
        "token_flops": token,
        "first_flops": token * prompt * sets + thinking,
    }


def _likeness(method: Method, problems: Sequence[Problem], k: int, sets: int) -> dict[str, float]:
    """How alike the thoughts of different samples are, where they have thoughts of their own."""
    if not isinstance(method, SlotMethod) or not k or sets < 2:
        return {}
    return {"cosine": thought_cosine(method.thought_sets(problems, k, sets).cpu().numpy())}


def _check_origin(pair: Pair, method: Method) -> None:
    """Refuse weights that were trained with other prompts: their figures would mean nothing."""
    weights = getattr(method, "weights", None)
    found = pair.mismatches(weights) if weights is not None else []
    if found:
        raise UserError(found[0])


def _check(problems: Sequence[Problem], task: Task, batch_size: int) -> None:
    if not problems:
        raise UserError("There is no problem to evaluate on; allow at least one.")
    if batch_size < 1:
        raise UserError(f"The batch size must be 1 or more; it is {batch_size}.")
    for problem in problems:
        if read_gold(task.answer_kind, problem.answer) is None:
            raise UserError(
                f"The gold answer {problem.answer!r} of the question {problem.question[:60]!r} "
                f"is not of the task's kind, {task.answer_kind}; correct it or name another task."
            )


def settings_of(pair: Pair, task: Task, method: Method, protocol: Protocol) -> dict[str, Any]:
    """What the record says of the models, the method and how it is asked."""
    sampling = asdict(protocol.sampling)
    sampling.pop("seed")
    if protocol.sampling.repetition_penalty == 1:  # as in records of before there was one
        del sampling["repetition_penalty"]
    return {
        "pair": pair.name,
        "fingerprints": {
            "base": pair.fingerprints["base"],
            "assistant": pair.fingerprints["assistant"] if method.asks_assistant else None,
            "trained": method.fingerprint(),
            **method.further_fingerprints(),
        },
        "task": task.name,
        "answer_kind": task.answer_kind,
        "method": method.name,
        "control": protocol.control,
        "k": protocol.k,
        "trained_on": method.trained_on,
        "sampling": sampling,
        "seeds": list(protocol.seeds),
        "samples": protocol.samples,
        "noise": method.noise,
    }


def _deciding(
    pair: Pair,
    task: Task,
    method: Method,
    protocol: Protocol,
    problems: Sequence[Problem],
    origin: dict[str, Any],
) -> dict[str, Any]:
    """What decides the rows beside the settings: with any other, an evaluation starts anew."""
    return {
        "of": digest(problems),
        "donors": digest(getattr(method, "donors", [])),
        "reading": pair.reading(task),
        "scored": protocol.gold_logprob,
        # The record names one of each for all of its rows.
        **{name: origin[name] for name in ("commit", "dirty", "versions", "device", "dtype")},
    }


def _record(ledger: PartialRecord, problems: Sequence[Problem], settings: dict[str, Any]) -> Record:
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
    if settings["chains"] is not None:
        settings["chains"] = variety(rows, samples) | settings["chains"]
    return Record(
        schema=SCHEMA,
        **settings,
        **figures(settings["answer_kind"], rows, len(seeds), samples),
        seconds=round(ledger.seconds, 3),
        subsets=subsets,
        rows=rows,
    )


@dataclass
class _OpenProblem:
    """One problem that is being answered."""

    number: int
    """Its place among the problems."""
    prompt: str
    """Hash of what the base reads."""
    passes: int
    """Forward passes one after another before the first token."""
    scored: float | None
    """Log-probability of its gold answer."""
    written: list[Completion]
    """Each seed, its samples."""

    @property
    def done(self) -> bool:
        """Whether nothing more will be written."""
        return all(row.finished for row in self.written)


class _Round:
    """Problems that are answered with one method, for all seeds that see the same prompts."""

    def __init__(
        self,
        task: Task,
        method: Method,
        problems: Sequence[Problem],
        protocol: Protocol,
        seeds: tuple[int, ...],
        session: Session,
    ):
        self.task, self.method, self.problems = task, method, problems
        self.protocol, self.seeds = protocol, seeds
        self.k = method.checked_k(protocol.k)
        self.session = session
        self.sets = method.sets(protocol.samples)
        self.each = len(seeds) * protocol.samples

    def answers(
        self, numbers: Sequence[int], batch_size: int
    ) -> Iterator[tuple[list[int], list[Row], float]]:
        """Answer the problems of some numbers, and yield those that are done.

        As rows end, others take their places, so that the batch is full until the last problem.

        Yields:
            Numbers, their rows (of each problem each seed, its samples), and the seconds it took.
        """
        waiting = self._shares(numbers, batch_size)
        asked: list[_OpenProblem] = []
        started = time.perf_counter()
        while waiting or asked:
            while waiting and (
                not self.session.open
                or self.session.open + self.each * len(waiting[0]) <= batch_size
            ):
                asked += self._ask(waiting.popleft())
            self.session.step()
            done = [one for one in asked if one.done]
            if done:
                asked = [one for one in asked if not one.done]
                rows = [row for one in done for row in self._rows(one)]
                seconds = time.perf_counter() - started
                yield [one.number for one in done], rows, seconds
                started += seconds

    def _shares(self, numbers: Sequence[int], batch_size: int) -> deque[list[int]]:
        """Numbers that are asked together, of like length, so that little is padding."""
        size = max(1, batch_size // self.each)
        size = max(1, size // SHARES) if can_join(self.method.lm) else size
        numbers = sorted(numbers, key=lambda i: len(self.problems[i].question))
        return deque(numbers[start : start + size] for start in range(0, len(numbers), size))

    def _ask(self, numbers: list[int]) -> list[_OpenProblem]:
        """Let some problems join those that are being answered."""
        problems = [self.problems[i] for i in numbers]
        sets = self.sets
        prompt = self.session.run(lambda: self.method.prepare_sets(problems, self.k, sets))
        scored: Sequence[float | None] = [None] * len(problems)
        if self.protocol.gold_logprob:
            scored = self.session.run(lambda: self._scored(problems, prompt))
        # A problem brings its own random numbers, so its sample does not depend on its place.
        row_seeds = [int(problem.id, 16) + number for problem in problems for number in range(sets)]
        rows = self.session.add(
            self.method.lm,
            prompt,
            self.protocol.sampling,
            row_seeds,
            self.protocol.samples // sets,
            self.seeds,
        )
        written = in_turn(rows, len(problems), sets, len(self.seeds))
        hashes, passes = prompt.hashes[::sets], prompt.passes[::sets]
        return list(map(_OpenProblem, numbers, hashes, passes, scored, written))

    def _scored(self, problems: list[Problem], prompt: PromptEmbeds) -> list[float]:
        """Log-probabilities of the worked gold answers, behind each problem's first prompt."""
        first = prompt if self.sets == 1 else self.method.prepare(problems, self.k)
        return gold_logprobs(self.method, problems, first)

    def _rows(self, asked: _OpenProblem) -> list[Row]:
        """Rows of one problem: each seed, its samples."""
        problem, kind = self.problems[asked.number], self.task.answer_kind
        draws = itertools.product(self.seeds, range(self.protocol.samples))
        rows = []
        for (seed, sample), written in zip(draws, asked.written, strict=True):
            text = self.method.said(written.ids)
            parsed = parse(kind, text)
            rows.append(
                Row(
                    id=problem.id,
                    prompt=asked.prompt,
                    seed=seed,
                    sample=sample,
                    text=text,
                    parsed=parsed,
                    gold=problem.answer,
                    correct=is_correct(kind, parsed, problem.answer),
                    tokens=len(written.ids),
                    passes=asked.passes + len(written.ids),
                    gold_logprob=asked.scored,
                    cut=written.stop_reason == "length",
                )
            )
        return rows
