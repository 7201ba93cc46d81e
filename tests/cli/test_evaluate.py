"""`evaluate`: a record of a task or a file of problems, and files that are none."""

import json

import pytest

from cli.conftest import SHORT
from softcot.cli.evaluate import parse_seeds
from softcot.evaluation.records import load_record
from softcot.support.errors import UserError


def test_evaluate_prints_and_writes_the_same_record(run, tmp_path):
    out = tmp_path / "results" / "record.json"
    argv = ["evaluate", "--task", "mini-gsm", "--limit", 3, "--seeds", "41-42", "--out", out]
    printed = run(*argv, "--thoughts", 2, *SHORT, "--json")
    record = load_record(out)
    assert json.loads(printed) == record.head()
    assert (record.n, record.seeds, record.split, record.k) == (3, [41, 42], "test", 2)
    assert record.command.startswith("python -m softcot evaluate --task mini-gsm --limit 3")
    assert {"accuracy", "n", "interval", "parse_failures"} <= json.loads(printed).keys()
    files = sorted(path.name for path in out.parent.iterdir())
    assert files == ["record.json", "record.rows.xz"]


def test_evaluate_takes_samples_weights_and_scores(run, tmp_path):
    out = tmp_path / "record.json"
    argv = ["evaluate", "--task", "mini-gsm", "--limit", 2, *SHORT, "--thoughts", 2, "--out", out]
    printed = run(*argv, "--samples", 3, "--trained-on", "mini-aqua", "--gold-logprob")
    record = load_record(out)
    assert "n = 2" in printed
    assert (record.samples, len(record.rows), record.sampling["temperature"]) == (3, 6, 1.0)
    assert record.trained_on == "mini-aqua" and (record.gold_logprobs() < 0).all()
    run(*argv)
    record = load_record(out)
    assert (record.samples, len(record.rows), record.sampling["temperature"]) == (1, 2, 0.0)
    assert record.trained_on == "mini-gsm" and record.gold_logprobs() is None


def test_evaluate_on_a_file_of_problems(run, tmp_path):
    file = tmp_path / "mine.jsonl"
    lines = [{"question": f"What is {n} + {n}?", "answer": 2 * n} for n in range(4)]
    file.write_text("\n".join(map(json.dumps, lines)))
    out = tmp_path / "record.json"
    argv = ["evaluate", "--task", "mini-gsm", "--problems", file, "--method", "zero-shot-cot"]
    printed = json.loads(run(*argv, *SHORT, "--json", "--out", out))
    assert (printed["n"], printed["split"], printed["method"]) == (4, "mine.jsonl", "zero-shot-cot")
    assert [row.gold for row in load_record(out).rows] == ["0", "2", "4", "6"]
    summary = run(*argv, "--limit", 2, *SHORT)
    assert "n = 2" in summary and "% correct" in summary


@pytest.mark.parametrize("control", ["swap", "shuffle", "mean", "noise", "zero"])
def test_evaluate_takes_every_control(run, control):
    argv = ["evaluate", "--task", "mini-gsm", "--limit", 2, "--control", control]
    record = json.loads(run(*argv, "--thoughts", 2, *SHORT, "--json"))
    assert record["control"] == control


@pytest.mark.parametrize(
    "line", ["", "{}", "[1]", "nonsense", '{"question": "", "answer": 1}', '{"question": "x"}']
)
def test_bad_problem_files_end_with_one_sentence(mini_env, refuse, tmp_path, line):
    file = tmp_path / "mine.jsonl"
    file.write_text(line)
    assert "mine.jsonl" in refuse("evaluate", "--task", "mini-gsm", "--problems", file)


def test_gold_answers_of_another_kind_end_with_one_sentence(mini_env, refuse, tmp_path):
    file = tmp_path / "mine.jsonl"
    file.write_text('{"question": "Which one?", "answer": "the blue one"}')
    sentence = refuse("evaluate", "--task", "mini-gsm", "--problems", file)
    assert "'the blue one'" in sentence and "number" in sentence


def test_seeds_are_ranges_and_lists():
    assert parse_seeds("41-45") == [41, 42, 43, 44, 45]
    assert parse_seeds("7") == [7]
    assert parse_seeds("1,3-4") == [1, 3, 4]
    for text in ("", "a", "1-", "-1", "3-1", "1,,2", "1.5"):
        with pytest.raises(UserError):
            parse_seeds(text)
