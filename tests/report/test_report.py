"""The report: every figure is what its records say, and no record is lost or out of place."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic import build_record, record_of, sampled, weights_of

from softcot.cli.main import main
from softcot.data.families.reworded import by_hand
from softcot.evaluation.experiments import EXPERIMENTS, mini_tasks, plan
from softcot.evaluation.records import compare, figures, interval, write_record
from softcot.report import (
    build,
    files,
    load_records,
    load_trainings,
    page_block,
    paper,
    readme_block,
    real_block,
    write_report,
)
from softcot.report.cells import with_best
from softcot.report.parts import MISSING, Cell
from softcot.report.render import JUDGED, SUMMARY, TABLES
from softcot.report.sizes import OWN_WIDTH
from softcot.report.thoughts import knee
from softcot.support.deviations import DEVIATIONS, REAL_DEVIATIONS, REAL_PAIR, deviating
from softcot.support.errors import UserError
from softcot.support.files import markers, with_block
from softcot.support.presets import PRESETS, UNCONTRASTED

START, END = markers(TABLES)
README_START, README_END = markers(SUMMARY)
AVERAGE, ALL = "Average of the 2 trained", "Average of all 3"


def table_of(report, section, title):
    """The one table of a section whose title begins so."""
    [found] = [part for part in report.sections if part.id == section]
    [table] = [table for table in found.tables if table.title.startswith(title)]
    return table


def cell_of(table, row, column):
    [cells] = [cells for cells in table.rows if cells[0].text == row]
    return cells[table.columns.index(column)]


def figures_of(report):
    """Every cell that shows a figure of ours, or none where one could be."""
    tables = [table for section in report.sections for table in section.tables]
    cells = [cell for table in tables for row in table.rows for cell in row]
    return [cell for cell in cells if cell.value is not None and cell.source == "ours"]


def three_tasks():
    solved = {
        "zero-shot-cot": {"mini-gsm": 2, "mini-asdiv": 6, "mini-dates": 7},
        "softcot": {"mini-gsm": 9, "mini-asdiv": 8, "mini-dates": 1},
    }
    return [
        sampled(count, method, task)
        for method, counts in solved.items()
        for task, count in counts.items()
    ]


def test_main_table_has_accuracies_and_averages():
    table = table_of(build(three_tasks()), "main", "Accuracy in % of every")
    assert table.columns == ["Method", "mini-gsm", "mini-asdiv", "mini-dates", AVERAGE, ALL]
    assert [cell.text for cell in table.rows[0]][1:] == ["20.0", "60.0", "70.0", "40.0", "50.0"]
    assert [cell.text for cell in table.rows[1]][1:] == ["90.0", "80.0", "10.0", "85.0", "60.0"]
    assert [cell.best for cell in table.rows[1]][1:] == [True, True, False, True, True]
    cell = cell_of(table, "SoftCoT", "mini-gsm")
    record = sampled(9)
    assert [cell.low, cell.high] == pytest.approx([100 * bound for bound in record.interval])
    cell = cell_of(table, "SoftCoT", AVERAGE)
    both = np.concatenate([sampled(9).scores(), sampled(8).scores()], axis=1)
    assert [cell.low, cell.high] == pytest.approx([100 * bound for bound in interval(both)])


def test_comparisons_are_paired_over_all_tasks_of_a_column():
    report = build(three_tasks())
    gains = table_of(report, "main", "SoftCoT minus")
    shown = [cell.text for cell in gains.rows[0]]
    assert shown == ["Zero-shot CoT", "+70.0", "+20.0", "-60.0", "+45.0", "+10.0"]
    hard = [sampled(count, "zero-shot-cot").scores() for count in (2, 6)]
    found = compare(hard, [sampled(count).scores() for count in (9, 8)])
    cell = cell_of(gains, "Zero-shot CoT", AVERAGE)
    assert [cell.low, cell.high] == pytest.approx([100 * bound for bound in found.interval])
    chances = table_of(report, "main", "Probability")
    assert cell_of(chances, "Zero-shot CoT", AVERAGE).value == pytest.approx(found.p, abs=1e-4)
    assert cell_of(chances, "Zero-shot CoT", "mini-gsm").value < 0.05


def test_equal_figures_are_all_best_and_missing_ones_never():
    rows = [[Cell("a"), Cell("9.0", 9.01)], [Cell("b"), Cell("9.0", 9.04)], [Cell("c"), MISSING]]
    assert [row[1].best for row in with_best(rows)] == [True, True, False]


def test_cost_is_a_mean_over_tasks():
    few, many = sampled("++++++++??"), sampled(5, task="mini-aqua")
    many = replace(many, mean_new_tokens=30.0, mean_passes=42.0)
    lonely = sampled(5, "lora")
    table = table_of(build([few, many, lonely]), "main", "Cost")
    assert [cell.text for cell in table.rows[1]] == ["SoftCoT", "25.0", "31.5", "10.0"]
    assert [cell.text for cell in table.rows[0]] == ["LoRA", "–", "–", "–"]


def test_reading_table_shows_both_subsets():
    subsets = {
        name: {"n": n, "accuracy": accuracy, "interval": [0.0, 1.0]}
        for name, n, accuracy in (("read", 3, 1.0), ("unread", 7, 0.25))
    }
    report = build([sampled(5, subsets=subsets), sampled(4, "zero-shot-cot")])
    table = table_of(report, "main", "Accuracy in % by what")
    assert [cell.text for cell in table.rows[0]] == [
        "mini-gsm",
        "3",
        "–",
        "100.0",
        "7",
        "–",
        "25.0",
    ]


def controlled(own="++++++++--", other="++++-+-???", hard="++--------", task="mini-gsm"):
    return [
        build_record(hard, "zero-shot-cot", task=task),
        build_record(own, task=task, gold=-1.0),
        build_record(other, control="swap", task=task, gold=-3.5),
    ]


def test_controls_show_what_is_lost_flipped_and_less_likely():
    report = build(controlled())
    accuracy = table_of(report, "controls", "Accuracy")
    assert [(row[0].text, row[1].text) for row in accuracy.rows] == [
        ("Zero-shot CoT", "20.0"),
        ("SoftCoT", "80.0"),
        ("swap", "50.0"),
    ]
    lost = cell_of(table_of(report, "controls", "Share"), "swap", "mini-gsm")
    assert lost.text == "50", "3 of the 6 problems that were gained"
    flips = cell_of(table_of(report, "controls", "Problems"), "swap", "mini-gsm")
    assert flips.text == "50.0", "the 5th, 7th, 8th, 9th and 10th; wrong as before is no flip"
    flipped = np.array([[0, 0, 0, 0, 1, 0, 1, 1, 1, 1]], dtype=float)
    assert [flips.low, flips.high] == pytest.approx([100 * bound for bound in interval(flipped)])
    shift = cell_of(table_of(report, "controls", "Change"), "swap", "mini-gsm")
    assert (shift.text, shift.low, shift.high) == ("-2.50", -2.5, -2.5)


def test_a_gain_that_is_not_there_cannot_be_lost():
    records = controlled() + controlled("+++-------", "+---------", task="mini-dates")
    table = table_of(build(records), "controls", "Share")
    assert cell_of(table, "swap", "mini-dates") == MISSING
    # Of 7 problems gained over both tasks 5 are lost.
    assert cell_of(table, "swap", "Average of all 2").text == "71"


def test_controls_without_log_probabilities_or_own_thoughts_are_shown_too():
    records = [replace_gold(record) for record in controlled()]
    [section] = build(records).sections
    assert not any(table.title.startswith("Change") for table in section.tables)
    [section] = build(controlled()[2:]).sections
    assert [row[0].text for row in section.tables[0].rows] == ["swap"]
    assert len(section.tables) == 1


def replace_gold(record):
    return replace(record, rows=[replace(row, gold_logprob=None) for row in record.rows])


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ({1: 50.0, 2: 80.0, 3: 90.0, 4: 87.0, 5: 88.0}, 3),
        ({1: 50.0, 2: 90.0, 3: 86.9, 4: 90.0}, 4),
        ({1: 90.0, 2: 80.0}, None),
        ({5: 90.0, 1: 89.0}, 1),
        ({}, None),
    ],
)
def test_knee_is_where_nothing_later_falls_short(curve, expected):
    assert knee(curve) == expected


def test_thoughts_have_a_table_for_each_kind_and_name_the_knee():
    counts = {1: 50, 2: 96, 4: 98, 12: 97}
    soft = [build_record(right, k=k, n=100) for k, right in counts.items()]
    hard = build_record(60, "assist-cot", k=32, n=100)
    dates = build_record(10, task="mini-dates", n=100)
    report = build([*soft, hard, dates])
    table = table_of(report, "thoughts", "SoftCoT")
    assert table.columns == ["Task", "1", "2", "4", "12"]
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["mini-gsm", "50.0", "96.0", "98.0", "97.0"]
    ]
    assert table_of(report, "thoughts", "Assist-CoT").columns == ["Task", "32"]
    [section] = [part for part in report.sections if part.id == "thoughts"]
    assert "mini-gsm 2.0 at K ≥ 2" in section.text


def test_assistants_are_listed_by_width():
    records = [
        build_record(right, pair=pair)
        for pair, right in (("mini", 9), ("assistant-96", 8), ("assistant-64", 6))
    ]
    table = table_of(build(records), "assistant-size", "Accuracy")
    assert [(row[0].text.split()[-1], row[1].text) for row in table.rows[1:]] == [
        ("64", "60.0"),
        ("96", "80.0"),
        ("128", "90.0"),
    ]
    assert table.rows[0][1] == MISSING, "zero-shot CoT was not evaluated"


def test_own_width_is_that_of_the_shipped_assistant():
    folder = Path(__file__).parents[2] / "checkpoints" / "mini" / "assistant"
    assert json.loads((folder / "config.json").read_text())["hidden_size"] == OWN_WIDTH


def test_votes_are_counted_from_the_first_samples():
    # Two problems of ten samples: the first sample, the first five, all of them.
    soft = sampled("-++++" + "+++++" + "+++--" + "-----", n=2, seeds=[41], samples=10)
    hard = sampled("-" * 20, "zero-shot-cot", n=2, seeds=[41], samples=10)
    report = build([soft, hard])
    table = table_of(report, "self-consistency", "Accuracy")
    shown = {row[0].text: row[1].text for row in table.rows}
    assert [shown[f"SoftCoT, N = {n}"] for n in (1, 5, 10)] == ["50.0", "100.0", "50.0"]
    gains = table_of(report, "self-consistency", "What SoftCoT adds")
    assert [row[1].text for row in gains.rows] == ["+50.0", "+100.0", "+50.0"]


def forgotten():
    tasks = ("mini-gsm", "mini-asdiv", "mini-dates")
    base = [build_record(5, task=task, k=0) for task in tasks]
    solved = {"mini-gsm": (9, 3, 4), "mini-asdiv": (2, 8, 1)}
    tuned = [
        build_record(right, "lora", task=task, trained_on=learned)
        for learned, counts in solved.items()
        for task, right in zip(tasks, counts, strict=True)
    ]
    return base + tuned


def test_forgetting_is_the_change_against_the_untouched_base():
    report = build(forgotten())
    table = table_of(report, "forgetting", "Change")
    shown = {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}
    assert shown["LoRA, trained on mini-gsm"] == ["+40.0", "-20.0", "-10.0", "-15.0"]
    assert shown["LoRA, trained on mini-asdiv"] == ["-30.0", "+30.0", "-40.0", "-35.0"]
    summary = table_of(report, "forgetting", "Mean change")
    # On its own task (40 + 30) / 2, on others (-20 - 10 - 30 - 40) / 4.
    assert [cell.text for cell in summary.rows[0]] == ["LoRA", "+35.0", "-25.0"]


def test_forgetting_takes_no_problem_for_two():
    report = build(forgotten())
    cell = cell_of(table_of(report, "forgetting", "Mean change"), "LoRA", "Other tasks")
    scores = {n: build_record(n).scores() - build_record(5).scores() for n in (1, 2, 3, 4)}
    # mini-dates was met after both trainings: its two changes are one number a problem.
    sums = np.concatenate([scores[3], scores[2], scores[4] + scores[1]], axis=1)
    assert [cell.low, cell.high] == pytest.approx([75 * bound for bound in interval(sums)])


def test_a_mean_change_is_over_all_entries_or_missing():
    table = table_of(build(forgotten()[:-1]), "forgetting", "Mean change")
    assert table.rows[0][2] == MISSING
    assert table.rows[0][1].text == "+35.0"


def test_a_method_of_which_no_mean_change_is_known_has_no_row():
    records = [*forgotten(), build_record(5, "prompt-tuning", trained_on="mini-gsm")]
    summary = table_of(build(records), "forgetting", "Mean change")
    assert [row[0].text for row in summary.rows] == ["LoRA"]
    assert "Prompt tuning, trained on mini-gsm" in [
        row[0].text for row in table_of(build(records), "forgetting", "Change").rows
    ]


def test_softcot_is_forgetful_only_through_foreign_weights():
    records = [
        build_record(5, k=0),
        build_record(8),
        build_record(4, trained_on="mini-aqua"),
    ]
    table = table_of(build(records), "forgetting", "Change")
    shown = {row[0].text: row[1].text for row in table.rows}
    assert shown == {
        "SoftCoT, trained on mini-gsm": "+30.0",
        "SoftCoT, trained on mini-aqua": "-10.0",
    }


def test_regime_shows_gains_by_the_share_that_was_read():
    records = [
        build_record(right, method, control, pair=f"reading-{share}")
        for share, hard, soft, swap in ((30, 3, 8, 2), (100, 9, 9, 8))
        for method, control, right in (
            ("zero-shot-cot", "none", hard),
            ("softcot", "none", soft),
            ("softcot", "swap", swap),
        )
    ]
    table = table_of(build(records), "regime", "Gain")
    assert {row[0].text: row[1].text for row in table.rows} == {
        "30 %: SoftCoT": "+50.0",
        "100 %: SoftCoT": "+0.0",
        "30 %: SoftCoT, swap": "-10.0",
        "100 %: SoftCoT, swap": "-10.0",
    }


def test_k_of_the_training_stands_against_k_of_the_question():
    records = [
        build_record(right, k=k, pair=pair)
        for pair, rights in (("mini", {2: 7, 8: 8}), ("fixed-2", {2: 9, 8: 1}))
        for k, right in rights.items()
    ]
    [section] = [part for part in build(records).sections if part.id == "trained-k"]
    [table] = section.tables
    assert table.columns == ["Trained with", "1", "2", "4", "8", "12", "16"]
    shown = {row[0].text: [row[2].value, row[4].value] for row in table.rows}
    assert shown == {"K = 1 to 16, drawn": [70.0, 80.0], "K = 2": [90.0, 10.0]}
    assert "trained-k" not in [part.id for part in build(records[:2]).sections]


def test_every_deviation_stands_beside_what_it_differs_from():
    asked = {"mini": (6, 12), deviating("rate"): (4, 12), deviating("numbers"): (1, 12)}
    records = [build_record(right, k=k, pair=pair) for pair, (right, k) in asked.items()]
    records.append(build_record(5, control="swap", pair=deviating("rate")))
    table = table_of(build(records), "worth", "SoftCoT on mini-gsm where one thing")
    shown = {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}
    rate, numbers = DEVIATIONS["rate"], DEVIATIONS["numbers"]
    assert shown == {
        "As here": ["–", "12", "–", "60.0", "–", "–", "–"],
        rate.what: [f"`{rate.options}`", "12", "60.0", "40.0", "50.0", "-20.0", "-10.0"],
        # Its like, the same start in fp32, has no record here.
        numbers.what: [f"`{numbers.options}`", "12", "–", "10.0", "–", "–", "–"],
    }
    # Hard CoT has a column where it was asked.
    beside = build([*records, build_record(2, "zero-shot-cot")])
    table = table_of(beside, "worth", "SoftCoT on mini-gsm where one thing")
    assert [row[3].text for row in table.rows] == ["20.0"] * 3


def test_deviations_between_ready_made_models_have_a_table_of_their_own():
    asked = [
        (REAL_PAIR, 9, 8),
        (REAL_PAIR, 7, 4),
        (deviating("k", REAL_PAIR), 3, 4),
        (deviating("last", REAL_PAIR), 8, 8),
    ]
    records = [build_record(right, task="notes", k=k, pair=pair) for pair, right, k in asked]
    records.append(
        build_record(2, control="swap", task="notes", k=4, pair=deviating("k", REAL_PAIR))
    )
    built = build(records)
    table = table_of(built, "worth", f"SoftCoT on notes with {REAL_PAIR}")
    shown = {row[0].text: [cell.text for cell in row[2:]] for row in table.rows}
    assert shown == {
        "As here": ["8", "–", "90.0", "–", "–", "–"],
        REAL_DEVIATIONS["k"].what: ["4", "70.0", "30.0", "20.0", "-40.0", "+10.0"],
        REAL_DEVIATIONS["last"].what: ["8", "90.0", "80.0", "–", "-10.0", "–"],
    }
    # They are no further pairs of the tables on real models, nor records that belong nowhere.
    [real] = [part for part in built.sections if part.id == "real"]
    assert not [table for table in real.tables if deviating("k", REAL_PAIR) in table.title]
    assert "other" not in [part.id for part in built.sections]
    assert "worth" not in [part.id for part in build(records[:2]).sections]


def test_ways_to_sample_stand_side_by_side():
    records = [
        sampled(right, method, top_k=top_k)
        for top_k, rights in ((0, (6, 8)), (50, (7, 8)))
        for method, right in zip(("zero-shot-cot", "softcot"), rights, strict=True)
    ]
    table = table_of(build(records), "worth", "How a token is chosen")
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["T = 1", "60.0", "80.0", "+20.0"],
        ["T = 1, the 50 likeliest tokens alone", "70.0", "80.0", "+10.0"],
    ]


def test_methods_stand_against_prompts():
    told = [
        build_record(right, method, k=k, pair=pair)
        for pair, rights in (("mini", (5, 6, 9)), (deviating("slots"), (4, 2, 8)))
        for (method, k), right in zip(
            (("zero-shot-cot", 0), ("no-cot", 0), ("softcot", 16)), rights, strict=True
        )
    ]
    gains = table_of(build(told), "grid", "The same minus zero-shot CoT")
    assert gains.columns == ["Method", "`mini`", "`mini-paper`"]
    assert {row[0].text: [cell.value for cell in row[1:]] for row in gains.rows} == {
        "No CoT": [10.0, -20.0],
        "SoftCoT": [40.0, 40.0],
    }
    real = [
        build_record(
            right, method, task="strategyqa", pair="qwen2.5-1.5b", split="validation", prompts=name
        )
        for name, rights in (("chat", (5, 6)), ("chat-two", (7, 3)))
        for method, right in zip(("zero-shot-cot", "no-cot"), rights, strict=True)
    ]
    table = table_of(build(real), "grid", "Accuracy in % on strategyqa")
    assert {row[0].text: [cell.text for cell in row[1:]] for row in table.rows} == {
        "Zero-shot CoT": ["50.0", "–", "–", "70.0"],
        "No CoT": ["60.0", "–", "–", "30.0"],
    }


def test_every_experiment_has_its_section_and_its_every_figure_a_command():
    report = build([record_of(run, 1 + number % 3, n=4) for number, run in enumerate(plan("all"))])
    assert [section.id for section in report.sections] == list(EXPERIMENTS)
    assert report.title.startswith("QUICK")
    for cell in figures_of(report):
        assert cell.command.startswith(
            ("python -m softcot evaluate", "python -m softcot reproduce")
        )
    for section in report.sections:
        table = section.tables[0]
        for row in table.rows:
            for column, cell in zip(table.columns, row, strict=True):
                several = "Average" in column + row[0].text and cell.value is not None
                assert ("reproduce" in cell.command) == several, column


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_no_record_of_an_experiment_is_lost(experiment):
    for run in plan(experiment):
        record = record_of(run, 1, n=2)
        shown = figures_of(build([record]))
        assert any(cell.command == record.command for cell in shown), run


def real_record(task, method, control="none", correct=5, **changes):
    changes.setdefault("trained_on", weights_of(task, method, control) and task)
    return build_record(correct, method, control, task, pair=REAL_PAIR, **changes)


def test_no_record_of_a_pair_of_ready_made_models_is_lost():
    runs = plan("all", REAL_PAIR)
    records = [record_of(run, 1 + n % 3, n=4) for n, run in enumerate(runs)]
    priced = {run for run in plan("cost", REAL_PAIR) if run.protocol.k is not None}
    told = {run for name in ("whisper", "told") for run in plan(name, REAL_PAIR)}
    measured = {run for name in ("notes", "real", "curve") for run in plan(name, REAL_PAIR)}
    measured |= set(plan("assistants", REAL_PAIR))
    weighed = {run for run in plan("worth", REAL_PAIR) if run.pair != REAL_PAIR}
    sections = {"whisper": told, "cost": priced, "worth": weighed, "real": measured}
    for run, record in zip(runs, records, strict=True):
        report = build([record])
        expected = [name for name, asked in sections.items() if run in asked]
        assert [section.id for section in report.sections] == expected, run
        if not expected:  # what a deviation differs from, which stands beside it alone
            assert run in plan("worth", REAL_PAIR) and run.task == "notes"
            continue
        assert figures_of(report)[0].text == f"{100 * record.accuracy:.1f}"


def test_ready_made_models_are_judged_by_paired_differences():
    records = [
        real_record("strategyqa", "zero-shot-cot", correct="+" * 10 + "-" * 30, n=40),
        real_record("strategyqa", "softcot", correct="+" * 30 + "-" * 10, n=40),
        real_record("strategyqa", "softcot", "swap", correct="-+" * 20, n=40),
        real_record("notes", "softcot", correct=9, k=8),
        real_record("notes", "softcot", "swap", correct=1, k=8),
    ]
    report = build(records)
    gaps = table_of(report, "real", "SoftCoT with its own")
    assert {row[0].text: row[1].text for row in gaps.rows} == {
        "Zero-shot CoT": "+50.0",
        "SoftCoT, swap": "+25.0",
    }
    gaps = table_of(report, "real", "Each way minus zero-shot CoT")
    assert {row[0].text: row[1].text for row in gaps.rows} == {
        "SoftCoT": "+50.0",
        "SoftCoT, swap": "+25.0",
    }
    [gap] = table_of(report, "real", "A maker's own thoughts").rows
    assert (gap[0].text, gap[1].text) == ("SoftCoT minus swap", "+25.0")


def judged(hard, own, swap, mean, **rivals):
    """Records of strategyqa with so many of 40 right."""
    ways = {("zero-shot-cot", "none"): hard, ("softcot", "none"): own, ("softcot", "swap"): swap}
    ways |= {("softcot", "mean"): mean}
    ways |= {(name.replace("_", "-"), "none"): right for name, right in rivals.items()}
    return [
        real_record("strategyqa", method, control, correct=right, n=40)
        for (method, control), right in ways.items()
    ]


@pytest.mark.parametrize(
    ("solved", "against", "thinking"),
    [
        ((30, 10, 10, 11), "is below zero-shot CoT on strategyqa -50.0 (", "is a static prompt"),
        ((10, 30, 30, 29), "is above zero-shot CoT on strategyqa +50.0 (", "is a static prompt"),
        (
            (10, 30, 9, 10),
            "is above zero-shot CoT",
            "do better than another question's thoughts and average",
        ),
        (
            (30, 31, 10, 31),
            "cannot be told from zero-shot CoT on",
            "better than one of another",
        ),
    ],
)
def test_sentences_on_ready_made_models_follow_the_paired_intervals(solved, against, thinking):
    report = build(judged(*solved, prompt_tuning=2, lora=39))
    first, second = report.conclusions
    assert first.startswith(f"On {REAL_PAIR} SoftCoT {against}")
    assert thinking in second and ("static" in second) == ("static" in thinking)
    assert "prompt tuning is below zero-shot CoT on strategyqa" in second
    assert second.endswith("; LoRA is above zero-shot CoT on strategyqa.")
    assert report.sections[0].summary == f"{first} {second}"
    assert first in real_block(report, "there.md")


def test_assistants_of_one_base_are_compared_with_what_the_base_does_alone():
    solved = {
        (REAL_PAIR, "zero-shot-cot", "none"): 12,
        (REAL_PAIR, "softcot", "none"): 10,
        (REAL_PAIR, "self-thoughts", "none"): 12,
        (f"{REAL_PAIR}-large", "softcot", "none"): 36,
        (f"{REAL_PAIR}-large", "softcot", "swap"): 11,
    }
    records = []
    for (pair, method, control), right in solved.items():
        record = real_record("strategyqa", method, control, correct=right, n=40)
        parts = record.fingerprints | {"assistant": pair, "trained": f"{method} {pair}"}
        records.append(replace(record, pair=pair, fingerprints=parts))
    report = build(records)
    table = table_of(report, "assistants", "Accuracy in % of Qwen2.5-Coder-0.5B-Instruct")
    shown = {row[0].text: [cell.text for cell in row[1:4]] for row in table.rows}
    assert shown == {
        "strategyqa, SmolLM2-135M-Instruct": ["30.0", "25.0", "–"],
        "strategyqa, the base itself": ["30.0", "30.0", "–"],
        "strategyqa, Qwen2.5-Coder-1.5B-Instruct": ["30.0", "90.0", "27.5"],
    }
    assert cell_of(table, table.rows[2][0].text, "own minus swap").text == "+62.5"
    [said] = [section.summary for section in report.sections if section.id == "assistants"]
    assert "Instruct do better than those of SmolLM2-135M-Instruct on strategyqa +65.0 (" in said
    assert "Instruct do better than another question's on strategyqa +62.5 (" in said
    assert said in real_block(report, "there.md")
    assert "none do better" not in said  # two of them were not swapped
    # The base's own answers stand beside the other assistant's, but are judged once.
    other = next(t for t in report.sections[0].tables if t.title.endswith(f"{REAL_PAIR}-large"))
    assert [row[0].text for row in other.rows] == ["Zero-shot CoT", "SoftCoT", "SoftCoT, swap"]
    assert sum("SoftCoT is" in text or "SoftCoT cannot" in text for text in report.conclusions) == 1


def test_that_no_assistant_is_better_is_said_of_what_all_were_tried_on():
    ways = [("softcot", "none"), ("softcot", "swap"), ("self-thoughts", "none")]
    records = [real_record(t, *way) for t in ("gsm8k", "strategyqa") for way in ways]
    records.append(real_record("gsm8k", "self-thoughts", "swap"))
    [section] = [one for one in build(records).sections if one.id == "assistants"]
    assert section.summary.endswith(
        ", no assistant's thoughts do better than those of any other on gsm8k and strategyqa and "
        "none do better than another question's on gsm8k."
    )
    records = [one for one in records if (one.task, one.method) != ("gsm8k", "self-thoughts")]
    records.append(real_record("svamp", "self-thoughts"))
    [section] = [one for one in build(records).sections if one.id == "assistants"]
    assert "gsm8k" not in section.summary and "svamp" not in section.summary


def test_what_slots_cost_and_what_is_left_of_the_question_are_said():
    controls = {"none": -1.0, "swap": -1.5, "mean": -1.0, "zero": -9.0}
    records = [
        real_record("gsm8k", "softcot", control, correct="+-" * 20, n=40, gold=gold)
        for control, gold in controls.items()
    ]
    records.append(real_record("gsm8k", "zero-shot-cot", correct="+" * 40, n=40, gold=-11.0))
    first, second = build(records).conclusions
    assert "intervals; slots that hold nothing cost as such on gsm8k -50.0 (" in first
    assert second.endswith(
        "(of the nats that worked answers gained, swapping takes 0.5 of 10.0 on gsm8k)."
    )


def test_notes_that_people_wrote_get_through_or_not():
    asked = (("none", 30), ("swap", 2))
    records = [real_record("notes", "softcot", way, right, n=40, k=8) for way, right in asked]
    for task, own in (("svamp-noted", 3), ("strategyqa-noted", 30)):
        for way, right in (("none", own), ("swap", 3)):
            records.append(real_record(task, "softcot", way, right, n=40, k=4))
    [said] = [part.summary for part in build(records).sections if part.id == "real"]
    assert said.endswith(
        " Where people wrote the notes, they tell more of `strategyqa-noted` and no more of "
        "`svamp-noted` than swapped ones."
    )


@pytest.mark.parametrize(("own", "said"), [(9, "Thoughts do get"), (1, "Thoughts do not get")])
def test_whether_numbers_get_through_is_said(own, said):
    records = [
        real_record("notes", "softcot", control, correct=right, k=8)
        for control, right in (("none", own), ("swap", 1))
    ]
    [sentence] = build(records).conclusions
    assert sentence.startswith(said)
    assert sentence.endswith(f"names {own}0.0 % with own thoughts and 10.0 % with swapped ones.")


def test_what_an_answer_of_ready_made_models_takes_is_shown():
    work = {"prompt_tokens": 9.0, "heard_tokens": 5.0, "token_flops": 2e9, "first_flops": 3e9}
    records = [
        real_record("gsm8k", "softcot", correct="+++++++++?", work=work),
        real_record("gsm8k", "zero-shot-cot"),
    ]
    report = build(records)
    shown = {row[0].text: row[1].text for row in table_of(report, "real", "Arithmetic").rows}
    assert shown == {"SoftCoT": "43.0"}  # 3 + 20 * 2
    shown = {row[0].text: row[1].text for row in table_of(report, "real", "New tokens").rows}
    assert shown == {"Zero-shot CoT": "20.0", "SoftCoT": "20.0"}
    shown = {row[0].text: row[1].text for row in table_of(report, "real", "Answers in which").rows}
    assert shown == {"Zero-shot CoT": "0.0", "SoftCoT": "10.0"}


def written_training(folder, start, own, swapped):
    history = [
        {"step": 10 * n, "train_loss": None, "validation_loss": a, "swap_loss": b}
        for n, (a, b) in enumerate(zip(own, swapped, strict=True))
    ]
    content = {
        "pair": "p", "task": "t", "config": {"start": start}, "command": f"train {start}",
        "history": history,
    }  # fmt: skip
    (folder / f"{start}.json").write_text(json.dumps(content))


def test_losses_of_own_and_swapped_thoughts_stand_side_by_side(tmp_path):
    written_training(tmp_path, "plain", [2, 1], [2, 1])
    written_training(tmp_path, "answers", [2, 0.5, 0.25], [2, 3, 4])
    report = build(three_tasks(), load_trainings(tmp_path.glob("*.json")))
    table = table_of(report, "learning", "Validation loss of own and swapped thoughts: t, p")
    assert table.columns == [
        "Step", "answers, own", "answers, swapped", "plain, own", "plain, swapped",
    ]  # fmt: skip
    texts = [[cell.text for cell in row] for row in table.rows]
    assert texts[1] == ["10", "0.500", "3.000", "1.000", "1.000"]
    assert texts[2] == ["20", "0.250", "4.000", "–", "–"]
    assert table.rows[1][1].command == "train answers"
    (tmp_path / "broken.json").write_text('{"pair": "p"}')
    with pytest.raises(UserError, match="broken.json is no record of a training"):
        load_trainings(tmp_path.glob("*.json"))


def trained(folder, name, method, rate, losses, swapped=None, weights="w"):
    """A record of a training at K = 12 in two validations."""
    history = [
        {"step": 10 * n, "validation_loss": loss} | ({"swap_loss": swapped[n]} if swapped else {})
        for n, loss in enumerate(losses)
    ]
    content = {
        "pair": REAL_PAIR, "task": "gsm8k", "method": method, "command": f"train {name}",
        "config": {"start": "answers", "learning_rate": rate, "steps": 10, "batch_size": 16},
        "fingerprints": {"trained": weights}, "history": history,
    }  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps(content))


def test_every_setting_that_was_tried_is_shown_with_the_one_that_the_records_have(tmp_path):
    trained(tmp_path, "a", "softcot", 3e-3, [2, 0.5], [2, 0.75], "softcot gsm8k")
    trained(tmp_path, "b", "softcot", 1e-3, [2, 1], [2, 1.25])
    trained(tmp_path, "c", "lora", 1e-3, [0.25, 0.5])
    report = build([real_record("gsm8k", "softcot")], load_trainings(tmp_path.glob("*.json")))
    settings = table_of(report, "learning", "What was trained")
    assert [[cell.text for cell in row] for row in settings.rows] == [
        ["gsm8k, LoRA", "–", "0.001", "10", "16", "0.250", "0.500", "–", "no"],
        ["gsm8k, SoftCoT", "answers", "0.001", "10", "16", "1.000", "1.000", "1.250", "no"],
        ["gsm8k, SoftCoT", "answers", "0.003", "10", "16", "0.500", "0.500", "0.750", "yes"],
    ]
    losses = table_of(report, "learning", "Validation loss of own and swapped")
    assert losses.columns == [
        "Step", "0.001, own", "0.001, swapped", "0.003, own", "0.003, swapped",
    ]  # fmt: skip
    [ended] = table_of(report, "learning", "How far the trainings").rows
    assert [cell.text for cell in ended] == [
        f"{REAL_PAIR}: gsm8k, SoftCoT", "10", "0.500", "75.0",
    ]  # fmt: skip
    trained(tmp_path, "d", "self-thoughts", 1e-3, [2, 1], [2, 1])
    report = build([real_record("gsm8k", "softcot")], load_trainings(tmp_path.glob("*.json")))
    losses = table_of(report, "learning", "Validation loss of own and swapped")
    assert losses.columns[-1] == "Self-thoughts, 0.001, swapped"


def test_how_much_thoughts_depend_on_the_question_is_shown():
    seen = {"questions": 4, "cosine": 0.5, "effective_rank": 3.0, "varying": 0.25}
    record = replace(real_record("strategyqa", "softcot"), collapse=seen)
    [row] = table_of(build([record]), "real", "How much the vectors").rows
    assert [cell.text for cell in row[1:]] == ["4", "0.500", "3.0", "25.00"]


def reworded(hard, own, swap, n=10, hand=2):
    """Records of reworded problems, the first ones written by hand."""
    written = [problem.id for problem in by_hand()[:hand]]
    records = []
    for method, control, marks in (
        ("zero-shot-cot", "none", hard), ("softcot", "none", own), ("softcot", "swap", swap),
    ):  # fmt: skip
        record = build_record(marks, method, control, "mini-reworded", n=n)
        rows = [
            replace(row, id=written[number] if number < hand else row.id)
            for number, row in enumerate(record.rows)
        ]
        part = {"accuracy": 0.5, "interval": [0.25, 0.75]}
        subsets = {"read": {"n": 6, **part}, "unread": {"n": 4, **part}}
        records.append(replace(record, rows=rows, subsets=subsets))
    return records


def test_reworded_problems_stand_apart_by_who_wrote_them_and_who_can_read_them():
    report = build(reworded("+---------", "+-++++++--", "--+++-----"))
    accuracy = table_of(report, "reworded", "Problems in other words: accuracy")
    assert [[cell.text for cell in row] for row in accuracy.rows] == [
        ["Zero-shot CoT", "10.0", "0.0", "50.0", "50.0", "50.0"],
        ["SoftCoT", "70.0", "75.0", "50.0", "50.0", "50.0"],
        ["SoftCoT, swap", "30.0", "37.5", "0.0", "50.0", "50.0"],
    ]
    assert accuracy.columns[1:] == ["all", "by rules", "by hand", "readable", "not readable"]
    assert "all 10, by rules 8, by hand 2, readable 6, not readable 4." in accuracy.note
    assert all(cell.low is not None for row in accuracy.rows for cell in row[1:])
    gains = table_of(report, "reworded", "Problems in other words: what")
    assert [[cell.text for cell in row] for row in gains.rows] == [
        ["SoftCoT minus Zero-shot CoT", "+60.0", "+75.0", "+0.0"],
        ["SoftCoT minus SoftCoT, swap", "+40.0", "+37.5", "+50.0"],
    ]


@pytest.mark.parametrize(
    ("own", "said"),
    [("+" * 39 + "-", "do well"), ("+" * 10 + "-" * 30, "are read worse in part")],
)
def test_it_is_said_where_reworded_problems_are_answered_worse(own, said):
    usual = [
        build_record("+" * 38 + "--", name, task=task, n=40)
        for name in ("zero-shot-cot", "softcot")
        for task in ("mini-gsm", "mini-asdiv")
    ]
    other = reworded("+" * 38 + "--", own, "-" * 40, n=40)
    found = [text for text in build([*usual, *other]).conclusions if "no training had" in text]
    assert len(found) == 1 and f"had {said}: " in found[0]
    assert not [text for text in build(other).conclusions if "no training had" in text]


def test_records_of_fewer_problems_are_compared_over_those_that_both_have(tmp_path):
    records = [
        build_record("++++------" * 2, "softcot", k=0, n=20),
        build_record("+++++-----", "lora", trained_on="mini-aqua"),
        build_record("+++-------", "lora", trained_on="mini-asdiv"),
    ]
    for number, record in enumerate(records):
        write_record(record, tmp_path / f"{number}.json")
    report = build(load_records(tmp_path))
    accuracy = table_of(report, "forgetting", "Accuracy")
    assert [row[1].text for row in accuracy.rows] == ["40.0", "30.0", "50.0"]
    assert accuracy.note == "Problems of a task: 10, but 20 for Untouched base."
    changes = table_of(report, "forgetting", "Change")
    assert cell_of(changes, "LoRA, trained on mini-aqua", "mini-gsm").text == "+10.0"
    assert changes.note == ""


def test_a_table_of_records_that_were_not_made_is_absent():
    found = [build_record(5, "zero-shot-cot", task=task) for task in ("mini-gsm", "mini-strategy")]
    found += [build_record(7, task=task) for task in ("mini-gsm", "mini-strategy")]
    ids = [section.id for section in build(found).sections]
    assert not {"assistant-size", "reworded", "main"} & set(ids)


def test_a_report_of_some_records_is_made_without_the_others():
    runs = plan("all")
    whole = build([record_of(run, n=2, correct=1) for run in runs])
    part = build([record_of(run, n=2, correct=1) for run in runs[::3]])
    assert 0 < len(figures_of(part)) < len(figures_of(whole))


@pytest.mark.parametrize(
    "record",
    [
        build_record(3, "zero-shot-cot", task="asdiv", pair="qwen"),
        build_record(3, split="validation"),
        build_record(3, "prompt-tuning", k=5),
        build_record(3, trained_on="all"),
        build_record(3, sampling={"temperature": 0.7}),
        build_record(3, sampling={"temperature": 1.0, "top_p": 0.9}),
    ],
)
def test_other_records_are_listed_as_they_are(record):
    [section] = build([record]).sections
    assert section.id == "other"
    [row] = section.tables[0].rows
    assert [cell.text for cell in row[:4]] == [
        record.pair,
        record.task,
        record.split,
        record.method,
    ]
    assert (row[-1].text, row[-1].command) == ("30.0", record.command)


def tried(correct, prompts, task="gsm8k", **changes):
    changes = {"pair": "qwen2.5-1.5b", "split": "validation", "n": 4} | changes
    return build_record(correct, "zero-shot-cot", task=task, prompts=prompts, **changes)


def test_prompts_that_were_tried_have_a_table_in_which_the_chosen_ones_are_marked(monkeypatch):
    preset = replace(PRESETS["qwen2.5-1.5b"], prompts="chat-two", other_prompts={"yesno": "chat"})
    monkeypatch.setitem(PRESETS, "qwen2.5-1.5b", preset)
    records = [
        tried(1, "chat-two", "strategyqa"),
        tried(2, "chat", "strategyqa"),
        tried(3, "chat-two"),
        tried(1, "chat"),
    ]
    report = build([*records, *three_tasks()])
    assert report.sections[-1].id == "prompts" and "of 10 problems each" in report.note
    table = table_of(report, "prompts", "Prompts tried, on validation problems, by qwen2.5-1.5b")
    assert [[cell.text for cell in row[:3]] for row in table.rows] == [
        ["gsm8k, chat", "4", "25.0"],
        ["gsm8k, chat-two (chosen)", "4", "75.0"],
        ["strategyqa, chat (chosen)", "4", "50.0"],
        ["strategyqa, chat-two", "4", "25.0"],
    ]
    assert table.rows[0][2].low is not None and "160 new tokens" in table.note
    assert "gsm8k, chat-two (chosen) | 4 | 75.0 (" in page_block(report, "report.md")
    alone = build(records)
    assert [section.id for section in alone.sections] == ["prompts"]
    # Neither of another split nor of other ways to answer is anything chosen.
    others = [tried(1, "chat", split="train"), tried(1, "chat", task="svamp"), tried(1, None)]
    assert [section.id for section in build(others).sections] == ["other"]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (tried(2, "chat"), "of the same thing"),
        (tried(2, "chat-two", n=5), "not over the same problems"),
    ],
)
def test_prompts_are_compared_on_the_same_problems(tmp_path, other, message):
    for name, record in {"a": tried(1, "chat"), "b": other}.items():
        write_record(record, tmp_path / f"{name}.json")
    with pytest.raises(UserError, match=message):
        load_records(tmp_path)


def test_answers_that_were_cut_are_shown_where_a_record_knows_of_them():
    def known(record, cut):
        """The record with the first answers of each seed cut."""
        rows = [replace(row, cut=int(row.id, 16) < cut) for row in record.rows]
        return replace(record, rows=rows, **figures(record.answer_kind, rows, len(record.seeds), 1))

    old = build_record(3, "zero-shot-cot", task="asdiv", pair="qwen")
    new = known(replace(old, task="asdiv", left_out={"several answers": 4}), 2)
    assert (old.cut, new.cut) == (None, 0.2)
    [section] = build([old]).sections
    assert "Cut" not in "".join(section.tables[0].columns) and not section.tables[0].note
    [section] = build([old, new]).sections
    assert section.tables[0].columns[-1].startswith("Cut off at the token limit")
    assert [row[-1].text for row in section.tables[0].rows] == ["–", "20.0"]
    assert section.tables[0].note.endswith("left out. asdiv, test: 4 several answers.")
    before = [sampled(3, name, task) for name in ("softcot", "lora") for task in mini_tasks()]
    after = [known(one, 1) if one.method == "lora" else one for one in before]
    costs = [build(records).sections[0].tables[3] for records in (before, after)]
    assert [table.title for table in costs] == ["Cost of an answer"] * 2
    assert costs[0].columns == costs[1].columns[:-1]
    assert {row[0].text: row[-1].text for row in costs[1].rows} == {"LoRA": "10.0", "SoftCoT": "–"}


def test_the_papers_averages_follow_from_its_rows():
    for rows in (paper.LLAMA, paper.QWEN):
        for *tasks, average in rows.values():
            if None not in tasks:
                assert average == pytest.approx(np.mean(tasks), abs=0.01)
    cells = [cell for table in paper.main_tables() for row in table.rows for cell in row[1:]]
    assert {cell.source for cell in cells if cell.value is not None} == {"paper"}
    assert not any(cell.command for cell in cells)


def test_the_note_says_how_figures_came_about():
    note = build([build_record("++++++++??"), build_record(9, control="swap", dirty=True)]).note
    assert "2 records of 10 problems" in note and "In 1 of them more than 10 %" in note
    assert "1 of them come from code that was not committed" in note and "QUICK" in note
    report = build([build_record(900, n=1000)])
    assert "QUICK" not in report.note + report.title and "not committed" not in report.note


def test_json_has_the_schema_that_the_app_reads():
    report = build(three_tasks())
    found = json.loads(files(report)["report.json"])
    assert found["schema"] == "softcot-report-1"
    [section] = found["sections"]
    assert {"id", "title", "text", "tables", "figures"} == section.keys()
    cell = section["tables"][0]["rows"][1][1]
    assert {"text": "90.0", "value": 90.0, "best": True, "source": "ours"}.items() <= cell.items()
    assert cell["low"] < 90.0 < cell["high"] and cell["command"] == sampled(9).command


def test_markdown_has_every_table_and_the_block_only_the_short_ones():
    report = build(three_tasks() + controlled())
    text = files(report)["report.md"]
    for section in report.sections:
        for part in (*section.tables, *section.figures):
            assert part.title in text
    assert "| SoftCoT | **90.0 (" in text and "| +70.0 (+" in text
    block = page_block(report, "there/report.md")
    assert "| SoftCoT | **90.0 (" in block and "| swap | 50.0 |" in block
    assert "Probability" not in block and "(there/report.md)" in block


def test_readme_has_the_main_table_and_a_sentence_on_the_controls():
    report = build(three_tasks() + controlled())
    block = readme_block(report, "docs/there.md")
    assert "| SoftCoT | **85.0 (" in block and block.count("| --- |") == 1
    assert "10 problems of each task, sampled at temperature 1 with 2 seeds." in block
    assert "**Is it the question's own thoughts?** mini-gsm, greedy: " in block
    assert "zero-shot CoT 20.0 %, SoftCoT 80.0 % with the question's own thoughts" in block
    assert "50.0 % with another question's (swap)" in block
    assert "mean" not in block  # there is no such record
    assert block.startswith("Accuracy") and "(docs/there.md)" in block.splitlines()[-1]
    assert block.splitlines()[-1].startswith("QUICK results")
    for section in report.sections:
        assert section.summary not in files(report)["report.md"] or not section.summary
    assert "summary" not in files(report)["report.json"]


def test_readme_says_when_thoughts_help():
    counts = {"reading-30": (2, 7), "reading-100": (9, 9)}
    records = [
        build_record(correct, method, pair=pair)
        for pair, both in counts.items()
        for method, correct in zip(("zero-shot-cot", "softcot"), both, strict=True)
    ]
    said = "(mini-gsm, greedy): +50.0 at 30 %, +0.0 at 100 %."
    assert said in readme_block(build(records), "x")
    alone = readme_block(build(records[::2]), "x")
    assert "help" not in alone and "–" not in alone


def test_report_is_written_with_its_blocks_in_a_page_and_the_readme(tmp_path):
    results, out = tmp_path / "results", tmp_path / "a" / "report"
    page, readme = tmp_path / "docs" / "page.md", tmp_path / "README.md"
    for number, record in enumerate(three_tasks()):
        write_record(record, results / "mini" / f"{number}.json")
    page.parent.mkdir()
    page.write_text(f"before\n{START}\nstale\n{END}\nafter\n")
    readme.write_text(f"before\n{README_START}\nstale\n{README_END}\nafter\n")
    write_report(results, out, page=page, readme=readme)
    text, short = page.read_text(), readme.read_text()
    assert text.startswith(f"before\n{START}\n") and text.endswith(f"\n{END}\nafter\n")
    assert "90.0 (" in text and "stale" not in text and "(../a/report/report.md)" in text
    assert short.startswith(f"before\n{README_START}\n")
    assert short.endswith(f"\n{README_END}\nafter\n")
    assert "85.0 (" in short and "stale" not in short and "(docs/page.md)" in short
    report = build(load_records(results))
    assert {path.name: path.read_text() for path in out.iterdir()} == files(report)
    # A report among the records is no record.
    write_report(results, results / "report")
    write_report(results, out, page=page, readme=readme)
    assert (page.read_text(), readme.read_text()) == (text, short)
    # Without a page there is only the whole report to lead to.
    write_report(results, out, readme=readme)
    assert "(a/report/report.md)" in readme.read_text() and page.read_text() == text


@pytest.mark.parametrize("wrong", ["page", "readme"])
def test_nothing_is_written_where_a_page_is_wrong(tmp_path, wrong):
    write_record(build_record(9), tmp_path / "results" / "a.json")
    pages = {"page": tmp_path / "page.md", "readme": tmp_path / "README.md"}
    for name, block in (("page", TABLES), ("readme", SUMMARY)):
        pages[name].write_text("\n".join(markers(block)))
    pages[wrong].unlink()
    before = {name: file.read_text() for name, file in pages.items() if name != wrong}
    for complaint in ("Cannot read", "once each and in order"):
        with pytest.raises(UserError, match=complaint):
            write_report(tmp_path / "results", tmp_path / "out", **pages)
        pages[wrong].write_text("no markers")
    assert not (tmp_path / "out").exists()
    assert {name: file.read_text() for name, file in pages.items() if name != wrong} == before


@pytest.mark.parametrize(
    "text", ["", START, END + START, f"{START}{START}{END}", f"{START}{END}{END}"]
)
def test_page_without_its_markers_is_refused(tmp_path, text):
    (tmp_path / "page.md").write_text(text)
    with pytest.raises(UserError, match=f"page.md needs the lines {START}.*once each and in order"):
        with_block(tmp_path / "page.md", TABLES, "block")


def elsewhere(record):
    """The record with another first problem."""
    first, *rest = record.rows
    return replace(record, rows=[replace(first, id="f" * 16), *rest])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (build_record(8), "of the same thing"),
        (build_record(8, "zero-shot-cot", fingerprints={"base": "x"}), "different models .base"),
        (build_record(8, k=1, fingerprints={"trained": "x"}), "different models .trained"),
        (elsewhere(build_record(8, "zero-shot-cot", n=9)), "not over the same problems"),
    ],
)
def test_records_that_do_not_fit_together_are_refused(tmp_path, other, message):
    write_record(build_record(9), tmp_path / "a.json")
    write_record(other, tmp_path / "deeper" / "b.json")
    with pytest.raises(UserError, match=message):
        load_records(tmp_path)


def test_sampled_records_need_the_same_seeds(tmp_path):
    write_record(sampled(9), tmp_path / "a.json")
    write_record(sampled(9, "zero-shot-cot", seeds=[41, 43]), tmp_path / "b.json")
    with pytest.raises(UserError, match="not of the same seeds"):
        load_records(tmp_path)


@pytest.mark.parametrize(
    "other",
    [
        build_record(8, task="mini-aqua"),
        build_record(8, pair="assistant-64"),
        build_record(8, control="untrained"),
        build_record(8, trained_on="mini-aqua"),
        build_record(8, "lora"),
        build_record(8, split="validation", n=9),
    ],
)
def test_what_may_differ_differs(tmp_path, other):
    write_record(build_record(9), tmp_path / "a.json")
    write_record(other, tmp_path / "b.json")
    assert len(load_records(tmp_path)) == 2


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(UserError, match="no record in"):
        load_records(tmp_path)


def test_command_rewrites_pages_only_for_the_records_beside_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page, readme = Path("docs/results.md"), Path("README.md")
    real = Path("docs/real-models.md")
    page.parent.mkdir()
    real.write_text("\n".join(markers(JUDGED)))
    page.write_text(f"{START}\n{END}\n")
    readme.write_text(f"{README_START}\n{README_END}\n")
    for folder in ("assets/results", "runs/quick"):
        write_record(build_record(9), Path(folder, "a.json"))
    assert main(["report", "--results", "runs/quick", "--out", "runs/quick/report"]) == 0
    assert Path("runs/quick/report/report.json").exists()
    assert page.read_text() == f"{START}\n{END}\n"
    assert readme.read_text() == f"{README_START}\n{README_END}\n"
    assert main(["report"]) == 0
    assert "(../assets/report/report.md)" in page.read_text()
    assert "(docs/results.md)" in readme.read_text()
    assert "(results.md)" in real.read_text()
    for file in (page, readme):
        file.rename(file.with_name("other.md"))
    options = ["--page", "docs/other.md", "--readme", "other.md"]
    assert main(["report", "--results", "runs/quick", "--out", "elsewhere", *options]) == 0
    assert "(../elsewhere/report.md)" in Path("docs/other.md").read_text()
    assert "(docs/other.md)" in Path("other.md").read_text() and not readme.exists()
    assert Path("assets/report/report.md").exists()


def makers_of(counts, task="mini-gsm"):
    """Records of makers by method and control, so many of ten right."""
    return [
        build_record(right, method, control, task, collapse={"cosine": 0.5, "questions": 10})
        for (method, control), right in counts.items()
    ]


def test_makers_stand_beside_their_swapped_and_average_thoughts():
    counts = {
        ("softcot", "none"): 6,
        ("softcot", "swap"): 4,
        ("trained-assistant", "none"): 9,
        ("trained-assistant", "swap"): 3,
        ("trained-assistant", "mean"): 5,
    }
    records = [*makers_of(counts), build_record(2, "zero-shot-cot")]
    report = build(records)
    [section] = [part for part in report.sections if part.id == "makers"]
    accuracy, gains, sameness = section.tables
    assert {row[0].text: row[1].value for row in accuracy.rows} == {
        "Zero-shot CoT": 20.0,
        "SoftCoT": 60.0,
        "SoftCoT, swap": 40.0,
        "Trained assistant": 90.0,
        "Trained assistant, swap": 30.0,
        "Trained assistant, mean": 50.0,
    }
    assert {row[0].text: row[1].value for row in gains.rows} == {
        "SoftCoT minus swap": 20.0,
        "Trained assistant minus swap": 60.0,
        "Trained assistant minus mean": 40.0,
    }
    assert [row[1].text for row in sameness.rows] == ["0.500", "0.500"]
    alone = [one for one in records if one.method != "trained-assistant"]
    assert "makers" not in [part.id for part in build(alone).sections]


def test_what_a_note_carries_stands_between_its_bounds():
    records = [
        build_record(right, method, task=f"mini-notes-{count}", k=k)
        for count in (1, 8)
        for method, k, right in (
            ("zero-shot-cot", 0, 1),
            ("told-cot", 0, 9),
            ("softcot", 1, 3),
            ("softcot", 16, 8 - count // 2),
        )
    ]
    [section] = build(records).sections
    [table] = section.tables
    shown = {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}
    assert shown == {
        "Zero-shot CoT": ["10.0", "–", "–", "10.0"],
        "Told CoT": ["90.0", "–", "–", "90.0"],
        "SoftCoT, K = 1": ["30.0", "–", "–", "30.0"],
        "SoftCoT, K = 16": ["80.0", "–", "–", "40.0"],
    }
    assert section.id == "whisper"
    traces = section.figures[0].plotly["data"]
    drawn = {(trace["xaxis"] + trace["yaxis"], trace["name"]): trace["y"] for trace in traces}
    assert drawn["xy", "SoftCoT"] == [30.0, None, None, None, 80.0]  # one fact
    assert drawn["x2y2", "SoftCoT"] == [30.0, None, None, None, 40.0]  # eight
    assert drawn["x2y2", "Told CoT"] == [90.0] * 5
    shown = [trace["name"] for trace in traces if trace["showlegend"]]
    assert shown == ["SoftCoT", "swap", "Told CoT", "Zero-shot CoT"]


def test_notes_that_people_wrote_stand_beside_those_of_facts():
    records = [
        real_record("svamp-noted", "told-cot", correct=8),
        real_record("svamp-noted", "softcot", correct=6, k=16),
        real_record("svamp-noted", "softcot", "swap", correct=1, k=16),
        real_record("mini-notes-1", "softcot", correct=5, k=16, trained_on="mini-notes"),
    ]
    [section] = build(records).sections
    facts, stories = section.tables
    assert [row[0].text for row in facts.rows] == ["SoftCoT, K = 16"]
    assert stories.columns == ["Way", "svamp-noted", "strategyqa-noted"]
    assert {row[0].text: [cell.text for cell in row[1:]] for row in stories.rows} == {
        "Told CoT": ["80.0", "–"],
        "SoftCoT, K = 16": ["60.0", "–"],
        "swap, K = 16": ["10.0", "–"],
    }
    assert "svamp-noted 60.0" in section.figures[1].alt


def test_votes_of_sets_of_thoughts_say_what_they_have_among_them():
    votes = {"samples": 10, "seeds": [41]}
    plain = [sampled("+-" * 5, name, **votes) for name in ("zero-shot-cot", "softcot")]
    [before] = [part for part in build(plain).sections if part.id == "self-consistency"]
    sets = sampled("+" + "-" * 9, "softcot-pp", **votes, chains={"pass": 1.0, "cosine": 0.25})
    [after] = [part for part in build([*plain, sets]).sections if part.id == "self-consistency"]
    added = [table for table in after.tables if table.title not in [t.title for t in before.tables]]
    beyond, passed, answers, cosine = added
    assert [row[0].text for row in beyond.rows] == ["SoftCoT++, N = 5", "SoftCoT++, N = 10"]
    # One set's first answer is right and leads at a tie; of the sets, the first alone is right.
    assert [row[1].value for row in beyond.rows] == [-100.0] * 2
    assert [row[1].value for row in passed.rows] == [100.0] * 3
    assert [row[1].value for row in answers.rows] == [2.0] * 3
    assert [row[1].text for row in cosine.rows] == ["–", "–", "0.250"]


def test_sets_without_the_contrastive_loss_stand_beside_those_with_it():
    records = [
        sampled(rights, "softcot-pp", pair=pair, samples=10, seeds=[41], chains={"cosine": cosine})
        for rights, pair, cosine in (("+" * 10, "mini", 0.25), ("-" * 10, UNCONTRASTED, 0.75))
    ]
    [section] = [part for part in build(records).sections if part.id == "self-consistency"]
    accuracy, *_, cosines = section.tables[:-1]
    shown = {row[0].text: row[1].value for row in accuracy.rows}
    assert shown["SoftCoT++, N = 10"] == 100.0
    assert shown["SoftCoT++ without the contrastive loss, N = 10"] == 0.0
    assert [row[1].text for row in cosines.rows] == ["0.250", "0.750"]


def test_cost_is_that_of_every_setting():
    work = {"prompt_tokens": 10.0, "heard_tokens": 5.0, "token_flops": 2e9, "first_flops": 3e9}
    records = [
        build_record(2, "no-cot", work=work),
        build_record(4, "concise-cot", k=10),
        build_record(6, "softcot"),
        build_record(5, "softcot", k=1, work=work),
    ]
    [section] = [part for part in build(records).sections if part.id == "cost"]
    accuracy, table = section.tables
    assert [row[1].value for row in accuracy.rows] == [20.0, 40.0, 50.0, 60.0]
    shown = {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}
    assert shown == {
        "No CoT": ["20.0", "20.0", "21.0", "43.00", "0.100"],
        "Concise CoT, 10 words": ["40.0", "20.0", "21.0", "–", "0.100"],
        "SoftCoT, 12 thoughts": ["60.0", "20.0", "21.0", "–", "0.100"],
        "SoftCoT, 1 thought": ["50.0", "20.0", "21.0", "43.00", "0.100"],
    }
    [best, *methods] = section.figures[0].plotly["data"]
    # What is known of the arithmetic, and of two that cost the same the better one.
    assert [(trace["name"], trace["text"], trace["x"]) for trace in methods] == [
        ("SoftCoT", ["SoftCoT, 1 thought"], [43.0]),
        ("Nothing trained", ["No CoT"], [43.0]),
    ]
    assert (best["x"], best["y"]) == ([43.0], [50.0])
    assert "from the cheapest on: SoftCoT, 1 thought. " in table.note
    assert "cost" not in [part.id for part in build(records[2:]).sections]


def test_the_best_for_its_arithmetic_is_on_the_frontier():
    def work(read: float) -> dict[str, float]:
        known = {"prompt_tokens": 10.0, "heard_tokens": 5.0, "token_flops": 2e9}
        return known | {"first_flops": read * 1e9}

    records = [
        build_record(5, "softcot", k=1, work=work(10)),
        build_record(4, "softcot", k=2, work=work(20)),
        build_record(5, "softcot", k=4, work=work(30)),
        build_record(7, "softcot", k=8, work=work(40)),
        build_record(2, "no-cot", work=work(5)),
    ]
    [section] = [part for part in build(records).sections if part.id == "cost"]
    best = section.figures[0].plotly["data"][0]
    assert best["y"] == [20.0, 50.0, 70.0]
    assert best["x"] == sorted(best["x"])
    said = "from the cheapest on: No CoT, SoftCoT, 1 thought, SoftCoT, 8 thoughts. "
    assert said in section.tables[1].note


def test_noise_that_was_tried_has_a_table_in_which_the_chosen_length_is_marked():
    votes = {"samples": 10, "seeds": [41]}
    plain = [sampled("+-" * 5, name, **votes) for name in ("zero-shot-cot", "softcot-p")]
    more = [
        sampled(rights, "softcot-p", **votes, noise=noise, split="validation")
        for noise, rights in ((0.5, "-" * 10), (0.1, "+" * 10))
    ]
    [section] = [part for part in build([*plain, *more]).sections if part.id != "main"]
    table = section.tables[-2]  # the last is the paper's
    assert table.title.startswith("SoftCoT-P: accuracy in % of the majority by the length")
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["0.1 (chosen)", "100.0"],
        ["0.5", "0.0"],
    ]
    # Of problems that report, a length that was not chosen is no result of the method.
    astray = replace(more[0], split="test")
    assert [part.id for part in build([astray]).sections] == ["other"]


def test_a_record_of_a_method_that_is_not_known_here_is_one_of_the_others():
    report = build([*three_tasks(), replace(sampled(9), method="theirs")])
    assert [part.id for part in report.sections if part.id != "main"] == ["other"]


def test_votes_cost_what_all_of_their_samples_do():
    work = {"prompt_tokens": 10.0, "heard_tokens": 5.0, "token_flops": 2e9, "first_flops": 3e9}
    votes = sampled("-" * 4 + "+" * 6, "zero-shot-cot", samples=10, seeds=[41], work=work)
    records = [votes, build_record(5, "concise-cot", k=10, work=work)]
    [section] = [part for part in build(records).sections if part.id == "cost"]
    shown = {row[0].text: [cell.text for cell in row[1:]] for row in section.tables[1].rows}
    # Of the first five samples four are wrong, of all ten six are right; 100 and 200 tokens.
    assert shown == {
        "Zero-shot CoT, 5 votes": ["0.0", "100.0", "21.0", "203.00", "–"],
        "Zero-shot CoT, 10 votes": ["100.0", "200.0", "21.0", "403.00", "0.100"],
        "Concise CoT, 10 words": ["50.0", "20.0", "21.0", "43.00", "0.100"],
    }


def test_cost_between_ready_made_models_has_a_table_for_each_task():
    records = [
        real_record("gsm8k", "softcot", correct=6),
        real_record("strategyqa", "zero-shot-cot", correct=3, device="some GPU"),
        real_record("strategyqa", "softcot", correct=5, k=4),
        real_record("strategyqa", "softcot", correct=4),
    ]
    [section] = [part for part in build(records).sections if part.id == "cost"]
    [table] = section.tables  # on gsm8k there is one setting of each method
    assert table.title == f"Accuracy and cost of an answer: {REAL_PAIR} on strategyqa"
    assert table.columns[-1] == "GFLOP"  # seconds of two devices say nothing beside each other
    assert {row[0].text: row[1].text for row in table.rows} == {
        "Zero-shot CoT": "30.0",
        "SoftCoT, 4 thoughts": "50.0",
        "SoftCoT, 12 thoughts": "40.0",
    }
    assert "cost" not in [part.id for part in build(records[:2]).sections]
