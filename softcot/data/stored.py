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

import os
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from softcot.data.problems import SPLITS, Problem, Split, question_hash, split_of
from softcot.data.rows import CHOICES, RawRow, ReadRow
from softcot.support.errors import UserError
from softcot.support.reading import read_text, reason

DATA_VARIABLE = "SOFTCOT_DATA"
"""The environment variable that names the folder of local files."""

UNUSABLE = (ValueError, LookupError, TypeError, AttributeError, ElementTree.ParseError)
"""What reading rows raises where they are others than a task expects."""


@dataclass(frozen=True)
class Hub:
    """Where a data set is on the Hub."""

    id: str
    splits: Mapping[Split, str]
    """What a split of ours is called there; "a+b" for two of them together."""
    config: str | None = None
    revision: str = "main"
    """A commit, so that the data cannot change; "main" where no commit is known for certain."""


@dataclass(frozen=True)
class Loaded:
    """The problems of one split and what was left out of it."""

    problems: tuple[Problem, ...]
    """In the order of the file."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Reason -> number: several answers, unreadable answer, repeated, in another split."""


@dataclass(frozen=True, eq=False)
class StoredProblems:
    """The problems of a data set: where its splits are stored and how a row is read."""

    files: Mapping[Split, str]
    """The local file of each stored split, below the data folder."""
    rows: Callable[[str], list[RawRow]]
    """The rows of a local file's text."""
    read: Callable[[RawRow], ReadRow]
    """What a row says, be it local or the Hub's."""
    hub: Hub
    parts: Mapping[Split, tuple[int, int]] = field(default_factory=dict)
    """Of a split that is only a part of its local file: from which percent to which."""

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits it has, a held-out validation split included."""
        return SPLITS if "train" in self.files else tuple(self.files)

    @property
    def at_hand(self) -> bool:
        """Whether its local files are there, so that nobody else has to be asked for them."""
        folder = os.environ.get(DATA_VARIABLE)
        if not folder:
            return False
        return all((Path(folder) / file).is_file() for file in self.files.values())

    def problem(self, task: str, split: Split, seed: int) -> Problem:
        """The problem that ``seed`` draws from ``split``, always the same one."""
        rng = random.Random(f"{task}:{split}:one:{seed}")
        return rng.choice(self.load(task, split).problems)

    def problems(self, task: str, split: Split, count: int, seed: int) -> list[Problem]:
        """The first ``count`` of ``split`` for seed 0, else a sample; all if there are fewer."""
        problems = list(self.load(task, split).problems)
        if seed:
            rng = random.Random(f"{task}:{split}:set:{seed}")
            problems = rng.sample(problems, len(problems))
        return problems[:count]

    def left_out(self, task: str, split: Split) -> Mapping[str, int]:
        """Reason -> problems of ``split`` that cannot be judged."""
        return self.load(task, split).dropped

    def load(self, task: str, split: Split) -> Loaded:
        """All of a split and what was left out, read once.

        Raises:
            UserError: The data set is not there, damaged, or holds nothing of the split.
        """
        return _load(self, task, split, os.environ.get(DATA_VARIABLE) or None)

    def stored_in(self, split: Split) -> Split:
        """The stored split that ``split`` is read from: itself, or training if it is held out."""
        return split if split in self.files else "train"

    def split_of(self, stored: Split, question: str) -> Split:
        """The split that a question of a stored split belongs to."""
        holds_out = stored == "train" and "validation" not in self.files
        return "validation" if holds_out and split_of(question) == "validation" else stored


@cache
def _load(source: StoredProblems, task: str, split: Split, folder: str | None) -> Loaded:
    stored = source.stored_in(split)
    seen_elsewhere = {
        _stem(row)
        for other in _before(stored)
        if other in source.files
        for row in _read_rows(source, other, folder)
    }
    found: dict[str, Problem] = {}
    dropped: Counter[str] = Counter()
    for row in _read_rows(source, stored, folder):
        if source.split_of(stored, row.question) != split:
            continue
        problem = _problem(task, row)
        if row.several:
            dropped["several answers"] += 1
        elif row.answer is None:
            dropped["unreadable answer"] += 1
        elif _stem(row) in seen_elsewhere:
            dropped["in another split"] += 1
        elif problem.id in found:
            dropped["repeated"] += 1
        else:
            found[problem.id] = problem
    if not found:
        place = _place(source, stored, folder)
        raise UserError(f"{place} holds no usable {split} problem; name another with --data-dir.")
    return Loaded(tuple(found.values()), dict(dropped))


def _before(split: Split) -> tuple[Split, ...]:
    """The splits whose questions ``split`` must not have."""
    return SPLITS[SPLITS.index(split) + 1 :]


def _stem(row: ReadRow) -> str:
    """What tells rows of different splits apart: not their options, which are shuffled."""
    return question_hash(f"{row.note} {row.question.partition(CHOICES)[0]}")


def _problem(task: str, row: ReadRow) -> Problem:
    return Problem(
        task=task,
        question=row.question,
        answer=row.answer or "",
        rationale=row.rationale,
        ending=row.ending,
        note=row.note,
        meta={"source_id": row.source_id} if row.source_id else {},
    )


@cache
def _read_rows(source: StoredProblems, stored: Split, folder: str | None) -> tuple[ReadRow, ...]:
    """The rows of a stored split."""
    try:
        if folder is None:
            rows = _hub_rows(source.hub, stored)
        else:
            rows = source.rows(read_text(Path(folder) / source.files[stored]))
            first, last = (len(rows) * edge // 100 for edge in source.parts.get(stored, (0, 100)))
            rows = rows[first:last]
        return tuple(_row(source, row, number) for number, row in enumerate(rows, start=1))
    except UserError:
        raise
    except OSError as error:
        raise UserError(
            f"Cannot read {error.filename}: {reason(error)}; name a folder that holds it with "
            f"--data-dir, or load {source.hub.id} from the Hub without --data-dir and "
            f"{DATA_VARIABLE}."
        ) from error
    except UNUSABLE as error:
        raise UserError(
            f"{_place(source, stored, folder)} is damaged or of another format than the original "
            f"({reason(error)}); name a folder with the original files with --data-dir."
        ) from error


def _row(source: StoredProblems, row: RawRow, number: int) -> ReadRow:
    """What a row says; `number` counts from 1."""
    try:
        return source.read(row)
    except KeyError as error:
        raise ValueError(f"row {number} lacks {error}") from error
    except UNUSABLE as error:
        raise ValueError(f"row {number} has another kind of value ({reason(error)})") from error


def _place(source: StoredProblems, stored: Split, folder: str | None) -> str:
    if folder is None:
        return f"The Hub's {source.hub.id}"
    return str(Path(folder) / source.files[stored])


def _hub_rows(hub: Hub, stored: Split) -> list[RawRow]:
    way_out = "or name a folder of local files with --data-dir"
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise UserError(
            f"{hub.id} comes from the Hub by the package `datasets`, which is not installed: "
            f"run `pip install datasets`, {way_out}."
        ) from error
    try:
        split = hub.splits[stored]
        return list(load_dataset(hub.id, hub.config, revision=hub.revision, split=split))
    # No network, no such revision, a full disk: the library raises what its own parts raise.
    except Exception as error:
        raise UserError(
            f"Cannot load the Hub's {hub.id} ({reason(error)}): connect to the network, {way_out}."
        ) from error
