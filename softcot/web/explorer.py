"""What the page can do with a pair, and no widget in sight: answer, edit, sweep and look inside."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import torch

from softcot.analysis.geometry import Exploration, Point, explore, thought_points
from softcot.analysis.inspection import Inspection, inspect
from softcot.analysis.lens import Plan, read_plan
from softcot.analysis.trajectory import Trajectory, trajectories
from softcot.analysis.vocabulary import Vocabulary, to_numpy
from softcot.data.kinds import likely_kind
from softcot.data.problems import Problem
from softcot.data.tasks import FREE, Task, get_task
from softcot.decoding.backend import Backend, Visit
from softcot.decoding.decoder import Sampling
from softcot.decoding.engine import Engine
from softcot.evaluation.answering import Column, ColumnRequest
from softcot.evaluation.run_file import RunRequest, save_run
from softcot.evaluation.variants import Trial, Variant, try_variants
from softcot.methods import METHODS, Method, SoftCoT, ZeroShotCoT, askable, get_method
from softcot.methods.slots import TrainedSlots
from softcot.support.errors import UserError
from softcot.support.presets import (
    CHAT_NEW_TOKENS,
    DEFAULT_THOUGHTS,
    MAX_NEW_TOKENS,
    is_laboratory,
)
from softcot.support.text import counted
from softcot.thoughts.edits import Edit
from softcot.thoughts.pair import Pair
from softcot.thoughts.projection import Projection
from softcot.web import questions
from softcot.web.cautions import Caution, Cautions

HARD, SOFT = ZeroShotCoT.name, SoftCoT.name

MOST_SAMPLES, MOST_TRIED, MOST_MAPPED = 15, 500, 1000
"""Answers of a column, problems of a trial or of each K, and those on a map: what a page that
everybody shares may be asked for at once."""

TOGETHER = 16
"""Problems of a map whose thoughts are read at once, between which others have their turn."""

OWN = ", own projection"
"""Ends the title of a column whose thoughts a visitor's own projection made."""

LOOKED_AT = 48
"""Tokens of the answer that is looked at from inside, of a pair that is not the laboratory's: every
thought is left out of it once, and kept alone once."""


@dataclass(frozen=True)
class Seen(Exploration):
    """A question's thoughts as the page shows them."""

    plan: Plan
    """What they say to the assistant itself."""
    note: str = ""
    """What the assistant alone was told."""
    makers: tuple[tuple[str, tuple[Point, ...]], ...] = ()
    """Titles of others who make thoughts of the same question, and where theirs are."""


