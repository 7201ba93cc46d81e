"""What the two models are told: Jinja files, `<set>/<role>/<task, answer kind or default>.jinja`.

A file says where the question stands, and nothing else about it: it is cut there, so that what a
user types never meets the template language. It may also say where the thoughts stand, behind the
question, and how many there are. Beside it, `<...>.examples.json` may hold worked examples, which
the model reads as earlier turns of the chat, and beside the roles `set.json` what is else to be
known of the set.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from softcot.data.tasks import Task
from softcot.support.errors import UserError
from softcot.support.reading import json_rows, kind_of, read_object, read_text, reason
from softcot.support.text import clean

ROLES = ("base", "assistant")
"""Who reads a template."""

SETS = Path(__file__).parent / "templates"
"""The sets that come with the package: `mini` for its own models, `chat` for ready-made ones.

Those of `chat-brief`, `chat-one` and `chat-two` say the same otherwise, or show it by examples.
"""

MARKER, PLACE = "<question>", "<thoughts>"
"""Stand for the question and the thoughts where templates are compared."""

HEADERS = ("given", "written")
"""Who writes the header of the answering turn: the prompt, or the model."""

COMPARED = (0, 1, 2)
"""K at which templates are compared: without thoughts, and whether they say how many there are."""

PLACEHOLDERS = ("reserved", "end")
"""What fills a slot: a special token that nothing else uses, or the one that ends a text."""

SETTINGS = "set.json"
"""File of a set that says more than texts: `header` is one of `HEADERS` and `placeholder` one of
`PLACEHOLDERS`, the first by default."""


@dataclass(frozen=True)
class Example:
    """A question that somebody has answered already."""

    question: str
    answer: str
    """All that the model is to have said about it."""


@dataclass(frozen=True)
class Wording:
    """The text around a question, and what was asked and answered before it."""

    before: str
    after: str
    examples: tuple[Example, ...] = ()
    between: str | None = None
    """What stands between the question and the thoughts; None leaves their place to the builder."""

    def asked(self, question: str) -> str:
        """The text up to the thoughts, or up to the end of the question."""
        return f"{self.before}{question}{self.between or ''}"

    def turns(self) -> list[str]:
        """What both sides said so far, in turn; the same words stand around every question."""
        asked = [(f"{self.asked(x.question)}{self.after}", x.answer) for x in self.examples]
        return [text for turn in asked for text in turn]

    def told(self, role: str) -> str:
        """All of it as one text, to compare it by."""
        turns = [
            f"{who}: {text}\n"
            for who, text in zip(("user", "answer") * len(self.examples), self.turns(), strict=True)
        ]
        place = "" if self.between is None else PLACE
        return f"{''.join(turns)}{role}: {self.asked(MARKER)}{place}{self.after}"


@dataclass(frozen=True)
class Templates:
    """A folder of templates with one folder for each of `ROLES`."""

    folder: Path
    others: tuple[tuple[str, Path], ...] = ()
    """Tasks or kinds of answer with the folder that takes this one's place for them."""

    def __post_init__(self) -> None:
        """Refuse a folder without the two roles.

        Raises:
            UserError: It is no such folder.
        """
        missing = [role for role in ROLES if not (self.folder / role).is_dir()]
        if missing:
            raise UserError(
                f"The folder {self.folder} has no folder {missing[0]!r} with templates; lay it out "
                "as softcot/templates/chat is."
            )

    @classmethod
    def named(cls, name: str, others: Mapping[str, str] | None = None) -> "Templates":
        """A set that comes with the package, and others for some tasks or kinds of answer."""
        return cls(SETS / name, tuple((key, SETS / other) for key, other in (others or {}).items()))

    @classmethod
    def find(cls, place: str | Path) -> "Templates":
        """A folder of somebody's own, or else the set of the package with this name.

        Raises:
            UserError: There is neither.
        """
        if Path(place).is_dir():
            return cls(Path(place))
        names = sorted(folder.name for folder in SETS.iterdir() if folder.is_dir())
        if str(place) in names:
            return cls.named(str(place))
        raise UserError(
            f"There is no folder of templates {place}; name one, or one of the sets that come "
            f"with the package: {', '.join(names)}."
        )

    def name(self, task: Task) -> str:
        """What the folder for a task is called."""
        return self._folder(task).name

    def wording(self, role: str, task: Task, k: int = 0) -> Wording:
        """What a model is told about a question of a task.

        Args:
            role: One of `ROLES`.
            task: Its name decides, else its kind of answer, else there must be a default; so it
                is with the examples, which need not be there.
            k: Number of thoughts. Without any, nothing is said about their place.

        Raises:
            UserError: There is no template, it does not show the question exactly once, or the
                examples are none.
        """
        file = self._file(role, task, "jinja")
        if file is None:
            place = self._folder(task) / role / "default.jinja"
            raise UserError(f"There is no template for the {role}; write {place}.")
        wording, shown = _cut(file, _read(file), k), self._file(role, task, "examples.json")
        if shown is None:
            return wording
        return replace(wording, examples=_examples(shown, _read(shown)))

    def counts(self, role: str, task: Task) -> bool:
        """Whether a model is told how many thoughts there are."""
        few, more = (self.wording(role, task, k) for k in COMPARED[1:])
        return few != more

    def writes_header(self, task: Task) -> bool:
        """Whether the base has to write the header of its own turn, and is graded on it.

        So it is in the code that the paper released, where a trained header is missing in use.
        """
        return _setting(self._folder(task), "header", HEADERS) == "written"

    @property
    def ends_fill_slots(self) -> bool:
        """Whether the token that ends a text fills the slots, as in the released code."""
        return _setting(self.folder, "placeholder", PLACEHOLDERS) == "end"

    def _file(self, role: str, task: Task, ending: str) -> Path | None:
        """The file that is nearest to a task, if there is one."""
        names = (task.name, task.answer_kind, "default")
        files = (self._folder(task) / role / f"{name}.{ending}" for name in names)
        return next((file for file in files if file.is_file()), None)

    def _folder(self, task: Task) -> Path:
        others = dict(self.others)
        return others.get(task.name, others.get(task.answer_kind, self.folder))

    def fingerprint(self, tasks: Sequence[Task]) -> str:
        """What both models are told about some tasks, as 16 hexadecimal digits.

        Tasks with the same wording count once: all the mini tasks have the digits of any of them.
        """
        texts = {self._told(task) for task in tasks}
        return hashlib.sha256("\n\n".join(sorted(texts)).encode()).hexdigest()[:16]

    def _told(self, task: Task) -> str:
        """All that both models are told about a task, with each number of thoughts that differs."""
        said = ["\n".join(self.wording(r, task, k).told(r) for r in ROLES) for k in COMPARED]
        header = ["header: written"] if self.writes_header(task) else []
        return "\n".join([*dict.fromkeys(said), *header])


