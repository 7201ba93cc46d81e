"""The command line: what each command prints, and how bad input ends."""

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from softcot import lab, methods, report
from softcot.cli import main as cli
from softcot.cli.main import main, parse_seeds
from softcot.data.problems import split_of
from softcot.decoding.decoder import Sampling
from softcot.evaluation import experiments
from softcot.evaluation.records import load_record
from softcot.methods import METHODS
from softcot.support.errors import UserError
from softcot.thoughts.soft_prompt import SoftPrompt

QUESTION = "Anna has 12 apples and buys 30 more. How many?"
SHORT = ["--max-new-tokens", "4"]
ONE = ["evaluate", "--task", "mini-gsm", "--limit", "1"]
TINY = [
    *("--steps", "2", "--batch-size", "4", "--max-thoughts", "2", "--train-problems", "4"),
    *("--validation-problems", "4", "--validate-every", "1"),
]


@pytest.fixture(autouse=True)
def few_donors(monkeypatch):
    monkeypatch.setattr(methods, "DONORS", 8)


@pytest.fixture
def run(mini_env, capsys):
    """Run a command that succeeds and return what it printed."""

    def run(*argv):
        capsys.readouterr()
        assert main([str(part) for part in argv]) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def two_tasks(monkeypatch):
    """Experiments on two tasks only; what a report knows of them stays as it is."""
    plan, kept = experiments.plan, ("mini-gsm", "mini-aqua")
    assert report.results.plan is plan
    monkeypatch.setattr(
        experiments, "plan", lambda *names: [run for run in plan(*names) if run.task in kept]
    )


