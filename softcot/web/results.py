"""The report that the Results tab shows: read once, and checked before any of it is shown."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from softcot.report.main import ALONE
from softcot.report.parts import SCHEMA, Report
from softcot.support.errors import UserError
from softcot.support.reading import read_object, reason
from softcot.support.schema import from_json

REPORT = Path(__file__).resolve().parents[2] / "assets" / "report" / "report.json"


def read_report(path: str | Path) -> dict[str, Any]:
    """The report in a file.

    Raises:
        UserError: There is no such file, or no report of this schema in it. The sentence is for
            the page and so says nothing of the machine's folders.
    """
    name = Path(path).name
    try:
        report = read_object(path)
    except FileNotFoundError as error:
        raise UserError(
            f"There are no results to show yet; `python -m softcot report` makes {name} from the "
            "records."
        ) from error
    except (OSError, ValueError) as error:
        raise UserError(
            f"{name} cannot be read as JSON ({reason(error)}); make it again with "
            "`python -m softcot report`."
        ) from error
    try:
        if report["schema"] != SCHEMA:
            raise ValueError("it is of another schema")
        report.setdefault("conclusions", [])
        from_json(Report, json.dumps(report))
    except (LookupError, TypeError, ValueError) as error:
        raise UserError(
            f"{name} is not what this page reads, a report of the schema {SCHEMA}; make it again "
            "with `python -m softcot report`."
        ) from error
    return report


@cache
def only_soft() -> dict[str, float]:
    """Task -> share of its random problems that SoftCoT answers rightly and hard CoT does not.

    It is what the shipped report says; empty where there is none.
    """
    try:
        report = read_report(REPORT)
    except UserError:
        return {}
    tables = [table for section in report["sections"] for table in section["tables"]]
    return {
        task: cell["value"] / 100
        for table in tables
        if table["title"] == ALONE
        for task, cell in zip(table["columns"][1:], table["rows"][0][1:], strict=True)
        if cell["value"] is not None
    }