def _setting(folder: Path, name: str, known: Sequence[str]) -> str:
    """What a set says besides texts, or the first of what is known."""
    file = folder / SETTINGS
    if not file.is_file():
        return known[0]
    try:
        found = read_object(file).get(name, known[0])
    except (OSError, ValueError) as error:
        raise _unusable(file, error) from error
    if found not in known:
        raise UserError(f"The {name} in {file} must be one of: {', '.join(known)}.")
    return found


def _read(file: Path) -> str:
    try:
        return read_text(file)
    except (OSError, ValueError) as error:
        raise _unusable(file, error) from error


@cache
def _cut(file: Path, text: str, k: int) -> Wording:
    # Random words stand for the question and the thoughts: no template can contain them.
    word, place = secrets.token_hex(16), secrets.token_hex(16)
    known = {"question": word, "thoughts": place if k else "", "k": k}
    try:
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
        parts = environment.from_string(text).render(known).strip().split(word)
    except UndefinedError as error:
        raise UserError(
            f"The template {file} cannot be used ({reason(error)}); "
            "{{ question }}, {{ thoughts }} and {{ k }} are all that a template knows."
        ) from error
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise _unusable(file, error) from error
    if len(parts) != 2:
        raise UserError(
            f"The template {file} shows the question {len(parts) - 1} times; write "
            "{{ question }} into it exactly once."
        )
    before, after = parts
    if place not in before + after:
        return Wording(before, after)
    if place in before or after.count(place) > 1:
        raise UserError(
            f"The template {file} does not show the thoughts once and behind the question; write "
            "{{ thoughts }} there, or nowhere."
        )
    between, after = after.split(place)
    return Wording(before, after, between=between)


@cache
def _examples(file: Path, text: str) -> tuple[Example, ...]:
    try:
        return tuple(_example(row, place) for place, row in json_rows(text))
    except ValueError as error:
        raise UserError(
            f"The examples in {file} cannot be used ({reason(error)}); write a JSON array of "
            'objects with "question" and "answer".'
        ) from error


def _example(row: dict[str, Any], place: str) -> Example:
    for name in ("question", "answer"):
        if name not in row:
            raise ValueError(f'{place} lacks "{name}"')
        if not isinstance(row[name], str):
            raise ValueError(f"the {name} in {place} is {kind_of(row[name])}, not a text")
        if not row[name].strip():
            raise ValueError(f"the {name} in {place} is empty")
    return Example(clean(row["question"]).strip(), clean(row["answer"]).strip())


def _unusable(file: Path, error: Exception) -> UserError:
    return UserError(f"The template {file} cannot be used ({reason(error)}); correct it.")
