"""`pretrain`: what it asks of the laboratory."""

from dataclasses import replace
from pathlib import Path

import pytest

from softcot.cli.main import main
from softcot.cli.pretrain import PAIRS
from softcot.lab import pretraining
from softcot.lab.pretraining import CONFIGS


@pytest.fixture
def asked(monkeypatch):
    """What models would be trained: (configuration, folder, whether it goes on)."""
    asked = []

    def note(config, out, *, resume):
        asked.append((config, out, resume))
        return {"loss": 0.0}

    monkeypatch.setattr(pretraining, "pretrain", note)
    return asked


def test_both_models_are_made_as_configured(asked):
    assert main(["pretrain"]) == 0
    folders = [Path("checkpoints/mini", config.role) for config in CONFIGS["mini"]]
    assert asked == [(*both, False) for both in zip(CONFIGS["mini"], folders, strict=True)]


def test_options_change_what_is_made(asked):
    argv = ["pretrain", "--out", "here", "--read", "0.5", "--steps", "9", "--resume"]
    assert main(argv) == 0
    assistant, base = (replace(config, steps=9) for config in CONFIGS["mini"])
    assert asked == [
        (assistant, Path("here/assistant"), True),
        (replace(base, fraction=0.5), Path("here/base"), True),
    ]


def test_one_role_is_made_alone(asked):
    assert main(["pretrain", "--pair", "reading-30", "--role", "base"]) == 0
    [(config, folder, _)] = asked
    assert (config, folder) == (CONFIGS["reading-30"][0], Path("checkpoints/reading-30/base"))


def test_a_lexicon_is_added_to_models_that_are_there(asked, monkeypatch):
    told = []
    monkeypatch.setattr(pretraining, "add_lexicon", told.append)
    assert main(["pretrain", "--lexicon-only", "--out", "here"]) == 0
    assert asked == [] and told == [Path("here/assistant"), Path("here/base")]


def test_it_knows_the_pairs_without_the_laboratory():
    assert PAIRS == tuple(CONFIGS)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--in", "x"], "nrecognized arguments: --in"),
        (["--read", "2"], "a fraction above 0"),
        (["--pair", "giants"], "choose one of: mini, assistant-64"),
        (["--pair", "reading-30", "--role", "assistant"], "no assistant of its own"),
    ],
)
def test_what_cannot_be_made_is_refused(refuse, asked, argv, message):
    assert message in refuse("pretrain", *argv)
    assert asked == []
