"""One running batch for everybody: the requests of different visitors share a model's steps.

A pair has one engine, and the engine one thread in which all of the pair's models run. Requests
join its batch and leave it at any token, and a row's words depend on nothing but its own prompt and
seeds. What is long, such as a sweep or a training, is done in pieces when nobody else wants
anything, and otherwise for a share of the time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from softcot.decoding.backend import Place, Session
from softcot.decoding.decoder import Completion, Decoder, Sampling
from softcot.models.batches import PromptEmbeds
from softcot.models.language_model import LanguageModel
from softcot.models.memory import OutOfMemory, give_back, give_back_large, release
from softcot.support.errors import UserError

T = TypeVar("T")

ROWS = 64
"""Rows that are written at once: on two cores, more of them make every visitor wait longer."""

WAITING = 256
"""Requests that may wait; beyond that they are refused."""

READING = 0.1
"""Seconds between two tokens that new requests may take to be prepared and read, if there is more
than one."""

LONG_SHARE = 0.25
"""Share of the time that long work has while others want something."""

BEAT = 0.5
"""Seconds after which whoever waits is told again where it stands."""

GIVING_BACK = 10.0
"""Seconds of work after which the memory that was freed is given back to the system."""

IDLE = 5.0
"""Seconds without work after which the thread ends; the next request starts another one."""

THREAD = "softcot-engine"
"""Name of the threads that are started here."""

ENDED = "The models were taken out of the memory; ask again."


class Full(UserError):
    """Too many requests wait.

    Args:
        seconds: After which there will probably be room.
    """

    def __init__(self, seconds: float):
        super().__init__(
            f"Too many requests are waiting; try again in {max(1, round(seconds))} seconds."
        )
        self.seconds = seconds


@dataclass(frozen=True)
class Load:
    """What an engine is doing."""

    rows: int
    """That are being written."""
    requests: int
    """That have started."""
    waiting: int
    """Requests that have not."""


class Engine:
    """All that the models of a pair do for many callers; all of it is thread-safe.

    Where a GPU's memory ends, half as many rows are written from then on, and requests that it
    ended for are asked once more, from their start, when there is room for them.

    Args:
        rows: Written at once; a single request may have more, and then has them alone.
        waiting: Requests that may wait.
    """

    versions: Mapping[str, str] = MappingProxyType({})

    def __init__(self, rows: int = ROWS, waiting: int = WAITING):
        self.rows, self.most_waiting = rows, waiting
        self._changed = threading.Condition()
        """Guards all that follows but the decoders, which only the thread touches."""
        self._calls: deque[_Call[Any]] = deque()
        self._long: deque[_Call[Any]] = deque()
        self._waiting: list[_Seat] = []
        self._seats: list[_Seat] = []
        self._leaving: list[_Seat] = []
        self._left: deque[float] = deque(maxlen=16)
        """When requests ended lately, while others waited."""
        self._served: dict[str, int] = {}
        """The last turn of each visitor, while anybody waits."""
        self._turns = 0
        self._decoders: dict[int, Decoder] = {}
        self._thread: threading.Thread | None = None
        self._closed = False
        self._numbers = 0
        self._long_after = 0.0
        self._pace = READING
        """Seconds that a prompt took to be read, of those that were read last."""

    def refusal(self, lm: LanguageModel) -> str:
        """None: any model writes."""
        return ""

    @contextmanager
    def session(
        self, rows: int = 1, visitor: str = "", ended: threading.Event | None = None
    ) -> Iterator[Session]:
        """A request; see `softcot.decoding.backend.Backend.session`.

        Raises:
            Full: Too many wait already.
            UserError: The engine was closed.
        """
        with self._changed:
            self._check_open()
            if len(self._waiting) >= self.most_waiting:
                raise Full(self._wait(len(self._waiting)) or 1.0)
            self._numbers += 1
            seat = _Seat(self, self._numbers, rows, visitor or f"#{self._numbers}", ended)
            self._waiting.append(seat)
            self._admit()
        try:
            yield seat
        finally:
            seat.close()

    def run(self, work: Callable[[], T], long: bool = False) -> T:
        """Do what runs a model in the engine's thread, and wait for it."""
        if threading.current_thread() is self._thread:  # it is part of something that runs there
            return work()
        call = _Call(work)
        self._submit(call, long)
        return call.outcome()

    def steps(self, work: Generator[T]) -> Generator[T]:
        """The frames of long work, each computed when there is time for it."""
        ended = object()

        def advance() -> T | object:
            return next(work, ended)

        try:
            while (frame := self.run(advance, long=True)) is not ended:
                yield frame  # type: ignore[misc]
        finally:
            work.close()  # it does not run now, and to end it computes nothing

    @contextmanager
    def turn(self) -> Iterator[Callable[[], None]]:
        """Have the models alone; see `softcot.decoding.backend.Backend.turn`."""
        held = self._hold()

        def give_way() -> None:
            nonlocal held
            held.set()
            held = self._hold()

        try:
            yield give_way
        finally:
            held.set()

    def _hold(self) -> threading.Event:
        """Wait until nothing runs, and keep it so until the event that is returned is set."""
        begun, ended = threading.Event(), threading.Event()

        def stand_by() -> None:
            begun.set()
            ended.wait()

        call = _Call(stand_by)
        call.done = begun  # the caller goes on as soon as it has begun
        self._submit(call, long=True)
        call.outcome()
        return ended

    def load(self) -> Load:
        """What it is doing now."""
        with self._changed:
            rows = sum(seat.held for seat in self._seats)
            return Load(rows, len(self._seats), len(self._waiting))

    def close(self) -> None:
        """End all work; whoever asked for it, or asks later, is told so."""
        with self._changed:
            self._closed = True
            for call in (*self._calls, *self._long):
                call.fail(UserError(ENDED))
            self._calls.clear()
            self._long.clear()
            for seat in (*self._seats, *self._waiting):
                seat.fail(UserError(ENDED))
            thread = self._thread
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _check_open(self) -> None:
        if self._closed:
            raise UserError(ENDED)

    # What sessions ask for, from their own threads.

    def _submit(self, call: _Call[Any], long: bool) -> None:
        with self._changed:
            self._check_open()
            (self._long if long else self._calls).append(call)
            self._wake()

    def _wake(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._work, name=THREAD, daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _place(self, seat: _Seat) -> Place | None:
        """Where a request stands; None once it may start."""
        with self._changed:
            if seat.admitted.is_set():
                return None
            number = self._order().index(seat) + 1
            return Place(number, self._wait(number))

    def _drop(self, seat: _Seat) -> None:
        """Take a request out, wherever it stands."""
        with self._changed:
            if seat in self._waiting:
                self._waiting.remove(seat)
            elif seat in self._seats:
                self._seats.remove(seat)
                self._leaving.append(seat)
                if self._waiting:
                    self._left.append(time.monotonic())
                self._wake()
            self._admit()

    def _order(self) -> list[_Seat]:
        """Who waits, the next one first: who has the fewest rows, then whose turn was before."""
        rows: dict[str, int] = {}
        for seat in self._seats:
            rows[seat.visitor] = rows.get(seat.visitor, 0) + seat.held
        ranks = {}
        for seat in self._waiting:
            ranks[seat.number] = rows.get(seat.visitor, 0)
            rows[seat.visitor] = ranks[seat.number] + seat.asked

        def turn(seat: _Seat) -> tuple[int, int, int]:
            return ranks[seat.number], self._served.get(seat.visitor, 0), seat.number

        return sorted(self._waiting, key=turn)

    def _admit(self) -> None:
        """Let those start for whom there is room; nobody is overtaken by a smaller request."""
        held = sum(seat.held for seat in self._seats)
        for seat in self._order():
            if held and held + seat.asked > self.rows:
                break
            held += seat.asked
            self._waiting.remove(seat)
            self._seats.append(seat)
            self._turns += 1
            self._served[seat.visitor] = self._turns
            seat.admitted.set()
        if not self._waiting:
            self._left.clear()
            self._served.clear()

    def _wait(self, number: int) -> float | None:
        """Seconds until so many have ended, at the pace of late; None where it is not known."""
        if len(self._left) < 2:
            return None
        pace = (time.monotonic() - self._left[0]) / (len(self._left) - 1)
        return number * pace

    # What the thread does.

    def _work(self) -> None:
        give_back_large()
        given = time.monotonic()
        while self._awaited():
            self._forget_leavers()
            self._do_calls()
            self._step()
            self._do_long()
            if time.monotonic() - given > GIVING_BACK:
                give_back()
                given = time.monotonic()
        give_back()

    def _awaited(self) -> bool:
        """Wait for work; False after a while without any."""

        def busy() -> bool:
            return bool(self._calls or self._long or self._leaving or self._decoders)

        with self._changed:
            if not self._closed and (busy() or self._changed.wait_for(busy, IDLE)):
                return not self._closed
            self._thread = None
            for decoder in self._decoders.values():
                decoder.close()
            self._decoders.clear()
            return False

    def _forget_leavers(self) -> None:
        with self._changed:
            leaving, self._leaving = self._leaving, []
            ended = [seat for seat in self._seats if seat.ended.is_set()]
        for seat in (*leaving, *ended):
            for decoder in self._decoders.values():
                decoder.leave(seat.theirs)
        for seat in ended:  # their callers close them when they hear of it
            seat.news.set()

    def _do_calls(self) -> None:
        """Do what others wait for, one thing at least, and more while rows can wait for it."""
        started = time.perf_counter()
        while True:
            with self._changed:
                call = self._calls.popleft() if self._calls else None
            if call is None:
                return
            call.do()
            unread = sum(decoder.unread for decoder in self._decoders.values())
            taken = time.perf_counter() - started + unread * self._pace
            if self._decoders and taken > READING:
                return

    def _do_long(self) -> None:
        """Do a piece of long work, if nobody else wants anything or it is its turn."""
        with self._changed:
            wanted = bool(self._calls or self._decoders)
            if not self._long or (wanted and time.perf_counter() < self._long_after):
                return
            call = self._long.popleft()
        started = time.perf_counter()
        call.do()
        ended = time.perf_counter()
        self._long_after = ended + (ended - started) * (1 / LONG_SHARE - 1)

    def _join(
        self,
        seat: _Seat,
        lm: LanguageModel,
        prompt: PromptEmbeds,
        sampling: Sampling,
        row_seeds: Sequence[int] | None,
        samples: int,
        seeds: Sequence[int] | None,
    ) -> list[Completion]:
        """Let a request's prompts join the rows of their model; what fails here is its own."""
        decoder = self._decoders.get(id(lm.model)) or Decoder(lm)
        if seat.started is None:
            seat.started = time.perf_counter()
        rows = decoder.add(prompt, row_seeds, samples, seeds, sampling, seat.started)
        self._decoders[id(lm.model)] = decoder
        seat.theirs += rows
        return rows

    def _write_fewer(self, failed: Sequence[_Seat]) -> None:
        """Write half as many rows from now on, where these requests were not alone."""
        if len(self._seats) == 1:
            return
        held = sum(seat.held for seat in self._seats)
        self.rows = max(1, min(self.rows, held // 2))
        for seat in failed:
            seat.crowded = True

    def _admit_again(self, seat: _Seat) -> bool:
        """Let a request wait for a better moment; False where it had all of the memory."""
        with self._changed:
            if not seat.crowded:
                return False
            seat.begin_again()
            self._seats.remove(seat)
            self._waiting.append(seat)
            self._admit()
        self.run(release)
        return True

    def _read(self, decoder: Decoder) -> Exception | None:
        """Read what has come; what fails ends only the rows that were to go on from it."""
        prompts = decoder.unread
        if not prompts:
            return None
        started = time.perf_counter()
        failed = _failure(decoder.read)
        self._pace = (time.perf_counter() - started) / prompts
        return failed

    def _step(self) -> None:
        """Write a token into all rows of each model in turn, and tell whose they are."""
        if not self._decoders:
            return
        failed: Exception | None = None
        for key, decoder in list(self._decoders.items()):
            failed = self._read(decoder) or failed
            error = _failure(decoder.step)
            if error is not None:  # its rows are worth nothing now
                failed = error
                decoder.close()
            if not decoder.open:
                del self._decoders[key]
        with self._changed:
            if failed is not None:
                cut = [seat for seat in self._seats if seat.was_cut]
                if isinstance(failed, OutOfMemory):
                    self._write_fewer(cut)
                for seat in cut:
                    seat.fail(failed)
            for seat in self._seats:
                seat.news.set()
            self._admit()


def _failure(work: Callable[[], None]) -> Exception | None:
    """What goes wrong; where memory ends, without all that the error would hold of it."""
    try:
        work()
    except OutOfMemory:
        return OutOfMemory()
    except Exception as error:  # whatever it is, it belongs to those whose rows it ends
        return error
    return None


class _Call(Generic[T]):
    """Something to be done in the engine's thread, and what came of it."""

    def __init__(self, work: Callable[[], T]):
        self.work = work
        self.done = threading.Event()
        self.result: T
        self.error: BaseException | None = None

    def do(self) -> None:
        try:
            self.result = self.work()
        except BaseException as error:  # whatever it is, it belongs to the caller
            self.error = error
        self.done.set()

    def fail(self, error: Exception) -> None:
        self.error = error
        self.done.set()

    def outcome(self) -> T:
        self.done.wait()
        if self.error is not None:
            raise self.error
        return getattr(self, "result", None)  # type: ignore[return-value]


class _Seat:
    """A request of an engine, for its caller's thread; `theirs` are the rows of the decoders."""

    def __init__(
        self,
        engine: Engine,
        number: int,
        asked: int,
        visitor: str,
        ended: threading.Event | None = None,
    ):
        self.engine, self.number, self.asked, self.visitor = engine, number, asked, visitor
        self.ended = ended or threading.Event()
        self.admitted, self.news = threading.Event(), threading.Event()
        self.error: Exception | None = None
        self.crowded = False
        """Whether others had memory, too, when it ended for this one."""
        self.joins: list[Callable[[], list[Completion]]] = []
        """All that was asked for."""
        self.started: float | None = None
        self.mine: list[Completion] = []
        self.theirs: list[Completion] = []

    @property
    def held(self) -> int:
        """Rows that it has, or may still ask for."""
        return max(0, self.asked - sum(row.finished for row in self.theirs))

    @property
    def was_cut(self) -> bool:
        """Whether rows of its ended that it did not want to end."""
        return any(row.stop_reason == "stopped" for row in self.theirs)

    @property
    def open(self) -> int:
        return sum(not row.stop_reason for row in self.mine)

    def fail(self, error: Exception) -> None:
        """Tell the caller what happened, wherever it waits."""
        self.error = error
        self.admitted.set()
        self.news.set()

    def begin_again(self) -> None:
        """Forget what was written."""
        self.crowded, self.error = False, None
        self.admitted.clear()
        for row in (row for row in self.theirs if not row.finished):
            row.stop_reason = "stopped"
        self.theirs = []

    def waiting(self) -> Iterator[Place]:
        while (place := self.engine._place(self)) is not None:
            yield place
            self.admitted.wait(BEAT)
        self._check()

    def run(self, work: Callable[[], T]) -> T:
        self.admitted.wait()
        self._check()
        return self.engine.run(work)

    def add(
        self,
        lm: LanguageModel,
        prompt: PromptEmbeds,
        sampling: Sampling,
        row_seeds: Sequence[int] | None = None,
        samples: int = 1,
        seeds: Sequence[int] | None = None,
    ) -> list[Completion]:
        join = partial(self.engine._join, self, lm, prompt, sampling, row_seeds, samples, seeds)
        self.joins.append(join)
        rows = [Completion() for _ in self.run(join)]
        self.mine += rows
        return rows

    def step(self) -> None:
        self.news.wait()
        self.news.clear()
        if isinstance(self.error, OutOfMemory):
            self._join_again()
        self._check()
        self._copy()

    def _join_again(self) -> None:
        """Ask for everything once more, when there is room, unless it had all of the memory."""
        if self.engine._admit_again(self):
            for row in self.mine:
                row.ids, row.finished, row.stop_reason = [], False, ""
            for join in self.joins:
                self.run(join)

    def close(self) -> None:
        self.engine._drop(self)
        for row in self.mine:
            if not row.finished:
                row.stop_reason = "stopped"

    def _check(self) -> None:
        if self.error is not None:
            raise self.error

    def _copy(self) -> None:
        """Take over what the engine's thread has written; it goes on meanwhile.

        Why a row has ended is read first, so that a row that has is whole.
        """
        for mine, theirs in zip(self.mine, self.theirs, strict=True):
            mine.stop_reason = theirs.stop_reason
            mine.seconds = theirs.seconds
            mine.ids += theirs.ids[len(mine.ids) :]
            mine.finished = mine.stop_reason in ("end", "length")