class Explorer:
    """One loaded pair and the questions that may be put to it.

    Every projection is loaded at once, so that a damaged one is found before anybody asks. Where
    there is none, one that nobody trained takes its place, and what it does is said to be its.

    Visitors ask at the same time: what runs a model goes through the backend, which lets their
    answers share one batch and cuts what is long into pieces.

    Args:
        pair: The two frozen models.
        backend: What runs them; by default an engine of its own.

    Raises:
        UserError: A projection is damaged.
    """

    def __init__(self, pair: Pair, backend: Backend | None = None):
        self.backend: Backend = backend or Engine()
        self.laboratory = is_laboratory(pair.name)
        """Whether the models are this project's own, which know nothing but its problems."""
        self.tasks = questions.offered(self.laboratory) | questions.whispered(pair.trained)
        """What it is asked, by name."""
        self.own: Projection | None = None
        """A projection of the visitor's, in the place of one that came with the pair."""
        self.trained = all(pair.is_trained(Projection, name) for name in self.tasks)
        """Whether there is a trained projection for each of them."""
        self.pair = pair if self.trained else pair.with_untrained()
        self.max_thoughts = max([self.largest_k(name) for name in self.tasks])
        """The largest K of any of them."""
        self.default_k = self.k_for(self.first.question, self.first.task, DEFAULT_THOUGHTS)
        """K where nobody chose."""
        self.opened: list[Column] = []
        """The comparison that every visitor sees first, once it is finished."""

    def largest_k(self, task_name: str) -> int:
        """The largest K that a task's projection was trained for."""
        return SoftCoT.build(self.pair, get_task(task_name)).max_thoughts

    def k_for(self, question: str, task_name: str, k: int) -> int:
        """What K is for a question: as chosen, but no more than its projection was trained for.

        What no kind of problem is offered stays as it is, and is refused.
        """
        largest = self.largest_k(self.kind(question, task_name))
        return min(k, largest) if k <= self.max_thoughts else k

    def using(self, projection: Projection | None) -> Explorer:
        """The same, with another projection for the task that it was trained on.

        Of a pair that is not the laboratory's, it serves all tasks that have none of their own; one
        for a task that the page does not offer, such as "all", serves every task.
        """
        if projection is None:
            return self
        other = copy.copy(self)
        other.own = projection
        other.pair = (
            self.pair.using(projection, everywhere=not self.laboratory)
            if projection.task in self.tasks
            else self.pair.with_only(projection)
        )
        return other

    def visit(self, visitor: str = "", ended: threading.Event | None = None) -> Explorer:
        """The same for one visitor, whose answers end when the event is set."""
        other = copy.copy(self)
        other.backend = Visit(self.backend, visitor, ended)
        return other

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The base's token embeddings."""
        return Vocabulary.of(self.pair.base)

    def warm_up(self) -> None:
        """Compute what every visitor needs, so that the first one need not wait for it."""
        self.explore(self.first.question, self.first.task)

    @cached_property
    def first(self) -> Problem:
        """What a page opens with: the first problem of the first task that fits these models."""
        return self.fitting(next(iter(self.tasks)))

    def fitting(self, task_name: str) -> Problem:
        """The first example of a task that is not too long for these models; or just the first."""
        listed = questions.examples(task_name, self.laboratory)
        return next(filter(self._fits, listed), listed[0])

    def _fits(self, problem: Problem) -> bool:
        task, k = questions.problems_of(problem.task), self.largest_k(problem.task)
        try:
            self.pair.assistant.prompts.assistant(problem.heard, task=task, k=k)
            self.pair.base.prompts.base(problem.question, task=task, k=k)
        except UserError:
            return False
        return True

    def opening(self) -> Iterator[list[Column]]:
        """The comparison that a page opens with, as it stands; asked once, and then kept."""
        columns = self.opened
        if not columns:
            usual = Sampling(max_new_tokens=self.usual_length)
            request = self.comparison(self.first, self.default_k, usual)
            for columns in self.answers(request):
                yield columns
            self.opened[:] = columns
        yield columns

    @property
    def usual_length(self) -> int:
        """Tokens of an answer where nobody chose."""
        return MAX_NEW_TOKENS if self.laboratory else CHAT_NEW_TOKENS

    @property
    def longest(self) -> int:
        """Tokens of the longest answer that the page offers."""
        return MAX_NEW_TOKENS if self.laboratory else 2 * CHAT_NEW_TOKENS

    @cached_property
    def device(self) -> str:
        """What the models run on, for a reader."""
        device = self.pair.base.device
        if device.type == "cuda":
            return torch.cuda.get_device_name(device)
        threads = torch.get_num_threads()
        return f"CPU, {counted(threads, 'thread')}"

    @property
    def further(self) -> list[tuple[str, str]]:
        """Titles and names of the methods that can be asked beside hard CoT and SoftCoT."""
        offered = askable(self.pair)
        return [(METHODS[name].title, name) for name in offered if name not in (HARD, SOFT)]

    def kind(self, question: str, task_name: str) -> str:
        """The task that a question is asked as: free text goes as the kind that it reads like.

        Only the laboratory's pairs have kinds that differ in more than their answers.
        """
        typed = task_name == FREE.name and self.laboratory
        found = likely_kind(question) if typed else task_name
        return found if found in self.tasks else task_name

    def caution(self, question: str, task_name: str, unfinished: bool = False) -> Caution | None:
        """What of a question neither model has ever read; None where one of them reads anything.

        Args:
            question: The text.
            task_name: What it is asked as.
            unfinished: Whether it is still being typed: then its last words may become others.
        """
        return self._cautions.question(question, self.kind(question, task_name), unfinished)

    def note_caution(self, note: str, unfinished: bool = False) -> Caution | None:
        """The same of what the assistant alone is told, beside the notes that it was trained on."""
        return self._cautions.note(note, unfinished)

    def is_unread(self, problem: Problem) -> bool:
        """Whether any answer to a problem is luck, since its models cannot read all of it."""
        asked = self.caution(problem.question, problem.task)
        return asked is not None or self.note_caution(problem.note) is not None

    @cached_property
    def _cautions(self) -> Cautions:
        return Cautions(self.pair.lexicon, questions.NOTES in self.tasks, self.fitting)

    def explore(
        self,
        question: str,
        task_name: str,
        k: int | None = None,
        note: str = "",
        methods: Sequence[str] = (),
    ) -> Seen:
        """The K projected thoughts of a question, by default as many as there can be.

        Args:
            question: What the assistant reads.
            task_name: What it is asked as.
            k: K.
            note: What the assistant alone is told.
            methods: Those of them that make thoughts of their own show where these are.

        Raises:
            UserError: The question is empty or too long, K is out of range, or there is no such
                task.
        """
        task = questions.problems_of(self.kind(question, task_name))
        k = self.largest_k(task.name) if k is None else k
        problem = Problem(task.name, question, note=note.strip())

        def look() -> Seen:
            vectors = SoftCoT.build(self.pair, task).thoughts([problem], k)
            found = explore(question, vectors[0], self.pair.base, self.vocabulary)
            plan = read_plan(self.pair, problem.heard, k, task)
            makers = tuple(self._made(name, problem, task) for name in methods if makes(name))
            return Seen(**vars(found), plan=plan, note=problem.note, makers=makers)

        return self.backend.run(look)

    def _made(self, name: str, problem: Problem, task: Task) -> tuple[str, tuple[Point, ...]]:
        """The title of a method, and where all of its thoughts of a question are."""
        method = get_method(name, self.pair, task)
        assert isinstance(method, TrainedSlots)
        vectors = method.thoughts([problem], method.max_thoughts)[0]
        return method.title, tuple(thought_points(to_numpy(vectors), self.vocabulary))

    def comparison(
        self,
        problem: Problem,
        k: int,
        sampling: Sampling,
        samples: int = 1,
        swap_question: str = "",
        methods: Sequence[str] = (HARD, SOFT),
    ) -> RunRequest:
        """What is asked to compare the base alone with the base and thoughts, and more.

        Args:
            problem: The question, its task and, if known, its answer.
            k: K.
            sampling: How tokens are chosen.
            samples: Answers in each column; the majority counts.
            swap_question: SoftCoT's thoughts are those of this question, if there is one.
            methods: One column each.

        Raises:
            UserError: There is no such method, or none at all, or too much is asked for.
        """
        if not methods:
            raise UserError("Choose at least one method to ask.")
        if samples > MOST_SAMPLES:
            raise UserError(f"Choose at most {MOST_SAMPLES} samples; it is {samples}.")
        if sampling.max_new_tokens > self.longest:
            raise UserError(
                f"An answer has at most {self.longest} tokens here; it is "
                f"{sampling.max_new_tokens}."
            )
        swap = (Edit("swap", question=swap_question),) if swap_question else ()
        requests = [
            ColumnRequest(
                name,
                edits=swap if name == SOFT else (),
                own_k=name in METHODS and not METHODS[name].shares_k,
            )
            for name in methods
        ]
        return RunRequest(self._as_kind(problem), tuple(requests), k, sampling, samples)

    def _as_kind(self, problem: Problem) -> Problem:
        return replace(problem, task=self.kind(problem.question, problem.task))

    def answers(self, request: RunRequest) -> Iterator[list[Column]]:
        """What is asked, answered; see `RunRequest.stream`.

        The title of a column says whether the visitor's own projection made its thoughts.
        """
        task = questions.problems_of(request.problem.task)
        frames = request.stream(self.pair, task, self.backend)
        if self.own is None or self.pair.projection(task.name) is not self.own:
            return frames
        return _as_own(frames)

    def save(self, path: Path, request: RunRequest, columns: Sequence[Column]) -> None:
        """Write a finished run into a file; see `softcot.evaluation.run_file.save_run`."""
        self.backend.run(lambda: save_run(path, self.pair, request, columns))

    def intervene(self, problem: Problem, k: int, edits: Sequence[Edit]) -> Iterator[list[Column]]:
        """Answer with the question's own thoughts, with edited ones, and with two placebos.

        Args:
            problem: The question, its task and, if known, its worked answer.
            k: K.
            edits: Made in order.

        Yields:
            The four columns after each token, greedily.

        Raises:
            UserError: Any of the inputs makes no sense.
        """
        problem = self._as_kind(problem)
        task = questions.problems_of(problem.task)
        placebos = [(Edit(kind),) for kind in questions.placebos(task)]
        requests = [ColumnRequest(SOFT, edits=tuple(made)) for made in ((), edits, *placebos)]
        sampling = Sampling(max_new_tokens=self.usual_length)
        asked = RunRequest(problem, tuple(requests), k, sampling)
        return asked.stream(self.pair, task, self.backend)

    def try_edits(
        self, task_name: str, k: int, edits: Sequence[Edit], count: int
    ) -> Iterator[list[Trial]]:
        """The same on `count` test problems; see `softcot.evaluation.variants.try_variants`."""
        task = questions.problems_of(task_name)
        placebos = [(kind, [Edit(kind)]) for kind in questions.placebos(task)]
        asked = (("own", []), ("edited", edits), *placebos)

        def variants() -> list[Variant]:
            return [
                Variant(label, get_method(SOFT, self.pair, task, edits=made), k)
                for label, made in asked
            ]

        return self._try(variants, self._tried(task, count))

    def sweep(self, task_name: str, ks: Sequence[int], count: int) -> Iterator[list[Trial]]:
        """SoftCoT at every K of `ks` on `count` test problems; see `try_variants`."""
        task = questions.problems_of(task_name)

        def variants() -> list[Variant]:
            method = get_method(SOFT, self.pair, task)
            return [Variant(f"K = {k}", method, k) for k in ks]

        return self._try(variants, self._tried(task, count), batch_size=count)

    def _try(
        self, variants: Callable[[], list[Variant]], problems: list[Problem], **options: int
    ) -> Iterator[list[Trial]]:
        """Ask the problems in several ways, a token at a time, and let others go first."""
        built, longest = self.backend.run(variants), self.usual_length
        trials = try_variants(built, problems, max_new_tokens=longest, **options)
        return self.backend.steps(trials)

    def inspect(
        self, problem: Problem, k: int, metric: str = "cosine", corrected: bool = False
    ) -> Inspection:
        """Look at a question's thoughts from all sides; see `inspection.inspect`."""
        problem = self._as_kind(problem)
        task = questions.problems_of(problem.task)

        def look() -> Inspection:
            return inspect(
                self.pair,
                task,
                problem,
                k,
                others=questions.others(task, self.laboratory),
                vocabulary=self.vocabulary,
                metric=metric,
                corrected=corrected,
                max_new_tokens=MAX_NEW_TOKENS if self.laboratory else LOOKED_AT,
            )

        return self.backend.run(look, long=True)

    def trajectories(self, task_name: str, k: int, count: int) -> list[Trajectory]:
        """Where the thoughts of `count` test problems lie."""
        task = questions.problems_of(task_name)
        problems = self._tried(task, count, MOST_MAPPED)

        def some(start: int) -> list[Trajectory]:
            part = problems[start : start + TOGETHER]
            return trajectories(self.pair, task, part, k, vocabulary=self.vocabulary)

        pieces = (partial(some, start) for start in range(0, len(problems), TOGETHER))
        return [one for piece in pieces for one in self.backend.run(piece, long=True)]

    def _tried(self, task: Task, count: int, most: int = MOST_TRIED) -> list[Problem]:
        """Test problems for a trial.

        Raises:
            UserError: The task has none, or there cannot be so many.
        """
        if not 1 <= count <= most:
            raise UserError(f"Choose 1 to {most} problems; it is {count}.")
        drawn = questions.tried(task, count)
        if self.laboratory:
            return drawn
        # Nobody knows what other models have read.
        return [replace(p, meta={k: v for k, v in p.meta.items() if k != "unread"}) for p in drawn]


def makes(name: str) -> bool:
    """Whether a method makes thoughts, others than SoftCoT's, and was trained to."""
    return name != SOFT and issubclass(METHODS.get(name, Method), TrainedSlots)


def _as_own(frames: Iterator[list[Column]]) -> Iterator[list[Column]]:
    """The same, with the title of SoftCoT's column saying whose projection it is."""
    for columns in frames:
        yield [
            replace(one, title=f"{one.title}{OWN}") if one.method == SOFT and one.k else one
            for one in columns
        ]
