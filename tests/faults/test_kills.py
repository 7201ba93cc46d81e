"""SIGKILL at any moment: what is done again goes on, and comes to the same bit for bit."""

import json
import os
import pickle
import random
from pathlib import Path

import pytest
from fetching.conftest import cache, shelf, tiny, tiny_gguf, wheels  # noqa: F401
from kill import Moment, Work, run
from proofs import count
from safetensors import safe_open

from softcot.evaluation.records import load_record
from softcot.fetching import store
from softcot.thoughts.projection import Projection

KILLS = int(os.environ.get("SOFTCOT_KILLS", "2"))
"""How often each kind of work is killed; each time the seed is the number."""

TRAIN = (
    "train --pair mini --task mini-gsm --max-thoughts 4 --steps 6 --batch-size 4 --warmup 2 "
    "--validate-every 2 --train-problems 12 --validation-problems 6"
).split()
EVALUATE = (
    "evaluate --pair mini --task mini-gsm --limit 12 --batch-size 4 --max-new-tokens 6 "
    "--seeds 41-42"
).split()


def whole(folder: Path) -> None:
    """Every file that has its final name is whole, whatever moment this is."""
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if not path.is_file() or any(part.startswith(".") for part in inside.parts):
            continue
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                assert list(file.keys())
        elif path.suffix == ".json":
            json.loads(path.read_text())


class Training:
    def __init__(self, place: Path, checkpoints: Path):
        self.out, self.cache = place / "out", place / "cache"
        self.environment = {"SOFTCOT_CHECKPOINTS": str(checkpoints)}

    def next(self) -> Work:
        places = ["--out", str(self.out), "--cache", str(self.cache)]
        again = ["--resume"] if (self.out / "state.safetensors").exists() else []
        return Work((*TRAIN, *places, *again), self.environment)

    def done(self) -> bool:
        state = self.out / "state.safetensors"
        return (self.out / "training.json").exists() and not state.exists()

    def outcome(self):
        record = json.loads((self.out / "training.json").read_text())
        assert record["finished"] and Projection.load(self.out).task == "mini-gsm"
        cached = {path.name: path.read_bytes() for path in self.cache.glob("states-*")}
        weights = (self.out / "model.safetensors").read_bytes()
        assert not (self.out / "state.safetensors").exists()
        return weights, record["history"], record["fingerprints"], cached


class Evaluation:
    def __init__(self, place: Path, checkpoints: Path):
        self.out = place / "one.json"
        self.environment = {"SOFTCOT_CHECKPOINTS": str(checkpoints)}

    def next(self) -> Work:
        return Work((*EVALUATE, "--out", str(self.out)), self.environment)

    def done(self) -> bool:
        return False

    def outcome(self):
        load_record(self.out)
        head = json.loads(self.out.read_text())
        told = {"seconds", "created", "command"}  # the last one names the file
        return {name: value for name, value in head.items() if name not in told}


class Fetching:
    def __init__(self, place: Path, model, environment):
        self.place, self.model = place / "cache", model
        self.environment = environment | {store.CACHE: str(self.place)}

    def next(self) -> Work:
        return Work(("fetch", ""), self.environment, pickle.dumps(self.model))

    def done(self) -> bool:
        return False

    def outcome(self):
        folder = self.place / "models" / self.model.name
        assert store.MANIFEST in {path.name for path in folder.iterdir()}
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def killed_and_gone_on(make, tmp_path, test):
    """Kill work at seeded moments, half of them while it writes, and compare what comes out."""
    plain = make(tmp_path / "plain")
    sizes = run(plain.next(), Moment(0), tmp_path / "told")
    expected = plain.outcome()
    again = gone_on = 0
    for seed in range(KILLS):
        rng = random.Random(seed)
        one, writing = make(tmp_path / str(seed)), bool(seed % 2)
        moment = Moment(rng.randint(1, sizes["writes" if writing else "calls"]), writing)
        killed = run(one.next(), moment, tmp_path / "told") is None
        whole(tmp_path / str(seed))
        # A second kill, sooner: nothing may depend on the first one having been the only one.
        if not one.done():
            sooner = Moment(rng.randint(1, sizes["calls"]))
            again += run(one.next(), sooner, tmp_path / "told") is None
            whole(tmp_path / str(seed))
        if not one.done():
            last = run(one.next(), Moment(0), tmp_path / "told")
            assert last is not None and last["code"] == 0, (seed, moment)
        assert one.outcome() == expected, (seed, moment)
        gone_on += killed
        count(test, killed=gone_on, killed_again=again)
    assert gone_on > KILLS * 0.8  # moments near the end may come no more


@pytest.mark.proof("A training killed at a random moment, half of them while it writes")
def test_a_killed_training_comes_to_the_same_bits(checkpoints, tmp_path):
    killed_and_gone_on(
        lambda place: Training(place, checkpoints),
        tmp_path,
        "test_a_killed_training_comes_to_the_same_bits",
    )


@pytest.mark.proof("An evaluation killed at a random moment, half of them while it writes")
def test_a_killed_evaluation_comes_to_the_same_record(checkpoints, tmp_path):
    killed_and_gone_on(
        lambda place: Evaluation(place, checkpoints),
        tmp_path,
        "test_a_killed_evaluation_comes_to_the_same_record",
    )


@pytest.mark.proof("The fetching of a model killed at a random moment, half while it writes")
def test_a_killed_fetching_comes_to_the_same_files(tiny, tmp_path):  # noqa: F811
    environment = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    killed_and_gone_on(
        lambda place: Fetching(place, tiny, environment | {"HF_HUB_OFFLINE": "1"}),
        tmp_path,
        "test_a_killed_fetching_comes_to_the_same_files",
    )
