"""Records: what is in them, what they are checked for, and how they are made."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import build_problems

from softcot import evaluation, files, methods
from softcot.answers import parse
from softcot.decoding import Sampling
from softcot.errors import UserError
from softcot.evaluation import evaluate, interval, load_record, write_record
from softcot.methods import get_method
from softcot.models import fingerprint
from softcot.tasks import get_task

TASK = get_task("mini-gsm")
SHORT = Sampling(max_new_tokens=6)


@pytest.fixture(autouse=True)
def few_donors(monkeypatch):
    monkeypatch.setattr(methods, "DONORS", 8)


def run(pair, problems, method="softcot", **options):
    options = {"thoughts": 3, "sampling": SHORT, "batch_size": 2} | options
    return evaluate(pair, TASK, method, problems=problems, **options)


def without_time(record):
    return replace(record, seconds=0.0)


def read_anything(kind, text):
    """Find an answer in most texts: the tiny model writes hardly any."""
    number = sum(text.encode())
    return parse(kind, text) or (str(number) if number % 4 else None)


@pytest.fixture
def readable(monkeypatch):
    monkeypatch.setattr(evaluation, "parse", read_anything)


@pytest.fixture(scope="module")
def problems(pair):
    """Twelve problems, of which four have the answer that is read from the model's text."""
    problems = build_problems(12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "parse", read_anything)
        rows = run(pair, problems).rows
    answered = [i for i, row in enumerate(rows) if row.parsed is not None]
    for i in answered[:4]:
        problems[i] = replace(problems[i], answer=rows[i].parsed)
    return problems


@pytest.fixture(scope="module")
def record(pair, problems):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "parse", read_anything)
        return run(pair, problems, seeds=[41, 42], command="python -m softcot evaluate")


@pytest.fixture
def saved(record, tmp_path):
    write_record(record, tmp_path / "record.json")
    return tmp_path / "record.json"


def test_figures_follow_from_the_rows(record, problems):
    correct = [row.correct for row in record.rows]
    assert record.accuracy == sum(correct) / 24 == pytest.approx(4 / 12)
    assert record.parse_failures == sum(row.parsed is None for row in record.rows) / 24
    assert record.mean_new_tokens == sum(row.tokens for row in record.rows) / 24
    assert (record.n, record.seeds, record.thoughts, record.split) == (12, [41, 42], 3, "test")
    assert [row.id for row in record.rows] == [problem.id for problem in problems] * 2
    assert [row.gold for row in record.rows[:12]] == [problem.answer for problem in problems]
    assert [row.seed for row in record.rows] == [41] * 12 + [42] * 12
    assert record.scores().mean() == record.accuracy


def test_record_says_where_it_comes_from(record, pair):
    projection = fingerprint(pair.projection("mini-gsm"), exact=True)
    assert record.fingerprints == pair.fingerprints | {"trained": projection}
    assert record.versions.keys() == {"python", "torch", "transformers", "softcot"}
    assert record.versions["torch"] == torch.__version__
    assert record.device == "cpu"
    assert record.command == "python -m softcot evaluate"
    assert len(record.created) == 10
    assert record.sampling == {"temperature": 0.0, "top_p": 1.0, "top_k": 0, "max_new_tokens": 6}


def test_subsets_split_by_what_the_base_has_read(record, problems):
    for name, wanted in (("read", False), ("unread", True)):
        chosen = [bool(problem.meta["unread"]) == wanted for problem in problems]
        rows = [row for row, on in zip(record.rows, chosen * 2, strict=True) if on]
        subset = record.subsets[name]
        assert subset["n"] == sum(chosen) == 6
        assert subset["accuracy"] == sum(row.correct for row in rows) / 12
    assert record.subsets["read"].keys() == record.subsets["unread"].keys() >= {"interval"}


def test_no_subsets_where_reading_is_unknown(pair, problems):
    bare = [replace(problem, meta={}) for problem in problems[:2]]
    assert run(pair, bare).subsets == {}


def test_zero_shot_cot_needs_neither_thoughts_nor_assistant(readable, pair, problems):
    record = run(pair, problems[:3], "zero-shot-cot", thoughts=9)
    assert record.thoughts == 0
    assert record.fingerprints["assistant"] is record.fingerprints["trained"] is None
    soft = run(pair, problems[:3], thoughts=0)
    assert [row.parsed for row in soft.rows] == [row.parsed for row in record.rows]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("control", ["none", "noise", "swap"])
def test_rows_do_not_depend_on_batches_or_order(readable, pair, problems, control, temperature):
    sampling = replace(SHORT, temperature=temperature)
    options = {"control": control, "sampling": sampling}
    together = run(pair, problems[:5], batch_size=5, **options).rows
    alone = run(pair, problems[4::-1], batch_size=1, **options).rows
    assert together == alone[::-1]


def test_seeds_decide_samples(readable, pair, problems):
    sampling = Sampling(temperature=1.0, max_new_tokens=6)
    both = run(pair, problems[:4], seeds=[1, 2], sampling=sampling)
    alone = run(pair, problems[:4], seeds=[2], sampling=sampling)
    assert both.rows[4:] == alone.rows
    assert [r.parsed for r in both.rows[:4]] != [r.parsed for r in both.rows[4:]]


def test_interval_agrees_with_independent_computations():
    values = np.repeat([0.0, 1.0], [300, 700])
    low, high = interval(values)
    rng = np.random.default_rng(5)
    means = rng.choice(values, (4000, 1000)).mean(1)
    assert [low, high] == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=0.004)
    half = 1.96 * np.sqrt(0.7 * 0.3 / 1000)
    assert [low, high] == pytest.approx([0.7 - half, 0.7 + half], abs=0.004)
    assert interval(values) == [low, high]
    assert interval(np.ones(9)) == [1.0, 1.0]
    assert interval(np.array([0.5])) == [0.5, 0.5]


