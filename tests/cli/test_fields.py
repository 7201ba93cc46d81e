"""Options that are the fields of a dataclass: their types, defaults and texts."""

import argparse
from dataclasses import dataclass, fields

import pytest

from softcot.cli.fields import add_fields, attribute_docstrings
from softcot.training.config import TrainingConfig


@dataclass(frozen=True)
class Soup:
    """No field's text."""

    salt: float = 0.5
    """How much of it: 100 % is
    the sea."""
    bare: int = 1
    "Between other quotes."
    guests: int | None = None
    """None of the fields' texts is left out. Not the second sentence, either."""
    name: str = "soup"
    """What it is called."""

    def stir(self):
        """No field's text, either."""


def test_texts_below_attributes_are_read():
    assert attribute_docstrings(Soup) == {
        "salt": "How much of it: 100 % is\nthe sea.",
        "bare": "Between other quotes.",
        "guests": "None of the fields' texts is left out. Not the second sentence, either.",
        "name": "What it is called.",
    }


def test_every_setting_of_a_training_has_a_text():
    assert list(attribute_docstrings(TrainingConfig)) == [f.name for f in fields(TrainingConfig)]


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser()
    add_fields(parser, Soup, "the soup")
    return parser


def test_fields_are_options_with_their_types_and_defaults(parser):
    assert Soup(**vars(parser.parse_args([]))) == Soup()
    argv = ["--salt", "1", "--bare", "2", "--guests", "3", "--name", "4"]
    read = vars(parser.parse_args(argv))
    assert read == {"salt": 1.0, "bare": 2, "guests": 3, "name": "4"}
    assert [type(value) for value in read.values()] == [float, int, int, str]


def test_the_help_is_the_texts_and_the_defaults(parser):
    shown = " ".join(parser.format_help().split())
    assert "the soup: --salt SALT How much of it: 100 % is the sea (default: 0.5)" in shown
    assert "sentence, either --name NAME What it is called (default: soup)" in shown
