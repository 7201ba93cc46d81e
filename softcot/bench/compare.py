"""The app's work: what a second column, more samples and the thoughts add to one answer."""

import statistics
import time
from collections.abc import Sequence
from contextlib import closing

from softcot.bench.evaluate import projection_of
from softcot.bench.measuring import Side, count
from softcot.bench.setting import Found, Setting
from softcot.data.problems import Problem
from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling
from softcot.evaluation.answering import ColumnRequest, answer_stream
from softcot.support.presets import DEFAULT_THOUGHTS, MAX_NEW_TOKENS
from softcot.thoughts.pair import Pair

HARD, SOFT = "zero-shot-cot", "softcot"
PROBLEMS, QUICK_PROBLEMS = 8, 1
QUICK_TOKENS = 3
SAMPLES = 16

SIDES: dict[str, tuple[Sequence[str], int]] = {
    "hard": ((HARD,), 1),
    "soft": ((SOFT,), 1),
    "known": ((SOFT,), 1),
    "both": ((HARD, SOFT), 1),
    "sample": ((HARD,), -1),
    "samples": ((HARD,), SAMPLES),
}
"""Methods, and samples of each; -1 is one row that is sampled like the sixteen.

The assistant reads the question anew for every side but "known", where it has read it before.
"""

RATIOS = (
    ("Both columns together, whole answer, against hard CoT alone", "both", "hard", "whole", 1.25),
    (f"{SAMPLES} samples, whole answer, against one", "samples", "sample", "whole", 3.0),
    ("SoftCoT's first token, against hard CoT's", "soft", "hard", "first", 1.4),
    (
        "SoftCoT's first token where the page shows the thoughts already, against hard CoT's",
        "known",
        "hard",
        "first",
        1.4,
    ),
    ("SoftCoT's whole answer, against hard CoT's", "soft", "hard", "whole", 1.05),
)
"""What is compared: sides above and below, which time, the goal."""


def measure(pair: Pair, setting: Setting) -> Found:
    """Time every side on every problem in turns.

    The sides write texts of different lengths. What is compared is the work, so "whole" is the time
    up to the token with which the shortest of a problem's texts ends; a side's seconds are those
    of all of its text.
    """
    pair = pair.using(projection_of(pair, setting.task))
    drawn = get_task(setting.task).problems("test", QUICK_PROBLEMS if setting.quick else PROBLEMS)
    problems = [Problem(one.task, one.question) for one in drawn]  # no gold answer to score
    longest = QUICK_TOKENS if setting.quick else MAX_NEW_TOKENS
    _time(pair, problems[:1], longest)
    rounds = []
    for turn in range(setting.rounds):
        setting.progress("compare", turn, setting.rounds)
        rounds.append(_time(pair, problems, longest))
    setting.progress("compare", setting.rounds, setting.rounds)
    sides = {}
    for name in SIDES:

        def work(name: str = name) -> None:
            for problem in problems:
                token_times(pair, problem, name, longest)

        if name == "known":
            work()  # other sides forget what was read
        all_, first, whole = zip(*(taken[name] for taken in rounds), strict=True)
        sides[name] = Side(list(all_), extra={"first": list(first), "whole": list(whole)})
        sides[name].flops, sides[name].bytes = count(pair, work)
    ratios = [
        {
            "what": what,
            "value": statistics.median(sides[above].extra[kind])
            / statistics.median(sides[below].extra[kind]),
            "goal": goal,
            "better": "less",
        }
        for what, above, below, kind, goal in RATIOS
    ]
    return Found(sides, ratios, {"problems": len(problems), "longest": longest})


def _time(
    pair: Pair, problems: Sequence[Problem], longest: int
) -> dict[str, tuple[float, float, float]]:
    """Of each side, over all problems: seconds in all, to the first token, to the same token."""
    taken = [{name: token_times(pair, p, name, longest) for name in SIDES} for p in problems]
    ends = [min(map(len, times.values())) - 1 for times in taken]
    return {
        name: (
            sum(times[name][-1] for times in taken),
            sum(times[name][0] for times in taken),
            sum(times[name][end] for times, end in zip(taken, ends, strict=True)),
        )
        for name in SIDES
    }


def token_times(pair: Pair, problem: Problem, side: str, longest: int) -> list[float]:
    """Seconds until each token is there in all columns of a side, the prompts' making included.

    A column that starts before the others may be a token ahead of them.
    """
    methods, samples = SIDES[side]
    if side != "known":
        pair.assistant.slot_states.cache_clear()
    sampling = Sampling(temperature=float(samples != 1), max_new_tokens=longest)
    requests = [ColumnRequest(method) for method in methods]
    task = get_task(problem.task)
    started, found = time.perf_counter(), []
    with closing(
        answer_stream(pair, problem, task, requests, DEFAULT_THOUGHTS, sampling, abs(samples))
    ) as frames:
        for columns in frames:
            if all(column.new_tokens for column in columns):
                found.append(time.perf_counter() - started)
    return found
