"""The record of a soak: what was asked and measured, what is checked of it, and how it reads."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from softcot.bench.soak.fairness import Waits
from softcot.bench.soak.load import Found
from softcot.bench.soak.tally import percentiles
from softcot.support.errors import UserError
from softcot.support.files import with_block, write_text
from softcot.support.reading import read_object, reason

SCHEMA = "softcot-soak-2"
TABLE = "soak"
"""Name of the block that a page has the tables in."""

WHOLE = 600.0
"""Seconds of a run that is no longer called short."""

GROWTH = 1.05
"""Memory of the last tenth against the third, at most."""

SLOWER = 1.25
"""Time of a single request after the load against before it, at most."""

SOON = 2.0
"""Seconds until a newcomer's first words beside long work, at most."""


def side(found: Found) -> dict[str, Any]:
    """One target, for the record."""
    tally = found.tally
    return {
        "kinds": {name: kind.to_json() for name, kind in sorted(tally.kinds.items())},
        "distinct": found.distinct,
        "queued": tally.queued,
        "memory": found.memory,
        "before": asdict(found.before),
        "after": asdict(found.after),
        "told": tally.told,
    }


def fair(waits: Waits) -> dict[str, Any]:
    """The newcomers, for the record."""
    spread = {"alone": percentiles(waits.alone), "beside": percentiles(waits.beside)}
    return {"alone_seconds": waits.alone, "beside_seconds": waits.beside, **spread}


def checks(found: Mapping[str, Found], waits: Waits | None) -> list[dict[str, Any]]:
    """What has to hold, in the form of the other benchmarks' ratios."""
    told = [row for name, one in found.items() for row in _checks(name, one)]
    if waits is not None:
        what = "app: a newcomer's longest wait for first words beside long work, seconds"
        told.append(_check(what, max(waits.beside), SOON))
    return told


def _checks(name: str, found: Found) -> Iterator[dict[str, Any]]:
    tally = found.tally
    yield _check(f"{name}: requests that failed", tally.count("failed"), 0)
    yield _check(f"{name}: answers unlike those of the same request alone", tally.wrong, 0)
    yield _check(f"{name}: kinds of requests without any answer", len(tally.unanswered), 0)
    if found.growth is not None:
        what = f"{name}: memory in the last tenth of the time against the third"
        yield _check(what, found.growth, GROWTH)
    what = f"{name}: time of a single request after the load against before, at the machine's pace"
    yield _check(what, found.slower, SLOWER)
    what = f"{name}: that pace, as seconds of a fixed computation after the load against before"
    yield _check(what, found.paced, None)
    what = f"{name}: the first request after it, against the median before, in plain seconds"
    yield _check(what, found.first, None)  # a single time on a machine that others use


def _check(what: str, value: float, goal: float | None) -> dict[str, Any]:
    return {"what": what, "value": value, "goal": goal, "better": "less"}


def failures(record: Mapping[str, Any]) -> list[str]:
    """The checks of a record that do not hold, and what went wrong, a sentence each."""
    found = [
        f"{one['what']}: {one['value']:.3g}, at most {one['goal']:g}"
        for one in record["ratios"]
        if one["goal"] is not None and not one["value"] <= one["goal"]
    ]
    return found + [said for one in record["sides"].values() for said in one["told"]]


def load(path: str | Path) -> dict[str, Any]:
    """Read a record.

    Raises:
        UserError: There is none, or it is damaged or of another kind.
    """
    try:
        record = read_object(path)
        if record["schema"] != SCHEMA:
            raise ValueError("it is of another kind")
        tables(record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"The record in {path} cannot be used ({reason(error)}); make it again with "
            "`python -m softcot soak`."
        ) from error
    return record


def tables(record: Mapping[str, Any]) -> str:
    """What was checked, how often each request was made, and how long it took, as Markdown."""
    lines = ["| Checked | Measured | Goal |", "| --- | ---: | ---: |"]
    lines += map(_checked, record["ratios"])
    lines += [
        "",
        "| Asked | Answered | Busy | Hung up | First words, s: p50 / p90 / p99 / max "
        "| Whole answer, s: p50 / p90 / p99 / max |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, one in record["sides"].items():
        lines += [_row(f"{name}: {kind}", of) for kind, of in one["kinds"].items()]
    return "\n".join([*lines, "", _note(record)])


def _checked(one: Mapping[str, Any]) -> str:
    goal = "none" if one["goal"] is None else f"at most {one['goal']:g}"
    return f"| {one['what']} | {_number(one['value'])} | {goal} |"


def _row(what: str, kind: Mapping[str, Any]) -> str:
    spreads = (_spread(kind[name]) for name in ("first_words", "whole"))
    counts = (f"{kind[end]:,}" for end in ("answered", "busy", "left"))
    return f"| {' | '.join((what, *counts, *spreads))} |"


def _spread(found: Mapping[str, float] | None) -> str:
    return "none" if found is None else " / ".join(f"{one:.2f}" for one in found.values())


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.2f}"


def _note(record: Mapping[str, Any]) -> str:
    """How the figures were made."""
    settings = record["settings"]
    return (
        f"{settings['clients']} clients for {settings['seconds']:g} s, of whom "
        f"{settings['leaving']:.0%} of the times one hung up midway; pair {settings['pair']}, "
        f"{record['device']}, {settings['cores']} cores, load {settings['load']:.1f} before, torch "
        f"{record['versions']['torch']}, gradio {record['versions']['gradio']}, {record['created']}"
        + ", SHORT" * (settings["seconds"] < WHOLE)
        + ", code that was not committed" * record["dirty"]
        + "."
    )


def write_page(record: Mapping[str, Any], page: str | Path) -> None:
    """Put the tables between a page's two markers.

    Raises:
        UserError: The page cannot be read, or lacks the markers.
    """
    write_text(page, with_block(page, TABLE, tables(record)))
