"""`train`: what it writes and refuses, its settings, and how it is interrupted."""

import json
import signal
from dataclasses import fields

from cli.conftest import TINY
from softcot.cli.main import main
from softcot.cli.progress import Bar
from softcot.support.errors import UserError
from softcot.thoughts.soft_prompt import SoftPrompt
from softcot.training import trainer
from softcot.training.config import TrainingConfig


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


def test_every_setting_of_a_training_is_an_option(mini_env, monkeypatch):
    changed = {
        "max_thoughts": 3,
        "steps": 7,
        "batch_size": 5,
        "learning_rate": 0.01,
        "warmup": 2,
        "weight_decay": 0.1,
        "clip": 0.5,
        "start": "random",
        "seed": 8,
        "train_problems": 9,
        "validation_problems": 6,
        "validate_every": 4,
    }
    assert list(changed) == [field.name for field in fields(TrainingConfig)]
    assert not changed.items() & vars(TrainingConfig()).items()
    seen = []

    def note(pair, method, task, config, out, **options):
        seen.append(config)
        raise UserError("seen")

    monkeypatch.setattr(trainer, "train", note)
    argv = ["train", "--task", "mini-gsm", "--out", "x"]
    options = [
        word
        for name, value in changed.items()
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]
    assert main(argv) == main([*argv, *options]) == 2
    assert seen == [TrainingConfig(), TrainingConfig(**changed)]


def test_warm_up_clip_and_weight_decay_are_recorded(run, tmp_path):
    argv = ["train", "--task", "mini-gsm", "--out", tmp_path / "out", *TINY]
    run(*argv, "--warmup", 3, "--clip", 0.5, "--weight-decay", 0.1)
    config = json.loads((tmp_path / "out" / "training.json").read_text())["config"]
    assert (config["warmup"], config["clip"], config["weight_decay"]) == (3, 0.5, 0.1)


def test_interrupted_training_keeps_the_best_and_resumes(run, tmp_path, monkeypatch):
    out = tmp_path / "out"
    show = Bar.show

    def interrupt(self, title, done, total, **facts):
        show(self, title, done, total, **facts)
        if (title, done) == ("training", 1):
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Bar, "show", interrupt)
        printed = run("train", "--task", "mini-gsm", "--out", out, *TINY)
    assert "go on with --resume" in printed
    assert (out / "model.safetensors").exists()
    assert "go on" not in run("train", "--task", "mini-gsm", "--out", out, "--resume", *TINY)


def test_a_log_that_cannot_be_is_refused_before_anything_is_written(mini_env, refuse, tmp_path):
    argv = ["train", "--task", "mini-gsm", "--out", tmp_path / "out", *TINY, "--log", "paper"]
    assert "choose one of: tensorboard, trackio" in refuse(*argv)
    assert not (tmp_path / "out").exists()
