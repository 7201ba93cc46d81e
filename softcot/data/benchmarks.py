"""Real data sets, read from local files or from the Hub, as the same problems everywhere.

Local files are named by the command line's ``--data-dir`` or by the variable SOFTCOT_DATA, in the
layout and format of the original releases (``gsm8k/train.jsonl``, ``asdiv/ASDiv.xml``, ...). With
neither, a data set comes from the Hub through the package ``datasets``, which only that way needs.

No question of one split is in another: what is in test is left out of validation and training, and
what is in validation out of training. A data set with a training split but no validation split has
one text in ten of its training split held out, by hash; nothing is ever held out of a test split.
Problems whose gold answer is not one number, letter, yes or no are left out, and counted.
"""

from __future__ import annotations

import json
import os
import random
import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from softcot.data.answers import parse
from softcot.data.problems import SPLITS, AnswerKind, Problem, Split, question_hash, split_of
from softcot.support.errors import UserError

DATA_VARIABLE = "SOFTCOT_DATA"
"""The environment variable that names the folder of local files."""

CHOICES = " Answer choices: "
"""Stands between a question and its options."""

LETTERS = string.ascii_uppercase[:8]
"""As many options as an answer can be read of."""

RawRow = Mapping[str, Any]


@dataclass(frozen=True)
class ReadRow:
    """What a row of a data set says, before it is known to be usable."""

    question: str
    answer: str | None
    """The gold answer in the form its kind parses to; None if it is not of that kind."""
    rationale: str = ""
    source_id: str = ""
    several: bool = False
    """Whether it has more than one answer, so that none can be told right or wrong."""


@dataclass(frozen=True)
class Hub:
    """Where a data set is on the Hub."""

    id: str
    splits: Mapping[Split, str]
    """What a split of ours is called there; "a+b" for two of them together."""
    config: str | None = None
    revision: str = "main"
    """A commit, so that the data cannot change; "main" where no commit is known for certain."""


@dataclass(frozen=True, eq=False)
class Benchmark:
    """A data set: where its splits are stored and how a row is read."""

    name: str
    title: str
    answer_kind: AnswerKind
    projection: str
    """Name of the projection that serves it."""
    files: Mapping[Split, str]
    """The local file of each stored split, below the data folder."""
    rows: Callable[[str], list[RawRow]]
    """The rows of a local file's text."""
    read: Callable[[RawRow], ReadRow]
    """The entry of a row, be it local or the Hub's."""
    hub: Hub

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits it has, a held-out validation split included."""
        return SPLITS if "train" in self.files else tuple(self.files)

    def stored_in(self, split: Split) -> Split:
        """The stored split that ``split`` is read from: itself, or training if it is held out."""
        return split if split in self.files else "train"

    def split_of(self, stored: Split, question: str) -> Split:
        """The split that a question of a stored split belongs to."""
        holds_out = stored == "train" and "validation" not in self.files
        return "validation" if holds_out and split_of(question) == "validation" else stored


@dataclass(frozen=True)
class Loaded:
    """The problems of one split and what was left out of it."""

    problems: tuple[Problem, ...]
    """In the order of the file."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Reason -> number: several answers, unreadable answer, repeated, in another split."""


class StoredProblems:
    """The problems of a data set, of which there are so many and no more."""

    def __init__(self, benchmark: Benchmark):
        self.benchmark = benchmark

    def problem(self, split: Split, seed: int) -> Problem:
        """The problem that ``seed`` draws from ``split``, always the same one."""
        return self._random(split, f"one:{seed}").choice(self.load(split).problems)

    def problems(self, split: Split, count: int, seed: int) -> list[Problem]:
        """The first ``count`` of ``split`` for seed 0, else a sample; all if there are fewer."""
        problems = self.load(split).problems
        if seed:
            problems = self._random(split, f"set:{seed}").sample(problems, len(problems))
        return list(problems[:count])

    def load(self, split: Split) -> Loaded:
        """All of a split and what was left out, read once.

        Raises:
            UserError: The data set is not there, damaged, or holds nothing of the split.
        """
        return _load(self.benchmark, split, os.environ.get(DATA_VARIABLE) or None)

    def _random(self, split: Split, draw: str) -> random.Random:
        return random.Random(f"{self.benchmark.name}:{split}:{draw}")


