"""What writes answers: an interface that methods, the page and evaluations need not look behind.

A `Backend` runs the models of a pair; a `Session` of it is one request, whose rows come and go
together. `Alone` is the plainest: one caller, whose rows are written while it waits; `Visit` is one
visitor's view of any other.
`softcot.decoding.engine` has one batch for many callers, `softcot.decoding.vllm` a server's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, TypeVar

from softcot.decoding.decoder import Completion, Decoder, Sampling
from softcot.models.batches import PromptEmbeds
from softcot.models.language_model import LanguageModel

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """Where a request stands that has to wait."""

    number: int
    """1 is the next."""
    seconds: float | None = None
    """How long it will probably wait; None where nobody can say yet."""

    def __str__(self) -> str:
        """A sentence for whoever waits."""
        if self.seconds is None:
            return f"Place {self.number} in the queue."
        return f"Place {self.number} in the queue, about {max(1, round(self.seconds))} s."


class Session(Protocol):
    """One request: rows that are written for it, and whatever its models compute before."""

    @property
    def open(self) -> int:
        """Rows that are not finished, as the caller knows them."""

    def waiting(self) -> Iterator[Place]:
        """Where it stands, again and again, until it may start; nothing where nobody waits."""

    def run(self, work: Callable[[], T]) -> T:
        """Do what runs a model of the pair, when it is this request's turn."""

    def add(
        self,
        lm: LanguageModel,
        prompt: PromptEmbeds,
        sampling: Sampling,
        row_seeds: Sequence[int] | None = None,
        samples: int = 1,
        seeds: Sequence[int] | None = None,
    ) -> list[Completion]:
        """Let a model go on from prompts; the arguments are those of `Decoder.add`.

        Returns:
            Their rows, into which `step` writes, and nobody else.

        Raises:
            UserError: This backend cannot.
        """

    def step(self) -> None:
        """Wait until something was written into open rows: a token each, or more.

        Raises:
            Exception: What kept it from being written.
        """

    def close(self) -> None:
        """Want no more; what is open is marked as stopped."""


class Backend(Protocol):
    """What runs the models of a pair."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Of what computes elsewhere, by name, for the records."""

    def refusal(self, lm: LanguageModel) -> str:
        """Why it cannot let a model write, in one sentence; empty where it can."""

    def session(
        self, rows: int = 1, visitor: str = "", ended: threading.Event | None = None
    ) -> AbstractContextManager[Session]:
        """A request, which is closed in the end.

        Args:
            rows: That it will have at most.
            visitor: Whose it is; rows are shared out fairly between visitors. A request without
                one is its own visitor's.
            ended: Set when nobody wants it any more; whoever writes for many looks before each
                token, for the caller may be late to close it.

        Raises:
            UserError: Too many wait already.
        """

    def run(self, work: Callable[[], T], long: bool = False) -> T:
        """Do what runs a model, when its turn comes; what is long lets what is not go first."""

    def steps(self, work: Generator[T]) -> Generator[T]:
        """Do long work piece by piece, with what others want in between."""

    def turn(self) -> AbstractContextManager[Callable[[], None]]:
        """Have the models alone, for long work with a thread of its own.

        It gets a function to call between two pieces, which returns when its turn has come again.
        """


class Alone:
    """One caller at a time: what runs a model runs at once, in the caller's thread."""

    versions: Mapping[str, str] = MappingProxyType({})

    def refusal(self, lm: LanguageModel) -> str:
        """None: any model writes."""
        return ""

    @contextmanager
    def session(
        self, rows: int = 1, visitor: str = "", ended: threading.Event | None = None
    ) -> Iterator[Session]:
        """A request, which never waits."""
        session = _LocalSession()
        try:
            yield session
        finally:
            session.close()

    def run(self, work: Callable[[], T], long: bool = False) -> T:
        """Do it."""
        return work()

    def steps(self, work: Generator[T]) -> Generator[T]:
        """Do it piece by piece."""
        yield from work

    @contextmanager
    def turn(self) -> Iterator[Callable[[], None]]:
        """Go on, always."""
        yield lambda: None


@dataclass(frozen=True)
class Visit:
    """A backend as one visitor sees it: what is asked of it is this visitor's.

    Where a request names another visitor or event, that one counts.
    """

    backend: Backend
    visitor: str = ""
    ended: threading.Event | None = None
    """Set to end all that is asked."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Those of the backend."""
        return self.backend.versions

    def refusal(self, lm: LanguageModel) -> str:
        """What the backend says."""
        return self.backend.refusal(lm)

    def session(
        self, rows: int = 1, visitor: str = "", ended: threading.Event | None = None
    ) -> AbstractContextManager[Session]:
        """A request of this visitor."""
        return self.backend.session(rows, visitor or self.visitor, ended or self.ended)

    def run(self, work: Callable[[], T], long: bool = False) -> T:
        """Do it there."""
        return self.backend.run(work, long)

    def steps(self, work: Generator[T]) -> Generator[T]:
        """Do it there, piece by piece, and none once this visitor has ended it."""
        with closing(self.backend.steps(work)) as frames:
            for frame in frames:
                yield frame
                if self.ended is not None and self.ended.is_set():
                    return

    def turn(self) -> AbstractContextManager[Callable[[], None]]:
        """Have its models alone."""
        return self.backend.turn()


class _LocalSession:
    """A request whose caller steps the decoders, one for each model."""

    def __init__(self) -> None:
        self._decoders: dict[int, Decoder] = {}

    @property
    def open(self) -> int:
        return sum(decoder.open for decoder in self._decoders.values())

    def waiting(self) -> Iterator[Place]:
        return iter(())

    def run(self, work: Callable[[], T]) -> T:
        return work()

    def add(
        self,
        lm: LanguageModel,
        prompt: PromptEmbeds,
        sampling: Sampling,
        row_seeds: Sequence[int] | None = None,
        samples: int = 1,
        seeds: Sequence[int] | None = None,
    ) -> list[Completion]:
        if id(lm.model) not in self._decoders:
            self._decoders[id(lm.model)] = Decoder(lm)
        return self._decoders[id(lm.model)].add(prompt, row_seeds, samples, seeds, sampling)

    def step(self) -> None:
        for decoder in self._decoders.values():
            if decoder.open:
                decoder.step()

    def close(self) -> None:
        for decoder in self._decoders.values():
            decoder.close()
