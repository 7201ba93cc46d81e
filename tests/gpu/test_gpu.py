"""What only a GPU can show: the tiny pair there, in the precision that models have there.

Without a GPU these are skipped; SOFTCOT_GPU_STAND_IN=1 runs them on the CPU, so that they are known
to work before there is one.
"""

import os
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling, decode, finish
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.methods import ZeroShotCoT
from softcot.methods.softcot import SoftCoT
from softcot.models.batches import join
from softcot.models.loading import ModelSource, check_memory, usual_dtype
from softcot.support.errors import UserError
from softcot.thoughts.pair import load_pair
from softcot.training.config import TrainingConfig
from softcot.training.trainer import train

pytestmark = pytest.mark.gpu
STAND_IN = bool(os.environ.get("SOFTCOT_GPU_STAND_IN"))
CONFIG = TrainingConfig(
    steps=6, batch_size=4, validate_every=2, train_problems=16, validation_problems=8, warmup=1
)


@pytest.fixture(scope="module")
def device():
    if torch.cuda.is_available():
        return torch.device("cuda")
    if STAND_IN:
        return torch.device("cpu")
    pytest.skip("there is no GPU; SOFTCOT_GPU_STAND_IN=1 uses the CPU instead")


@pytest.fixture(scope="module")
def there(checkpoints, device):
    """The tiny pair on the device."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTCOT_CHECKPOINTS", str(checkpoints))
        return load_pair("mini", device)


def test_the_attention_that_gives_nan_is_left_alone(there, device):
    assert device.type == "cpu" or not torch.backends.cuda.cudnn_sdp_enabled()


@pytest.fixture
def prompt(there, problems):
    soft = SoftCoT(there, there.projection("mini-gsm"))
    return join([ZeroShotCoT(there).prepare(problems), soft.prepare(problems, 6)])


def test_the_pair_is_on_the_device_in_its_usual_precision(there, device):
    for lm in (there.base, there.assistant):
        assert lm.device.type == device.type
        assert str(lm.dtype) == f"torch.{usual_dtype(device, billions=1e-6)}"


def test_greedy_answers_are_those_of_generate(there, prompt):
    ours = [row.ids for row in finish(decode(there.base, prompt, Sampling(max_new_tokens=16)))]
    theirs = there.base.model.generate(
        inputs_embeds=prompt.embeds,
        attention_mask=prompt.attention_mask,
        max_new_tokens=16,
        do_sample=False,
        eos_token_id=[3],
        pad_token_id=0,
    ).tolist()
    equal = [
        mine == row[: len(mine)] for mine, row in zip(ours, theirs, strict=True)
    ]  # in bf16 two kernels may round a tie apart
    assert sum(equal) >= (len(equal) if there.base.dtype == torch.float32 else 0.7 * len(equal))


def test_the_first_token_is_that_of_the_cpu(there, pair, problems):
    """The precision differs, so only what the tiny model prefers clearly must agree."""
    here, gpu = (
        finish(decode(two.base, ZeroShotCoT(two).prepare(problems), Sampling(max_new_tokens=1)))
        for two in (pair, there)
    )
    equal = [a.ids == b.ids for a, b in zip(here, gpu, strict=True)]
    assert sum(equal) >= 0.6 * len(equal)


def test_a_training_takes_steps_and_goes_on_where_it_was_ended(there, tmp_path):
    whole = train(there, "softcot", "mini-gsm", CONFIG, tmp_path / "whole")
    seen = []
    ended = train(
        there,
        "softcot",
        "mini-gsm",
        CONFIG,
        tmp_path / "ended",
        progress=seen.append,
        should_stop=lambda: bool(seen) and (seen[-1].phase, seen[-1].done) == ("training", 3),
    )
    assert whole.finished and not ended.finished
    resumed = train(there, "softcot", "mini-gsm", CONFIG, tmp_path / "ended", resume=True)
    assert resumed.finished and resumed.best_loss == pytest.approx(whole.best_loss, rel=1e-2)
    [weights] = (tmp_path / "ended").glob("*.safetensors")
    assert all(torch.isfinite(value).all() for value in load_file(weights).values())


def test_a_record_names_the_device_and_repeats_itself(there, problems):
    protocol = Protocol("softcot", k=4, sampling=Sampling(max_new_tokens=8))
    task = get_task("mini-gsm")
    first, second = (evaluate(there, task, protocol, problems, batch_size=size) for size in (8, 8))
    assert first.n == len(problems) and replace(first, rows=[]).accuracy == second.accuracy
    assert [row.text for row in first.rows] == [row.text for row in second.rows]
    if torch.cuda.is_available():
        assert torch.cuda.get_device_name() in str(first.head())


def test_models_larger_than_its_memory_are_refused(device):
    with pytest.raises(UserError, match="GPU" if device.type == "cuda" else "computer"):
        check_memory("huge", [ModelSource("huge", billions=1e6)], device)
