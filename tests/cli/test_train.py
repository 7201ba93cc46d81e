"""`train`: what it writes and refuses, its settings, and how it is interrupted."""

import json
import signal
from dataclasses import fields, replace

import pytest
from conftest import build_problems

from cli.conftest import SHORT, TINY
from softcot.cli.main import main
from softcot.cli.progress import Bar
from softcot.data import task
from softcot.data.stored import DATA_VARIABLE
from softcot.data.tasks import TASKS, GeneratedProblems
from softcot.support.errors import UserError
from softcot.thoughts.projection import Projection
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
            and "choose one of: pause-tokens, prompt-tuning, lora, coconut, softcot" in sentence
        )
        assert not (tmp_path / method).exists()


def test_every_setting_of_a_training_is_an_option(mini_env, monkeypatch):
    changed = {
        "max_thoughts": 3,
        "least_thoughts": 2,
        "steps": 7,
        "epochs": 3,
        "batch_size": 5,
        "learning_rate": 0.01,
        "warmup": 2,
        "decay": "linear",
        "weight_decay": 0.1,
        "clip": 0.5,
        "start": "torch",
        "numbers": "bfloat16",
        "keep": "last",
        "chains": 4,
        "graded_chains": 2,
        "contrast": 0.3,
        "rank": 2,
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


def interrupt_at(step):
    """A bar at whose step somebody presses Ctrl-C."""
    show = Bar.show

    def interrupt(self, title, done, total, **facts):
        show(self, title, done, total, **facts)
        if (title, done) == ("training", step):
            signal.raise_signal(signal.SIGINT)

    return interrupt


def test_interrupted_training_keeps_the_best_and_resumes(run, tmp_path, monkeypatch):
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(Bar, "show", interrupt_at(1))
        printed = run("train", "--task", "mini-gsm", "--out", out, *TINY)
    assert "go on with --resume" in printed
    assert (out / "model.safetensors").exists()
    assert "go on" not in run("train", "--task", "mini-gsm", "--out", out, "--resume", *TINY)


def stored(folder, answers):
    """A little gsm8k in a folder, with answers such as these."""
    (folder / "gsm8k").mkdir(parents=True)
    for split in ("train", "test"):
        rows = [
            {"question": f"How many is {split} {n}?", "answer": f"It is said.\n#### {n % answers}"}
            for n in range(40)
        ]
        text = "\n".join(map(json.dumps, rows))
        (folder / "gsm8k" / f"{split}.jsonl").write_text(text)
    return folder


def test_an_interrupted_training_does_not_go_on_with_other_data(run, refuse, tmp_path, monkeypatch):
    monkeypatch.setenv(DATA_VARIABLE, "")  # the option sets it
    one, other = stored(tmp_path / "d1", 7), stored(tmp_path / "d2", 9)
    argv = ["train", "--task", "gsm8k", "--method", "prompt-tuning", *TINY]
    argv += ["--out", tmp_path / "out", "--data-dir"]
    with monkeypatch.context() as patch:
        patch.setattr(Bar, "show", interrupt_at(1))
        assert "go on with --resume" in run(*argv, one)
    assert "other settings (problems)" in refuse(*argv, other, "--resume")
    assert "go on" not in run(*argv, one, "--resume")


def test_a_training_that_diverges_ends_with_one_sentence(mini_env, tmp_path, capsys):
    out = tmp_path / "out"
    argv = ["train", "--task", "mini-gsm", "--out", out, *TINY]
    argv += ["--learning-rate", "1e38", "--warmup", "0"]
    assert main([str(part) for part in argv]) == 2
    [*_, sentence] = capsys.readouterr().err.splitlines()
    assert "diverged: its" in sentence and "at step" in sentence and "Traceback" not in sentence
    assert Projection.load(out).task == "mini-gsm" and "step 0" in sentence
    json.loads((out / "training.json").read_text(), parse_constant=pytest.fail)


def test_coconut_with_too_few_steps_ends_with_one_sentence(mini_env, refuse, tmp_path):
    argv = ["train", "--method", "coconut", "--task", "mini-gsm", "--out", tmp_path / "out", *TINY]
    assert "needs 2 steps or more" in refuse(*argv, "--steps", 1)
    assert "needs 4 steps" in refuse(*argv, "--max-thoughts", 6, "--steps", 3)


def test_a_task_of_few_problems_is_trained_on_all_it_has(run, tmp_path, monkeypatch):
    def draw(rng):
        return build_problems(30)[rng.randrange(30)]

    monkeypatch.setattr(task, "PATIENCE", 300)
    few = replace(TASKS["mini-gsm"], source=GeneratedProblems(draw))
    monkeypatch.setitem(TASKS, "mini-gsm", few)
    argv = ["--task", "mini-gsm", "--out", tmp_path / "out", *TINY]
    printed = run("train", *argv, "--train-problems", 2000, "--validation-problems", 2000)
    assert "validation loss" in printed
    count = len(few.problems("test", 2000))
    printed = run("evaluate", "--task", "mini-gsm", *SHORT, "--limit", 2000)
    assert f"(test, n = {count})" in printed and count < 30


def test_a_log_that_cannot_be_is_refused_before_anything_is_written(mini_env, refuse, tmp_path):
    argv = ["train", "--task", "mini-gsm", "--out", tmp_path / "out", *TINY, "--log", "paper"]
    assert "choose one of: tensorboard, trackio" in refuse(*argv)
    assert not (tmp_path / "out").exists()
