"""What soft thoughts do between a pair of ready-made models, in sentences that its records decide.

A difference counts where its paired 95 % interval is wholly above or below zero.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from softcot.data.families.notes import COUNTS
from softcot.evaluation.experiments import REAL, WHISPERED_K, plan
from softcot.evaluation.records import Record, interval
from softcot.methods import METHODS, SoftCoT, ZeroShotCoT
from softcot.report.cells import POINTS, Line, difference, minus
from softcot.report.controls import shifted
from softcot.report.results import Key, key_of_run

Way = tuple[str, str]
"""Method and control."""

HARD: Way = (ZeroShotCoT.name, "none")
OWN: Way = (SoftCoT.name, "none")
JUDGING = {
    "another question's thoughts": (SoftCoT.name, "swap"),
    "average ones": (SoftCoT.name, "mean"),
}
"""What own thoughts have to be better than, to be more than a static prompt."""
EMPTY: Way = (SoftCoT.name, "zero")
"""Slots that hold nothing: what it costs to have slots at all."""
RIVALS = ("prompt-tuning", "lora")
"""Trained on the same problems: vectors that know no question, and weights inside of the base."""


def line_of(pair: str, found: Mapping[Key, Record], way: Way) -> Line:
    """The records of one way to answer at its own K, by task."""
    return {
        run.task: found[key]
        for experiment in ("real", "assistants")
        for run in plan(experiment, pair)
        if (run.protocol.method, run.protocol.control) == way and (key := key_of_run(run)) in found
    }


def sentences(pair: str, found: Mapping[Key, Record]) -> list[str]:
    """Against no thoughts, against what knows no question, and whether a number gets through.

    Of a pair whose base was asked without thoughts elsewhere, that is said there.
    """
    own, hard = line_of(pair, found, OWN), line_of(pair, found, HARD)
    if not hard:
        return [text] if (text := _notes(pair, found)) else []
    said = [
        _against_hard(pair, minus(own, hard), minus(line_of(pair, found, EMPTY), hard)),
        _own_or_static(pair, found, own, hard),
        _notes(pair, found),
    ]
    return [sentence for sentence in said if sentence]


def verdict(values: np.ndarray) -> int:
    """1 where the interval of a difference is above zero, -1 where it is below, else 0."""
    low, high = interval(values)
    return (low > 0) - (high < 0)


def _against_hard(
    pair: str, gaps: Mapping[str, np.ndarray], empty: Mapping[str, np.ndarray]
) -> str:
    """Where SoftCoT is above or below zero-shot CoT, and where the two cannot be told apart."""
    words = {-1: "is below", 1: "is above", 0: "cannot be told from"}
    parts: list[str] = []
    for side, word in words.items():
        tasks = {task: gap for task, gap in gaps.items() if verdict(gap) == side}
        if tasks:
            # What is said once need not be said again.
            name = "it" if parts else _plain(ZeroShotCoT.name)
            parts.append(f"{word} {name} on {_listed(tasks)}")
    if not parts:
        return ""
    costly = {task: gap for task, gap in empty.items() if verdict(gap) < 0 and task in gaps}
    slots = f"; slots that hold nothing cost as such on {_listed(costly)}" if costly else ""
    return f"On {pair} SoftCoT {', and '.join(parts)}, in points with 95 % intervals{slots}."


def _own_or_static(pair: str, found: Mapping[Key, Record], own: Line, hard: Line) -> str:
    """Whether a question's own thoughts do more than others would, and what rivals do."""
    controls = {name: line_of(pair, found, way) for name, way in JUDGING.items()}
    static: list[str] = []
    thinking: list[str] = []
    between: list[str] = []
    for task in own:
        if all(task in line for line in controls.values()):
            sides = [
                verdict(difference(own[task].scores(), line[task].scores()))
                for line in controls.values()
            ]
            place = thinking if min(sides) > 0 else static if max(sides) <= 0 else between
            place.append(task)
    both = " and ".join(controls)
    parts = []
    if static:
        trace = _trace(pair, found, static, own, hard)
        parts.append(
            f"on {joined(static)} {both} do as well as the question's own, so what was trained "
            f"there is a static prompt and no thinking{trace}"
        )
    if thinking:
        parts.append(f"on {joined(thinking)} the question's own do better than {both}")
    if between:
        parts.append(f"on {joined(between)} the question's own do better than one of {both}")
    parts += [text for name in RIVALS if (text := _rival(pair, found, name, hard))]
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _trace(
    pair: str, found: Mapping[Key, Record], tasks: Sequence[str], own: Line, hard: Line
) -> str:
    """How much of what training did for the worked answers is lost with swapped thoughts."""
    swapped = shifted(own, line_of(pair, found, JUDGING["another question's thoughts"]))
    untold = shifted(own, hard)
    said = [
        f"{-swapped[task].mean():.1f} of {-untold[task].mean():.1f} on {task}"
        for task in tasks
        if task in swapped
        and task in untold
        and verdict(swapped[task]) < 0
        and verdict(untold[task]) < 0
    ]
    if not said:
        return ""
    return f" (of the nats that worked answers gained, swapping takes {joined(said)})"


