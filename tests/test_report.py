"""The README's tables: every figure from a record, and no record that does not belong."""

from dataclasses import replace

import pytest

from softcot.errors import UserError
from softcot.evaluation import SCHEMA, Record, Row, figures, write_record
from softcot.presets import DEFAULT_HINT_TOKENS, DEFAULT_THOUGHTS
from softcot.report import END, START, inserted, load_records, render, update_readme


def build_record(correct, method="softcot", **changes):
    """A record over ten problems of which the first `correct` were solved."""
    rows = [
        Row(f"{i:016x}", 41, str(i), str(i if i < correct else -1), i < correct, 20)
        for i in range(10)
    ]
    soft = method == "softcot"
    subset = {"n": 5, **figures(rows[:5], 1)}
    fields = {
        "schema": SCHEMA,
        "command": "python -m softcot evaluate",
        "created": "2026-01-01",
        "pair": "mini",
        "fingerprints": {
            "base": "b",
            "assistant": "a" if soft else None,
            "trained": "p" if soft else None,
        },
        "task": "mini-gsm",
        "split": "test",
        "method": method,
        "control": "none",
        "thoughts": DEFAULT_THOUGHTS if soft else 0,
        "sampling": {"temperature": 0.0, "top_p": 1.0, "top_k": 0, "max_new_tokens": 160},
        "seeds": [41],
        "n": 10,
        **figures(rows, 1),
        "seconds": 1.0,
        "subsets": {"read": subset, "unread": subset},
        "versions": {"python": "3", "torch": "2", "transformers": "5", "softcot": "0"},
        "commit": "c",
        "dirty": False,
        "device": "cpu",
        "rows": rows,
    }
    return Record(**fields | changes)


def table_of(*records):
    return render(
        {
            (record.task, record.method, record.control, record.thoughts): record
            for record in records
        }
    )


def test_main_table_shows_accuracy_gain_and_controls():
    hard, soft = build_record(5, "zero-shot-cot"), build_record(9)
    text = table_of(hard, soft, build_record(4, control="swap"))
    main, controls, *_ = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| `mini-gsm` | 50.0 (")
    )
    assert len(main) == 4 and main[2].startswith("90.0 (")
    assert main[3].startswith("+40.0 (+10.0 to +70.0)")
    assert controls[2].startswith("90.0 (")
    assert controls[3:] == ["40.0", "–", "–", "–", "–", "–"]
    assert "10 problems a record" in text
    assert "not committed" not in text


def test_every_method_with_records_has_its_column():
    text = table_of(
        build_record(5, "zero-shot-cot"),
        build_record(6, "assist-cot", thoughts=DEFAULT_HINT_TOKENS),
        build_record(9),
    )
    assert "| Task | Zero-shot CoT | Assist-CoT | SoftCoT |" in text
    assert "own thoughts" not in text, "no control was evaluated"


def test_averages_are_over_tasks_that_have_every_record():
    records = [
        build_record(correct, method, task=task)
        for task, correct in (("mini-gsm", 6), ("mini-asdiv", 8), ("mini-dates", 1))
        for method in ("zero-shot-cot", "softcot")
    ]
    lines = table_of(*records).splitlines()
    assert any(line.startswith("| Average of the 2 trained | 70.0 | 70.0 | +0.0") for line in lines)
    assert any(line.startswith("| Average of all 3 | 50.0 | 50.0 | +0.0") for line in lines)
    lines = table_of(*records[:-1]).splitlines()
    assert any(line.startswith("| Average of all 3 | 50.0 | – | –") for line in lines)


def test_k_table_appears_with_a_second_k():
    assert "against K" not in table_of(build_record(9))
    text = table_of(build_record(9), build_record(7, thoughts=2), build_record(1, task="mini-aqua"))
    assert f"| Task | 2 | {DEFAULT_THOUGHTS} |" in text
    assert "| `mini-gsm` | 70.0 | 90.0 |" in text
    assert "| `mini-aqua` | – | 10.0 |" in text


def test_reading_table_shows_both_subsets():
    text = table_of(build_record(5, "zero-shot-cot"), build_record(9))
    assert "| `mini-gsm` | 5 | 100.0 | 100.0 | 5 | 100.0 | 100.0 |" in text


def test_uncommitted_code_is_said():
    assert "1 records come from code that was not committed" in table_of(
        build_record(9, dirty=True)
    )


def test_readme_is_rewritten_between_its_markers(tmp_path):
    write_record(build_record(9), tmp_path / "soft.json")
    write_record(build_record(3, split="validation"), tmp_path / "other.json")
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{START}\nstale\n{END}\nafter\n")
    update_readme(tmp_path, readme)
    text = readme.read_text()
    assert text.startswith(f"before\n{START}\nAccuracy") and text.endswith(f"\n{END}\nafter\n")
    assert "90.0 (" in text and "stale" not in text and "30.0" not in text
    update_readme(tmp_path, readme)
    assert readme.read_text() == text


@pytest.mark.parametrize(
    "text", ["", START, END + START, f"{START}{START}{END}", f"{START}{END}{END}"]
)
def test_readme_without_its_markers_is_refused(text):
    with pytest.raises(UserError, match="once each and in order"):
        inserted(text, "block")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (build_record(8), "are of the same thing"),
        (build_record(8, "zero-shot-cot", fingerprints={"base": "x"}), "different models .base"),
        (
            build_record(8, thoughts=1, fingerprints={"base": "b", "trained": "x"}),
            "different models .trained",
        ),
    ],
)
def test_records_that_cannot_be_compared_are_refused(tmp_path, other, message):
    write_record(build_record(9), tmp_path / "a.json")
    write_record(other, tmp_path / "b.json")
    with pytest.raises(UserError, match=message):
        load_records(tmp_path)


def test_projections_of_two_tasks_may_differ(tmp_path):
    write_record(build_record(9), tmp_path / "a.json")
    other = build_record(8, task="mini-aqua", fingerprints={"base": "b", "trained": "x"})
    write_record(other, tmp_path / "b.json")
    assert len(load_records(tmp_path)) == 2


def test_no_records_and_unequal_problems_are_refused(tmp_path):
    with pytest.raises(UserError, match="no record in"):
        load_records(tmp_path)
    soft = build_record(9)
    moved = replace(soft, rows=[replace(row, id="f" * 16) for row in soft.rows])
    with pytest.raises(UserError, match="not over the same problems"):
        table_of(build_record(5, "zero-shot-cot"), moved)
