"""A work that several processes share: the same weights and answers, one record, one voice."""

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from softcot.evaluation.records import load_record
from softcot.support.processes import Processes
from softcot.training.config import TrainingConfig
from softcot.training.trainer import train

# 13 problems in batches of 4: the last batch of an epoch has one, fewer than there are processes.
CONFIG = TrainingConfig(
    max_thoughts=4,
    steps=6,
    batch_size=4,
    train_problems=13,
    validation_problems=6,
    validate_every=2,
)
TWO = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "softcot"]
OPTIONS = [
    *("max_thoughts", "steps", "batch_size", "train_problems", "validation_problems"),
    "validate_every",
]


@pytest.mark.parametrize("method", ["softcot", "lora"])
def test_two_processes_train_what_one_trains(pair, mini_env, tmp_path, method):
    train(pair, method, "mini-gsm", CONFIG, tmp_path / "one")
    command = [sys.executable, *TWO, "train", "--task", "mini-gsm", "--method", method]
    for name in OPTIONS:
        command += [f"--{name.replace('_', '-')}", str(asdict(CONFIG)[name])]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "two")], env=environment, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    assert len(done.stdout.splitlines()) == 1
    # A bar is drawn over itself, and only its end starts a new line.
    assert len(re.findall(rb"training: 100%[^\r\n]*\n", done.stderr)) == 1
    file = "model.safetensors" if method == "softcot" else "adapter_model.safetensors"
    one, two = (load_file(tmp_path / name / file) for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=1e-4, atol=1e-5)
    records = [json.loads((tmp_path / n / "training.json").read_text()) for n in ("one", "two")]
    assert records[0]["config"] == records[1]["config"]
    for mine, theirs in zip(*(record["history"] for record in records), strict=True):
        assert mine.keys() == theirs.keys() and mine["step"] == theirs["step"]
        for name in ("train_loss", "validation_loss"):
            assert mine[name] == theirs[name] or mine[name] == pytest.approx(theirs[name], rel=1e-4)
    files = [sorted(path.name for path in (tmp_path / n).iterdir()) for n in ("one", "two")]
    assert files[0] == files[1] and "state.safetensors" not in files[1]


def test_two_processes_answer_what_one_answers(pair, mini_env, tmp_path):
    asked = ["evaluate", "--task", "mini-gsm", "--limit", "5", "--batch-size", "2"]
    asked += ["--samples", "2", "--seeds", "41-42", "--max-new-tokens", "6", "--thoughts", "3"]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    for name, launch in (("one", ["-m", "softcot"]), ("two", TWO)):
        (tmp_path / name).mkdir()
        done = subprocess.run(
            [sys.executable, *launch, *asked, "--out", str(tmp_path / name / "record.json")],
            env=environment,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr.decode()
        assert len(done.stdout.splitlines()) == 2  # accuracy, and how the samples differ
        files = sorted(path.name for path in (tmp_path / name).iterdir())
        assert files == ["record.json", "record.rows.xz"]
    one, two = (load_record(tmp_path / name / "record.json") for name in ("one", "two"))
    assert one.n == 5 and len(one.rows) == 20
    assert replace(two, seconds=one.seconds, command=one.command) == one


def test_alone_nothing_is_split_or_changed():
    alone = Processes.of(torch.device("cpu"))
    assert alone.main and alone.share([1, 2, 3]) == [1, 2, 3]
    assert alone.total(0.1) == 0.1 and alone.any(True) and not alone.any(False)
    assert alone.own(Path("a/b")) == Path("a/b") and alone.everyone([1, 2]) == [1, 2]
    found = alone.gathered([(2, torch.tensor(2)), (1, torch.tensor(1))])
    assert [value.item() for value in found] == [1, 2]
    weight = torch.zeros(2, requires_grad=True)
    alone.sum_gradients([weight])
    assert weight.grad is None
