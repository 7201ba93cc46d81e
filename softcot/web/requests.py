"""What the page's events are told: one object each, its fields the names of widgets."""

from __future__ import annotations

import threading
from dataclasses import MISSING, dataclass, field, fields, replace

from softcot.analysis.trajectory import Trajectory
from softcot.data.problems import Problem
from softcot.decoding.decoder import Sampling
from softcot.support.presets import DEFAULT_THOUGHTS, MAX_NEW_TOKENS
from softcot.support.text import clean
from softcot.thoughts.projection import Projection
from softcot.web.events import Ending
from softcot.web.explorer import Seen

NOTHING = Problem("free", "")
"""Stands where no problem was loaded."""


@dataclass(frozen=True)
class Asked:
    """What the answers on the page were asked for."""

    question: str
    k: int
    donor: str = ""
    """The question whose thoughts SoftCoT was given; empty for its own."""
    opening: bool = False
    """Whether they stood there before anybody asked."""
    note: str = ""
    """What the assistant alone was told."""


@dataclass(frozen=True)
class Request:
    """What all of them have in common: a field that a reader emptied has its default again."""

    def __post_init__(self) -> None:
        """Put defaults where a widget says nothing, and keep only what is text."""
        for each in fields(self):
            value = getattr(self, each.name)
            if value is None and each.default is not MISSING:
                object.__setattr__(self, each.name, each.default)
            elif isinstance(value, str):
                object.__setattr__(self, each.name, clean(value))


@dataclass(frozen=True)
class QuestionRequest(Request):
    """The question of the page."""

    task: str
    question: str
    k: int = DEFAULT_THOUGHTS
    gold: str = ""
    """The right answer; empty where nobody knows it."""
    loaded: Problem = NOTHING
    """The problem that was chosen last."""
    typed: bool = False
    """Whether the reader typed the right answer: it is then this question's, whatever it is."""
    note: str = ""
    """What the assistant alone is told."""

    @property
    def right_answer(self) -> str:
        """The right answer, unless it came with the loaded problem and the question no longer."""
        came = self.gold == self.loaded.answer and not self.typed
        asked = (self.question.strip(), self.note.strip())
        stale = came and asked != (self.loaded.question, self.loaded.note)
        return "" if stale else self.gold.strip()

    @property
    def problem(self) -> Problem:
        """The question as a problem; if it is the loaded one, with its worked answer."""
        known = (self.loaded.question, self.loaded.answer, self.loaded.note)
        if (self.question.strip(), self.gold.strip(), self.note.strip()) == known:
            return replace(self.loaded, task=self.task)
        return Problem(self.task, self.question, self.gold.strip(), note=self.note.strip())

    @property
    def read(self) -> Problem:
        """The question with all that is known of its words, whatever its answer is."""
        known = self.question.strip() == self.loaded.question
        problem = self.loaded if known else Problem(self.task, self.question)
        return replace(problem, note=self.note)


@dataclass(frozen=True)
class PageRequest(QuestionRequest):
    """The question and everything that stands around it under Compare."""

    swapped: bool = False
    """Whether SoftCoT is given another question's thoughts."""
    donor: str = ""
    """That other question."""
    further: list[str] = field(default_factory=list)
    """Methods that are asked beside hard CoT and SoftCoT."""
    temperature: float = 0.0
    top_p: float = 1.0
    longest: int = MAX_NEW_TOKENS
    """Tokens of the longest answer."""
    seed: int = 41
    samples: int = 1
    trained: Projection | None = None
    """What was trained on this page."""
    using: bool = False
    """Whether that is to be used."""
    seen: Seen | None = None
    """The thoughts that are shown."""
    listed: list[Problem] = field(default_factory=list)
    """The problems that are offered."""
    picked: Problem | None = None
    """The problem that was pointed at on the map of many."""
    asked: Asked | None = None
    """What the answers that are shown belong to; None where there are none."""
    ending: Ending | None = None
    """Set to end the run that is going on."""

    @property
    def asks(self) -> Asked:
        """What a press on Run would ask."""
        donor = self.donor if self.swapped else ""
        return Asked(self.question.strip(), self.k, donor, note=self.note.strip())

    @property
    def is_stale(self) -> bool:
        """Whether the answers that are shown belong to something else."""
        return self.asked is not None and replace(self.asked, opening=False) != self.asks

    @property
    def is_own(self) -> bool:
        """Whether the reader typed the question."""
        return self.question.strip() not in ("", self.loaded.question)

    @property
    def judged(self) -> Problem:
        """The question with the answer that it is judged by, which is never another one's."""
        return replace(self, gold=self.right_answer).problem

    @property
    def whose(self) -> str:
        """The question whose thoughts SoftCoT is given."""
        return self.donor if self.swapped else self.question

    @property
    def sampling(self) -> Sampling:
        """How tokens are chosen.

        Raises:
            UserError: A value makes no sense.
        """
        return Sampling(self.temperature, self.top_p, seed=self.seed, max_new_tokens=self.longest)


