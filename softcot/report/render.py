"""A report as Markdown: whole, as the short tables of a page, or as the README's few lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from softcot.report.parts import MISSING, Cell, Report, Table

TABLES, SUMMARY, JUDGED = "results", "summary", "real-models"
"""Names of the blocks: the short tables in a page, what the README has of them, and what a page on
ready-made models says of these."""

MAIN, JUDGED_IN = "main", ("real", "assistants")
"""The section whose first table the README shows, and those on ready-made models."""

CROWDED = ("controls", "thoughts")
"""Sections whose short tables have no room for intervals."""


def markdown(report: Report) -> str:
    """The whole report."""
    parts = [f"# {report.title}", report.note]
    for section in report.sections:
        parts += [f"## {section.title}", section.text]
        for table in section.tables:
            parts += [f"### {table.title}", _table(table), table.note]
        for figure in section.figures:
            parts.append(
                f"**Figure: {figure.title}.** {figure.alt} The app draws it from "
                f"[report.json](report.json)."
            )
    return "\n\n".join(part for part in parts if part) + "\n"


def page_block(report: Report, link: str) -> str:
    """The short tables; `link` leads to the whole report."""
    parts = []
    for section in report.sections:
        for table in section.tables:
            if table.brief:
                shown = _table(table, intervals=section.id not in CROWDED)
                parts += [f"{table.title}:", shown, table.note]
    parts.append(f"{report.note} Everything, with figures and intervals: [{link}]({link}).")
    return "\n\n".join(part for part in parts if part)


def real_block(report: Report, link: str) -> str:
    """What the records of ready-made models come to; `link` leads to their tables."""
    said = [section.summary for section in report.sections if section.id in JUDGED_IN]
    ending = f"The tables behind this are in [{link}]({link})."
    return "\n\n".join([*filter(None, said), ending])


def _narrow(table: Table) -> Table:
    """The first average of a table alone, where it has some: a README has no room for more."""
    at = next((n for n, title in enumerate(table.columns) if title.startswith("Average")), None)
    if at is None:
        return table
    rows = [[row[0], row[at]] for row in table.rows if row[at] != MISSING]
    return replace(table, columns=[table.columns[0], table.columns[at]], rows=rows)


def readme_block(report: Report, link: str) -> str:
    """The main average, and what other sections say in a sentence; `link` leads to all tables."""
    parts = []
    for section in report.sections:
        if section.id == MAIN:
            table = _narrow(section.tables[0])
            parts += [f"{table.title}:", _table(table), f"{table.note} {section.summary}".strip()]
        elif section.summary:
            parts.append(f"**{section.title}** {section.summary}")
    ending = f"{report.title}: [every table]({link})."
    return "\n\n".join([*parts, ending])


def _table(table: Table, intervals: bool = True) -> str:
    shown = [[_cell(cell, intervals) for cell in row] for row in table.rows]
    lines = [table.columns, ["---", *["---:"] * (len(table.columns) - 1)], *shown]
    return "\n".join(_line(line) for line in lines)


def _line(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _cell(cell: Cell, intervals: bool) -> str:
    text = cell.full if intervals else cell.text
    return f"**{text}**" if cell.best else text
