"""Records: what they say, how they are kept, and what they are checked for."""

import hashlib
import itertools
import json
import lzma
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ttest_rel

from softcot.data.answers import is_correct
from softcot.evaluation.records import (
    SCHEMA,
    Record,
    Row,
    compare,
    figures,
    interval,
    load_record,
    rows_path,
    write_record,
)
from softcot.support import files
from softcot.support.errors import UserError
from softcot.support.schema import to_json

GOLD = ["7", "8", "9"]
PARSED = [
    [["1", "7", "7", "1"], ["8", "2", "2", "8"], [None, None, None, "9"]],
    [["7", "7", None, "1"], [None, "3", "3", "8"], [None, None, None, None]],
]
"""The answers read from two seeds' four samples for each of three problems."""


def with_cuts(record, cut):
    """The record, whose rows say whether they were cut."""
    rows = [replace(row, cut=cut(number)) for number, row in enumerate(record.rows)]
    part = figures("number", rows[: 4 * 1], 1, record.samples)
    return replace(
        record,
        rows=rows,
        **figures("number", rows, len(record.seeds), record.samples),
        subsets={"read": {"n": 1, **part}},
    )


def build_record(parsed=PARSED, seeds=(41, 42), logprob=None, **changes):
    """A record of these answers; row n has the log-probability `logprob(n)`."""
    samples, rows = len(parsed[0][0]), []
    for seed, answers in zip(seeds, parsed, strict=True):
        for number, (given, gold) in enumerate(zip(answers, GOLD, strict=True)):
            for sample, answer in enumerate(given):
                correct, n = is_correct("number", answer, gold), len(rows)
                rows.append(
                    Row(
                        id=f"{number:016x}",
                        prompt=f"{number + 99:016x}",
                        seed=seed,
                        sample=sample,
                        text=f"It is {answer}: “é”\n",
                        parsed=answer,
                        gold=gold,
                        correct=correct,
                        tokens=n + 5,
                        passes=n + 6,
                        gold_logprob=logprob(n) if logprob else None,
                    )
                )
    fields = {
        "schema": SCHEMA,
        "command": "python -m softcot evaluate",
        "created": "2026-01-01",
        "pair": "mini",
        "fingerprints": {"base": "b", "assistant": "a", "trained": None},
        "task": "mini-gsm",
        "split": "test",
        "answer_kind": "number",
        "method": "softcot",
        "control": "none",
        "k": 12,
        "trained_on": "mini-gsm",
        "sampling": {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "max_new_tokens": 160},
        "seeds": list(seeds),
        "samples": samples,
        "n": 3,
        **figures("number", rows, len(seeds), samples),
        "seconds": 1.5,
        "subsets": {"read": {"n": 1, **figures("number", rows[:4], 1, samples)}},
        "versions": {"python": "3"},
        "commit": "c",
        "dirty": False,
        "device": "cpu",
        "rows": rows,
    }
    return Record(**fields | changes)


RECORD = build_record()


@pytest.fixture
def saved(tmp_path):
    write_record(RECORD, tmp_path / "deep" / "record.json")
    return tmp_path / "deep" / "record.json"


@pytest.mark.parametrize(
    ("votes", "right"),
    [
        (1, [[0, 1, 0], [1, 0, 0]]),
        (2, [[0, 1, 0], [1, 0, 0]]),  # of equals the answer given first, unread ones aside
        (3, [[1, 0, 0], [1, 0, 0]]),
        (4, [[0, 1, 1], [1, 0, 0]]),  # 1, 7, 7, 1 is a tie and 1 was first
        (None, [[0, 1, 1], [1, 0, 0]]),
    ],
)
def test_the_majority_of_the_first_votes_counts(votes, right):
    assert RECORD.scores(votes).tolist() == right


def test_figures_follow_from_the_rows():
    assert RECORD.accuracy == RECORD.scores().mean() == 3 / 6
    assert RECORD.interval == interval(RECORD.scores())
    assert RECORD.parse_failures == 9 / 24
    assert (RECORD.mean_new_tokens, RECORD.mean_passes) == (5 + 11.5, 6 + 11.5)
    alone = build_record([[[given[0]] for given in answers] for answers in PARSED])
    assert alone.scores().tolist() == RECORD.scores(1).tolist()
    assert alone.accuracy == 2 / 6


def test_what_is_known_of_each_problem():
    assert RECORD.problem_ids() == [f"{n:016x}" for n in range(3)]
    scored = build_record(logprob=float)
    assert scored.gold_logprobs().tolist() == [[0, 4, 8], [12, 16, 20]]
    assert RECORD.gold_logprobs() is None
    assert build_record(logprob=lambda n: -1.0 if n != 8 else None).gold_logprobs() is None


def test_a_written_record_is_read_back_whole(saved):
    assert load_record(saved) == RECORD
    assert load_record(str(saved)).scores().tolist() == RECORD.scores().tolist()
    assert sorted(path.name for path in saved.parent.iterdir()) == ["record.json", "record.rows.xz"]
    assert (
        "rows" not in json.loads(saved.read_text())
        and RECORD.head().keys() < to_json(RECORD).keys()
    )


