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
    "note": "note",
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
  document.dispatchEvent(new Event("address"));
}
"""
"""Writes the values of the widgets of `FIELDS` into the address without loading the page again."""


def follow_js() -> str:
    """The script for an event whose inputs are the widgets of `FIELDS`, in order."""
    return FOLLOW_JS % list(FIELDS)


@dataclass(frozen=True)
class Link:
    """What an address asks for; None leaves a value as it is."""

    problem: Problem | None = None
    """None where it names no question."""
    task: str | None = None
    k: int | None = None
    temperature: float | None = None
    seed: int | None = None
    samples: int | None = None
    methods: list[str] | None = None
    edits: str | None = None
    other: str | None = None
    remarks: tuple[str, ...] = ()
    """What of it could not be done as it says, a sentence each."""


def pair_in(search: str) -> str:
    """Name of the pair that an address asks for; empty where it names none."""
    return dict(parse_qsl(search.removeprefix("?"))).get("pair", "").strip()


def read_link(
    search: str,
    max_thoughts: int,
    offered: Collection[str] = tuple(METHODS),
    tasks: Collection[str] | None = None,
) -> Link | None:
    """Read the part of an address behind the question mark; what makes no sense is left out.

    Args:
        search: Such as `?q=Why%3F&k=4`.
        max_thoughts: The largest K.
        offered: Methods that the page can ask.
        tasks: Kinds of problems that it offers; by default the laboratory's. A question of another
            kind that there is, such as one for another pair, is taken as free text.

    Returns:
        None where it asks for nothing.
    """
    values = dict(parse_qsl(search.removeprefix("?")))
    if values.keys().isdisjoint(FIELDS):
        return None
    remarks: list[str] = []
    question = values.get("q", "").strip()
    task = _task(values, TASKS if tasks is None else tasks, bool(question), remarks)
    answer, note = (values.get(name, "").strip() for name in ("a", "note"))
    problem = Problem(task or FREE.name, question, answer, note=note)
    return Link(
        problem if question else None,
        task,
        _number(values, "k", 0, max_thoughts, int, remarks),
        _number(values, "t", 0, 2, float, remarks),
        _number(values, "seed", 0, 2**31, int, remarks),
        _number(values, "n", 1, MOST_SAMPLES, int, remarks),
        _methods(values, offered, remarks),
        _edits(values, remarks),
        values.get("other"),
        tuple(remarks),
    )


def _task(
    values: dict[str, str], tasks: Collection[str], asks: bool, remarks: list[str]
) -> str | None:
    """The kind of problem; free text for a question of a kind that is not offered."""
    task = values.get("task")
    if task in tasks:
        return task
    if task and task not in TASKS | BENCHMARK_TASKS:
        remarks.append(f"This page has no task {task!r}; choose one of: {', '.join(tasks)}.")
    return FREE.name if asks else None


def _edits(values: dict[str, str], remarks: list[str]) -> str | None:
    edits = values.get("edits")
    try:
        if edits:
            read_edits(edits)
        return edits
    except UserError as error:
        remarks.append(str(error))
        return None


def _methods(
    values: dict[str, str], offered: Collection[str], remarks: list[str]
) -> list[str] | None:
    """The methods beside those that are asked anyway, each once."""
    if "m" not in values:
        return None
    names = [name for name in dict.fromkeys(values["m"].split(",")) if name not in (HARD, SOFT)]
    remarks += [
        f"The address asks for a method {name!r}; choose of: {', '.join(offered)}."
        for name in names
        if name not in offered
    ]
    return [name for name in names if name in offered]


def _number(
    values: dict[str, str],
    name: str,
    low: int,
    high: int,
    kind: Callable[[str], N],
    remarks: list[str],
) -> N | None:
    """A number of the address, or the nearest that there can be."""
    if name not in values:
        return None
    wanted = f"The address says {name} = {values[name]!r}; it must be a number from {low} to {high}"
    try:
        number = kind(values[name])
        if number != number:
            raise ValueError("it is not a number")
    except ValueError:
        remarks.append(f"{wanted}.")
        return None
    kept = number if low <= number <= high else kind(str(min(max(number, low), high)))
    if kept != number:
        remarks.append(f"{wanted}, so it is {kept} here.")
    return kept