@cache
def _load(benchmark: Benchmark, split: Split, folder: str | None) -> Loaded:
    stored = benchmark.stored_in(split)
    seen_elsewhere = {
        _stem(entry.question)
        for other in _before(stored)
        if other in benchmark.files
        for entry in _entries(benchmark, other, folder)
    }
    found: dict[str, Problem] = {}
    dropped: Counter[str] = Counter()
    for entry in _entries(benchmark, stored, folder):
        if benchmark.split_of(stored, entry.question) != split:
            continue
        problem = _problem(benchmark, entry)
        if entry.several:
            dropped["several answers"] += 1
        elif entry.answer is None:
            dropped["unreadable answer"] += 1
        elif _stem(entry.question) in seen_elsewhere:
            dropped["in another split"] += 1
        elif problem.id in found:
            dropped["repeated"] += 1
        else:
            found[problem.id] = problem
    if not found:
        place = _place(benchmark, stored, folder)
        raise UserError(f"{place} holds no usable {split} problem; name another with --data-dir.")
    return Loaded(tuple(found.values()), dict(dropped))


def _before(split: Split) -> tuple[Split, ...]:
    """The splits whose questions ``split`` must not have."""
    return SPLITS[SPLITS.index(split) + 1 :]


def _stem(question: str) -> str:
    """What tells questions of different splits apart: not their options, which are shuffled."""
    return question_hash(question.partition(CHOICES)[0])


def _problem(benchmark: Benchmark, entry: ReadRow) -> Problem:
    return Problem(
        task=benchmark.name,
        question=entry.question,
        answer=entry.answer or "",
        rationale=entry.rationale,
        meta={"source_id": entry.source_id} if entry.source_id else {},
    )


@cache
def _entries(benchmark: Benchmark, stored: Split, folder: str | None) -> tuple[ReadRow, ...]:
    """The entries of a stored split."""
    try:
        if folder is None:
            rows = _hub_rows(benchmark, stored)
        else:
            rows = benchmark.rows((Path(folder) / benchmark.files[stored]).read_text("utf-8"))
        return tuple(benchmark.read(row) for row in rows)
    except UserError:
        raise
    except OSError as error:
        raise UserError(
            f"Cannot read {error.filename}: {error.strerror}; name a folder that holds it with "
            f"--data-dir, or load {benchmark.title} from the Hub without --data-dir and "
            f"{DATA_VARIABLE}."
        ) from error
    except (ValueError, LookupError, TypeError, AttributeError, ElementTree.ParseError) as error:
        raise UserError(
            f"{_place(benchmark, stored, folder)} is damaged or of another format than "
            f"{benchmark.title}'s; name a folder with the original files with --data-dir."
        ) from error


def _place(benchmark: Benchmark, stored: Split, folder: str | None) -> str:
    if folder is None:
        return f"The Hub's {benchmark.hub.id}"
    return str(Path(folder) / benchmark.files[stored])


def _hub_rows(benchmark: Benchmark, stored: Split) -> list[RawRow]:
    way_out = "or name a folder of local files with --data-dir"
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise UserError(
            f"{benchmark.title} comes from the Hub by the package `datasets`, which is not "
            f"installed: run `pip install datasets`, {way_out}."
        ) from error
    hub = benchmark.hub
    try:
        split = hub.splits[stored]
        return list(load_dataset(hub.id, hub.config, revision=hub.revision, split=split))
    # No network, no such revision, a full disk: the library raises what its own parts raise.
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "").rstrip(".") or type(error).__name__
        raise UserError(
            f"Cannot load {benchmark.title} from the Hub's {hub.id} ({reason}): "
            f"connect to the network, {way_out}."
        ) from error