@pytest.fixture
def refuse(capsys):
    """Run a command that must be refused and return its one sentence."""

    def refuse(*argv):
        capsys.readouterr()
        assert main([str(part) for part in argv]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        [sentence] = printed.err.splitlines()
        assert "Traceback" not in sentence
        return sentence

    return refuse


def test_ask_prints_one_json_object(run):
    printed = json.loads(run("ask", QUESTION, "--thoughts", 3, *SHORT, "--json"))
    assert printed["method"] == "softcot" and printed["thoughts"] == 3
    assert printed["question"] == QUESTION and printed["new_tokens"] == 4
    assert printed["text"] and printed["seconds"] > 0
    assert printed["sampling"]["temperature"] == 0
    assert {"answer", "pair", "task", "votes"} <= printed.keys()


def test_ask_streams_the_text_and_ends_with_the_answer(run):
    text = json.loads(run("ask", QUESTION, *SHORT, "--json"))["text"]
    printed = run("ask", QUESTION, *SHORT)
    assert printed.startswith(text)
    assert "Answer: " in printed and "K = 12, 4 tokens" in printed


def test_ask_with_zero_thoughts_is_zero_shot_cot(run):
    soft = json.loads(run("ask", QUESTION, "--thoughts", 0, *SHORT, "--json"))
    hard = json.loads(run("ask", QUESTION, "--method", "zero-shot-cot", *SHORT, "--json"))
    edited = json.loads(run("ask", QUESTION, "--edits", "drop", *SHORT, "--json"))
    assert edited["text"] == hard["text"] and edited["title"] == "SoftCoT, drop"
    assert soft["text"] == hard["text"]
    assert hard["thoughts"] == 0


def test_a_saved_run_is_replayed(run, tmp_path):
    answered = json.loads(run("ask", QUESTION, *SHORT, "--save", tmp_path / "a.run", "--json"))
    printed = run("replay", tmp_path / "a.run")
    assert answered["text"] in printed and "thought is the same" in printed


def test_ask_several_samples(run):
    argv = ["ask", QUESTION, "--samples", 3, "--seed", 5, "--task", "mini-gsm", *SHORT]
    printed = json.loads(run(*argv, "--json"))
    assert printed["sampling"]["temperature"] == 1.0
    assert printed["samples"] == 3 and printed["new_tokens"] > 4
    assert printed["text"] == json.loads(run(*argv, "--json"))["text"]
    assert printed["text"] in run(*argv)


def test_problem_prints_json_lines_of_the_split(run):
    argv = ["problem", "--task", "mini-aqua", "--seed", 3, "--count", 4, "--json"]
    lines = run(*argv).splitlines()
    problems = [json.loads(line) for line in lines]
    assert len(problems) == 4 and len({problem["id"] for problem in problems}) == 4
    for problem in problems:
        assert (problem["split"], problem["seed"]) == ("test", 3)
        assert split_of(problem["question"]) == "test"
        assert problem["answer"] in "ABCDE"
    assert run(*argv).splitlines() == lines


def test_problem_is_a_fresh_one_by_default(run):
    shown = run("problem", "--task", "mini-gsm")
    assert "\nAnswer: " in shown
    assert run("problem", "--task", "mini-gsm") != shown


def test_train_writes_a_projection_and_resumes(run, refuse, tmp_path, capsys):
    out = tmp_path / "out"
    assert "validation loss" in run("train", "--task", "mini-gsm", "--out", out, *TINY)
    record = json.loads((out / "training.json").read_text())
    assert record["command"].startswith("python -m softcot train --task mini-gsm --out ")
    assert record["config"]["steps"] == 2 and record["config"]["learning_rate"] == 3e-3
    assert "in use" in refuse("train", "--task", "mini-gsm", "--out", out, *TINY)
    assert "no interrupted training" in refuse(
        "train", "--task", "mini-gsm", "--out", tmp_path / "new", "--resume", *TINY
    )


def test_train_writes_a_prompt_and_refuses_what_trains_nothing(run, refuse, tmp_path):
    argv = ["train", "--task", "mini-gsm", *TINY, "--out"]
    run(*argv, tmp_path / "out", "--method", "prompt-tuning")
    assert SoftPrompt.load(tmp_path / "out").task == "mini-gsm"
    for method in ("zero-shot-cot", "telepathy"):
        sentence = refuse(*argv, tmp_path / method, "--method", method)
        assert (
            "nothing to train" in sentence
            and "choose one of: prompt-tuning, lora, coconut, softcot" in sentence
        )
        assert not (tmp_path / method).exists()


def test_methods_are_listed_with_what_they_train(run, pair):
    found = {entry["name"]: entry for entry in json.loads(run("methods", "--json"))}
    assert list(found) == list(METHODS)
    projection, prompt = pair.projection("all"), SoftPrompt.for_pair(pair, "all")
    count = sum(p.numel() for p in projection.parameters())
    assert found["softcot"]["parameters"] == count == 16 * 32 + 32
    assert found["prompt-tuning"]["parameters"] == prompt.vectors.numel() == 16 * 32
    assert found["zero-shot-cot"]["parameters"] == found["cot-unk"]["parameters"] == 0
    assert f"trains the projection ({count} parameters)" in run("methods")


def test_reproduce_makes_what_is_missing_and_report_reads_it(
    run, refuse, tmp_path, monkeypatch, two_tasks
):
    monkeypatch.setattr(experiments, "CONTROLS", ("none", "swap", "untrained"))
    folder, out = tmp_path / "results", tmp_path / "report"
    argv = ["reproduce", "--experiment", "controls", "--limit", 1, "--results", folder]

    def made():
        return {path: path.stat().st_mtime_ns for path in folder.rglob("*.json")}

    runs = experiments.plan("controls")
    assert f"{len(runs)} records" in run(*argv)
    first = made()
    assert first.keys() == {folder / planned.file for planned in runs} and len(runs) == 8
    assert {load_record(path).n for path in first} == {1}
    lost = next(path for path in first if "swap" in path.name)
    lost.unlink()
    run(*argv)
    second = made()
    assert [path for path in first if second[path] != first[path]] == [lost]
    run("report", "--results", folder, "--out", out)
    assert "untrained" in (out / "report.md").read_text()
    assert "main, controls, thoughts" in refuse("reproduce", "--experiment", "alchemy")


def test_reproduce_leaves_out_what_is_not_trained(
    checkpoints, run, tmp_path, monkeypatch, two_tasks
):
    root = shutil.copytree(checkpoints, tmp_path / "copy")
    for folder in root.glob("mini/lora-*"):
        shutil.rmtree(folder)
    monkeypatch.setenv("SOFTCOT_CHECKPOINTS", str(root))
    monkeypatch.setattr(experiments, "SAMPLED", Sampling(1.0, max_new_tokens=4))
    argv = ["reproduce", "--experiment", "main", "--limit", 1, "--results", tmp_path / "out"]
    assert f"{2 * len(METHODS) - 2} records" in run(*argv)
    assert not [path for path in (tmp_path / "out").rglob("*.json") if "lora" in path.name]


def test_interrupted_training_keeps_the_best_and_resumes(run, tmp_path, monkeypatch):
    out = tmp_path / "out"
    show = cli._Bar.show

    def interrupt(self, title, done, total, **facts):
        show(self, title, done, total, **facts)
        if (title, done) == ("training", 1):
            cli.signal.raise_signal(cli.signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(cli._Bar, "show", interrupt)
        printed = run("train", "--task", "mini-gsm", "--out", out, *TINY)
    assert "go on with --resume" in printed
    assert (out / "model.safetensors").exists()
    assert "go on" not in run("train", "--task", "mini-gsm", "--out", out, "--resume", *TINY)


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


def test_thoughts_prints_norms_and_neighbours(run):
    argv = ["thoughts", QUESTION, "--thoughts", 3, "--neighbours", 2]
    printed = json.loads(run(*argv, "--json"))
    assert [thought["number"] for thought in printed["thoughts"]] == [1, 2, 3]
    assert all(thought["norm_ratio"] > 0 for thought in printed["thoughts"])
    assert all(len(thought["nearest"]) == 2 for thought in printed["thoughts"])
    assert len(run(*argv).splitlines()) == 3


def test_pretrain_is_handed_on(monkeypatch, capsys):
    ran = []
    stand_in = SimpleNamespace(
        add_arguments=lambda parser: parser.add_argument("--out", default="there"),
        run=lambda args: ran.append(args.out),
    )
    monkeypatch.setitem(sys.modules, "softcot.lab.pretraining", stand_in)
    monkeypatch.setattr(lab, "pretraining", stand_in, raising=False)
    assert main(["pretrain"]) == main(["pretrain", "--out", "here"]) == 0
    assert ran == ["there", "here"]
    assert main(["pretrain", "--in", "x"]) == 2


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "arguments are required: COMMAND"),
        (["conjure"], "invalid choice: 'conjure'"),
        (["ask"], "arguments are required: QUESTION"),
        (["replay", "nothing.run"], "There is no file nothing.run"),
        (["ask", ""], "question is empty"),
        (["ask", "  \n"], "question is empty"),
        (["ask", "apples " * 600], "tokens long; the limit is"),
        (["ask", QUESTION, "--thoughts", "17"], "choose 0 to 16"),
        (["ask", QUESTION, "--thoughts", "-1"], "choose 0 to 16"),
        (["ask", QUESTION, "--thoughts", "many"], "--thoughts: invalid int value: 'many'"),
        (["ask", QUESTION, "--pair", "giants"], "no pair called 'giants'"),
        (["ask", QUESTION, "--method", "telepathy"], "no method called 'telepathy'"),
        (["ask", QUESTION, "--task", "poetry"], "no task 'poetry'"),
        (["ask", QUESTION, "--samples", "0"], "--samples: '0' is not a whole number"),
        (["ask", QUESTION, "--samples", "2", "--temperature", "0"], "temperature above 0"),
        (["ask", QUESTION, "--temperature", "-1"], "temperature must be"),
        (["ask", QUESTION, "--temperature", "nan"], "temperature must be"),
        (["ask", QUESTION, "--seed", "-1"], "seed must be"),
        (["ask", QUESTION, "--max-new-tokens", "0"], "max-new-tokens must be"),
        (["ask", QUESTION, "--meth", "softcot"], "nrecognized arguments: --meth"),
        (["problem", "--task", "poetry"], "no task 'poetry'"),
        (["problem", "--task", "free"], "no split 'test'"),
        (["problem", "--task", "mini-gsm", "--split", "exam"], "--split: invalid choice: 'exam'"),
        (["problem", "--task", "mini-gsm", "--count", "0"], "--count: '0' is not a whole number"),
        (["train", "--task", "mini-gsm"], "arguments are required: --out"),
        (["train", "--task", "poetry", "--out", "x"], "no task 'poetry'"),
        (["train", "--task", "mini-dates", "--out", "x"], "no training split"),
        (["train", "--task", "mini-gsm", "--out", "x", "--steps", "0"], "steps must be"),
        (["train", "--task", "mini-gsm", "--out", "x", "--start", "sideways"], "'sideways'"),
        (["train", "--task", "mini-gsm", "--out", "x", "--pair", "giants"], "no pair called"),
        (["evaluate"], "arguments are required: --task"),
        (["evaluate", "--task", "poetry"], "no task 'poetry'"),
        (["evaluate", "--task", "free"], "no split 'test'"),
        (["evaluate", "--task", "mini-gsm", "--split", "exam"], "--split: invalid choice: 'exam'"),
        (["evaluate", "--task", "mini-dates", "--split", "train"], "no split 'train'"),
        (
            [*ONE, "--trained-on", "poetry"],
            "no task 'poetry'",
        ),
        (
            [*ONE, "--trained-on", "mini-aqua", "--method", "zero-shot-cot"],
            "trains nothing",
        ),
        ([*ONE, "--samples", "0"], "--samples: '0' is not a whole number"),
        ([*ONE, "--samples", "2", "--temperature", "0"], "all samples are equal"),
        (
            ["evaluate", "--task", "mini-gsm", "--limit", "1", "--control", "prayer"],
            "no control called 'prayer'",
        ),
        (
            ["evaluate", "--task", "mini-gsm", "--limit", "1", "--method", "telepathy"],
            "no method called",
        ),
        (["evaluate", "--task", "mini-gsm", "--seeds", "41-"], "not a list such as 41-45"),
        (["evaluate", "--task", "mini-gsm", "--seeds", "45-41"], "not a list such as 41-45"),
        (
            ["evaluate", "--task", "mini-gsm", "--limit", "1", "--seeds", "41,41"],
            "different numbers",
        ),
        (["evaluate", "--task", "mini-gsm", "--limit", "0"], "--limit: '0' is not a whole number"),
        (["evaluate", "--task", "mini-gsm", "--problems", "missing.jsonl"], "missing.jsonl"),
        (["evaluate", "--task", "mini-gsm", "--limit", "2", "--thoughts", "99"], "choose 0 to 16"),
        (["thoughts", ""], "question is empty"),
        (["thoughts", QUESTION, "--thoughts", "17"], "choose 0 to 16"),
        (["report", "--results", "nowhere"], "no record in nowhere"),
    ],
)
def test_bad_input_ends_with_one_sentence(mini_env, refuse, tmp_path, monkeypatch, argv, message):
    monkeypatch.chdir(tmp_path)
    assert message in refuse(*argv)
    assert list(tmp_path.iterdir()) == []


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


