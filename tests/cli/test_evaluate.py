"""`evaluate`: a record of a task or a file of problems, and files that are none."""

import argparse
import json
from pathlib import Path

import pytest

from cli.conftest import SHORT
from softcot.cli import evaluate, options
from softcot.cli.evaluate import parse_seeds
from softcot.data.tasks import Task, get_task
from softcot.evaluation.records import load_record
from softcot.support.errors import UserError

STORED = Path(__file__).parents[1] / "data" / "stored"


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


def test_a_record_says_how_many_answers_were_cut_and_what_was_left_out(run, tmp_path):
    out = tmp_path / "record.json"
    argv = ["evaluate", "--method", "zero-shot-cot", "--out", out, "--task"]
    summary = run(*argv, "asdiv", "--data-dir", STORED, "--max-new-tokens", 1)
    record = load_record(out)
    cut = [row.cut for row in record.rows]
    assert record.cut == sum(cut) / len(cut) and all(row.tokens == 1 for row in record.rows)
    assert cut == [row.text != "" for row in record.rows]
    assert record.left_out == {"unreadable answer": 2, "several answers": 1, "repeated": 1}
    assert "100.0 % cut off at 1 tokens" in summary
    assert "cannot be judged: 2 unreadable answer, 1 several answers, 1 repeated" in summary
    assert "judged" not in run(*argv, "mini-gsm", "--limit", 2, *SHORT)
    assert load_record(out).left_out == {}


def parsed(*argv):
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    return parser.parse_args(["--task", "svamp", *argv])


def test_a_data_set_is_taken_whole_and_made_up_problems_are_a_thousand(monkeypatch):
    asked = []

    def problems(task, split, count, seed=0):
        asked.append(count)
        return []

    monkeypatch.setattr(Task, "problems", problems)
    monkeypatch.setattr(Task, "left_out", lambda *_: {})
    for task in ("svamp", "mini-gsm"):
        evaluate._problems(parsed(), get_task(task))
        evaluate._problems(parsed("--limit", "7"), get_task(task))
    assert asked[0] > 10**6 and asked[1:] == [7, 1000, 7]


@pytest.mark.parametrize(
    ("argv", "longest"),
    [
        ([], 160),
        (["--pair", "reading-30"], 160),
        (["--pair", "qwen2.5-1.5b"], 512),
        (["--base", "a/b", "--assistant", "c/d"], 512),
        (["--pair", "qwen2.5-1.5b", "--max-new-tokens", "9"], 9),
    ],
)
def test_chat_models_have_room_for_their_answers(argv, longest):
    assert options.sampling(parsed(*argv)).max_new_tokens == longest
