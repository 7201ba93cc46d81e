"""A measurement on disk, and the table of all of them in a page."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from softcot.support.errors import UserError
from softcot.support.files import with_block, write_json, write_text
from softcot.support.reading import read_object, reason
from softcot.support.text import counted

SCHEMA = "softcot-speed-1"
TABLE = "speed"
"""Name of the block that a page has the table in."""
NAMES = ("train", "evaluate", "compare", "startup")
"""What `bench all` measures, in the order of the table."""
SINGLE = ("serve",)
"""What takes too long to be part of that: it is measured by its name."""
REAL = ("reading", "columns", "exact", "rounding", "llama", "kernels", "vllm")
"""What is measured of a real pair, one by one; in the table it comes after the others."""
ELSEWHERE = ("soak.json",)
"""Records of the same folder that have a form, and a page, of their own."""

BUSY = 1.0
"""Load average from which a machine was doing something else, too, and figures are rough."""

HEADER = ["| What | Measured | Goal |", "| --- | ---: | ---: |"]


def save(record: dict[str, Any], path: str | Path) -> None:
    """Write a record."""
    write_json(path, record)


def load(path: str | Path) -> dict[str, Any]:
    """Read a record.

    Raises:
        UserError: There is none, or it is damaged or of another kind.
    """
    try:
        record = read_object(path)
        if record["schema"] != SCHEMA or record["name"] not in (*NAMES, *SINGLE, *REAL):
            raise ValueError("it is of another kind")
        for one in record["ratios"]:
            _row(one)
        str(record["commit"]), bool(record["dirty"]), record["settings"]["rounds"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"The measurement in {path} cannot be used ({reason(error)}); make it again with "
            "`python -m softcot bench`."
        ) from error
    return record


def load_all(folder: str | Path) -> list[dict[str, Any]]:
    """The records of a folder, in the order of `NAMES`.

    Raises:
        UserError: There is none, or one cannot be used.
    """
    paths = [path for path in sorted(Path(folder).glob("*.json")) if path.name not in ELSEWHERE]
    found = [load(path) for path in paths]
    if not found:
        raise UserError(
            f"There is no measurement in {folder}; make them with `python -m softcot bench all`."
        )
    return sorted(found, key=lambda record: (*NAMES, *SINGLE, *REAL).index(record["name"]))


def table(records: Iterable[dict[str, Any]]) -> str:
    """The ratios of some records as a Markdown table, with what they were measured on."""
    records = list(records)
    if not records:
        return "Not measured yet."
    rows = [_row(one) for record in records for one in record["ratios"]]
    return "\n".join([*HEADER, *rows, "", " ".join(_notes(records))])


def details(record: dict[str, Any]) -> str:
    """What each side of a record took, a line each, and how near the machine's ceiling it came."""
    limits = record["ceiling"]
    lines = [
        f"{record['name']}: ceiling {limits['flops'] / 1e9:,.1f} GFLOP/s, "
        f"{limits['bytes'] / 1e9:,.1f} GB/s"
    ]
    for name, side in record["sides"].items():
        line = f"  {name:12} {side['median']:9.3f} s"
        if side["flops"]:
            line += (
                f"  {side['flops'] / 1e9:11,.1f} GFLOP ({side['share_of_ceiling']:.0%} of ceiling)"
                f"  {side['bytes'] / 1e9:9,.2f} GB of weights read"
            )
        if "tokens" in side:
            line += f"  {side['tokens'] / side['median']:,.0f} tokens/s"
        if "peak_bytes" in side:
            line += f"  {side['peak_bytes'] / 1e6:,.0f} MB at most"
        lines.append(line)
        lines += [
            f"    {one['problems']:7,} problems {one['seconds']:9.1f} s  "
            f"{one['peak_bytes'] / 1e6:,.0f} MB more"
            for one in side.get("scale", [])
        ]
    return "\n".join(lines)


def write_page(records: Iterable[dict[str, Any]], page: str | Path) -> None:
    """Put the table between a page's two markers.

    Raises:
        UserError: The page cannot be read, or lacks the markers.
    """
    write_text(page, with_block(page, TABLE, table(records)))


def _row(one: dict[str, Any]) -> str:
    bound = "at least" if one["better"] == "more" else "at most"
    goal = "none" if one["goal"] is None else f"{bound} {one['goal']:g}"
    value = one["value"]  # what was counted is a whole number
    return f"| {one['what']} | {value if isinstance(value, int) else f'{value:.2f}'} | {goal} |"


def _notes(records: list[dict[str, Any]]) -> list[str]:
    """How the figures were made, a sentence for each way."""
    found = []
    for record in records:
        settings = record["settings"]
        how = (
            f"pair {settings['pair']}, {record['device']}, "
            f"{counted(settings['threads'], 'thread')}, torch {record['versions']['torch']}, "
            f"{settings['rounds']} rounds in turns, {record['created']}"
        )
        load = settings.get("load", 0.0)  # older records do not say
        how += f", beside other work (load {load:.0f})" if load >= BUSY else ""
        how += ", QUICK" * settings["quick"] + ", code that was not committed" * record["dirty"]
        found.append(how)
    groups = {
        how: [r["name"] for r, h in zip(records, found, strict=True) if h == how]
        for how in dict.fromkeys(found)
    }
    return [f"{', '.join(names)}: {how}." for how, names in groups.items()]