def _rival(pair: str, found: Mapping[Key, Record], name: str, hard: Line) -> str:
    """Where another training is above or below no training."""
    gaps = minus(line_of(pair, found, (name, "none")), hard)
    if not gaps:
        return ""
    sides = {task: verdict(gap) for task, gap in gaps.items()}
    words = {-1: "below", 1: "above"}
    parts = [
        f"{word} {_plain(ZeroShotCoT.name)} on {joined(tasks)}"
        for side, word in words.items()
        if (tasks := [task for task, found_side in sides.items() if found_side == side])
    ]
    if not parts:
        return f"{_plain(name)} cannot be told from {_plain(ZeroShotCoT.name)}"
    return f"{_plain(name)} is {' and '.join(parts)}"


def _notes(pair: str, found: Mapping[Key, Record]) -> str:
    """Whether a number that the assistant alone has read gets through."""
    known = {
        run.protocol.control: found[key]
        for run in plan("notes", pair)
        if (key := key_of_run(run)) in found
    }
    if not {"none", "swap"} <= known.keys():
        return ""
    own, swapped = known["none"], known["swap"]
    said = "do get" if verdict(difference(own.scores(), swapped.scores())) > 0 else "do not get"
    return (
        f"Thoughts {said} through: of numbers that only the assistant of {pair} has read "
        f"(`notes`), the base names {100 * own.accuracy:.1f} % with own thoughts and "
        f"{100 * swapped.accuracy:.1f} % with swapped ones."
        f"{_facts(pair, found)}{_told(pair, found)}"
    )


def _facts(pair: str, found: Mapping[Key, Record]) -> str:
    """How often the most thoughts tell what was asked of notes of one to eight facts."""
    shares: dict[str, list[str]] = {"none": [], "swap": []}
    for run in plan("whisper", pair):
        record = found.get(key_of_run(run))
        if record and run.protocol.k == WHISPERED_K[-1]:
            shares[run.protocol.control].append(f"{100 * record.accuracy:.0f}")
    if any(len(known) < len(COUNTS) for known in shares.values()):
        return ""
    own, facts = joined(shares["none"]), joined([*map(str, COUNTS)])
    return (
        f" Of notes of {facts} facts K = {WHISPERED_K[-1]} thoughts tell {own} %, swapped ones at "
        f"most {max(shares['swap'], key=int)} %."
    )


def _told(pair: str, found: Mapping[Key, Record]) -> str:
    """Of which notes that people wrote own thoughts tell more than swapped ones, with any K."""
    known = {
        (run.task, run.protocol.k, run.protocol.control): found[key]
        for run in plan("told", pair)
        if run.protocol.method == SoftCoT.name and (key := key_of_run(run)) in found
    }
    through: dict[str, bool] = {}
    for (task, k, control), own in known.items():
        swapped = known.get((task, k, "swap"))
        if control == "none" and swapped:
            more = verdict(difference(own.scores(), swapped.scores())) > 0
            through[task] = through.get(task, False) or more
    if not through:
        return ""
    said = [
        f"{'more' if more else 'no more'} of {joined(tasks)}"
        for more in (True, False)
        if (tasks := [f"`{task}`" for task, known in through.items() if known == more])
    ]
    return f" Where people wrote the notes, they tell {' and '.join(said)} than swapped ones."


def _plain(method: str) -> str:
    """A method's title inside a sentence; names such as LoRA keep their capitals."""
    title = METHODS[method].title
    first = re.split("[ -]", title)[0]
    return title if first[1:] != first[1:].lower() else title[0].lower() + title[1:]


def _listed(gaps: Mapping[str, np.ndarray]) -> str:
    return joined([f"{task} {POINTS.cell(gaps[task]).full}" for task in REAL if task in gaps])


def joined(words: list[str]) -> str:
    """Words as one says them, the last behind an "and"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