def _json_lines(text: str) -> list[RawRow]:
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def _json_examples(text: str) -> list[RawRow]:
    return json.loads(text)["examples"]


def _asdiv_xml(text: str) -> list[RawRow]:
    """The problems of ASDiv.xml under the names the Hub has for their parts."""
    problems = ElementTree.fromstring(text).iter("Problem")
    return [
        {"id": problem.get("ID")} | {part.tag.lower(): part.text for part in problem}
        for problem in problems
    ]


_MARK = re.compile(r"<<([^<>]*)>>")
"""A calculator mark of GSM8K: ``<<3*4=12>>``."""

_LONE_NUMBER = re.compile(r"[-+]?\$?[\d,]*\.?\d+(?:/\d+)?\s*(?:\([^()]*\))?")
"""A number and perhaps its unit in parentheses: ``9 (apples)``; no time, ratio or list."""


def _number(text: str) -> str | None:
    """The number that a gold answer is, None if it is more or other than that."""
    return parse("number", text) if _LONE_NUMBER.fullmatch(text.strip()) else None


def _gsm8k(row: RawRow) -> ReadRow:
    reasoning, _, final = row["answer"].rpartition("####")
    # Where nothing but the marks is written, what stands inside them is the reasoning.
    rationale = _MARK.sub("", reasoning).strip() or "\n".join(_MARK.findall(reasoning))
    return ReadRow(row["question"].strip(), _number(final), rationale)


def _asdiv(row: RawRow) -> ReadRow:
    answer = row["answer"]
    return ReadRow(
        _joined(row["body"], row["question"]),
        _number(answer),
        source_id=row.get("id") or "",
        several=";" in answer,
    )


def _svamp(row: RawRow) -> ReadRow:
    question = _joined(row["Body"], row["Question"])
    return ReadRow(question, _number(str(row["Answer"])), source_id=row["ID"])


def _joined(*parts: str) -> str:
    return " ".join(part.strip() for part in parts)


def _aqua(row: RawRow) -> ReadRow:
    options = [re.sub(r"^\s*[A-H]\s*\)", "", option).strip() for option in row["options"]]
    letters = LETTERS[: len(options)]
    right = [place for place, letter in enumerate(letters) if letter == row["correct"]]
    return _choice(row["question"], options, right, row["rationale"].strip())


def _date_understanding(row: RawRow) -> ReadRow:
    """BIG-bench's own format, or the Hub's, where lists stand in for the dictionary.

    The files nearly always have the right date first, so the options are put into an order that
    depends on nothing but the text.
    """
    question, scores = row.get("input"), row.get("target_scores")
    if scores is None:
        question = row["inputs"]
        scores = dict(
            zip(row["multiple_choice_targets"], row["multiple_choice_scores"], strict=True)
        )
    question = re.sub(r"^Q:\s*|\s*A:$", "", question.strip())
    options = sorted(scores, key=lambda option: question_hash(f"{question} {option}"))
    return _choice(question, options, [options.index(o) for o in options if scores[o] == 1])


def _choice(
    question: str, options: Sequence[str], right: Sequence[int], rationale: str = ""
) -> ReadRow:
    """A multiple-choice question; ``right`` are the places of the right options."""
    lettered = [f"({letter}) {option}" for letter, option in zip(LETTERS, options, strict=False)]
    told_apart = [" ".join(option.casefold().split()) for option in options]
    return ReadRow(
        f"{question.strip()}{CHOICES}{', '.join(lettered)}.",
        LETTERS[right[0]] if right else None,
        rationale,
        several=len(right) > 1 or any(told_apart.count(told_apart[r]) > 1 for r in right),
    )


