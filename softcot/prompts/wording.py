"""What the two models are told: Jinja files, `<set>/<role>/<task, answer kind or default>.jinja`.

A file says where the question stands, and nothing else about it: it is cut there, so that what a
user types never meets the template language.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import StrictUndefined, TemplateError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from softcot.data.tasks import Task
from softcot.support.errors import UserError
from softcot.support.reading import read_text, reason

ROLES = ("base", "assistant")
"""Who reads a template."""

SETS = Path(__file__).parent / "templates"
"""The sets that come with the package: `mini` for its own models, `chat` for ready-made ones."""

MARKER = "<question>"
"""Stands for the question where templates are compared."""


@dataclass(frozen=True)
class Wording:
    """The text around a question."""

    before: str
    after: str


@dataclass(frozen=True)
class Templates:
    """A folder of templates with one folder for each of `ROLES`."""

    folder: Path

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
    def named(cls, name: str) -> "Templates":
        """A set that comes with the package."""
        return cls(SETS / name)

    def wording(self, role: str, task: Task) -> Wording:
        """What a model is told about a question of a task.

        Args:
            role: One of `ROLES`.
            task: Its name decides, else its kind of answer, else there must be a default.

        Raises:
            UserError: There is no template, or it does not show the question exactly once.
        """
        names = (task.name, task.answer_kind, "default")
        files = [self.folder / role / f"{name}.jinja" for name in names]
        for file in files:
            if file.is_file():
                return _cut(file, _read(file))
        raise UserError(f"There is no template for the {role}; write {files[-1]}.")

    def fingerprint(self, tasks: Sequence[Task]) -> str:
        """What both models are told about some tasks, as 16 hexadecimal digits.

        Tasks with the same wording count once: all the mini tasks have the digits of any of them.
        """
        texts = {
            "\n".join(f"{role}: {w.before}{MARKER}{w.after}" for role, w in self._roles(task))
            for task in tasks
        }
        return hashlib.sha256("\n\n".join(sorted(texts)).encode()).hexdigest()[:16]

    def _roles(self, task: Task) -> list[tuple[str, Wording]]:
        return [(role, self.wording(role, task)) for role in ROLES]


def _read(file: Path) -> str:
    try:
        return read_text(file)
    except (OSError, ValueError) as error:
        raise _unusable(file, error) from error


@cache
def _cut(file: Path, text: str) -> Wording:
    # A random word stands for the question: no template can contain it.
    word = secrets.token_hex(16)
    try:
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
        parts = environment.from_string(text).render(question=word).strip().split(word)
    except UndefinedError as error:
        raise UserError(
            f"The template {file} cannot be used ({reason(error)}); "
            "{{ question }} is all that a template knows."
        ) from error
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise _unusable(file, error) from error
    if len(parts) != 2:
        raise UserError(
            f"The template {file} shows the question {len(parts) - 1} times; write "
            "{{ question }} into it exactly once."
        )
    return Wording(*parts)


def _unusable(file: Path, error: Exception) -> UserError:
    return UserError(f"The template {file} cannot be used ({reason(error)}); correct it.")