def test_a_log_that_cannot_be_is_refused_before_anything_is_written(mini_env, refuse, tmp_path):
    argv = ["train", "--task", "mini-gsm", "--out", tmp_path / "out", *TINY, "--log", "paper"]
    assert "choose one of: tensorboard, trackio" in refuse(*argv)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("missing", ["base", "assistant", "projection-all"])
def test_missing_checkpoints_end_with_one_sentence(
    checkpoints, refuse, tmp_path, monkeypatch, missing
):
    root = shutil.copytree(checkpoints, tmp_path / "copy")
    shutil.rmtree(root / "mini" / missing)
    monkeypatch.setenv("SOFTCOT_CHECKPOINTS", str(root))
    assert "python -m softcot" in refuse("ask", QUESTION)


@pytest.mark.parametrize("damaged", ["base", "assistant", "projection-all"])
@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_damaged_checkpoints_end_with_one_sentence(
    checkpoints, refuse, tmp_path, monkeypatch, damaged, file
):
    root = shutil.copytree(checkpoints, tmp_path / "copy")
    path = root / "mini" / damaged / file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    monkeypatch.setenv("SOFTCOT_CHECKPOINTS", str(root))
    assert damaged in refuse("ask", QUESTION)


def test_unwritable_output_ends_with_one_sentence(mini_env, refuse, tmp_path):
    (tmp_path / "file").touch()
    argv = ["evaluate", "--task", "mini-gsm", "--limit", 1, *SHORT]
    assert str(tmp_path / "file") in refuse(*argv, "--out", tmp_path / "file" / "x.json")


def test_seeds_are_ranges_and_lists():
    assert parse_seeds("41-45") == [41, 42, 43, 44, 45]
    assert parse_seeds("7") == [7]
    assert parse_seeds("1,3-4") == [1, 3, 4]
    for text in ("", "a", "1-", "-1", "3-1", "1,,2", "1.5"):
        with pytest.raises(UserError):
            parse_seeds(text)


def test_help_needs_no_model_library():
    code = (
        "import sys; from softcot.cli.main import main\n"
        "try: main(['evaluate', '--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'transformers', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--problems" in done.stdout


def test_the_module_runs_as_a_command():
    argv = [sys.executable, "-m", "softcot"]
    shown = subprocess.run([*argv, "--version"], capture_output=True, text=True)
    assert (shown.returncode, shown.stdout) == (0, "0.1.0\n")
    refused = subprocess.run([*argv, "conjure"], capture_output=True, text=True)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert len(refused.stderr.splitlines()) == 1