@dataclass(frozen=True)
class SwitchRequest(PageRequest):
    """The page before another pair answers."""

    pair: str = ""
    """The pair that answers so far."""
    wanted: str = ""
    """The one that was picked last."""
    offered: str = ""
    """The one whose kinds of problems the page offers."""
    picking: threading.Event | None = None
    """Set to end the waiting for the one that was picked; None where none is waited for."""


@dataclass(frozen=True)
class OpeningRequest(Request):
    """What tells whether a page that opens still shows its first example.

    Nothing whose choices depend on the pair: a pick meanwhile changes them.
    """

    question: str
    k: int = DEFAULT_THOUGHTS
    note: str = ""
    swapped: bool = False
    asked: Asked | None = None

    @property
    def asks(self) -> Asked | None:
        """What a press on Run would ask; None where that is not the question's own thoughts."""
        return (
            None if self.swapped else Asked(self.question.strip(), self.k, note=self.note.strip())
        )


@dataclass(frozen=True)
class ArrivalRequest(Request):
    """The pairs of a page that opens, of which the reader has not changed anything else."""

    pair: str
    wanted: str
    offered: str
    picking: threading.Event | None


@dataclass(frozen=True)
class PickRequest(Request):
    """A press on the picker."""

    pair: str
    """The pair that answers."""
    wanted: str = ""
    """The one that was picked last."""
    picking: threading.Event | None = None
    """Set to end the waiting for that one."""


@dataclass(frozen=True)
class LandingRequest(Request):
    """A page that is being opened."""

    landing: str
    """The part of its address from the question mark on."""


@dataclass(frozen=True)
class AddressRequest(Request):
    """What a page was opened with."""

    search: str
    """The part of its address from the question mark on."""


@dataclass(frozen=True)
class EditRequest(QuestionRequest):
    """An edit of the question's thoughts."""

    edits: str = ""
    other: str = ""
    """The question that swap and mix borrow from."""
    tried: int = 0
    """Problems of a trial."""


@dataclass(frozen=True)
class ComposeRequest(Request):
    """What the widgets that build an edit say."""

    kind: str
    slots: list[int] = field(default_factory=list)
    amount: float = 1.0
    token: str = ""
    k: int = DEFAULT_THOUGHTS
    """How many slots there are."""


@dataclass(frozen=True)
class InspectRequest(QuestionRequest):
    """A look at the question's thoughts from all sides."""

    metric: str = "Cosine"
    corrected: bool = False
    """Whether hubs are held back."""


@dataclass(frozen=True)
class MapRequest(Request):
    """A map of the thoughts of many problems."""

    task: str
    k: int
    mapped: int = 0
    """Problems."""
    trajectories: list[Trajectory] = field(default_factory=list)
    """What is on it."""


@dataclass(frozen=True)
class SweepRequest(Request):
    """Accuracy against K."""

    task: str
    swept: int
    """Problems for each K."""


@dataclass(frozen=True)
class BringRequest(Request):
    """A projection from the reader's own computer."""

    brought: str
    """Path of the uploaded file."""


@dataclass(frozen=True)
class TrainRequest(Request):
    """A training in the page."""

    taught: str
    """The task to learn."""
    steps: int
    question: str
    """Whose thoughts are watched."""
    k: int
