"""The report that the Results tab shows: read once, and checked before any of it is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from softcot.support.errors import UserError

SCHEMA = "softcot-report-1"
REPORT = Path(__file__).resolve().parents[2] / "assets" / "report" / "report.json"

_NUMBER = int | float | None
_CELL = {
    "text": str,
    "value": _NUMBER,
    "low": _NUMBER,
    "high": _NUMBER,
    "best": bool,
    "command": str,
    "source": str,
}
_TABLE = {"title": str, "columns": [str], "rows": [[_CELL]], "note": str}
_FIGURE = {"title": str, "alt": str, "plotly": {"data": [dict], "layout": dict}}
_SECTION = {"id": str, "title": str, "text": str, "tables": [_TABLE], "figures": [_FIGURE]}
_REPORT = {"schema": str, "title": str, "note": str, "sections": [_SECTION]}


def read_report(path: str | Path) -> dict[str, Any]:
    """The report in a file.

    Raises:
        UserError: There is no such file, or no report of this schema in it. The sentence is for
            the page and so says nothing of the machine's folders.
    """
    name = Path(path).name
    try:
        report = json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_refuse)
    except FileNotFoundError as error:
        raise UserError(
            f"There are no results to show yet; `python -m softcot report` makes {name} from the "
            "records."
        ) from error
    except (OSError, ValueError) as error:
        raise UserError(
            f"{name} cannot be read as JSON; make it again with `python -m softcot report`."
        ) from error
    schema = report.get("schema") if isinstance(report, dict) else None
    if schema != SCHEMA or not _fits(report, _REPORT):
        raise UserError(
            f"{name} is not what this page reads, a report of the schema {SCHEMA}; make it again "
            "with `python -m softcot report`."
        )
    return report


def _fits(value: Any, shape: Any) -> bool:
    """Whether a value has a shape: a type, a list of one shape, or a dict of named ones."""
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(
            name in value and _fits(value[name], part) for name, part in shape.items()
        )
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(part, shape[0]) for part in value)
    return isinstance(value, shape)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON, though Python writes it.")
