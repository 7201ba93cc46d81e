"""A report to HTML. Its texts are data like any other and are escaped here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from softcot.support.files import json_text

Part = Mapping[str, Any]
"""A report or a part of one, as `softcot.web.results` checked it."""

HINT = (
    "Point at a number or tap it for the command that makes it again; arrow keys move from number "
    "to number. The head of a column sorts by it."
)

COMMAND = (
    '<div class="command" popover="manual" role="group" aria-label="Command behind this number">'
    '<code></code><button type="button" class="copy" aria-live="polite">Copy</button></div>'
)
"""The one popover that all numbers share."""


def results(report: Part) -> str:
    """The whole tab: title, note, list of sections, sections."""
    sections = report["sections"]
    links = "".join(
        f'<li><a href="?tab=results#{_anchor(section)}">{escape(section["title"])}</a></li>'
        for section in sections
    )
    return (
        '<div class="results"><header class="section-title">'
        f"<h2>{escape(report['title'])}</h2><p>{escape(report['note'])}</p>"
        f'<p class="hint">{HINT}</p></header>'
        f'<nav class="contents" aria-label="Results"><ol>{links}</ol></nav>'
        f'<div class="sections">{"".join(map(_section, sections))}</div>{COMMAND}</div>'
    )


def _section(section: Part) -> str:
    anchor = _anchor(section)
    return (
        f'<section class="sheet" id="{anchor}" aria-labelledby="{anchor}-title">'
        f'<h2 id="{anchor}-title">{escape(section["title"])}</h2><p>{escape(section["text"])}</p>'
        f"{''.join(map(_figure, section['figures']))}{''.join(map(_table, section['tables']))}"
        "</section>"
    )


def _anchor(section: Part) -> str:
    return escape(f"results-{section['id']}")


def _figure(figure: Part) -> str:
    """A place for a figure, which the page's script draws when a reader comes near."""
    return (
        f'<figure class="chart"><figcaption>{escape(figure["title"])}</figcaption>'
        f'<div class="plot" role="img" aria-label="{escape(figure["alt"])}" '
        f'data-figure="{escape(json_text(figure["plotly"]))}"></div></figure>'
    )


def _table(table: Part) -> str:
    title, columns = escape(table["title"]), table["columns"]
    paper = any(cell["source"] == "paper" for row in table["rows"] for cell in row)
    badge = '<span class="badge">Paper</span>' if paper else ""
    heads = "".join(
        f'<th scope="col"><button type="button" class="sort">{_breaking(column)}</button></th>'
        for column in columns
    )
    rows = "".join(_row(row, len(columns)) for row in table["rows"])
    note = f'<p class="note">{escape(table["note"])}</p>' if table["note"] else ""
    return (
        f'<div class="result{" from-paper" * paper}"><div class="scroll"><table>'
        f"<caption><span>{title}{badge}</span></caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>{note}</div>"
    )


def _row(cells: Sequence[Part], width: int) -> str:
    """A label and its numbers; cells that are missing at the end stay empty."""
    label = _breaking(cells[0]["text"]) if cells else ""
    empty = "<td></td>" * (width - max(len(cells), 1))
    shown = "".join(map(_cell, cells[1:width]))
    return f'<tr><th scope="row">{label}</th>{shown}{empty}</tr>'


def _cell(cell: Part) -> str:
    value, text = "", escape(cell["text"])
    if cell["value"] is not None:
        value, text = f' data-value="{cell["value"]}"', _minus(text)
    kind = ' class="paper"' if cell["source"] == "paper" else ""
    shown = (f"<b>{text}</b>" if cell["best"] else text) + _interval(cell)
    if cell["command"]:
        command = escape(cell["command"])
        shown = f'<button type="button" class="value" data-command="{command}">{shown}</button>'
    return f"<td{value}{kind}>{shown}</td>"


def _interval(cell: Part) -> str:
    """The bounds with the decimals and the signs of the number between them."""
    low, high, text = cell["low"], cell["high"], cell["text"]
    if low is None or high is None:
        return ""
    signed = text.startswith(("+", "-")) or low < 0
    decimals = re.search(r"\.(\d+)", text)
    spec = f"{'+' * signed}z,.{len(decimals[1]) if decimals else 0}f"
    between = " to " if signed else "–"
    return f"<small>{_minus(f'{low:{spec}}{between}{high:{spec}}')}</small>"


def _breaking(words: str) -> str:
    """Text that a browser breaks between words only, where it would break at hyphens too."""
    return escape(words).replace(" ", " <wbr/>")


def _minus(number: str) -> str:
    return number.replace("-", "−")
