"""What is printed and what is typed, on consoles and in texts of every kind."""

import io
import json
import os
import subprocess
import sys
import tempfile

import pytest

from cli.conftest import QUESTION, SHORT
from softcot.cli.main import main
from softcot.data.problems import Problem, question_hash
from softcot.support.files import spare_temporary_files

ARROW = f"{QUESTION} → ü"
HALF = "Anna has 12 apples \udcff. How many?"
"""As a shell passes on a byte that is no text."""


@pytest.fixture
def console(mini_env, monkeypatch):
    """Run a command on a console of an encoding; gives its exit code and what it shows."""

    def run(encoding, *argv):
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        code = main([str(word) for word in argv])
        out.flush()
        return code, out.buffer.getvalue().decode(encoding)

    return run


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp932", "utf-8", "utf-16"])
def test_every_console_shows_every_text(console, encoding):
    code, shown = console(encoding, "thoughts", ARROW, "--neighbours", 40)
    assert code == 0 and len(shown.splitlines()) == 12
    assert console(encoding, "ask", "", "--task", "→")[0] == 2


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
@pytest.mark.parametrize("command", ["ask", "thoughts"])
def test_json_is_json_on_every_console(console, encoding, command):
    short = SHORT if command == "ask" else ["--thoughts", 1]
    code, shown = console(encoding, command, ARROW, "--json", *short)
    assert code == 0 and json.loads(shown)["question"] == ARROW
    assert ("→" in shown) == (encoding == "utf-8")


def test_half_a_character_is_a_question_mark(console, tmp_path):
    for argv in (
        ["thoughts", HALF, "--json"],
        ["ask", HALF, "--json", *SHORT],
        ["ask", HALF, "--edits", "noise", "--json", *SHORT],
        ["ask", HALF, "--edits", "swap", "--other", HALF, "--json", *SHORT],
    ):
        code, shown = console("utf-8", *argv)
        assert code == 0 and json.loads(shown)["question"] == HALF.replace("\udcff", "?")
    saved = tmp_path / "a.run"
    edited = ["--edits", "swap noise", "--other", HALF, "--save", saved]
    assert console("utf-8", "ask", HALF, *edited, *SHORT)[0] == 0
    assert console("utf-8", "replay", saved)[0] == 0


def test_half_a_character_in_a_file_of_problems(console, tmp_path):
    file = tmp_path / "problems.jsonl"
    argv = ["--problems", file, "--task", "mini-gsm", "--control", "noise", "--out"]
    argv += [tmp_path / "\udcff.json", *SHORT]
    file.write_text('{"question": "Anna has 2 pens.", "answer": "\\ud800 3"}\n')
    assert console("utf-8", "evaluate", *argv)[0] == 2
    sys.stderr.flush()
    assert b"line 1 on holds half a character" in sys.stderr.buffer.getvalue()
    file.write_text('{"question": "Anna has 2 pens.", "answer": "3"}\n')
    assert console("utf-8", "evaluate", *argv)[0] == 0
    assert question_hash("a \ud800") == question_hash("A ?")
    assert Problem("mini-gsm", "\ud800", "\ud800", "\ud800").to_json()["rationale"] == "?"


def test_a_disk_without_room_for_temporary_files(console, monkeypatch):
    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    spare_temporary_files()
    assert os.path.isdir(os.environ["TORCHINDUCTOR_CACHE_DIR"])
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR")
    assert console("utf-8", "ask", QUESTION, *SHORT)[0] == 0
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR")


def printing(*words: str, **streams) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "softcot", *words]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, **streams)


def test_nowhere_to_print():
    closed = printing("problem", "--task", "mini-gsm", preexec_fn=lambda: os.close(1))
    assert (closed.returncode, closed.stderr) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full disk to try")
def test_a_full_disk_is_one_sentence():
    with open("/dev/full", "w") as full:
        refused = printing("problem", "--task", "mini-gsm", "--count", "3", stdout=full)
    assert refused.returncode == 2
    assert refused.stderr == "Cannot go on: No space left on device.\n"
