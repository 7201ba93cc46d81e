"""Serving: many visitors at once, in one batch against one after the other."""

import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

from softcot.bench.evaluate import projection_of
from softcot.bench.measuring import Side, count, interleaved
from softcot.bench.setting import Found, Setting
from softcot.data.problems import Problem
from softcot.data.tasks import get_task
from softcot.decoding.backend import Alone, Backend, Session
from softcot.decoding.decoder import Sampling
from softcot.decoding.engine import Engine
from softcot.evaluation.answering import ColumnRequest, answer_stream
from softcot.support.presets import DEFAULT_THOUGHTS, MAX_NEW_TOKENS
from softcot.support.text import counted
from softcot.thoughts.pair import Pair

REQUESTS = (ColumnRequest("zero-shot-cot"), ColumnRequest("softcot"))
"""What every visitor asks: a comparison, as on the page. Its two columns are two answers."""

CLIENTS, QUICK_CLIENTS = (1, 8, 32, 64), (1, 2)
"""Visitors who ask at the same time, each the next question as soon as the last is answered."""

COMPARISONS, QUICK_COMPARISONS, QUICK_TOKENS = 64, 2, 3

GAIN, PATIENCE = 4.0, 3.0
"""Goals: how many times the answers a second, and seconds until the first words of any visitor."""


class OneByOne(Alone):
    """Everybody waits until the one before is answered: what there is without an engine."""

    def __init__(self) -> None:
        self._turn = threading.Lock()

    @contextmanager
    def session(
        self, rows: int = 1, visitor: str = "", ended: threading.Event | None = None
    ) -> Iterator[Session]:
        """A request, once no other is being answered."""
        with self._turn, super().session(rows, visitor, ended) as session:
            yield session


def measure(pair: Pair, setting: Setting) -> Found:
    """Answer the same comparisons for different numbers of visitors, in both ways."""
    pair = pair.using(projection_of(pair, setting.task))
    many = QUICK_COMPARISONS if setting.quick else COMPARISONS
    drawn = get_task(setting.task).problems("test", many)
    problems = [Problem(one.task, one.question) for one in drawn]  # no gold answer to score
    longest = QUICK_TOKENS if setting.quick else MAX_NEW_TOKENS
    clients = QUICK_CLIENTS if setting.quick else CLIENTS
    engine = Engine()
    waits: dict[str, list[float]] = {}

    def ask(backend: Backend, name: str, visitors: int) -> None:
        waits.setdefault(name, []).extend(visited(pair, problems, backend, visitors, longest))

    ways: dict[str, Backend] = {"one by one": OneByOne(), "together": engine}
    work = {
        f"{way}, {visitors}": partial(ask, backend, f"{way}, {visitors}", visitors)
        for visitors in clients
        for way, backend in ways.items()
    }

    def two() -> None:
        for problem in problems[:2]:
            first_words(pair, problem, Alone(), longest)

    counts = count(pair, two)  # this warms up, too; in other threads nothing is counted
    try:
        sides = interleaved(work, setting.rounds, pair.base.device, setting.progress)
    finally:
        engine.close()
    for name, side in sides.items():
        side.flops, side.bytes = (one * many // 2 for one in counts)
        side.extra = {"answers": 2 * many, "first_words": _spread(waits[name])}
    settings = {"comparisons": many, "longest": longest, "rows": engine.rows}
    return Found(sides, list(_ratios(sides, clients, many)), settings)


def visited(
    pair: Pair, problems: Sequence[Problem], backend: Backend, visitors: int, longest: int
) -> list[float]:
    """Let visitors ask some comparisons, and return the seconds until each one's first words."""
    waiting = iter(problems)
    drawing = threading.Lock()

    def visit(_: int) -> list[float]:
        found: list[float] = []
        while True:
            with drawing:
                problem = next(waiting, None)
            if problem is None:
                return found
            found.append(first_words(pair, problem, backend, longest))

    with ThreadPoolExecutor(visitors) as pool:
        return [wait for found in pool.map(visit, range(visitors)) for wait in found]


def first_words(pair: Pair, problem: Problem, backend: Backend, longest: int) -> float:
    """Ask one comparison to its end, and return the seconds until anything could be read."""
    task, sampling = get_task(problem.task), Sampling(max_new_tokens=longest)
    started, first = time.perf_counter(), None
    stream = answer_stream(
        pair, problem, task, REQUESTS, DEFAULT_THOUGHTS, sampling, backend=backend
    )
    with closing(stream) as frames:
        for columns in frames:
            if first is None and any(column.new_tokens for column in columns):
                first = time.perf_counter() - started
    assert first is not None, "something was written"
    return first


def _spread(waits: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(waits), "most": max(waits)}


def _ratios(sides: dict[str, Side], clients: Sequence[int], many: int) -> Iterator[dict[str, Any]]:
    """Of each number of visitors: answers a second, against one by one, and the longest wait."""
    for visitors in clients:
        before, after = sides[f"one by one, {visitors}"], sides[f"together, {visitors}"]
        asking = counted(visitors, "visitor")
        goals = (GAIN, PATIENCE) if visitors == 32 else (None, None)
        told = (
            (f"Answers a second, {asking} in one batch", 2 * many / after.median, None, "more"),
            (
                f"Answers a second, {asking} in one batch, against one by one",
                before.median / after.median,
                goals[0],
                "more",
            ),
            (
                f"Longest wait for first words, {asking} in one batch, seconds",
                after.extra["first_words"]["most"],
                goals[1],
                "less",
            ),
        )
        for what, value, goal, better in told:
            yield {"what": what, "value": float(value), "goal": goal, "better": better}
