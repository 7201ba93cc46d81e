"""`--protocol`: a file's options come first, and given ones overrule them."""

import pytest

from softcot.cli.main import main, parse
from softcot.cli.protocol import PROTOCOLS
from softcot.prompts.wording import Templates
from softcot.support.errors import UserError

TRAIN = ["train", "--task", "mini-gsm", "--out", "x", "--protocol"]


def test_the_papers_protocol_sets_what_the_paper_did():
    args = parse([*TRAIN, "paper"])
    assert (args.max_thoughts, args.least_thoughts, args.epochs, args.batch_size) == (32, 32, 10, 4)
    assert (args.learning_rate, args.decay, args.keep) == (2e-5, "linear", "last")
    assert (args.start, args.numbers, args.prompts) == ("torch", "bfloat16", "mini-paper")
    asked = parse(["evaluate", "--protocol=paper", "--task", "gsm8k", "--pair", "qwen2.5-1.5b"])
    assert (asked.k, asked.seeds, asked.temperature, asked.top_k) == (4, "41-45", 1.0, 50)
    assert asked.max_new_tokens == 1024 and asked.prompts == "chat-paper"


def test_given_options_overrule_it_wherever_they_stand():
    args = parse(
        ["train", "--epochs", "2", "--task", "mini-gsm", "--out", "x", "--protocol", "paper"]
    )
    assert args.epochs == 2 and args.batch_size == 4
    assert parse([*TRAIN, "paper", "--prompts", "mini"]).prompts == "mini"


def test_a_file_of_ones_own_will_do(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text("[train]\nsteps = 7\n")
    assert parse([*TRAIN, str(file)]).steps == 7
    assert parse([*TRAIN, str(file)]).prompts is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "There is no protocol called"),
        ("[train", "cannot be used"),
        ("steps = 7", "must hold tables alone"),
        ("[evaluate]\nlimit = 3", "says nothing about train"),
        ("[train]\nstep = 7", "Unrecognized arguments: --step=7"),
        ("[train]\nsteps = 'many'", "invalid int value: 'many'"),
    ],
)
def test_what_is_no_protocol_is_refused_in_a_sentence(tmp_path, text, sentence, capsys):
    file = tmp_path / "own.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UserError, match=sentence):
        parse([*TRAIN, str(file)])
    assert main([*TRAIN, str(file)]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_every_protocol_names_sets_that_there_are():
    assert PROTOCOLS.glob("*.toml")
    for name in ("mini", "chat"):
        assert Templates.find(f"{name}-paper")
