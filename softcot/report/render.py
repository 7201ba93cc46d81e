"""A report as Markdown: whole, or the block of short tables in the README."""

from __future__ import annotations

from collections.abc import Iterable

from softcot.report.parts import Cell, Report, Table
from softcot.support.errors import UserError

START, END = "<!-- results:start -->", "<!-- results:end -->"

WITH_INTERVALS = ("main", "forgetting", "regime")
"""Sections whose short tables have room for them."""


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


def readme_block(report: Report, link: str) -> str:
    """The short tables; `link` leads to the whole report."""
    parts = []
    for section in report.sections:
        for table in section.tables:
            if table.brief:
                shown = _table(table, intervals=section.id in WITH_INTERVALS)
                parts += [f"{table.title}:", shown, table.note]
    parts.append(f"{report.note} Everything, with figures and intervals: [{link}]({link}).")
    return "\n\n".join(part for part in parts if part)


def inserted(text: str, block: str) -> str:
    """`text` with `block` between its two markers.

    Raises:
        UserError: The markers are not there, once each and in order.
    """
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end) or START in rest or END in after:
        raise UserError(f"The README needs the lines {START} and {END}, once each and in order.")
    return f"{before}{start}\n{block}\n{end}{after}"


def _table(table: Table, intervals: bool = True) -> str:
    shown = [[_cell(cell, intervals) for cell in row] for row in table.rows]
    lines = [table.columns, ["---", *["---:"] * (len(table.columns) - 1)], *shown]
    return "\n".join(_line(line) for line in lines)


def _line(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _cell(cell: Cell, intervals: bool) -> str:
    text = cell.full if intervals else cell.text
    return f"**{text}**" if cell.best else text
