"""One pair for many programs: from a request to the pieces of its answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from softcot.data.problems import Problem
from softcot.data.tasks import Task, get_task
from softcot.decoding.backend import Backend, Place
from softcot.decoding.decoder import Completion, Sampling
from softcot.decoding.engine import Full
from softcot.methods import Method, askable, get_method
from softcot.models.language_model import LanguageModel
from softcot.serving.requests import AnswerRequest, cut_at
from softcot.support.errors import UserError
from softcot.support.presets import MAX_NEW_TOKENS
from softcot.thoughts.pair import Pair

MOST = 320
"""Requests at the same time, those that wait included; each has a thread."""


class NoSuchModel(UserError):
    """The name of a model that is not served here."""


@dataclass(frozen=True)
class Piece:
    """What was added to one of the answers."""

    number: int
    text: str
    finish: str | None = None
    """"stop" or "length" with the last piece."""


@dataclass(frozen=True)
class Step:
    """What happened to a request."""

    place: Place | None = None
    """Where it stands while it waits."""
    pieces: tuple[Piece, ...] = ()
    prompt_tokens: int = 0
    written_tokens: int = 0
    """So far, over all answers."""


@dataclass
class _Text:
    """One answer as it is sent: whole characters, and never a part of what ends it."""

    lm: LanguageModel
    stops: Sequence[str]
    row: Completion
    sent: int = 0
    tokens: int = 0
    finish: str | None = None

    def news(self) -> str:
        """What can be sent that was not sent before."""
        self.tokens = len(self.row.ids)
        text = self.lm.text(self.row.ids)
        place = cut_at(text, self.stops)
        if place is not None:
            self.finish = "stop"
        elif self.row.finished:
            self.finish, place = "stop" if self.row.stop_reason == "end" else "length", len(text)
        else:  # half a character, and what may be the beginning of a stop, wait for the rest
            held = max(map(len, self.stops), default=1) - 1
            place = max(self.sent, len(text.rstrip("\ufffd")) - held)
        new, self.sent = text[self.sent : place], max(self.sent, place)
        return new


@dataclass
class Serving:
    """A pair that programs ask, by the name of the pair and a method."""

    pair: Pair
    backend: Backend
    usual_length: int = MAX_NEW_TOKENS
    """Tokens of the longest answer where nobody chose."""
    most: int = MOST
    running: int = 0
    """Requests that have begun, those that wait included."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def models(self) -> list[str]:
        """Names that can be asked for."""
        return [f"{self.pair.name}:{method}" for method in askable(self.pair)]

    def answer(
        self, request: AnswerRequest, visitor: str = "", ended: threading.Event | None = None
    ) -> Iterator[Step]:
        """Answer a request, piece by piece; closing it frees its rows.

        Args:
            request: What is asked.
            visitor: Whose request it is; visitors share the rows fairly.
            ended: Set when nobody wants it any more.

        Raises:
            NoSuchModel: There is no such pair and method here.
            Full: Too many wait.
            UserError: It cannot be asked this way.
        """
        name, task, sampling = self._method(request), self._task(request), self._sampling(request)
        problem = Problem(task.name, request.question)

        def build() -> Method:
            seed = sampling.seed
            return get_method(name, self.pair, task, control=request.control, seed=seed)

        with self._counted(), self.backend.session(request.samples, visitor, ended) as session:
            for place in session.waiting():
                yield Step(place)
            method = session.run(build)
            k = method.checked_k(request.k)
            prompt = session.run(lambda: method.prepare([problem], k))
            rows = session.add(method.lm, prompt, sampling, [0], request.samples)
            [length] = prompt.prompt_tokens
            texts = [_Text(method.lm, request.stops, row) for row in rows]
            while any(text.finish is None for text in texts):
                session.step()
                pieces = tuple(_news(texts))
                yield Step(None, pieces, length, sum(text.tokens for text in texts))

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count a request while it is being answered.

        Raises:
            Full: There are too many.
        """
        with self._lock:
            if self.running >= self.most:
                raise Full(1.0)
            self.running += 1
        try:
            yield
        finally:
            with self._lock:
                self.running -= 1

    def _method(self, request: AnswerRequest) -> str:
        if request.model not in self.models:
            raise NoSuchModel(
                f"There is no model {request.model!r} here; choose one of: "
                f"{', '.join(self.models)}."
            )
        return request.model.removeprefix(f"{self.pair.name}:")

    def _task(self, request: AnswerRequest) -> Task:
        """The task that is asked for, or what the question reads like to the laboratory's pairs."""
        if request.task is not None:
            return get_task(request.task)
        return self.pair.likely_task(request.question)

    def _sampling(self, request: AnswerRequest) -> Sampling:
        longest = request.longest
        if longest is None:
            longest = self.usual_length
        return Sampling(
            temperature=request.temperature,
            top_p=request.top_p,
            top_k=request.top_k,
            seed=Sampling().seed if request.seed is None else request.seed,
            max_new_tokens=longest,
        )


def _news(texts: Sequence[_Text]) -> Iterator[Piece]:
    for number, text in enumerate(texts):
        if text.finish is None:
            news = text.news()
            if news or text.finish:
                yield Piece(number, news, text.finish)
