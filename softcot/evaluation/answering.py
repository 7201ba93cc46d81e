"""One question, several ways to ask it, one batched decode: what `ask` and the app show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated

from pydantic import Field

from softcot.data.answers import is_correct, majority, parse
from softcot.data.problems import Problem
from softcot.data.tasks import Task
from softcot.decoding.backend import Alone, Backend, Place, Session
from softcot.decoding.decoder import Completion, Sampling
from softcot.evaluation.chains import in_turn
from softcot.evaluation.scoring import gold_logprobs
from softcot.methods import Method, get_method
from softcot.models.batches import PromptEmbeds, join
from softcot.support.errors import UserError
from softcot.thoughts.edits import Edit
from softcot.thoughts.pair import Pair


@dataclass(frozen=True)
class ColumnRequest:
    """One way to ask the question."""

    method: str
    """Name of a method, as `--method` takes it."""
    control: str = "none"
    """What replaces the question's own thoughts."""
    edits: tuple[Edit, ...] = ()
    """What is done to single slots after that."""
    own_k: Annotated[bool, Field(alias="own_thoughts")] = False
    """Whether K is the method's own choice, whatever the others have."""

    def build(self, pair: Pair, task: Task, seed: int) -> Method:
        """The method that is asked for; the seed decides donors, orders and noise."""
        return get_method(
            self.method, pair, task, control=self.control, edits=self.edits, seed=seed
        )

    def count(self, method: Method, k: int | None) -> int:
        """K of the column; `wanted` is what all were asked for.

        Raises:
            UserError: There cannot be so many, or so few.
        """
        return method.checked_k(None if self.own_k else k)


@dataclass
class Column:
    """What one way of asking has written so far."""

    method: str
    title: str
    """A reader's name for the method, with its control."""
    k: Annotated[int, Field(alias="thoughts")]
    """K, 0 for a method without thoughts."""
    text: str = ""
    """The completion; with several samples, the first one that gave the answer."""
    answer: str | None = None
    """Parsed from the text, or the vote's winner; None while there is none."""
    correct: bool | None = None
    """None while there is no answer to judge, or no gold answer to judge it by."""
    new_tokens: int = 0
    """Over all samples."""
    seconds: float = 0.0
    """From the start of the decoding to the last token."""
    done: bool = False
    note: str = ""
    """What a reader should know about how it ended."""
    cut: int = 0
    """Samples that were cut off at the token limit."""
    votes: dict[str, int] = field(default_factory=dict)
    """Answer -> number of samples, most frequent first; empty for a single sample."""
    gold_logprob: float | None = None
    """Log-probability (nats) of the worked gold answer, with the last frame; None where there is
    none: that of a bare result says little, for no model answers without its reasoning."""


def answer_stream(
    pair: Pair,
    problem: Problem,
    task: Task,
    requests: Sequence[ColumnRequest],
    k: int | None,
    sampling: Sampling,
    samples: int = 1,
    backend: Backend | None = None,
) -> Generator[list[Column]]:
    """Ask a question in several ways at once.

    Sample i draws from the same random numbers in every column, so columns differ by what they
    were given and not by luck.

    Args:
        pair: The two frozen models.
        problem: The question; its gold answer, if known, is compared with what comes out.
        task: Decides instruction, projection and answer kind.
        requests: One column each.
        k: K for the methods that have thoughts; None leaves it to each method.
        sampling: How tokens are chosen.
        samples: Completions of every column; with more than one the majority answers.
        backend: What runs the models; by default nobody else wants them.

    Yields:
        Blank columns with its place while the question has to wait, then the columns after each
        token, and once more with the worked answer's log-probability if
        there is one. After the first token, those that wait for the assistant are still empty.
        Closing the generator stops the work.

    Raises:
        UserError: Any of the inputs makes no sense.
    """
    if samples < 1:
        raise UserError(f"The number of samples must be 1 or more; it is {samples}.")
    backend = backend or Alone()
    methods = backend.run(lambda: [one.build(pair, task, sampling.seed) for one in requests])
    sets = [method.sets(samples) for method in methods]
    if sampling.temperature == 0 and min(sets, default=samples) < samples:
        raise UserError("At temperature 0 all samples are equal; choose a temperature above 0.")
    counts = [request.count(method, k) for method, request in zip(methods, requests, strict=True)]
    asked = list(map(_OpenColumn, methods, counts, sets))
    blank = [
        Column(method.name, _title(method, request), count)
        for method, request, count in zip(methods, requests, counts, strict=True)
    ]
    columns: list[Column] = []
    with (
        backend.session(len(requests) * samples) as session,
        closing(_written(session, asked, problem, sampling, samples)) as steps,
    ):
        for place in steps:
            columns = [
                _read(column, one.rows, one.method, problem, task)
                if place is None
                else replace(column, note=str(place))
                for column, one in zip(blank, asked, strict=True)
            ]
            yield columns
    if problem.answer and problem.rationale:
        yield [
            replace(column, gold_logprob=backend.run(partial(one.score, problem)))
            for column, one in zip(columns, asked, strict=True)
        ]


