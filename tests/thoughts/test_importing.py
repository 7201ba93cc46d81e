"""Layers trained elsewhere: the same thoughts, and everything else refused in a sentence."""

import hashlib
import json
from collections import OrderedDict

import pytest
import torch

from softcot.cli.main import main
from softcot.data.tasks import get_task
from softcot.methods import SoftCoT
from softcot.support.errors import UserError
from softcot.thoughts.importing import import_projection
from softcot.thoughts.pair import load_pair
from softcot.thoughts.projection import Projection
from softcot.web.explorer import Explorer


def layer(dtype=torch.float32, prefix="", base=32, assistant=16, bias=True):
    """A state dict of one layer."""
    generator = torch.Generator().manual_seed(7)
    tensors = {"weight": torch.randn(base, assistant, generator=generator)}
    if bias:
        tensors["bias"] = torch.randn(base, generator=generator)
    return OrderedDict((prefix + name, value.to(dtype)) for name, value in tensors.items())


@pytest.fixture
def saved(tmp_path):
    """Write something with torch.save."""

    def save(content):
        torch.save(content, tmp_path / "layer.bin")
        return tmp_path / "layer.bin"

    return save


@pytest.mark.parametrize("prefix", ["", "linear.", "a.b."])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_thoughts_are_weight_times_state_plus_bias(pair, saved, prefix, dtype):
    tensors = layer(dtype, prefix)
    projection, remarks = import_projection(saved(tensors), pair, "gsm8k", 32)
    states = torch.randn(3, 5, 16)
    weight, bias = (tensors[f"{prefix}{name}"].float() for name in ("weight", "bias"))
    expected = torch.stack([torch.stack([weight @ h + bias for h in row]) for row in states])
    torch.testing.assert_close(projection(states), expected, rtol=0, atol=1e-5)
    double = torch.einsum("oi,bki->bko", weight.double(), states.double()) + bias.double()
    assert (projection(states) - double).abs().max() < 1e-6 * double.abs().max()
    assert not remarks
    assert (projection.task, projection.max_thoughts) == ("gsm8k", 32)
    assert projection.base_fingerprint == pair.fingerprints["base"]
    assert projection.assistant_fingerprint == pair.fingerprints["assistant"]


def test_what_nobody_knows_of_a_foreign_layer_is_said_and_not_made_up(pair, saved, tmp_path):
    projection, _ = import_projection(saved(layer()), pair, "all")
    origin = projection.origin
    assert (origin.template_hash, origin.placeholder, origin.max_thoughts) == ("", "", 0)
    projection.save(tmp_path / "folder")
    loaded = Projection.load(tmp_path / "folder")
    using = pair.using(loaded)
    [sentence] = using.warnings("all")
    assert "trained elsewhere" in sentence and "which prompts, placeholder, K:" in sentence
    card = (tmp_path / "folder" / "README.md").read_text()
    assert sentence in card and "trained K" not in card and "up to" not in card
    method = SoftCoT(using, loaded, get_task("free"))
    assert (method.checked_k(None), method.checked_k(16)) == (12, 16)
    [sentence] = import_projection(saved(layer()), pair, "all", 32)[0].remarks()
    assert "which prompts, placeholder:" in sentence
    assert Projection(16, 32, task="all").remarks() == []  # ours, from before this was kept


def test_answers_of_a_foreign_layer_come_with_a_warning(mini_env, saved, tmp_path, capsys):
    out = str(tmp_path / "layer")
    argv = ["import-projection", str(saved(layer())), "--task", "all", "--out", out]
    assert main(argv) == 0
    printed = capsys.readouterr()
    assert "trained elsewhere" in printed.err and "K not known" in printed.out
    few = ["--projection", out, "--max-new-tokens", "2"]
    for argv in (["ask", "How many?"], ["evaluate", "--task", "mini-gsm", "--limit", "1"]):
        assert main([*argv, *few]) == 0
        assert "trained elsewhere" in capsys.readouterr().err
    explorer = Explorer(load_pair("mini", "cpu", projection=out))
    assert explorer.max_thoughts == 16
    assert "trained elsewhere" in " ".join(explorer.pair.warnings("mini-gsm"))


