"""How many machines a number of users needs, from what `bench serve` measured on one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from softcot.support.errors import UserError
from softcot.support.files import with_block, write_text
from softcot.support.text import counted

TABLE = "sizing"
"""Name of the block that a page has the table in."""

USERS = (10, 100, 1000)

PRESSES = 1.0
"""On Run, by each user, a minute."""

ANSWERS = 2
"""That a press asks for: hard CoT's and SoftCoT's."""

BUSIEST = 2.0
"""Times the usual load, in the busiest hour."""

PATIENCE = 3.0
"""Seconds that nobody shall wait for the first words."""


def answers_a_second(record: Mapping[str, Any]) -> tuple[float, int]:
    """What the machine gives while everybody reads first words soon enough, and to how many.

    Raises:
        UserError: Even a single visitor waited longer.
    """
    found = []
    for name, side in record["sides"].items():
        way, _, visitors = name.partition(", ")
        if way == "together" and side["first_words"]["most"] <= PATIENCE:
            found.append((side["answers"] / side["median"], int(visitors)))
    if not found:
        raise UserError("In this record of `bench serve` everybody waited too long to size by it.")
    return max(found)


def table(record: Mapping[str, Any]) -> str:
    """Users, the answers a second that they want, and machines like the measured one."""
    rate, visitors = answers_a_second(record)
    rows = ["| Users | Answers a second | Machines like this |", "| ---: | ---: | ---: |"]
    for users in USERS:
        wanted = users * PRESSES / 60 * ANSWERS * BUSIEST
        rows.append(f"| {users:,} | {wanted:.1f} | {math.ceil(wanted / rate):,} |")
    settings = record["settings"]
    threads = counted(settings["threads"], "thread")
    told = (
        f"Pair {settings['pair']}, {record['device']}, {threads}: {rate:.1f} answers a second to "
        f"{visitors} visitors at once, with first words within {PATIENCE:g} s. Every user presses "
        f"Run {PRESSES:g} time a minute, which asks for {ANSWERS} answers; the busiest hour has "
        f"{BUSIEST:g} times that."
    )
    return "\n".join([*rows, "", told + " QUICK" * settings["quick"]])


def write_page(record: Mapping[str, Any], page: str | Path) -> None:
    """Put the table between a page's two markers.

    Raises:
        UserError: The page cannot be read, or lacks the markers.
    """
    write_text(page, with_block(page, TABLE, table(record)))
