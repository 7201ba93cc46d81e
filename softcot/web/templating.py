"""Data to HTML: Jinja templates that escape every value, so that no text can become markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from softcot.support.files import json_text
from softcot.support.text import counted

ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).resolve().parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


def render(name: str, **values: Any) -> str:
    """A template with values in it, and no white space around it."""
    return ENVIRONMENT.get_template(name).render(values).strip()


def number(value: float, digits: int = 1) -> str:
    """A number with a true minus sign; nothing is minus zero."""
    return f"{value:z.{digits}f}".replace("-", "−")


def signed(value: float, digits: int = 1) -> str:
    """The same for a change, which has a sign in any case."""
    return f"{value:+z.{digits}f}".replace("-", "−")


def percent(share: float, digits: int = 0) -> str:
    """A share in %."""
    return f"{100 * share:.{digits}f} %"


def whole(text: str) -> str:
    """A text in which no percent sign begins a line."""
    return text.replace(" %", "\u00a0%")


def thoughts(count: int) -> str:
    """How many soft thoughts there are, in words."""
    return counted(count, "soft thought")


def shorten(text: str, limit: int = 160) -> str:
    """A text, cut off where it is longer than `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def spans(text: str) -> list[tuple[bool, str]]:
    """(whether it is code, the text) for the parts of a text with code between backticks.

    A lone backtick is a sign like any other.
    """
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = [f"{parts[-2]}`{parts[-1]}"]
    return [(place % 2 == 1, part) for place, part in enumerate(parts)]


FILTERS = (number, signed, percent, whole, thoughts, shorten, spans)
ENVIRONMENT.filters |= {one.__name__: one for one in FILTERS}
ENVIRONMENT.filters["json"] = json_text