@dataclass
class _OpenColumn:
    """One column's method, what the base reads for it, and what it has written."""

    method: Method
    k: int
    sets: int
    """Prompts that its samples take turns with."""
    prompt: PromptEmbeds = field(init=False, repr=False)
    """There once it starts."""
    rows: list[Completion] = field(default_factory=list)

    @property
    def waits(self) -> bool:
        """Whether it may start after others: the assistant thinks first, and nothing is refused.

        An edit can be; it speaks up before anything is written.
        """
        return self.method.asks_assistant and not getattr(self.method, "edits", ())

    def prepare(self, problem: Problem) -> None:
        """Make what the base reads."""
        self.prompt = self.method.prepare_sets([problem], self.k, self.sets)

    def score(self, problem: Problem) -> float:
        """Log-probability (nats) of the worked gold answer, behind the first prompt."""
        first = self.prompt if self.sets == 1 else self.method.prepare([problem], self.k)
        return gold_logprobs(self.method, [problem], first)[0]


def _written(
    session: Session,
    asked: Sequence[_OpenColumn],
    problem: Problem,
    sampling: Sampling,
    samples: int,
) -> Generator[Place | None]:
    """Write into all rows that have started, until every row has ended.

    What needs no assistant starts at once, and the rest joins after the first token.

    Yields:
        Its place while it waits, and None after each step.
    """
    yield from session.waiting()
    waiting = [one for one in asked if one.waits]
    starting = [one for one in asked if not one.waits]
    if not starting:
        starting, waiting = waiting, []
    while starting or session.open:
        for one in starting:
            session.run(partial(one.prepare, problem))
        for alike in _sharing(starting):
            _start(session, alike, sampling, samples)
        session.step()
        yield None
        starting, waiting = waiting, []


def _sharing(asked: Sequence[_OpenColumn]) -> Iterable[list[_OpenColumn]]:
    """Those that share a model, whose prompts are read together, and have as many of them."""
    found: dict[tuple[int, int], list[_OpenColumn]] = {}
    for one in asked:
        found.setdefault((id(one.method.lm.model), one.sets), []).append(one)
    return found.values()


def _start(
    session: Session, asked: Sequence[_OpenColumn], sampling: Sampling, samples: int
) -> None:
    """Let some columns start with one model; sample i is drawn alike in all of them."""
    lm, sets = asked[0].method.lm, asked[0].sets
    prompt = join([one.prompt for one in asked])
    row_seeds = [*range(sets)] * len(asked)
    rows = session.add(lm, prompt, sampling, row_seeds, samples // sets)
    for one, own in zip(asked, in_turn(rows, len(asked), sets), strict=True):
        one.rows = own


def _title(method: Method, request: ColumnRequest) -> str:
    changes = [request.control] if request.control != "none" else []
    if method.kind and method.trained_on is None and not changes:
        changes = ["untrained"]
    return ", ".join([method.title, *changes, *map(str, request.edits)])


def _read(
    column: Column, rows: list[Completion], method: Method, problem: Problem, task: Task
) -> Column:
    """The column as its rows stand: a new object, so that a caller may keep it."""
    if not rows:  # it waits for the assistant
        return column
    texts = [method.said(row.ids).rstrip("\ufffd") for row in rows]
    done = all(row.finished for row in rows)
    # A sample votes when it has finished: half a sentence is no answer.
    answers = [
        parse(task.answer_kind, text) if row.finished else None
        for text, row in zip(texts, rows, strict=True)
    ]
    answer = majority(answers)
    shown = answers.index(answer) if done else 0
    votes = Counter(answer for answer in answers if answer is not None)
    return replace(
        column,
        text=texts[shown],
        answer=answer,
        correct=is_correct(task.answer_kind, answer, problem.answer)
        if done and problem.answer
        else None,
        new_tokens=sum(len(row.ids) for row in rows),
        seconds=max(row.seconds for row in rows),
        done=done,
        note=_note(rows, answer, done),
        cut=sum(row.stop_reason == "length" for row in rows),
        votes=dict(votes.most_common()) if len(rows) > 1 else {},
    )


def _note(rows: list[Completion], answer: str | None, done: bool) -> str:
    cut = sum(row.stop_reason == "length" for row in rows)
    notes = []
    if cut:
        which = "The text was" if len(rows) == 1 else f"{cut} of {len(rows)} samples were"
        notes.append(f"{which} cut off at the token limit.")
    if done and answer is None:
        notes.append("No answer could be read.")
    return " ".join(notes)
