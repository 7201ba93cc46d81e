"""Evaluation: the engine's batches against one question at a time."""

import time
from collections.abc import Sequence
from typing import Any

from softcot.bench import reference
from softcot.bench.measuring import count, interleaved, peak_memory, ratio
from softcot.bench.setting import Found, Setting
from softcot.data.problems import Problem
from softcot.data.tasks import Task, get_task
from softcot.decoding.decoder import Sampling
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.evaluation.records import Record
from softcot.support.presets import DEFAULT_THOUGHTS, MAX_NEW_TOKENS
from softcot.thoughts.pair import Pair
from softcot.thoughts.projection import Projection

PROBLEMS, SAMPLE = 1000, 50
"""Problems that the engine answers, and those that the reference is timed on."""

QUICK_PROBLEMS, QUICK_SAMPLE, QUICK_TOKENS = 6, 2, 8

SIZES, QUICK_SIZES = (100, 1_000, 10_000), (2, 4)
"""Numbers of problems that show how time and memory grow."""


def measure(pair: Pair, setting: Setting) -> Found:
    """Greedy answers with SoftCoT: N problems in batches, a spread-out sample one at a time.

    A round of the reference is scaled from its sample to all problems.
    """
    task, projection = get_task(setting.task), projection_of(pair, setting.task)
    pair, longest = pair.using(projection), QUICK_TOKENS if setting.quick else MAX_NEW_TOKENS
    problems, tokens = task.problems("test", QUICK_PROBLEMS if setting.quick else PROBLEMS), 0
    sample = problems[:: len(problems) // (QUICK_SAMPLE if setting.quick else SAMPLE)]

    def alone() -> None:
        for problem in sample:
            reference.answer(pair, projection, problem, DEFAULT_THOUGHTS, longest, task)

    def batched() -> None:
        nonlocal tokens
        tokens = sum(row.tokens for row in answered(pair, task, problems, longest).rows)

    work = {"reference": alone, "engine": batched}
    counts = {name: count(pair, run) for name, run in work.items()}  # this warms up, too
    sides = interleaved(work, setting.rounds, pair.base.device, setting.progress)
    for name in work:
        sides[name].flops, sides[name].bytes = counts[name]
    sides["engine"].extra["tokens"] = tokens
    if setting.scale:
        sides["engine"].extra["scale"] = _scale(pair, task, setting.quick)
    gain = ratio(sides["reference"], sides["engine"]) * len(problems) / len(sample)
    return Found(
        sides,
        [
            {
                "what": f"Evaluation of {len(problems):,} problems, problems a second, against "
                "one at a time",
                "value": gain,
                "goal": 8.0,
                "better": "more",
            }
        ],
        {"problems": len(problems), "reference_problems": len(sample), "longest": longest},
    )


def answered(pair: Pair, task: Task, problems: Sequence[Problem], longest: int) -> Record:
    """Evaluate SoftCoT on some problems, greedily."""
    protocol = Protocol("softcot", k=DEFAULT_THOUGHTS, sampling=Sampling(max_new_tokens=longest))
    return evaluate(pair, task, protocol, problems)


def projection_of(pair: Pair, task: str) -> Projection:
    """The projection that serves a task, or a random one where none was trained."""
    if pair.is_trained(Projection, task):
        return pair.projection(task)
    return Projection.for_pair(pair, task)


def _scale(pair: Pair, task: Task, quick: bool) -> list[dict[str, Any]]:
    """Time and memory for growing numbers of problems, the smallest first."""
    found = []
    for size in QUICK_SIZES if quick else SIZES:
        problems = task.problems("test", size)
        with peak_memory(pair.base.device) as memory:
            started = time.perf_counter()
            answered(pair, task, problems, MAX_NEW_TOKENS)
            seconds = time.perf_counter() - started
        found.append({"problems": size, "seconds": seconds, **memory})
    return found
