"""The projection: fp32, saved whole, loaded strictly, for one pair only."""

import json
import re
import shutil
from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import KINDS
from huggingface_hub import hub_mixin
from safetensors.torch import load_file, save_file

import softcot
from softcot.data.tasks import get_task
from softcot.support.errors import UserError
from softcot.thoughts.adapter import Adapter
from softcot.thoughts.pair import load_pair
from softcot.thoughts.projection import Projection
from softcot.thoughts.soft_prompt import SoftPrompt


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


class Vocabulary:
    """A tokenizer of which only the vocabulary is asked."""

    def __init__(self, ids):
        self.ids = ids

    def __len__(self):
        return len(self.ids)

    def get_vocab(self):
        return self.ids


def with_assistant(pair, ids, model=None):
    """The pair, its assistant with other ids for its tokens and perhaps other weights."""
    model = model or pair.assistant.model
    assistant = replace(pair.assistant, tokenizer=Vocabulary(ids), model=model)
    return replace(pair, assistant=assistant)


def aligned(pair):
    projection = Projection.for_pair(pair, "mini-gsm")
    projection.align(pair)
    return projection.linear.weight.detach()


def least_squares(pair, ids):
    """The map between the embeddings of some tokens that both know by the same ids."""
    read, written = (
        weight[ids].double().numpy() - weight[ids].double().numpy().mean(0)
        for weight in (pair.assistant.model.lm_head.weight, pair.base.embeddings)
    )
    return torch.from_numpy((np.linalg.pinv(read) @ written).T).float()


def assert_equal_but_for_size(weight, expected):
    torch.testing.assert_close(
        weight / weight.norm(), expected / expected.norm(), atol=1e-4, rtol=0
    )


def test_the_vocabulary_start_is_the_least_squares_map(pair):
    ids = pair.assistant.tokenizer.get_vocab()
    assert_equal_but_for_size(aligned(pair), least_squares(pair, sorted(ids.values())))
    # With some tokens of the assistant unknown to the base, the map is over the others.
    known = {token: i for token, i in ids.items() if i % 3}
    strange = {f"{token}?": i for token, i in ids.items() if not i % 3}
    fewer = aligned(with_assistant(pair, known | strange))
    assert_equal_but_for_size(fewer, least_squares(pair, sorted(known.values())))
    assert not torch.allclose(fewer, aligned(pair), atol=1e-3)


def test_alignment_goes_by_tokens_and_not_by_their_numbers(pair):
    ids = pair.assistant.tokenizer.get_vocab()
    order = torch.randperm(len(ids), generator=torch.Generator().manual_seed(5))
    model = deepcopy(pair.assistant.model)
    for layer in (model.lm_head, model.model.embed_tokens):
        layer.weight.copy_(layer.weight[order.argsort()])
    moved = {token: order[i].item() for token, i in ids.items()}
    assert_equal_but_for_size(aligned(with_assistant(pair, moved, model)), aligned(pair))
    # The same weights under the wrong names are another map.
    wrong = aligned(with_assistant(pair, moved))
    assert (wrong / wrong.norm() - aligned(pair) / aligned(pair).norm()).abs().max() > 0.01


@pytest.mark.parametrize(("common", "changed"), [(0, False), (16, False), (17, True)])
def test_too_few_common_tokens_leave_the_weights_as_they_were(pair, common, changed):
    ids = pair.assistant.tokenizer.get_vocab()
    ids = {token if i < common else f"{token}?": i for token, i in ids.items()}
    other = with_assistant(pair, ids)
    fresh = Projection.for_pair(other, "mini-gsm").linear.weight
    assert torch.equal(aligned(other), fresh) != changed


def test_aligned_thoughts_are_about_as_large_as_embeddings(pair):
    projection = Projection.for_pair(pair, "mini-gsm")
    projection.align(pair)
    thoughts = projection(pair.assistant.states(torch.arange(100, 300)[None]))
    norms = [vectors.norm(dim=-1).mean() for vectors in (thoughts, pair.base.embeddings)]
    assert 0.8 < norms[0] / norms[1] < 1.25
    assert not projection.linear.bias.any() and projection.linear.weight.requires_grad


def test_the_mixin_loads_whole_folders_only(folder):
    assert not Projection.from_pretrained(str(folder)).linear.weight.requires_grad
    with pytest.raises(UserError, match="leave out strict"):
        Projection.from_pretrained(folder, strict=False)


@pytest.mark.parametrize(
    "damage", ["missing weight", "extra weight", "unknown setting", "wrong width", "not a number"]
)
def test_the_mixin_refuses_damaged_folders(folder, damage):
    DAMAGE[damage](folder)
    with pytest.raises((RuntimeError, TypeError, ValueError)):
        Projection.from_pretrained(folder)


def test_adapters_cannot_be_loaded_without_their_base(checkpoints):
    with pytest.raises(UserError, match=r"Adapter.load_for\(pair, folder\)"):
        Adapter.from_pretrained(checkpoints / "mini" / "lora-all")


OLD = {"assistant_fingerprint", "base_fingerprint", "max_thoughts", "pair", "task"}
"""What the config of the first versions held, beside the widths."""