def test_interval_is_over_problems_and_not_over_rows(record):
    assert record.interval == interval(record.scores())
    assert len(record.scores()) == 12


def test_swap_never_uses_the_same_question(pair):
    problems = build_problems(6)
    own = get_method("softcot", pair, TASK).thoughts(problems, 3)
    for seed in range(5):
        swap = get_method("softcot", pair, TASK, control="swap", seed=seed, donors=problems)
        for number, swapped in enumerate(swap.thoughts(problems, 3)):
            equal = [torch.allclose(swapped, thoughts, atol=1e-5) for thoughts in own]
            assert sum(equal) == 1 and not equal[number]


def test_swap_draws_donors_from_the_validation_split(pair):
    problems = TASK.problems("validation", 3)
    swap = get_method("softcot", pair, TASK, control="swap", seed=7)
    assert swap.donors == TASK.problems("validation", 8)
    own = get_method("softcot", pair, TASK).thoughts(problems, 3)
    assert not torch.allclose(swap.thoughts(problems, 3), own)


def test_written_record_is_read_back_whole(record, saved):
    assert load_record(saved) == record
    assert saved.read_text().count("\n") > len(record.rows)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entry: entry.update(schema="softcot-record-0"), "its schema is not"),
        (lambda entry: entry.pop("seeds"), "'seeds' is missing"),
        (lambda entry: entry.update(note="x"), "'note' is unknown"),
        (lambda entry: entry.update(n="12"), "'n' has a wrong type"),
        (lambda entry: entry.update(accuracy=True), "'accuracy' has a wrong type"),
        (lambda entry: entry.update(seeds=[41.5, 42]), "'seeds' has a wrong type"),
        (lambda entry: entry["fingerprints"].update(base=7), "'fingerprints' has a wrong type"),
        (lambda entry: entry["rows"][0].pop("gold"), "'rows' has a wrong type"),
        (lambda entry: entry["rows"].pop(), "not one for each problem and seed"),
        (lambda entry: entry.update(n=6), "not one for each problem and seed"),
        (lambda entry: entry.update(accuracy=0.9), "'accuracy' does not follow"),
        (lambda entry: entry.update(interval=[0.8, 0.95]), "'interval' does not follow"),
        (lambda entry: entry["rows"][0].update(correct=True, tokens=99), "does not follow"),
    ],
)
def test_unusable_records_are_refused(saved, change, message):
    entry = json.loads(saved.read_text())
    change(entry)
    saved.write_text(json.dumps(entry))
    with pytest.raises(UserError, match=message):
        load_record(saved)


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff"])
def test_files_that_are_no_records_are_refused(tmp_path, text):
    path = tmp_path / "record.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match="not a usable record"):
        load_record(path)
    with pytest.raises(UserError, match="not a usable record"):
        load_record(tmp_path / "missing.json")


def test_a_failed_write_leaves_the_old_file(record, saved, monkeypatch):
    before = saved.read_text()

    def fail(*names):
        raise OSError("disk full")

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_record(replace(record, n=0), saved)
    assert saved.read_text() == before
    assert [path.name for path in saved.parent.iterdir()] == ["record.json"]


def test_interrupted_run_resumes_without_answering_twice(
    readable, pair, problems, tmp_path, monkeypatch
):
    partial, answered = tmp_path / "x.partial", []
    answer = evaluation._answer

    def counting(pair, task, method, problems, *rest):
        answered.extend(problem.id for problem in problems)
        return answer(pair, task, method, problems, *rest)

    def interrupt(done, total):
        if done >= 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(evaluation, "_answer", counting)
    with pytest.raises(KeyboardInterrupt):
        run(pair, problems, partial=partial, seeds=[41, 42], progress=interrupt)
    seen = []
    record = run(
        pair, problems, partial=partial, seeds=[41, 42], progress=lambda *n: seen.append(n)
    )
    assert seen[0] == (6, 24) and seen[-1] == (24, 24)
    assert sorted(answered) == sorted(2 * [problem.id for problem in problems])
    assert without_time(record) == without_time(run(pair, problems, seeds=[41, 42]))
    assert record.seconds > 0


@pytest.mark.parametrize("change", [{"thoughts": 2}, {"seeds": [43]}, {"control": "zero"}])
def test_partial_of_another_run_is_refused(pair, problems, tmp_path, change):
    partial = tmp_path / "x.partial"
    run(pair, problems[:2], partial=partial)
    before = partial.read_text()
    with pytest.raises(UserError, match="other settings"):
        run(pair, problems[:2], partial=partial, **change)
    with pytest.raises(UserError, match="other settings"):
        run(pair, problems[1:3], partial=partial)
    assert partial.read_text() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"problems": []}, "no problem"),
        ({"seeds": []}, "one or more different numbers"),
        ({"seeds": [41, 41]}, "one or more different numbers"),
        ({"batch_size": 0}, "batch size must be 1 or more"),
        ({"method": "telepathy"}, "no method called 'telepathy'"),
        ({"control": "prayer"}, "no control called 'prayer'"),
        ({"method": "zero-shot-cot", "control": "swap"}, "has no thoughts"),
        ({"thoughts": 17}, "out of range; choose 0 to 16"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(pair, changes, message):
    options = {"problems": build_problems(2)} | changes
    with pytest.raises(UserError, match=message):
        run(pair, **options)


def test_gold_answers_of_another_kind_are_refused(pair):
    with pytest.raises(UserError, match="'many' .* not of the task's kind, number"):
        run(pair, [replace(build_problems(1)[0], answer="many")])
