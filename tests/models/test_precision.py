"""Which numbers a model is kept in, and that nothing else changes with them."""

import argparse
import json
from dataclasses import replace

import pytest
import torch

from softcot.cli.options import add_pair, pair_options
from softcot.data.problems import Problem
from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling
from softcot.evaluation.answering import ColumnRequest
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.evaluation.records import load_record, write_record
from softcot.evaluation.run_file import RunRequest, load_run, replay, save_run
from softcot.models import loading, precision
from softcot.models.language_model import LanguageModel
from softcot.models.loading import ModelSource, check_memory, known_billions
from softcot.models.precision import usual_dtype
from softcot.support.errors import UserError
from softcot.thoughts.pair import load_pair
from softcot.thoughts.projection import Projection
from softcot.training.config import TrainingConfig
from softcot.training.trainer import train

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def quick_bf16(monkeypatch):
    """A CPU that multiplies faster in bf16."""
    monkeypatch.setattr(precision, "bf16_gain", lambda: 3.0)


@pytest.mark.parametrize(
    ("device", "billions", "gain", "expected"),
    [
        (CPU, 0.63, 3.0, "bfloat16"),
        (CPU, 0.63, 0.2, "float32"),
        (CPU, 0.63, 1.1, "float32"),
        (CPU, None, 3.0, "bfloat16"),
        (CPU, 0.01, 3.0, "float32"),
        (GPU, 0.01, 0.2, "bfloat16"),
        (GPU, None, 0.2, "bfloat16"),
    ],
)
def test_bf16_is_used_where_it_is_clearly_faster(monkeypatch, device, billions, gain, expected):
    monkeypatch.setattr(precision, "bf16_gain", lambda: gain)
    assert usual_dtype(device, billions) == expected


def test_a_small_model_is_not_measured_for(monkeypatch, mini_env):
    monkeypatch.setattr(precision, "bf16_gain", lambda: pytest.fail("measured"))
    pair = load_pair("mini", "cpu")
    assert pair.base.dtype == pair.assistant.dtype == torch.float32


def test_the_measurement_is_a_ratio_and_made_once(monkeypatch):
    precision.bf16_gain.cache_clear()
    gain = precision.bf16_gain()
    assert 0.001 < gain < 1000
    monkeypatch.setattr(precision, "_seconds", lambda *given: pytest.fail("measured again"))
    assert precision.bf16_gain() == gain


def test_what_was_asked_for_is_what_both_are_kept_in(mini_env):
    pair = load_pair("mini", "cpu", dtype="bfloat16")
    assert pair.base.dtype == pair.assistant.dtype == torch.bfloat16
    assert pair.fingerprints == load_pair("mini", "cpu").fingerprints
    lm = LanguageModel.load(mini_env / "mini" / "base", "cpu", dtype="bfloat16")
    assert lm.dtype == torch.bfloat16


def test_the_memory_is_that_of_the_true_numbers(monkeypatch, quick_bf16):
    monkeypatch.setattr(loading, "free_gigabytes", lambda device: 20.0)
    sources = [ModelSource("a", billions=7.0)]
    check_memory("a", sources, CPU)
    with pytest.raises(UserError, match=r"33\.6 GB in float32"):
        check_memory("a", sources, CPU, dtype="float32")
    with pytest.raises(UserError, match=r"33\.6 GB in bfloat16"):
        check_memory("a", [replace(sources[0], billions=14.0)], CPU)


def test_the_size_of_a_pair_is_known_where_both_are():
    assert known_billions([ModelSource("a", billions=1.0), ModelSource("b", billions=0.5)]) == 1.5
    assert known_billions([ModelSource("a", billions=1.0), ModelSource("b")]) is None


def test_a_run_says_what_it_was_made_in_and_comes_out_again(mini_env, tmp_path):
    pair = load_pair("mini", "cpu", dtype="bfloat16")
    problem = Problem("mini-gsm", "Anna has 12 apples and buys 30 more. How many?", "42")
    requests = (ColumnRequest("zero-shot-cot"), ColumnRequest("softcot"))
    asked = RunRequest(problem, requests, k=4, sampling=Sampling(max_new_tokens=6))
    *_, columns = asked.stream(pair)
    save_run(tmp_path / "one.run", pair, asked, columns)
    run_file = load_run(tmp_path / "one.run")
    assert run_file.origin["dtype"] == "bfloat16"
    replay(pair, run_file)


def test_a_record_says_what_it_was_made_in_and_older_ones_load(mini_env, tmp_path, problems):
    for dtype in ("float32", "bfloat16"):
        pair = load_pair("mini", "cpu", dtype=dtype)
        protocol = Protocol("softcot", k=3, sampling=Sampling(max_new_tokens=4))
        record = evaluate(pair, get_task("mini-gsm"), protocol, problems)
        write_record(record, tmp_path / "one.json")
        assert load_record(tmp_path / "one.json").dtype == dtype
    head = json.loads((tmp_path / "one.json").read_text())
    del head["dtype"]
    (tmp_path / "one.json").write_text(json.dumps(head))
    old = load_record(tmp_path / "one.json")
    assert old.dtype is None and "dtype" not in old.head()


def test_training_around_bf16_models_moves_the_fp32_projection_alone(mini_env, tmp_path):
    pair = load_pair("mini", "cpu", dtype="bfloat16")
    models = (pair.base, pair.assistant)
    before = [lm.fingerprint(exact=True) for lm in models]
    config = TrainingConfig(
        max_thoughts=4,
        steps=6,
        warmup=2,
        batch_size=4,
        learning_rate=1e-2,
        train_problems=12,
        validation_problems=6,
        validate_every=2,
    )
    result = train(pair, "softcot", "mini-gsm", config, tmp_path / "run")
    assert result.history[-1]["validation_loss"] < result.history[0]["validation_loss"]
    assert [lm.fingerprint(exact=True) for lm in models] == before
    projection = Projection.load_for(pair, result.path)
    assert projection.linear.weight.dtype == torch.float32
    record = json.loads((result.path / "training.json").read_text())
    assert record["dtype"] == "bfloat16"


@pytest.mark.parametrize(("option", "dtype"), [("auto", None), ("float32", "float32")])
def test_the_option_says_what_the_models_are_kept_in(option, dtype):
    parser = argparse.ArgumentParser()
    add_pair(parser)
    assert pair_options(parser.parse_args(["--dtype", option]))["dtype"] == dtype
    assert pair_options(parser.parse_args([]))["dtype"] is None