def test_a_missing_bias_is_zero_and_said(pair, saved):
    projection, [remark] = import_projection(saved(layer(bias=False)), pair, "all")
    assert not projection.linear.bias.any() and "no bias; zeros" in remark


def test_the_command_writes_a_folder_that_a_pair_can_use(mini_env, saved, tmp_path, capsys):
    file, out = saved(layer(bias=False)), tmp_path / "projection-all"
    argv = ["import-projection", str(file), "--pair", "mini", "--task", "all", "--out", str(out)]
    assert main(argv) == 0
    printed = capsys.readouterr()
    assert str(out) in printed.out and "zeros take its place" in printed.err
    pair = load_pair("mini", "cpu")
    pair.trained["projection-all"] = out
    assert torch.equal(pair.projection("free").linear.weight, layer()["weight"])
    record = json.loads((out / "config.json").read_text())["training_record"]
    assert record["imported_from"] == "layer.bin"
    assert record["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert "layer.bin" in (out / "README.md").read_text()
    assert Projection.load(out).training_record == record
    assert main(argv) == 2 and "is in use" in capsys.readouterr().err


class Code:
    """Runs when it is unpickled by a loader that runs code."""

    ran = []

    def __reduce__(self):
        return self.ran.append, ("it ran",)


WRONG = {
    "code": (lambda: {"weight": Code()}, "holds code"),
    "a whole module": (lambda: torch.nn.Linear(16, 32), "holds code"),
    "a list": (lambda: [torch.ones(32, 16)], "no state dict"),
    "numbers for tensors": (lambda: {"weight": 3}, "no state dict"),
    "whole numbers": (lambda: {"weight": torch.ones(32, 16, dtype=torch.long)}, "no state dict"),
    "nothing": (dict, "holds nothing"),
    "no weight": (lambda: {"bias": torch.ones(32)}, "holds bias"),
    "two layers": (lambda: layer(prefix="a.") | layer(prefix="b."), "one layer's weight"),
    "something more": (lambda: layer() | {"scale": torch.ones(1)}, "one layer's weight"),
    "transposed": (lambda: {"weight": torch.ones(16, 32)}, "16 x 32, but pair 'mini' needs 32 x"),
    "another base": (lambda: layer(base=48), "48 x 16"),
    "another assistant": (lambda: layer(assistant=24), "32 x 24"),
    "a flat weight": (lambda: {"weight": torch.ones(512)}, "is 512, but"),
    "another bias": (lambda: layer() | {"bias": torch.ones(31)}, "bias in .* is 31"),
    "not a number": (lambda: layer() | {"bias": torch.full((32,), torch.nan)}, "not finite"),
    "too large": (
        lambda: layer(torch.float64) | {"bias": torch.full((32,), 1e99, dtype=torch.float64)},
        "not finite",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_other_files_are_refused_in_one_sentence(pair, saved, wrong):
    content, said = WRONG[wrong]
    with pytest.raises(UserError, match=said) as refused:
        import_projection(saved(content()), pair, "all")
    assert "\n" not in str(refused.value)
    assert not Code.ran


@pytest.mark.parametrize("content", [b"", b"half a file", b"PK\x03\x04 and no more"])
def test_damaged_files_are_refused(pair, tmp_path, content):
    (tmp_path / "layer.bin").write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        import_projection(tmp_path / "layer.bin", pair, "all")


def test_wrong_questions_are_refused(pair, saved, tmp_path):
    with pytest.raises(UserError, match="no file"):
        import_projection(tmp_path / "nothing.bin", pair, "all")
    file = saved(layer())
    with pytest.raises(UserError, match="no task"):
        import_projection(file, pair, "nonsense")
    with pytest.raises(UserError, match="at least 1 thought"):
        import_projection(file, pair, "all", 0)
