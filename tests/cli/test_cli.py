"""The command line as a whole: its commands, their help, and how bad input ends."""

import shutil
import subprocess
import sys

import pytest

from cli.conftest import QUESTION, SHORT
from softcot.cli.main import COMMANDS, command_module

HEAVY = {"torch", "transformers", "numpy"}
ONE = ["evaluate", "--task", "mini-gsm", "--limit", "1"]


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
        (["train", "--task", "mini-gsm", "--out", "x", "--warmup", "-1"], "warmup must be"),
        (["train", "--task", "mini-gsm", "--out", "x", "--clip", "0"], "clip must be"),
        (["train", "--task", "mini-gsm", "--out", "x", "--weight-decay", "-1"], "decay must be"),
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


@pytest.mark.parametrize("missing", ["base", "assistant", "projection-all"])
def test_missing_checkpoints_end_with_one_sentence(
    checkpoints, refuse, tmp_path, monkeypatch, missing
):
    root = shutil.copytree(checkpoints, tmp_path / "copy")
    shutil.rmtree(root / "mini" / missing)
    monkeypatch.setenv("SOFTCOT_CHECKPOINTS", str(root))
    assert "python -m softcot" in refuse("ask", QUESTION, "--task", "free")


@pytest.mark.parametrize("damaged", ["base", "assistant", "projection-all"])
@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_damaged_checkpoints_end_with_one_sentence(
    checkpoints, refuse, tmp_path, monkeypatch, damaged, file
):
    root = shutil.copytree(checkpoints, tmp_path / "copy")
    path = root / "mini" / damaged / file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    monkeypatch.setenv("SOFTCOT_CHECKPOINTS", str(root))
    assert damaged in refuse("ask", QUESTION, "--task", "free")


def test_unwritable_output_ends_with_one_sentence(mini_env, refuse, tmp_path):
    (tmp_path / "file").touch()
    argv = ["evaluate", "--task", "mini-gsm", "--limit", 1, *SHORT]
    assert str(tmp_path / "file") in refuse(*argv, "--out", tmp_path / "file" / "x.json")


def loaded_by_help(*argv):
    """Every module of a new Python in which help is asked for, and what it prints."""
    code = (
        "import sys; from softcot.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split()), done.stdout


def test_help_lists_the_commands_and_imports_none():
    loaded, shown = loaded_by_help("--help")
    assert {name for name in loaded if name.startswith("softcot.cli.")} == {"softcot.cli.main"}
    assert not HEAVY & loaded
    words = " ".join(shown.split())
    for name, summary in COMMANDS.items():
        assert f" {name} {summary}" in words


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_a_module_with_three_parts_and_needs_no_model_library_for_its_help(name):
    module = command_module(name)
    assert module.__doc__.splitlines()[0] == COMMANDS[name]
    assert callable(module.add_arguments) and callable(module.run)
    loaded, shown = loaded_by_help(name, "--help")
    assert not HEAVY & loaded
    assert " ".join(shown.split()).startswith(f"usage: softcot {name} [-h] ")
    assert COMMANDS[name] in " ".join(shown.split())


def test_the_help_of_a_command_shows_its_options():
    assert "--problems" in loaded_by_help("evaluate", "--help")[1]


def test_the_module_runs_as_a_command():
    argv = [sys.executable, "-m", "softcot"]
    shown = subprocess.run([*argv, "--version"], capture_output=True, text=True)
    assert (shown.returncode, shown.stdout) == (0, "0.3.0\n")
    refused = subprocess.run([*argv, "conjure"], capture_output=True, text=True)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert len(refused.stderr.splitlines()) == 1
