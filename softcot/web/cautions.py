"""What of a question or a note a pair's models have never read, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from softcot.data.families.notes import NUMBERS
from softcot.data.lexicon import Lexicon, Unread
from softcot.data.problems import Problem
from softcot.data.rewording import nearest_wording
from softcot.data.tasks import PROBE_TASKS
from softcot.web import questions

NOTES_LOOKED_AT = 256
"""Problems that show how notes, and questions about them, are put."""

Part = Literal["question", "note"]
"""What of a problem is read."""


@dataclass(frozen=True)
class Caution:
    """Why no answer to a problem is worth anything: the models were made without its words."""

    part: Part
    text: str
    unread: tuple[Unread, ...]
    """What they have never read, in order."""
    instead: str
    """What they can read in its place."""
    is_near: bool
    """Whether that says nearly the same; otherwise it is an example."""


class Cautions:
    """What is to be said of texts that people type.

    Args:
        lexicon: What the models have read; None where one of them reads anything.
        of_notes: Whether a projection has learned what notes say, which neither model has read.
        example: Gives a problem of a task, by its name.
    """

    def __init__(self, lexicon: Lexicon | None, of_notes: bool, example: Callable[[str], Problem]):
        self.lexicon = lexicon
        self.of_notes = of_notes
        self.example = example

    def question(self, text: str, task: str, unfinished: bool = False) -> Caution | None:
        """What of a question was never read; None where all of it was, or anything is."""
        lexicon = self._asked_of_notes if task in PROBE_TASKS else self.lexicon
        return self._found("question", text, lexicon, task, unfinished)

    def note(self, text: str, unfinished: bool = False) -> Caution | None:
        """The same of a note, to which only the notes of the training count."""
        return self._found("note", text, self._notes, questions.NOTES, unfinished)

    def _found(
        self, part: Part, text: str, lexicon: Lexicon | None, task: str, unfinished: bool
    ) -> Caution | None:
        unread = lexicon.unread(text, task, unfinished) if lexicon else []
        if lexicon is None or not unread:
            return None
        near = nearest_wording(text, lexicon, task)
        usual = getattr(self.example(task), part)
        return Caution(part, text, tuple(unread), near or usual, bool(near))

    @cached_property
    def _asked_of_notes(self) -> Lexicon | None:
        """What the models have read, and how questions about a note are put."""
        learned = self._learned("question")
        return self.lexicon | learned if self.lexicon and learned else self.lexicon

    @cached_property
    def _notes(self) -> Lexicon | None:
        """How notes are put, and nothing else."""
        return self._learned("note")

    def _learned(self, part: Part) -> Lexicon | None:
        """How the projection's questions or notes were put, in the words of the models."""
        if self.lexicon is None or not self.of_notes:
            return None
        drawn = questions.problems_of(questions.NOTES).problems("validation", NOTES_LOOKED_AT)
        texts = [getattr(problem, part) for problem in drawn]
        forms = frozenset[str]().union(*map(self.lexicon.forms_in, texts))
        return replace(
            self.lexicon,
            forms={questions.NOTES: dict.fromkeys(forms, "")},
            numbers={questions.NOTES: (min(NUMBERS), max(NUMBERS))},
        )