def rewrite(path, head=lambda entry: None, columns=lambda found: None):
    """Change the head or the columns of a record and make both files fit each other again."""
    entry, found = json.loads(path.read_text()), json.loads(lzma.open(rows_path(path)).read())
    columns(found)
    packed = lzma.compress(json.dumps(found).encode())
    entry["rows_sha256"] = hashlib.sha256(packed).hexdigest()
    head(entry)
    path.write_text(json.dumps(entry))
    rows_path(path).write_bytes(packed)


def test_a_rewritten_record_is_usable_unless_something_is_wrong(saved):
    rewrite(saved, lambda entry: entry.update(device="gpu"))
    assert load_record(saved) == replace(RECORD, device="gpu")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entry: entry.update(schema="softcot-record-2"), "its schema is not"),
        (lambda entry: entry.pop("seeds"), "'seeds' is missing"),
        (lambda entry: entry.update(note="x"), "'note' is unknown"),
        (lambda entry: entry.update(n="12"), "'n' has a wrong type"),
        (lambda entry: entry.update(accuracy=True), "'accuracy' has a wrong type"),
        (lambda entry: entry.update(seeds=[41.5, 42]), "'seeds' has a wrong type"),
        (lambda entry: entry.update(trained_on=3), "'trained_on' has a wrong type"),
        (lambda entry: entry["fingerprints"].update(base=7), "'fingerprints' has a wrong type"),
        (lambda entry: entry.update(n=6), "not one for each problem, seed and sample"),
        (lambda entry: entry.update(n=0), "not one for each problem, seed and sample"),
        (lambda entry: entry.update(samples=2), "not one for each problem, seed and sample"),
        (lambda entry: entry.update(seeds=[42, 41]), "not one for each problem, seed and sample"),
        (lambda entry: entry.update(accuracy=0.9), "'accuracy' does not follow"),
        (lambda entry: entry.update(interval=[0.8, 0.95]), "'interval' does not follow"),
        (lambda entry: entry.update(mean_passes=3), "'mean_passes' does not follow"),
        (lambda entry: entry.update(answer_kind="colour"), "'answer_kind' has the unknown value"),
        (lambda entry: entry.update(rows_sha256="0" * 64), "not the file it was written with"),
        (lambda entry: entry.pop("rows_sha256"), "not the file it was written with"),
    ],
)
def test_unusable_heads_are_refused(saved, change, message):
    rewrite(saved, change)
    with pytest.raises(UserError, match=message):
        load_record(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found: found.pop("gold"), "'rows' has a wrong type"),
        (lambda found: found.update(note=found["id"]), "'rows' has a wrong type"),
        (lambda found: found["tokens"].__setitem__(0, "9"), "'rows' has a wrong type"),
        (lambda found: found["correct"].__setitem__(0, 1), "'rows' has a wrong type"),
        (lambda found: found["gold"].pop(), "shorter"),
        (lambda found: [column.pop() for column in found.values()], "not one for each problem"),
        (lambda found: found["sample"].__setitem__(0, 1), "not one for each problem"),
        (lambda found: found["parsed"].__setitem__(0, "7"), "does not follow"),
        (lambda found: found["tokens"].__setitem__(0, 99), "does not follow"),
        (lambda found: found.update(id=5), "not a usable record"),
    ],
)
def test_unusable_rows_are_refused(saved, change, message):
    rewrite(saved, columns=change)
    with pytest.raises(UserError, match=message):
        load_record(saved)


