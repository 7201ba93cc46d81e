"""The projection: fp32, saved whole, loaded strictly, for one pair only."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from softcot.errors import UserError
from softcot.models import load_pair
from softcot.projection import Projection


@pytest.fixture
def folder(checkpoints, tmp_path):
    """A copy of a projection, to be damaged."""
    return shutil.copytree(checkpoints / "mini" / "projection-all", tmp_path / "projection-all")


def test_it_is_one_linear_layer_in_fp32():
    projection = Projection(16, 32)
    assert [name for name, _ in projection.named_parameters()] == ["linear.weight", "linear.bias"]
    states = torch.randn(2, 5, 16, dtype=torch.bfloat16)
    thoughts = projection(states)
    expected = states.float() @ projection.linear.weight.T + projection.linear.bias
    assert thoughts.dtype == torch.float32 and thoughts.shape == (2, 5, 32)
    torch.testing.assert_close(thoughts, expected)
    with pytest.raises(ValueError, match="12 wide, not 16"):
        projection(torch.randn(2, 5, 12))


def test_round_trip(tmp_path):
    saved = Projection(16, 32, max_thoughts=9, pair="mini", task="mini-gsm", base_fingerprint="b")
    saved.save(tmp_path / "deep" / "projection")
    loaded = Projection.load(tmp_path / "deep" / "projection")
    assert torch.equal(loaded.linear.weight, saved.linear.weight)
    assert torch.equal(loaded.linear.bias, saved.linear.bias)
    assert (loaded.max_thoughts, loaded.pair, loaded.task) == (9, "mini", "mini-gsm")
    assert loaded.base_fingerprint == "b" and not loaded.linear.weight.requires_grad
    files = sorted(file.name for file in (tmp_path / "deep" / "projection").iterdir())
    assert files == ["README.md", "config.json", "model.safetensors"]
    assert "16 -> 32" in (tmp_path / "deep" / "projection" / "README.md").read_text()


def test_the_hub_mixin_reads_the_same_folder(folder):
    hub, own = Projection.from_pretrained(folder), Projection.load(folder)
    assert torch.equal(hub.linear.weight, own.linear.weight) and hub.task == own.task == "all"


def test_a_failed_save_leaves_the_old_files(folder, monkeypatch):
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(Projection, "_save_pretrained", fail)
    with pytest.raises(OSError, match="disk full"):
        Projection(16, 32).save(folder)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_saving_keeps_the_other_files_of_the_folder(folder):
    (folder / "training.json").write_text("{}")
    Projection.load(folder).save(folder)
    assert (folder / "training.json").read_text() == "{}"


def change_weights(folder, change):
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors")


def change_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


DAMAGE = {
    "no config": lambda f: (f / "config.json").unlink(),
    "no weights": lambda f: (f / "model.safetensors").unlink(),
    "broken config": lambda f: (f / "config.json").write_text("{"),
    "config of another thing": lambda f: (f / "config.json").write_text("[1]"),
    "unknown setting": lambda f: change_config(f, layers=3),
    "wrong width": lambda f: change_config(f, base_width=31),
    "width is no number": lambda f: change_config(f, base_width="wide"),
    "cut weights": lambda f: (f / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{"),
    "missing weight": lambda f: change_weights(f, lambda w: w.pop("linear.bias")),
    "extra weight": lambda f: change_weights(f, lambda w: w.update(more=torch.ones(1))),
    "not a number": lambda f: change_weights(f, lambda w: w["linear.bias"].fill_(torch.nan)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_folders_are_refused(folder, damage):
    DAMAGE[damage](folder)
    with pytest.raises(UserError, match="is damaged .*train it again") as refused:
        Projection.load(folder)
    assert "\n" not in str(refused.value)


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="There is no projection in"):
        Projection.load(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("changes", "side"),
    [({"base_fingerprint": "0" * 64}, "base"), ({"assistant_fingerprint": "0" * 64}, "assistant")],
)
def test_a_projection_of_another_pair_is_refused(mini_env, folder, changes, side):
    change_config(folder, **changes)
    pair = load_pair("mini", "cpu")
    pair.trained["projection-all"] = folder
    with pytest.raises(UserError, match=f"trained for another {side} model"):
        pair.projection("free")


def test_a_projection_of_another_width_is_refused(mini_env, tmp_path):
    Projection(16, 48).save(tmp_path / "wide")
    pair = load_pair("mini", "cpu")
    pair.trained["projection-all"] = tmp_path / "wide"
    with pytest.raises(UserError, match="another base model"):
        pair.projection("free")


def test_fresh_thoughts_are_spread_like_embeddings(pair):
    projection = Projection.for_pair(pair, "mini-gsm", max_thoughts=7, seed=3)
    ids = torch.arange(100, 300)[None]
    thoughts = projection(pair.assistant.states(ids))
    assert 0.7 < thoughts.std() / pair.base.embeddings.std() < 1.4
    assert projection.linear.bias.abs().sum() == 0 and projection.linear.weight.requires_grad
    assert (projection.pair, projection.task, projection.max_thoughts) == ("mini", "mini-gsm", 7)
    assert projection.base_fingerprint == pair.base.fingerprint()
    same, other = (Projection.for_pair(pair, "mini-gsm", seed=seed) for seed in (3, 4))
    assert torch.equal(same.linear.weight, projection.linear.weight)
    assert not torch.equal(other.linear.weight, projection.linear.weight)