def _strategyqa(row: RawRow) -> ReadRow:
    facts = [row["facts"]] if isinstance(row["facts"], str) else row["facts"]
    said = [" ".join(fact.split()) for fact in facts if fact.strip()]
    rationale = " ".join(fact if fact[-1] in ".!?" else f"{fact}." for fact in said)
    answer = parse("yesno", str(row["answer"]))
    return ReadRow(row["question"].strip(), answer, rationale, source_id=row["qid"])


BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark(
        name="gsm8k",
        title="GSM8K",
        answer_kind="number",
        projection="gsm8k",
        files={"train": "gsm8k/train.jsonl", "test": "gsm8k/test.jsonl"},
        rows=_json_lines,
        read=_gsm8k,
        hub=Hub(
            "openai/gsm8k",
            {"train": "train", "test": "test"},
            config="main",
            revision="cc7b047b6e5bb11b4f1af84efc572db110a51b3c",
        ),
    ),
    Benchmark(
        name="asdiv-aug",
        title="ASDiv-Aug",
        answer_kind="number",
        projection="asdiv-aug",
        files={"train": "asdiv_aug/train.jsonl", "test": "asdiv_aug/test.jsonl"},
        rows=_json_lines,
        read=_gsm8k,
        # Not pinned yet: no commit of it could be looked up where this was written.
        hub=Hub("xuyige/ASDiv-Aug", {"train": "train", "test": "test"}),
    ),
    Benchmark(
        name="aqua",
        title="AQuA",
        answer_kind="letter",
        projection="aqua",
        files={
            "train": "aqua/train.json",
            "validation": "aqua/dev.json",
            "test": "aqua/test.json",
        },
        rows=_json_lines,
        read=_aqua,
        hub=Hub(
            "deepmind/aqua_rat",
            {"train": "train", "validation": "validation", "test": "test"},
            config="raw",
            revision="33301c6a050c96af81f63cad5562cb5363e88971",
        ),
    ),
    # The labels of the official test split are not public. Of the files, the development split
    # is the test split here; the Hub's copy divides the labelled questions differently.
    Benchmark(
        name="strategyqa",
        title="StrategyQA",
        answer_kind="yesno",
        projection="strategyqa",
        files={"train": "strategyqa/train.json", "test": "strategyqa/dev.json"},
        rows=json.loads,
        read=_strategyqa,
        hub=Hub(
            "ChilleD/StrategyQA",
            {"train": "train", "test": "test"},
            revision="705562638fe1d8ca6bb98c66fc8f94d45fda8c83",
        ),
    ),
    # The last three have no training split, so all of them is for evaluation. ASDiv's questions
    # are what ASDiv-Aug was made from: that projection has seen them, GSM8K's has not.
    Benchmark(
        name="date-understanding",
        title="Date Understanding",
        answer_kind="letter",
        projection="gsm8k",
        files={"test": "date_understanding/bigbench_task.json"},
        rows=_json_examples,
        read=_date_understanding,
        # Not pinned yet: no commit of it could be looked up where this was written.
        hub=Hub("tasksource/bigbench", {"test": "train+validation"}, config="date_understanding"),
    ),
    Benchmark(
        name="asdiv",
        title="ASDiv",
        answer_kind="number",
        projection="gsm8k",
        files={"test": "asdiv/ASDiv.xml"},
        rows=_asdiv_xml,
        read=_asdiv,
        hub=Hub(
            "EleutherAI/asdiv",
            {"test": "validation"},
            revision="8f95807222d87b4c688c3c22a6ba2801e1fa03e2",
        ),
    ),
    Benchmark(
        name="svamp",
        title="SVAMP",
        answer_kind="number",
        projection="gsm8k",
        files={"test": "svamp/SVAMP.json"},
        rows=json.loads,
        read=_svamp,
        # Not pinned yet: no commit of it could be looked up where this was written.
        hub=Hub("ChilleD/SVAMP", {"test": "train+test"}),
    ),
)
"""The data sets, the paper's first."""