OTHER = build_record(PARSED[::-1])
DAMAGE = {
    "missing": lambda path: path.unlink(),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "empty": lambda path: path.write_bytes(b""),
    "of another record": lambda path: (
        write_record(OTHER, path.parent / "other.json"),
        (path.parent / "other.rows.xz").replace(path),
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_and_foreign_rows_are_refused(saved, damage):
    DAMAGE[damage](rows_path(saved))
    with pytest.raises(UserError, match=r"record\.rows\.xz"):
        load_record(saved)


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff", "{}"])
def test_files_that_are_no_records_are_refused(tmp_path, text):
    path = tmp_path / "record.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match="not a usable record"):
        load_record(path)
    with pytest.raises(UserError, match="not a usable record"):
        load_record(tmp_path / "missing.json")


@pytest.mark.parametrize("failing", [1, 2])
@pytest.mark.parametrize("there", [False, True])
def test_a_failed_write_never_leaves_a_wrong_record(tmp_path, monkeypatch, there, failing):
    path, calls, move = tmp_path / "record.json", itertools.count(1), files.os.replace
    if there:
        write_record(RECORD, path)
    before = set(tmp_path.iterdir())

    def fail(*names):
        if next(calls) == failing:
            raise OSError("disk full")
        move(*names)

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", fail)
        with pytest.raises(OSError, match="disk full"):
            write_record(OTHER, path)
    if there and failing == 1:
        assert load_record(path) == RECORD
    else:
        with pytest.raises(UserError, match="not a usable record"):
            load_record(path)
    assert set(tmp_path.iterdir()) <= before | {rows_path(path)}
    write_record(OTHER, path)
    assert load_record(path) == OTHER


def resampled(values, count=2000):
    """Bounds of the pigeonhole bootstrap, draw by draw."""
    rng = np.random.default_rng(5)
    seeds, problems = values.shape
    means = [
        values[rng.integers(seeds, size=seeds)][:, rng.integers(problems, size=problems)].mean()
        for _ in range(count)
    ]
    return np.percentile(means, [2.5, 97.5])


def test_interval_agrees_with_independent_computations():
    values = np.repeat([0.0, 1.0], [300, 700])
    low, high = interval(values)
    assert [low, high] == pytest.approx(resampled(values[None]), abs=0.004)
    half = 1.96 * np.sqrt(0.7 * 0.3 / 1000)
    assert [low, high] == pytest.approx([0.7 - half, 0.7 + half], abs=0.004)
    assert interval(values) == interval(values[None]) == [low, high]
    assert interval(np.ones(9)) == pytest.approx([1.0, 1.0])
    assert interval(np.array([0.5])) == [0.5, 0.5]


def test_interval_is_over_seeds_and_problems():
    rng = np.random.default_rng(1)
    chances = np.array([0.2, 0.5, 0.6, 0.9])[:, None] * rng.uniform(0.5, 1, 200)
    values = (rng.random(chances.shape) < chances).astype(float)
    found = interval(values)
    assert found == pytest.approx(resampled(values), abs=0.015)
    # The seeds differ more than chance allows: no interval over problems alone shows that.
    assert np.diff(found) > 2 * np.diff(interval(values.mean(0)))
    # Seeds that all say the same are one seed, however many there are.
    once, thrice = interval(values[:1]), interval(np.repeat(values[:1], 3, axis=0))
    assert thrice == pytest.approx(once, abs=0.015)


def test_comparison_of_few_problems_is_exact():
    rng = np.random.default_rng(2)
    for _ in range(20):
        befores, afters = rng.integers(0, 2, (2, 2, 3, 4)).astype(float)
        found = compare(list(befores), list(afters))
        gains = np.concatenate(list(afters - befores), axis=1)
        signs = np.array(list(itertools.product([-1, 1], repeat=8)))
        means = (signs * gains.mean(0)).mean(1)
        expected = np.mean(np.abs(means) >= abs(gains.mean()) - 1e-12)
        assert found.p == pytest.approx(expected)
        assert found.difference == pytest.approx(gains.mean())
        assert found.interval == interval(gains)


@pytest.mark.parametrize("gain", [0.0, 0.04, 0.15])
def test_comparison_of_many_problems_agrees_with_the_t_test(gain):
    rng = np.random.default_rng(3)
    before = (rng.random((1, 400)) < 0.5).astype(float)
    after = (rng.random((1, 400)) < 0.5 + gain).astype(float)
    found, test = compare([before], [after]), ttest_rel(after[0], before[0])
    assert found.p == pytest.approx(test.pvalue, abs=0.04)
    bounds = test.confidence_interval()
    assert found.interval == pytest.approx([bounds.low, bounds.high], abs=0.012)
    assert found == compare([before], [after])
    back = compare([after], [before])
    assert back.difference == -found.difference and back.p == pytest.approx(found.p, abs=0.04)


def test_comparison_with_itself_finds_nothing():
    found = compare([RECORD.scores()], [RECORD.scores()])
    assert (found.difference, found.interval, found.p) == (0.0, [0.0, 0.0], 1.0)
    with pytest.raises(ValueError):
        compare([np.ones((1, 3))], [np.ones((1, 4))])


def test_cut_answers_and_problems_left_out_are_kept(tmp_path):
    record = replace(with_cuts(build_record(), lambda n: n % 3 == 0), left_out={"repeated": 2})
    write_record(record, tmp_path / "record.json")
    assert record.cut == pytest.approx(8 / 24) and record.subsets["read"]["cut"] == 0.5
    assert load_record(tmp_path / "record.json") == record
    head = json.loads((tmp_path / "record.json").read_text())
    assert head["left_out"] == {"repeated": 2}
    for wrong in (0.5, None):
        write_record(replace(record, cut=wrong), tmp_path / "record.json")
        with pytest.raises(UserError, match="'cut' does not follow"):
            load_record(tmp_path / "record.json")
    write_record(replace(build_record(), cut=0.5), tmp_path / "record.json")
    with pytest.raises(UserError, match="'cut' does not follow"):
        load_record(tmp_path / "record.json")


def test_a_record_of_before_is_written_as_it_was(tmp_path):
    head, again = tmp_path / "before.json", tmp_path / "again.json"
    write_record(build_record(), head)
    assert not {"cut", "left_out", "work"} & json.loads(head.read_text()).keys()
    record = load_record(head)
    assert (record.cut, record.left_out) == (None, None)
    write_record(record, again)
    assert again.read_bytes() == head.read_bytes()
    assert rows_path(again).read_bytes() == rows_path(head).read_bytes()
