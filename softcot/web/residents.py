"""The pairs that a page offers: which are in the memory, how others get there, and who leaves.

Several stay loaded where the memory allows it; the one that was asked longest ago leaves first, and
never one that is answering. Loading and fetching run in threads of their own, beside the answers.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import psutil
import torch

from softcot import fetching
from softcot.models.loading import BYTES, MARGIN, free_gigabytes
from softcot.models.precision import usual_dtype
from softcot.support.errors import UserError
from softcot.support.presets import PRESETS
from softcot.support.reading import reason
from softcot.thoughts.pair import Pair, load_pair
from softcot.web.events import Departure
from softcot.web.explorer import Explorer
from softcot.web.zerogpu import lends, on_loan

OFFERED = (
    "mini",
    "qwen2.5-coder-0.5b",
    "qwen2.5-coder-0.5b-large",
    "qwen2.5-coder-0.5b-self",
    "qwen2.5-coder-1.5b",
)
"""Pairs that every page offers, beside the one that it was started with."""

TITLES = {
    "mini": ("Mini", "", "made here, for five kinds of problems"),
    "qwen2.5-coder-0.5b": ("Qwen2.5-Coder 0.5B", "SmolLM2 135M", ""),
    "qwen2.5-coder-0.5b-large": ("Qwen2.5-Coder 0.5B", "Qwen2.5-Coder 1.5B", ""),
    "qwen2.5-coder-0.5b-self": ("Qwen2.5-Coder 0.5B", "", "its own assistant"),
    "qwen2.5-coder-1.5b": ("Qwen2.5-Coder 1.5B", "Qwen2.5-Coder 0.5B", ""),
}
"""Of a pair: its base, its assistant, and what to say in the place of that."""

LOOKING = 0.8
"""Bytes for each parameter of a pair that is looked at: its vocabulary in fp32, and what that is
compared with."""

THREAD = "softcot-loading"
"""Name of the threads that are started here."""

Status = Literal["loaded", "fetching", "loading", "here", "absent", "large", "elsewhere"]


@dataclass(frozen=True)
class Offer:
    """A pair as a visitor may choose it."""

    name: str
    status: Status
    """absent: can be fetched. large: the memory cannot hold it. elsewhere: cannot be had here."""
    gigabytes: float = 0.0
    """To be fetched, or needed in memory, in units of 10^9 bytes."""
    free: float = 0.0
    """Memory that it could have at most, in the same unit."""
    share: float = 0.0
    """How far the fetching or loading is, from 0 to 1."""
    licence: str = ""
    """Under which its models may be used."""


class Loading:
    """A pair on its way into the memory; whoever waits for it looks here.

    Args:
        name: The pair.
        fetches: Whether its files are fetched first.
    """

    def __init__(self, name: str, fetches: bool):
        self.name = name
        self.status: Status = "fetching" if fetches else "loading"
        self.news: fetching.Fetching | None = None
        """How far the fetching is."""
        self.share = 0.0
        self.error = ""
        """Why it failed, in one sentence."""
        self.stopping = threading.Event()
        """Set to end the fetching; what came so far is kept."""
        self.ended = threading.Event()

    def follow(self, news: fetching.Fetching) -> None:
        """Note how far the fetching is."""
        self.news = news
        self.share = min(1.0, news.done / news.total) if news.total else 0.0


@dataclass
class _Resident:
    explorer: Explorer
    gigabytes: float
    users: int = 0


class Residents:
    """The loaded pairs of a page by name, and those on their way. All of it is thread-safe.

    Args:
        first: The pair that the page was started with; a visitor who chose none asks it.
        offered: Names of further pairs.
        load: Loads a pair by its name.
    """

    def __init__(
        self,
        first: Explorer,
        offered: Sequence[str] = OFFERED,
        load: Callable[[str], Pair] | None = None,
    ):
        self.first = first.pair.name
        self.device = first.pair.base.device
        known = [name for name in offered if name in PRESETS and not lends()]
        self.names = tuple(known if self.first in known else [self.first, *known])
        self._load = load or self._load_preset
        self._held = {self.first: _Resident(first, _size(first.pair))}  # the latest used comes last
        self._coming: dict[str, Loading] = {}
        self._lock = threading.RLock()
        self._one_by_one = threading.Lock()

    @contextmanager
    def use(self, name: str, visitor: str = "") -> Iterator[Explorer]:
        """A visitor's explorer of a pair, which stays while it is used, and is loaded if it left.

        What it is asked ends as soon as nobody waits for the present event any more.

        Raises:
            UserError: There is no such pair here, or it cannot be loaded.
        """
        resident = self._taken(name or self.first)
        try:
            yield resident.explorer.visit(visitor, Departure())
        finally:
            with self._lock:
                resident.users -= 1

    def loaded(self, name: str) -> bool:
        """Whether a pair can answer at once."""
        with self._lock:
            return name in self._held

    def offers(self) -> list[Offer]:
        """All pairs of the page, as they stand."""
        return [self.offer(name) for name in self.names]

    def offer(self, name: str) -> Offer:
        """A pair as it stands.

        Raises:
            UserError: This page does not offer it.
        """
        self._check(name)
        with self._lock:
            coming = self._coming.get(name)
            if name in self._held:
                return Offer(name, "loaded")
            if coming and not coming.ended.is_set():
                return Offer(name, coming.status, share=coming.share)
            free = free_gigabytes(self.device) + sum(one.gigabytes for one in self._idle())
        state = fetching.pair_state(name)
        needed = self._needed(state.parameters)
        if needed > free:
            return Offer(name, "large", needed, free)
        if state.here:
            return Offer(name, "here")
        if not state.fetchable:
            return Offer(name, "elsewhere")
        return Offer(name, "absent", state.download_bytes / 1e9, licence=state.licence)

    def begin(self, name: str, fetch: bool = False) -> Loading:
        """Start to load a pair, or join where that has been started.

        Args:
            name: The pair.
            fetch: Whether its files may be fetched first.

        Raises:
            UserError: It cannot be loaded, or another one is being fetched.
        """
        with self._lock:
            coming = self._coming.get(name)
            if coming and not coming.ended.is_set():
                return coming
            offer = self.offer(name)
            loading = Loading(name, offer.status == "absent")
            if offer.status == "loaded":
                loading.ended.set()
                return loading
            if refusal := self._refusal(offer, fetch):
                raise UserError(refusal)
            self._coming[name] = loading
        thread = threading.Thread(target=self._bring, args=(loading,), name=THREAD, daemon=True)
        thread.start()
        return loading

    def stop_fetching(self, name: str) -> None:
        """End the fetching of a pair, if it is being fetched; what came so far is kept."""
        with self._lock:
            if coming := self._coming.get(name):
                coming.stopping.set()

    def _refusal(self, offer: Offer, fetch: bool) -> str:
        """Why a pair cannot be brought, if it cannot."""
        if offer.status == "large":
            return (
                f"The pair {offer.name} needs about {offer.gigabytes:.1f} GB of memory, and "
                f"{offer.free:.1f} GB can be had; choose a smaller one."
            )
        if offer.status == "elsewhere":
            return f"The pair {offer.name} cannot be fetched here; choose another one."
        if offer.status == "absent":
            if not fetch:
                return f"The pair {offer.name} is not here yet; fetch it first."
            for other in self._coming.values():
                if other.status == "fetching" and not other.ended.is_set():
                    return f"The pair {other.name} is being fetched; wait until it is here."
        return ""

    def _bring(self, loading: Loading) -> None:
        """Fetch and load a pair; whatever happens, nobody waits for ever."""
        try:
            if loading.status == "fetching":
                fetching.fetch_pair(loading.name, loading.follow, loading.stopping.is_set)
                if loading.stopping.is_set():
                    return
            loading.status, loading.share = "loading", 0.0
            with self._one_by_one:
                self._make_room(loading.name)
                with _watched(loading, self._needed_by(loading.name), self.device):
                    explorer = on_loan(Explorer(self._load(loading.name)))
                    explorer.warm_up()
            with self._lock:
                self._held[loading.name] = _Resident(explorer, _size(explorer.pair))
        except UserError as error:
            loading.error = str(error)
        except Exception as error:  # of a library's own kind; the page stays on what it has
            loading.error = (
                f"The pair {loading.name} cannot be loaded ({reason(error)}); choose another one."
            )
        finally:
            loading.ended.set()

    def _make_room(self, name: str) -> None:
        """Let idle pairs leave, the longest unused first, until there is room for another.

        Raises:
            UserError: There is not enough even so.
        """
        needed = self._needed_by(name)
        while (free := free_gigabytes(self.device)) < needed:
            with self._lock:
                idle = self._idle()
                if free + sum(one.gigabytes for one in idle) < needed:
                    raise UserError(
                        f"The pair {name} needs about {needed:.1f} GB of memory, and others are "
                        "answering in it; try again in a moment."
                    )
                leaving = next(n for n, one in self._held.items() if one is idle[0])
                del self._held[leaving]
            del idle
            gc.collect()

    def _idle(self) -> list[_Resident]:
        """Pairs that may leave, the first to go first; the page's own is the last."""
        idle = [n for n, one in self._held.items() if not one.users and n in PRESETS]
        return [self._held[name] for name in sorted(idle, key=lambda name: name == self.first)]

    def _taken(self, name: str) -> _Resident:
        self._check(name)
        while True:
            with self._lock:
                if name in self._held:
                    resident = self._held[name] = self._held.pop(name)
                    resident.users += 1
                    return resident
            loading = self.begin(name)
            loading.ended.wait()
            if loading.error:
                raise UserError(loading.error)

    def _check(self, name: str) -> None:
        if name not in self.names:
            raise UserError(f"This page has no pair {name!r}; choose of: {', '.join(self.names)}.")

    def _needed(self, billions: float | None) -> float:
        """Memory that so many parameters take, in units of 10^9 bytes; 0 where nobody knows."""
        if billions is None:
            return 0.0
        return billions * (BYTES[usual_dtype(self.device, billions)] * MARGIN + LOOKING)

    def _needed_by(self, name: str) -> float:
        return self._needed(fetching.pair_state(name).parameters)

    def _load_preset(self, name: str) -> Pair:
        return load_pair(name, self.device)


def _size(pair: Pair) -> float:
    """Memory that a loaded pair takes at work, in units of 10^9 bytes."""
    weights = {
        weight.data_ptr(): weight.numel() * weight.element_size()
        for lm in (pair.base, pair.assistant)
        for weight in lm.model.parameters()
    }
    return MARGIN * sum(weights.values()) / 1e9


@contextmanager
def _watched(loading: Loading, needed: float, device: torch.device) -> Iterator[None]:
    """Tell how far the loading is by how much memory it has taken: libraries do not say."""
    before, ended = _taken_gigabytes(device), threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            grown = (_taken_gigabytes(device) - before) * MARGIN / needed if needed else 0.0
            loading.share = max(loading.share, min(grown, 0.95))

    thread = threading.Thread(target=watch, name=THREAD, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _taken_gigabytes(device: torch.device) -> float:
    """Memory that this process has, in units of 10^9 bytes."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device) / 1e9
    return psutil.Process().memory_info().rss / 1e9
