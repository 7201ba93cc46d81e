"""What a reader of the page waits for: the loading, the first words, and every further one."""

import statistics
import time

from softcot.bench.compare import token_times
from softcot.bench.measuring import Side
from softcot.bench.setting import Found, Setting
from softcot.bench.shapes import get_pair
from softcot.data.problems import Problem
from softcot.data.tasks import get_task
from softcot.models.precision import DTYPES
from softcot.thoughts.pair import Pair

WAYS = {"one": "hard", "two": "both"}
"""Columns, and the side of `softcot.bench.compare` that writes them."""

TOKENS, QUICK_TOKENS = 64, 4
"""Of each column; few answers of a real model end sooner."""


def measure(pair: Pair, setting: Setting) -> Found:
    """Load the pair in fp32 and in bf16, and let each answer in one column and in two, in turns.

    The figures that have goals are those of what `auto`, or the option, chose for the pair.
    """
    chosen = pair.base.numbers
    problem = get_task(setting.task).problems("test", 1)[0]
    problem = Problem(problem.task, problem.question)  # no gold answer to score
    longest = QUICK_TOKENS if setting.quick else TOKENS
    pairs, sides = {}, {}
    for dtype in DTYPES:
        started = time.perf_counter()
        loaded = get_pair(setting.pair | {"dtype": dtype}, setting.shape)
        sides[f"loading, {dtype}"] = Side([time.perf_counter() - started])
        pairs[dtype] = loaded.with_untrained()
        for way in WAYS.values():
            token_times(pairs[dtype], problem, way, 2)
    for way in WAYS:
        for dtype in DTYPES:
            sides[_name(way, dtype)] = Side([], extra={"first": [], "tokens": [], "step": []})
    for turn in range(setting.rounds):
        setting.progress("columns", turn, setting.rounds)
        for dtype in DTYPES:
            for way, side in WAYS.items():
                _add(sides[_name(way, dtype)], token_times(pairs[dtype], problem, side, longest))
    setting.progress("columns", setting.rounds, setting.rounds)
    for name in (_name(way, dtype) for way in WAYS for dtype in DTYPES):
        sides[name].extra["tokens"] = statistics.median(sides[name].extra["tokens"])
    return Found(sides, _ratios(sides, chosen), {"longest": longest})


def _name(way: str, dtype: str) -> str:
    return f"{way}, {dtype}"


def _add(side: Side, times: list[float]) -> None:
    """Take down one answer: when each of its tokens was there, in seconds."""
    side.seconds.append(times[-1])
    side.extra["first"].append(times[0])
    side.extra["tokens"].append(len(times))
    # Where both columns have started; at least one step, whatever the answer.
    side.extra["step"].append((times[-1] - times[0]) / max(1, len(times) - 1))


def _ratios(sides: dict[str, Side], chosen: str) -> list[dict[str, object]]:
    """What is compared, and what a reader should get."""

    def median(way: str, kind: str, dtype: str = chosen) -> float:
        return statistics.median(sides[_name(way, dtype)].extra[kind])

    other = next(dtype for dtype in DTYPES if dtype != chosen)
    first = f"First words in two columns, in {chosen}, seconds"
    rate = f"Tokens a second in each of two columns, in {chosen}"
    against = f"Tokens a second in each of two columns, in {chosen} against {other}"
    found = [
        (f"Loading the pair in {chosen}, seconds", sides[f"loading, {chosen}"].median, 10.0),
        (first, median("two", "first"), 3.0),
        (
            "Two columns against one, time for a token",
            median("two", "step") / median("one", "step"),
            1.15,
        ),
    ]
    better = [
        (rate, 1 / median("two", "step"), 6.0),
        (against, median("two", "step", other) / median("two", "step"), 1.0),
    ]
    return [
        {"what": what, "value": value, "goal": goal, "better": kind}
        for kind, rows in (("less", found), ("more", better))
        for what, value, goal in rows
    ]
