"""A problem: question, rationale, answer, and which split its text belongs to.

A problem's split is a function of its text alone (:func:`split_of`), so no seed, no generator and
no order of drawing can ever put one question into two splits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from softcot.support.errors import UserError
from softcot.support.reading import json_rows, kind_of, read_text, reason
from softcot.support.text import clean

Split = Literal["train", "validation", "test"]
AnswerKind = Literal["number", "letter", "yesno", "date", "any"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

ENDING = "The answer is {answer}."
"""How a worked answer ends where its task does not say otherwise."""


@dataclass(frozen=True)
class Problem:
    """One question with everything that is known about it."""

    task: str
    """Name of the task it belongs to, ``"free"`` for a question that a user typed."""
    question: str
    """The text both models read; answer choices, where there are any, are part of it."""
    answer: str = ""
    """The gold answer in the form its answer kind parses to; empty when unknown."""
    rationale: str = ""
    """The reasoning a model is trained to write, without its closing sentence."""
    note: str = ""
    """What the assistant is told before the question, and the base never reads."""
    hint: str = ""
    """The key tokens of the problem, in the words the mini assistant learned to name."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """``people``, ``operations``, ``steps``, ``situations`` and ``unread`` (new to the base)."""
    ending: str = ENDING
    """The closing sentence of its worked answer, with ``{answer}`` where the gold answer stands."""

    def __post_init__(self) -> None:
        """Keep only what is text: a question is hashed, and written into files."""
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, str):
                object.__setattr__(self, each.name, clean(value))

    @property
    def heard(self) -> str:
        """What the assistant reads: the note, where there is one, and the question."""
        return f"{self.note} {self.question}" if self.note else self.question

    @property
    def id(self) -> str:
        """First 16 hex digits of the SHA-256 of what is heard, case and spacing ignored."""
        return question_hash(self.heard)[:16]

    @property
    def target(self) -> str:
        """What the base is taught to write: the rationale and the answer."""
        return f"{self.rationale} {self.ending.replace('{answer}', self.answer)}".lstrip()

    def to_json(self) -> dict[str, Any]:
        """The problem as plain JSON types."""
        names = ("id", "task", "question", "answer", "rationale", "hint")
        told = {"note": self.note} if self.note else {}
        return {name: getattr(self, name) for name in names} | told | {"meta": dict(self.meta)}

    def mistaken_for(self, other: Problem) -> Problem:
        """The same to the base; the assistant hears the other one, so thoughts are swapped."""
        known = {field.name: getattr(self, field.name) for field in fields(Problem)}
        return _Misheard(**known, other=other.heard)


@dataclass(frozen=True)
class _Misheard(Problem):
    """A problem of which the assistant hears something else."""

    other: str = ""

    @property
    def heard(self) -> str:
        """The other problem."""
        return self.other


def question_hash(question: str) -> str:
    """SHA-256 of the question's words, in hex; equal for texts that differ in case or spacing."""
    words = clean(question).lower().split()
    return hashlib.sha256(" ".join(words).encode()).hexdigest()


def digest(problems: Sequence[Problem]) -> str:
    """SHA-256 of all that models read, write and are graded on of some problems, in hex."""
    said = [
        [p.task, p.question, p.answer, p.rationale]
        # Not where they are as they were before there was a choice.
        + ([p.note] if p.note else [])
        + ([p.ending] if p.ending != ENDING else [])
        for p in problems
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def split_of(question: str) -> Split:
    """The split a question belongs to: one text in ten is test, one in ten validation."""
    bucket = int(question_hash(question)[-4:], 16) % 10
    return "test" if bucket == 0 else "validation" if bucket == 1 else "train"


def read_problems(path: str | Path, task: str) -> list[Problem]:
    """Read objects with ``question`` and ``answer`` as problems of ``task``.

    They stand in JSON lines or in a JSON array. A question is a text. An answer is a text or a
    number, or true or false, which mean "yes" and "no"; nothing else is one. ``note``, where there
    is one, is a text that the assistant alone is told.

    Raises:
        UserError: The file cannot be read, something in it is no such object, or it holds none.
    """
    try:
        problems = [_problem_of(entry, place, task) for place, entry in json_rows(read_text(path))]
    except (OSError, ValueError) as error:
        raise UserError(
            f"Cannot use the problems file {path}: {reason(error)}; it takes JSON lines, or a JSON "
            'array, of objects with "question" and "answer".'
        ) from error
    if not problems:
        raise UserError(f"The problems file {path} holds no problem; write one JSON object a line.")
    return problems


def _problem_of(entry: Mapping[str, Any], place: str, task: str) -> Problem:
    for name in ("question", "answer"):
        if name not in entry:
            raise ValueError(f'{place} lacks "{name}"')
    question, answer = entry["question"], entry["answer"]
    if isinstance(answer, bool):
        answer = "yes" if answer else "no"
    if not isinstance(question, str):
        raise ValueError(f"the question in {place} is {kind_of(question)}, not a text")
    if not isinstance(answer, str | int | float):
        raise ValueError(f"the answer in {place} is {kind_of(answer)}, not a text or a number")
    if not question.strip() or not str(answer).strip():
        raise ValueError(f"{place} has an empty question or answer")
    note = entry.get("note", "")
    if not isinstance(note, str):
        raise ValueError(f"the note in {place} is {kind_of(note)}, not a text")
    return Problem(
        task=task, question=question.strip(), answer=str(answer).strip(), note=note.strip()
    )
