"""Many clients at once against one server, and what they are answered."""

import asyncio
import itertools
import operator
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import torch

from softcot.bench.servers import Address
from softcot.bench.soak import memory
from softcot.bench.soak.asked import Ask, app_requests, serve_requests
from softcot.bench.soak.asking import Client
from softcot.bench.soak.tally import Tally
from softcot.support.errors import UserError

SINGLE = 15
"""How often the single request before and after the load is asked; the median counts."""

WIDTH, WEIGHTS, PASSES = 512, 20, 20
"""Of a computation that says how fast the machine itself is: each pass reads the weights of that
many layers once, 20 MB of them, as the step of a server for one row reads the base's."""

LEAVING = 0.15
"""Share of the requests whose client hangs up in the middle."""

SOON, LATER = 8, 2.0
"""Events, or seconds, after which those are gone at most."""

PATIENCE = 600.0
"""Seconds after which a request counts as failed."""

REST = 5.0
"""Seconds between the load and the single requests after it."""

TARGETS = ("app", "serve")

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Load:
    """How much."""

    clients: int = 64
    seconds: float = 600.0
    seed: int = 0
    """Decides who asks what, and who hangs up when."""


@dataclass
class Found:
    """What came of it."""

    tally: Tally
    distinct: int
    """Requests that differ from one another."""
    memory: list[int]
    """Bytes that the server held in each second of the load."""
    before: "Singles"
    """The single request before the load."""
    after: "Singles"
    """And after it."""

    @property
    def slower(self) -> float:
        """How many times as long the single request takes after the load, of both the median.

        Each is taken in units of the machine's pace at that time: a machine that is shared is
        faster or slower from one minute to the next.
        """
        return self.after.units / self.before.units

    @property
    def paced(self) -> float:
        """How many times as long the machine's own computation takes after the load."""
        return statistics.median(self.after.pace) / statistics.median(self.before.pace)

    @property
    def first(self) -> float:
        """How many times as long the first request after it takes, in plain seconds."""
        return self.after.seconds[0] / statistics.median(self.before.seconds)

    @property
    def growth(self) -> float | None:
        """See `softcot.bench.soak.memory.growth`."""
        return memory.growth(self.memory)


@dataclass
class Singles:
    """One and the same request, several times, each beside a computation of always equal size."""

    seconds: list[float]
    pace: list[float]
    """Seconds of the computation."""

    @property
    def units(self) -> float:
        """Of the request's times in units of the computation's, the median."""
        return statistics.median(map(operator.truediv, self.seconds, self.pace))


def _pace() -> float:
    """Seconds of a computation in this process, of about the kind that a server's step is."""
    layers, states = torch.ones(WEIGHTS, WIDTH, WIDTH) / WIDTH, torch.ones(1, WIDTH)
    begun = time.perf_counter()
    for weights in itertools.chain.from_iterable(itertools.repeat(layers, PASSES)):
        states = torch.tanh(states @ weights)
    return time.perf_counter() - begun


def soaked(name: str, server: Address, load: Load, progress: Progress) -> Found:
    """Ask a server everything alone, then with all clients at once.

    Args:
        name: One of `TARGETS`.
        server: Where it listens.
        load: How much.
        progress: Called with (what is done, how far it is, where it ends).

    Raises:
        UserError: It does not answer even alone.
    """
    return asyncio.run(_Soak(name, server, load, progress).run())


class _Soak:
    def __init__(self, name: str, server: Address, load: Load, progress: Progress):
        self.name, self.server, self.load, self.progress = name, server, load, progress
        self.tally = Tally()

    async def run(self) -> Found:
        unlimited = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        async with httpx.AsyncClient(
            base_url=self.server.url, timeout=PATIENCE, limits=unlimited, trust_env=False
        ) as http:
            asked = await self._requests(http)
            expected = await self._alone(http, asked)
            before = await self._single(http, asked)
            with memory.watched(self.server.process) as seen:
                await self._together(http, asked, expected)
            await asyncio.sleep(REST)
            after = await self._single(http, asked)
        held = seen[: int(self.load.seconds / memory.BEAT)]  # later, those who came last leave
        return Found(self.tally, len(asked), held, before, after)

    async def _requests(self, http: httpx.AsyncClient) -> list[Ask]:
        if self.name == "app":
            return app_requests()
        try:
            served = [one["id"] for one in (await http.get("/v1/models")).json()["data"]]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"There is no `serve` at {self.server.url}.") from error
        usual = [name for name in served if name.endswith((":zero-shot-cot", ":softcot"))]
        return serve_requests(usual or served[:2])

    async def _alone(self, http: httpx.AsyncClient, asked: Sequence[Ask]) -> dict[int, Any]:
        """What each request is answered while nobody else asks."""
        client, found = Client(http, "alone"), {}
        for number, ask in enumerate(asked):
            self.progress(f"{self.name}, alone", number, len(asked))
            reply = await client.ask(ask)
            if reply.end != "answered":
                raise UserError(f"{self.server.url} does not answer {ask.kind}: {reply.said}.")
            found[number] = reply.answer
        self.progress(f"{self.name}, alone", len(asked), len(asked))
        return found

    async def _single(self, http: httpx.AsyncClient, asked: Sequence[Ask]) -> Singles:
        """One and the same request, several times, while nobody else asks."""
        ask, found = next(one for one in asked if one.way in ("call", "stream")), Singles([], [])
        for number in range(SINGLE):
            found.pace.append(_pace())
            reply = await Client(http, f"single-{number}").ask(ask)
            if reply.end != "answered" or reply.whole is None:
                raise UserError(f"{self.server.url} does not answer a single request any more.")
            found.seconds.append(reply.whole)
        return found

    async def _together(
        self, http: httpx.AsyncClient, asked: Sequence[Ask], expected: Mapping[int, Any]
    ) -> None:
        """All clients, until the time is up and everybody has been answered."""
        begun, title = time.monotonic(), f"{self.name}, {self.load.clients} clients"
        clients = [
            asyncio.create_task(self._visits(number, http, asked, expected, begun))
            for number in range(self.load.clients)
        ]
        total = int(self.load.seconds)
        while not all(client.done() for client in clients):
            self.progress(title, min(total, int(time.monotonic() - begun)), total)
            await asyncio.wait(clients, timeout=1.0)
        self.progress(title, total, total)
        for client in clients:
            client.result()

    async def _visits(
        self,
        number: int,
        http: httpx.AsyncClient,
        asked: Sequence[Ask],
        expected: Mapping[int, Any],
        begun: float,
    ) -> None:
        """One client, who asks again as soon as it was answered or has left."""
        rng, visit = random.Random(f"{self.load.seed}:{number}"), 0
        often = [ask.often for ask in asked]
        client = Client(http, f"{self.load.seed}-{number}-0")
        while time.monotonic() - begun < self.load.seconds:
            [place] = rng.choices(range(len(asked)), often)
            events, seconds = _leaving(asked[place], rng)
            reply = await client.ask(asked[place], events, seconds)
            self.tally.add(asked[place].kind, reply, expected[place])
            if reply.end == "left":  # whoever comes back is somebody else
                visit += 1
                client = Client(http, f"{self.load.seed}-{number}-{visit}")
            elif reply.end != "answered":
                await asyncio.sleep(1.0)


def _leaving(ask: Ask, rng: random.Random) -> tuple[int | None, float | None]:
    """After how many events, or seconds, a client hangs up, if it does."""
    if rng.random() >= LEAVING:
        return None, None
    if ask.way in ("get", "whole"):
        return None, rng.uniform(0.05, LATER)
    return rng.randint(1, SOON), None
