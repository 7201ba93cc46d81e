"""What the records come to, in a few sentences: their numbers decide what is said."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from softcot.evaluation.records import interval
from softcot.methods import METHODS, SoftCoT, ZeroShotCoT
from softcot.report import reworded
from softcot.report.cells import Line, alike, pooled, scores, trained_of
from softcot.report.judgement import sentences
from softcot.report.real import by_pair
from softcot.report.results import Results
from softcot.support.presets import READINGS

ORIGINALS = ("mini-gsm", "mini-asdiv")
"""Tasks whose problems the reworded ones are, in other words."""


def conclusions(results: Results) -> list[str]:
    """A sentence for each of the questions that there are records for."""
    return [
        *_gain(results),
        *_own(results),
        *_regime(results),
        *_reworded(results),
        *_real(results),
    ]


def _gain(results: Results) -> Iterator[str]:
    """Whether thoughts help at all."""
    hard, soft = (
        results.line(name, decoding="sampled") for name in (ZeroShotCoT.name, SoftCoT.name)
    )
    tasks = trained_of(hard, soft)
    before, after = _right(hard, tasks), _right(soft, tasks)
    if before is None or after is None:
        return
    before, after = alike(before, after)
    low, high = (100 * bound for bound in interval(after - before))
    gain = 100 * float((after - before).mean())
    yield (
        f"With soft thoughts the base answers {_share(after)} of the problems rightly, without "
        f"them {_share(before)}: {abs(gain):.1f} points {'more' if gain >= 0 else 'fewer'} "
        f"({low:+.1f} to {high:+.1f}), over the {len(tasks)} kinds that it was trained for."
    )


def _own(results: Results) -> Iterator[str]:
    """Whether it is the question's own thoughts that help."""
    hard, own = results.line(ZeroShotCoT.name), results.line(SoftCoT.name)
    controls = [results.line(SoftCoT.name, control) for control in ("swap", "mean")]
    tasks = trained_of(hard, own, *controls)
    found = [_right(line, tasks) for line in (hard, own, *controls)]
    if any(values is None for values in found):
        return
    alone, with_own, swapped, mean = (values for values in found if values is not None)
    left = max(float(swapped.mean()), float(mean.mean()))
    if left <= float(alone.mean()) < float(with_own.mean()):
        said = "It is the question's own thoughts that do it"
    elif interval(with_own - swapped)[0] > 0:
        said = "A part of it comes from the question's own thoughts"
    else:
        said = "It need not be the question's own thoughts that do it"
    yield (
        f"{said}: with them it is {_share(with_own)}, with another question's "
        f"{_share(swapped)}, with average ones {_share(mean)}, with none {_share(alone)}."
    )


def _regime(results: Results) -> Iterator[str]:
    """When they help."""
    gains = []
    for pair in READINGS:
        lines = [results.line(name, pair=pair) for name in (ZeroShotCoT.name, SoftCoT.name)]
        tasks = trained_of(*lines)
        hard, soft = (_right(line, tasks) for line in lines)
        if hard is not None and soft is not None:
            share = int(pair.removeprefix("reading-"))
            gains.append((share, 100 * float((soft - hard).mean())))
    if len(gains) < 2:
        return
    (least, gain), (most, other) = min(gains), max(gains)
    fades = "They help where the base lacks something" if gain > other else "Reading changes little"
    yield (
        f"{fades}: a base that has read {least} % of what its problems need gains {gain:+.1f} "
        f"points by them, one that has read {most} % {other:+.1f}."
    )


def _reworded(results: Results) -> Iterator[str]:
    """Whether problems in other words are answered as the word problems are that it was made on."""
    found = reworded.lines(results)
    ways = [name for name in (SoftCoT.name, ZeroShotCoT.name) if METHODS[name].title in found]
    told, below = [], []
    for name in ways:
        record, line = found[METHODS[name].title], results.line(name)
        usual = _right({task: line[task] for task in ORIGINALS if task in line}, list(ORIGINALS))
        if usual is not None:
            below.append(record.interval[1] < interval(usual)[0])
            told.append(
                f"{METHODS[name].title} has {_share(record.scores())} of them right, and "
                f"{_share(usual)} of those in its own words"
            )
    if not told:
        return
    said = "are read worse" if all(below) else "are read worse in part" if any(below) else "do well"
    yield f"Word problems in words that no training had {said}: {'; '.join(told)}."


def _real(results: Results) -> Iterator[str]:
    """What thoughts do between ready-made models."""
    for pair, found in by_pair(results).items():
        yield from sentences(pair, found)


def _right(line: Line, tasks: list[str]) -> np.ndarray | None:
    """Whether each answer to the problems of some tasks is right, float[S, n]."""
    return pooled(scores(line), tasks)


def _share(values: np.ndarray) -> str:
    return f"{100 * float(values.mean()):.1f} %"