@pytest.mark.parametrize("kind", [Projection, SoftPrompt])
def test_folders_of_before_load_and_say_what_they_know(mini_env, tmp_path, kind):
    path = shutil.copytree(mini_env / "mini" / f"{kind.folder}-mini-gsm", tmp_path / "old")
    config = json.loads((path / "config.json").read_text())
    config = {name: config[name] for name in config if name in OLD or name.endswith("_width")}
    (path / "config.json").write_text(json.dumps(config))
    for loaded in (kind.load(path), kind.from_pretrained(path)):
        assert {name: getattr(loaded, name) for name in config} == config
        assert config.items() <= loaded.settings.items()
        assert (loaded.template_hash, loaded.training_record) == ("", {})
        again = load_file(path / "model.safetensors")
        assert all(torch.equal(again[n], weight) for n, weight in loaded.state_dict().items())


KNOWN = {
    "pair": "large",
    "task": "gsm8k",
    "max_thoughts": 32,
    "base_model": "some/base-7b",
    "assistant_model": "some/assistant-1b",
    "base_revision": "abc",
    "base_fingerprint": "f" * 64,
    "template_hash": "0123",
    "placeholder": "<|unk|>",
    "training_record": {"steps": 7, "validation_loss": 0.25, "seed": 3},
}


def test_everything_that_is_known_survives_a_round_trip(tmp_path):
    Projection(16, 32, **KNOWN).save(tmp_path)
    for loaded in (Projection.load(tmp_path), Projection.from_pretrained(tmp_path)):
        assert {name: getattr(loaded.origin, name) for name in KNOWN} == KNOWN
        assert {name: getattr(loaded, name) for name in KNOWN} == KNOWN
        assert loaded.assistant_revision == "" and loaded.widths() == {"base": 32, "assistant": 16}
    with pytest.raises(AttributeError):
        loaded.nonsense  # noqa: B018
    with pytest.raises(TypeError):
        Projection(16, 32, nonsense=1)


def test_the_card_is_made_from_the_settings(tmp_path):
    card = Projection(16, 32, **KNOWN).generate_model_card()
    assert card.data.base_model == ["some/base-7b", "some/assistant-1b"]
    assert card.data.datasets == [get_task("gsm8k").source.hub.id]
    assert card.data.library_name == "softcot"
    assert "arxiv:2502.12134" in card.data.tags and "softcot" in card.data.tags
    for row in ("| steps | 7 |", "| validation loss | 0.25 |", "| trained K | 1 to 32 |"):
        assert row in card.text
    for value in ("gsm8k", "f" * 64, "abc", "0123", "&lt;&#124;unk&#124;&gt;"):
        assert value in card.text
    code = card.text.split("```python\n")[1].split("```")[0]
    Projection(16, 32, **KNOWN).save(tmp_path)
    scope = {}
    exec(code.replace("folder or Hub id", str(tmp_path)), scope)
    assert scope["weights"].task == "gsm8k"


def test_a_card_says_where_the_training_started(pair):
    for start, said in (("random", "started at random weights"), ("vocabulary", "not part of the")):
        projection = Projection.for_pair(pair, "all")
        if start == "vocabulary":
            projection.align(pair)
        assert projection.start == start
        projection.describe({"start": projection.start})
        assert said in projection.generate_model_card().text
    assert "started" not in Projection(16, 32, **KNOWN).generate_model_card().text
    assert SoftPrompt.for_pair(pair, "all").start == ""


@pytest.mark.parametrize("kind", KINDS)
def test_a_card_says_how_its_folder_is_loaded(mini_env, pair, kind):
    folder = mini_env / "mini" / f"{kind.folder}-mini-gsm"
    code = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
    assert f"from {kind.home} import {kind.__name__}" in code
    assert (kind.home == "softcot") == (kind.__name__ in softcot.__all__)
    scope = {}
    exec(re.sub(r'"folder( or Hub id)?"', repr(str(folder)), code), scope)
    assert type(scope["weights"]) is kind and scope["weights"].task == "mini-gsm"
    expected = pair.weights(kind, "mini-gsm").state_dict()
    for name, weight in scope["weights"].state_dict().items():
        assert torch.equal(weight, expected[name])


def test_a_card_names_models_and_no_path_of_this_machine(pair, checkpoints):
    for kind in (Projection, SoftPrompt, Adapter):
        card = kind.for_pair(pair, "all", 4).generate_model_card()
        assert card.data.base_model[0] == "mini/base"
        assert ("mini/assistant" in card.data.base_model) == (kind is Projection)
        assert card.data.datasets == ["mini-gsm", "mini-asdiv", "mini-aqua", "mini-strategy"]
        assert str(checkpoints) not in str(card)


def test_a_push_sends_weights_config_and_card(monkeypatch):
    sent = {}

    class Api:
        def __init__(self, **given):
            pass

        def create_repo(self, repo_id, **given):
            return SimpleNamespace(repo_id=repo_id)

        def upload_folder(self, repo_id, folder_path, **given):
            sent[repo_id] = {file.name: file.read_bytes() for file in folder_path.iterdir()}
            return "address"

    monkeypatch.setattr(hub_mixin, "HfApi", Api)
    projection = Projection(16, 32, **KNOWN)
    assert projection.push_to_hub("me/projection") == "address"
    files = sent["me/projection"]
    assert sorted(files) == ["README.md", "config.json", "model.safetensors"]
    assert files["README.md"].decode() == str(projection.generate_model_card())
    assert json.loads(files["config.json"]) == projection.settings
