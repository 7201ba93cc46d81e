"""What a shared address says: question, K and the rest, so that a link opens the same page."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl

from softcot.data.problems import Problem
from softcot.data.tasks import BENCHMARK_TASKS, FREE, TASKS
from softcot.methods import METHODS
from softcot.support.errors import UserError
from softcot.thoughts.edits import read_edits
from softcot.web.explorer import HARD, MOST_SAMPLES, SOFT

N = TypeVar("N", int, float)

FIELDS = {
    "task": "task",
    "q": "question",
    "a": "gold",
    "k": "k",
    "t": "temperature",
    "seed": "seed",
    "n": "samples",
    "m": "further",
    "edits": "edits",
    "other": "other",
}
"""Names in the address, and of the widgets whose values they have."""

FOLLOW_JS = """
(...values) => {
  const url = new URL(location.href);
  %s.forEach((name, place) => {
    const text = String(values[place] ?? "").trim();
    text ? url.searchParams.set(name, text) : url.searchParams.delete(name);
  });
  history.replaceState(history.state, "", url);
}
"""
"""Writes the values of the widgets of `FIELDS` into the address without loading the page again."""


def follow_js() -> str:
    """The script for an event whose inputs are the widgets of `FIELDS`, in order."""
    return FOLLOW_JS % list(FIELDS)


@dataclass(frozen=True)
class Link:
    """What an address asks for; None leaves a value as it is."""

    problem: Problem
    k: int | None = None
    temperature: float | None = None
    seed: int | None = None
    samples: int | None = None
    methods: list[str] | None = None
    edits: str | None = None
    other: str | None = None


def pair_in(search: str) -> str:
    """Name of the pair that an address asks for; empty where it names none."""
    return dict(parse_qsl(search.removeprefix("?"))).get("pair", "").strip()


def read_link(
    search: str,
    max_thoughts: int,
    offered: Collection[str] = tuple(METHODS),
    tasks: Collection[str] | None = None,
) -> Link | None:
    """Read the part of an address behind the question mark.

    Args:
        search: Such as `?q=Why%3F&k=4`.
        max_thoughts: The largest K.
        offered: Methods that the page can ask.
        tasks: Kinds of problems that it offers; by default the laboratory's. A question of another
            kind that there is, such as one for another pair, is taken as free text.

    Returns:
        None where no question is asked.

    Raises:
        UserError: A value makes no sense.
    """
    values = dict(parse_qsl(search.removeprefix("?")))
    if not values.get("q", "").strip():
        return None
    tasks = TASKS if tasks is None else tasks
    task = values.get("task", FREE.name)
    if task not in TASKS | BENCHMARK_TASKS:
        raise UserError(f"This page has no task {task!r}; choose one of: {', '.join(tasks)}.")
    if task not in tasks:
        task = FREE.name
    edits = values.get("edits")
    if edits:
        read_edits(edits)
    return Link(
        Problem(task, values["q"].strip(), values.get("a", "").strip()),
        _number(values, "k", 0, max_thoughts, int),
        _number(values, "t", 0, 2, float),
        _number(values, "seed", 0, 2**31, int),
        _number(values, "n", 1, MOST_SAMPLES, int),
        _methods(values, offered),
        edits,
        values.get("other"),
    )


def _methods(values: dict[str, str], offered: Collection[str]) -> list[str] | None:
    """The methods beside those that are asked anyway, each once."""
    if "m" not in values:
        return None
    names = [name for name in dict.fromkeys(values["m"].split(",")) if name not in (HARD, SOFT)]
    for name in names:
        if name not in offered:
            raise UserError(
                f"The address asks for a method {name!r}; choose of: {', '.join(offered)}."
            )
    return names


def _number(
    values: dict[str, str], name: str, low: int, high: int, kind: Callable[[str], N]
) -> N | None:
    if name not in values:
        return None
    try:
        number = kind(values[name])
        if low <= number <= high:
            return number
    except ValueError:
        pass
    raise UserError(
        f"The address says {name} = {values[name]!r}; it must be a number from {low} to {high}."
    )
