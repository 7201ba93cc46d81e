"""Machines for users, from a measurement of one."""

import pytest

from softcot.bench import sizing
from softcot.support.errors import UserError


def record(waits: dict[int, float]) -> dict:
    sides = {
        f"together, {visitors}": {
            "answers": 128,
            "median": 128 / (visitors * 1.0),
            "first_words": {"median": wait / 2, "most": wait},
        }
        for visitors, wait in waits.items()
    }
    settings = {"pair": "mini", "threads": 2, "quick": False}
    return {"sides": sides | {"one by one, 1": {}}, "device": "CPU", "settings": settings}


def test_a_machine_counts_for_what_it_gives_while_nobody_waits_too_long():
    assert sizing.answers_a_second(record({1: 0.1, 8: 2.9, 32: 3.1})) == (8.0, 8)
    rows = sizing.table(record({1: 0.1, 8: 2.9})).splitlines()
    assert rows[2:5] == ["| 10 | 0.7 | 1 |", "| 100 | 6.7 | 1 |", "| 1,000 | 66.7 | 9 |"]


def test_a_machine_that_is_too_slow_for_one_is_no_measure():
    with pytest.raises(UserError, match="waited too long"):
        sizing.table(record({1: 4.0}))


def test_the_table_is_written_between_the_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- sizing:start -->\n<!-- sizing:end -->\n")
    sizing.write_page(record({1: 0.1}), page)
    assert "| 10 | 0.7 | 1 |" in page.read_text()
