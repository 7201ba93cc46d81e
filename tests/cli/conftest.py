"""How the tests run a command, and the little that their commands are given to do."""

import pytest

from softcot import methods
from softcot.cli.main import main

QUESTION = "Anna has 12 apples and buys 30 more. How many?"
SHORT = ["--max-new-tokens", "4"]
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
