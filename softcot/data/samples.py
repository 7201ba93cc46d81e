"""Problems that ship with the package: some of each real data set that may be passed on, and ours.

They are there to be looked at and asked, where a data set itself is not at hand. No figure comes
from them. Where they are from, and under which licences, is in ``examples/LICENSES.md``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from softcot.data.problems import Problem, Split, question_hash
from softcot.support.reading import read_text

EXAMPLES = Path(__file__).parent / "examples"
"""A file for each task that has samples."""

HANDMADE = "handmade"
"""The file of problems that this project wrote itself; they are samples of the task ``free``."""

DRAWN_FROM: dict[str, Split] = {
    "gsm8k": "train",
    "svamp": "test",
    "aqua": "validation",
    "strategyqa": "train",
}
"""The split that a task's samples are of. All of SVAMP is for evaluation: its samples are a part of
what a figure is measured on, and must never be learned from or chosen by."""

COUNT = 40
LONGEST = 400
"""Characters of a sampled question, and of its rationale: they are to be read at a glance."""

LEFT_OUT = frozenset(
    {
        "00813728f3f9145b",  # gsm8k/train.jsonl:6366
        "019533902bcd9d40",  # gsm8k/train.jsonl:4366
        "02c9974b7e59988d",  # chal-930
        "057b80533bf9003d",  # chal-55
        "07c6e88f1a87cd24",  # chal-35
        "08470d73b3424854",  # chal-774
        "116949be107163c0",  # aqua/dev.json:8
        "1cbcefd34051ca9d",  # aqua/dev.json:130
        "1d113fb007f54f07",  # aqua/dev.json:236
        "2899b8f317e8a483",  # aqua/dev.json:204
        "2f6f2afed327058e",  # aqua/dev.json:192
        "363b9388fafcbd14",  # aqua/dev.json:228
        "35b8ed56c0d70915",  # aqua/dev.json:24
        "3441ea779f7a4d42",  # aqua/dev.json:244
        "02833e84d70ab70c",  # 2a343cc79ffdb1fe148f
    }
)
"""Ids of problems that were read and found broken, at odds with their own reasoning, or unfit to be
shown first."""


def sample_problems(task_name: str) -> list[Problem]:
    """The problems of a task that ship with the package; none for a task without any.

    ``meta`` has the ``source_id``: a data set's own name of the problem, or its file and row there.
    """
    return list(_samples(task_name))


def choose(problems: Iterable[Problem], count: int = COUNT) -> list[Problem]:
    """The ``count`` short problems whose questions have the smallest hashes, in that order."""
    short = [p for p in problems if max(len(p.question), len(p.rationale)) <= LONGEST]
    kept = [p for p in short if p.id not in LEFT_OUT]
    return sorted(kept, key=lambda problem: question_hash(problem.question))[:count]


@cache
def _samples(task_name: str) -> tuple[Problem, ...]:
    if task_name != "free" and task_name not in DRAWN_FROM:
        return ()
    file = EXAMPLES / f"{HANDMADE if task_name == 'free' else task_name}.json"
    return tuple(
        Problem(
            task=task_name,
            question=row["question"],
            answer=row["answer"],
            rationale=row["rationale"],
            meta={"source_id": row["source_id"]},
        )
        for row in json.loads(read_text(file))["problems"]
    )
