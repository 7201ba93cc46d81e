"""What a report is made of, whatever it is written as."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from softcot.support.schema import TYPED

SCHEMA = "softcot-report-1"


@dataclass(frozen=True)
class Cell:
    """One place in a table: a figure with what it rests on, or a label."""

    __pydantic_config__ = TYPED

    text: str
    value: float | None = None
    """In the unit of the table; None for a label and for a figure that is missing."""
    low: float | None = None
    high: float | None = None
    """The 95 % interval, where there is one."""
    best: bool = False
    """Whether nothing in its column is better."""
    command: str = ""
    """Makes the records behind it again."""
    source: Literal["ours", "paper"] = "ours"

    @property
    def full(self) -> str:
        """The text with the interval, to as many decimals."""
        if self.low is None or self.high is None:
            return self.text
        signed = self.text[0] in "+-"
        decimals = len(self.text.partition(".")[2])
        low, high = (f"{x:{'+' * signed}z.{decimals}f}" for x in (self.low, self.high))
        return f"{self.text} ({low}{' to ' if signed else '–'}{high})"


MISSING = Cell("–")
"""Stands where no record is."""


@dataclass(frozen=True)
class Table:
    """Rows of cells below a heading for each column."""

    __pydantic_config__ = TYPED

    title: str
    columns: list[str]
    rows: list[list[Cell]]
    note: str = ""
    brief: bool = False
    """Whether it belongs into a short version of the report."""


@dataclass(frozen=True)
class Figure:
    """A figure for Plotly: data and layout without the colours of a theme."""

    __pydantic_config__ = TYPED

    title: str
    alt: str
    """What it shows, in a sentence."""
    plotly: dict[str, Any]


@dataclass(frozen=True)
class Section:
    """One question and all that answers it."""

    __pydantic_config__ = TYPED

    id: str
    title: str
    text: str
    """What is asked, and how to read the answer."""
    tables: list[Table]
    figures: list[Figure] = field(default_factory=list)
    summary: str = ""
    """What its records come to in a sentence, for the README; empty where that shows none."""


@dataclass(frozen=True)
class Report:
    """All that a folder of records says."""

    __pydantic_config__ = TYPED

    title: str
    note: str
    """How the figures were made."""
    sections: list[Section]
    conclusions: list[str] = field(default_factory=list)
    """What they come to, a sentence each."""

    def to_json(self) -> dict[str, Any]:
        """The report as the content of a JSON file."""
        content = {"schema": SCHEMA, **asdict(self)}
        for section in content["sections"]:
            del section["summary"]  # only a text has a short version
            for table in section["tables"]:
                del table["brief"]
        return content
