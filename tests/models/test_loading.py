"""Loading: where files are, what the Hub says, what fits; one sentence for every failure."""

import json
import re
import shutil
import sys
from types import ModuleType

import httpx
import pytest
import torch
from families import plain_model, plain_tokenizer, save_model
from huggingface_hub import errors
from safetensors.torch import save_file
from transformers.utils import logging

from softcot.cli.main import main
from softcot.models import language_model as models
from softcot.models import loading, precision
from softcot.models.language_model import LanguageModel
from softcot.models.loading import (
    ModelSource,
    check_memory,
    count_billions,
    fetch_folder,
    find_model,
)
from softcot.support import presets
from softcot.support.errors import UserError
from softcot.support.presets import PRESETS, own_preset
from softcot.thoughts.pair import Pair, load_pair
from softcot.thoughts.projection import Projection

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def answer(status: int) -> httpx.Response:
    return httpx.Response(status, request=httpx.Request("HEAD", "https://huggingface.co/x"))


def hub_says(monkeypatch, failure: Exception | None) -> list[str]:
    """Nothing was downloaded, and the Hub answers like this; collects what it is asked."""
    asked = []

    def head(url: str, timeout: float):
        assert timeout <= 5
        asked.append(url)
        if failure is not None:
            raise failure

    monkeypatch.setattr(loading, "try_to_load_from_cache", lambda *args, **options: None)
    monkeypatch.setattr(loading, "get_hf_file_metadata", head)
    return asked


FAILURES = {
    "gated": (
        errors.GatedRepoError("no", response=answer(403)),
        "accepted its licence; accept it at https://huggingface.co/some/model and set HF_TOKEN",
    ),
    "missing": (
        errors.RepositoryNotFoundError("no", response=answer(404)),
        "no folder and no Hub model called some/model",
    ),
    "revision": (
        errors.RevisionNotFoundError("no", response=answer(404)),
        "some/model has no revision 'v9'",
    ),
    "no config": (
        errors.RemoteEntryNotFoundError("no", response=answer(404)),
        "some/model on the Hub has no config.json",
    ),
    "busy": (errors.HfHubHTTPError("no", response=answer(503)), "refuses some/model .status 503"),
    "offline": (errors.OfflineModeIsEnabled("no"), "HF_HUB_OFFLINE forbids it"),
    "no network": (httpx.ConnectError("no"), "the Hub cannot be reached"),
    "too slow": (httpx.ReadTimeout("no"), "the Hub cannot be reached"),
    "another library's": (Exception("no"), "the Hub cannot be reached"),
    "a proxy of no kind": (
        ValueError("Unknown scheme."),
        "asked .Unknown scheme.; correct",
    ),
    "a proxy that needs more": (ImportError("install it"), "asked .install it.; correct"),
    "cut off": (ConnectionError("no"), "the Hub cannot be reached"),
    "not cached": (errors.LocalEntryNotFoundError("no"), "the Hub cannot be reached"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_the_hub_refuses_is_one_sentence(monkeypatch, name):
    failure, words = FAILURES[name]
    asked = hub_says(monkeypatch, failure)
    with pytest.raises(UserError, match=words) as refused:
        find_model("some/model", "v9")
    assert len(asked) == 1 and "some/model/resolve/v9/config.json" in asked[0]
    assert "\n" not in str(refused.value) and str(refused.value).endswith(".")
    with pytest.raises(UserError, match=words.replace("'v9'", "None")):
        fetch_folder("some/model")


def test_a_gated_preset_names_its_own_page(monkeypatch):
    hub_says(monkeypatch, FAILURES["gated"][0])
    preset = PRESETS["llama-3.1-8b"]
    with pytest.raises(UserError, match=f"accept it at {preset.licence} and set HF_TOKEN"):
        load_pair(preset.name, "cpu")


def test_names_that_cannot_be_hub_ids(monkeypatch):
    with pytest.raises(UserError, match="'no/such/folder' is neither a folder nor a Hub id"):
        find_model("no/such/folder")


def test_an_installed_package_says_where_the_models_are(monkeypatch, tmp_path):
    monkeypatch.delenv("SOFTCOT_CHECKPOINTS", raising=False)
    monkeypatch.setattr(presets, "PACKAGE", tmp_path / "site-packages" / "softcot")
    with pytest.raises(UserError, match="in the repository and not .*set SOFTCOT_CHECKPOINTS"):
        load_pair("mini", "cpu")
    monkeypatch.setenv("SOFTCOT_CHECKPOINTS", str(tmp_path))
    with pytest.raises(UserError, match="python -m softcot pretrain --pair mini"):
        load_pair("mini", "cpu")


def test_the_command_line_says_it_in_one_sentence(monkeypatch, capsys):
    hub_says(monkeypatch, FAILURES["no network"][0])
    assert main(["ask", "How many?", "--base", "some/model", "--assistant", "other/model"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert said.err.startswith("some/model was not downloaded yet")
    assert main(["ask", "How many?", "--base", "some/model"]) == 2
    assert "give both --base and --assistant" in capsys.readouterr().err
    assert main(["ask", "How many?", "--quantize", "int3"]) == 2
    assert "no quantisation 'int3'; choose one of: int8, nf4" in capsys.readouterr().err


def download(folder, whole: bool) -> None:
    """Put what an earlier download leaves into a folder."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    names = {"a.weight": "model-1.safetensors", "b.weight": "model-2.safetensors"}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": names}))
    for name, file in list(names.items())[: 2 if whole else 1]:
        save_file({name: torch.zeros(30, 100)}, folder / file)


def test_an_earlier_download_is_used_without_asking(monkeypatch, tmp_path):
    asked = hub_says(monkeypatch, None)
    monkeypatch.setattr(loading, "get_safetensors_metadata", lambda *args, **kw: 1 / 0)
    config = tmp_path / "commit" / "config.json"
    monkeypatch.setattr(loading, "try_to_load_from_cache", lambda *args, **kw: str(config))
    download(config.parent, whole=True)
    found = find_model("some/model", "v9")
    assert not asked and found.folder == config.parent
    assert found.options == {"revision": "v9", "local_files_only": True}
    assert found.billions == pytest.approx(6000 / 1e9)


@pytest.mark.parametrize("index", ["", "{", "[]", "{}", '{"weight_map": 3}'])
def test_a_download_with_half_an_index_is_none(tmp_path, index):
    download(tmp_path / "model", whole=True)
    assert loading._is_whole(tmp_path / "model")
    (tmp_path / "model" / "model.safetensors.index.json").write_text(index)
    assert not loading._is_whole(tmp_path / "model")


def test_half_a_download_is_not_enough(monkeypatch, tmp_path):
    asked = hub_says(monkeypatch, None)
    config = tmp_path / "commit" / "config.json"
    monkeypatch.setattr(loading, "try_to_load_from_cache", lambda *args, **kw: str(config))
    download(config.parent, whole=False)
    found = find_model("some/model", billions=3.0)
    assert len(asked) == 1
    assert found == ModelSource("some/model", None, None, 3.0) and found.options == {}


@pytest.mark.parametrize("parts", [1, 2])
def test_a_download_in_the_older_format_is_used_too(monkeypatch, tmp_path, parts):
    asked = hub_says(monkeypatch, None)
    config = tmp_path / "commit" / "config.json"
    monkeypatch.setattr(loading, "try_to_load_from_cache", lambda *args, **kw: str(config))
    config.parent.mkdir()
    names = [f"pytorch_model-{n}.bin" for n in range(parts)] if parts > 1 else ["pytorch_model.bin"]
    if parts > 1:
        index = config.parent / "pytorch_model.bin.index.json"
        index.write_text(json.dumps({"weight_map": {name: name for name in names}}))
    for name in names[:-1]:
        torch.save({}, config.parent / name)
    assert find_model("some/model", billions=1.0).folder is None and len(asked) == 1
    torch.save({}, config.parent / names[-1])
    assert find_model("some/model").folder == config.parent and len(asked) == 1


def test_the_hub_need_not_know_the_size(monkeypatch):
    hub_says(monkeypatch, None)

    def unknown(*args, **options):
        raise errors.NotASafetensorsRepoError("no")

    monkeypatch.setattr(loading, "get_safetensors_metadata", unknown)
    assert find_model("some/model").billions is None


def test_parameters_are_counted_in_the_files(pair, checkpoints, tmp_path):
    for side, lm in (("base", pair.base), ("assistant", pair.assistant)):
        count = sum(weight.numel() for weight in lm.model.parameters())
        assert count_billions(checkpoints / "mini" / side) == pytest.approx(count / 1e9)
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    assert count_billions(tmp_path) is None


@pytest.mark.parametrize(
    ("free", "device", "quantize", "needed"),
    [
        (20.0, GPU, None, "22.2 GB in bfloat16 and this GPU has 20.0 GB"),
        (6.0, GPU, None, "22.2 GB"),
        (0.5, GPU, None, "22.2 GB"),
        (20.0, CPU, None, "44.5 GB in float32 and this computer has 20.0 GB"),
        (7.0, GPU, "nf4", "7.8 GB in nf4"),
    ],
)
def test_what_does_not_fit_is_refused_before_it_is_loaded(
    monkeypatch, free, device, quantize, needed
):
    monkeypatch.setattr(loading, "free_gigabytes", lambda device: free)
    monkeypatch.setattr(precision, "bf16_gain", lambda: 0.5)  # a CPU that is slow in bf16
    sources = [ModelSource("a", billions=8.03), ModelSource("b", billions=1.24)]
    with pytest.raises(UserError, match=needed) as refused:
        check_memory("llama-3.1-8b", sources, device, quantize)
    named = str(refused.value).split("--pair ")[1].rstrip(".")
    size = (PRESETS[named].base_billions or 0) + (PRESETS[named].assistant_billions or 0)
    assert size * loading.BYTES[quantize or loading.usual_dtype(device)] * loading.MARGIN <= free
    check_memory("llama-3.1-8b", [ModelSource("unknown")], device, quantize)


def test_load_pair_checks_the_memory_first(monkeypatch, mini_env):
    monkeypatch.setattr(loading, "free_gigabytes", lambda device: 1e-6)
    monkeypatch.setattr(models.LanguageModel, "load", lambda *args, **kw: pytest.fail("loaded"))
    with pytest.raises(UserError, match="'mini' needs about"):
        load_pair("mini", "cpu")


def test_free_memory_is_a_number_of_gigabytes():
    assert 0.01 < loading.free_gigabytes(CPU) < 1e5


@pytest.mark.parametrize(("kind", "library"), loading.LIBRARIES.items())
def test_a_missing_library_is_named(monkeypatch, mini_env, kind, library):
    monkeypatch.setattr(loading, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=f"--quantize {kind} needs the library {library}; install"):
        load_pair("mini", "cpu", quantize=kind)


def test_quantised_models_are_loaded_in_place(monkeypatch):
    import transformers

    made = []
    for name in ("BitsAndBytesConfig", "TorchAoConfig"):
        monkeypatch.setattr(transformers, name, lambda *a, **kw: made.append((a, kw)) or "config")
    fake = ModuleType("torchao.quantization")
    fake.Int8WeightOnlyConfig = lambda: "int8 weights"
    monkeypatch.setitem(sys.modules, "torchao", ModuleType("torchao"))
    monkeypatch.setitem(sys.modules, "torchao.quantization", fake)
    monkeypatch.setattr(loading, "find_spec", lambda name: True)
    options = loading.quantization("nf4", GPU)
    assert options == {"quantization_config": "config", "device_map": {"": GPU}}
    assert made[0][1]["load_in_4bit"] and made[0][1]["bnb_4bit_compute_dtype"] == torch.bfloat16
    loading.quantization("int8", CPU)
    assert made[1][0] == ("int8 weights",)
    assert loading.quantization(None, CPU) == {}


def test_quantised_models_take_projections_of_the_whole_ones(pair, checkpoints):
    lm = LanguageModel.load(checkpoints / "mini" / "base", "cpu")
    lm.quantize = "nf4"
    assert re.fullmatch("nf4 of base [0-9a-f]{64}", lm.fingerprint())
    rounded = Pair("mini", lm, pair.assistant, pair.trained)
    assert rounded.projection("mini-gsm").task == "mini-gsm"


def test_a_projection_by_its_path_serves_every_task(mini_env, tmp_path):
    folder = mini_env / "mini" / "projection-mini-gsm"
    pair = load_pair("mini", "cpu", projection=folder)
    given = pair.projection("free")
    assert given is pair.projection("mini-aqua") is pair.projection("gsm8k")
    assert given.task == "mini-gsm" and pair.is_trained(Projection, "strategyqa")
    other = Projection.for_pair(pair, "free", 4)
    assert pair.using(other).projection("free") is other
    with pytest.raises(UserError, match="neither a folder nor a Hub id"):
        load_pair("mini", "cpu", projection=str(tmp_path / "nothing"))


def test_pairs_need_no_trained_weights(mini_env):
    base, assistant = (str(mini_env / "mini" / side) for side in ("base", "assistant"))
    pair = load_pair(device="cpu", base=base, assistant=assistant)
    assert pair.name == own_preset(base, assistant).name == "base+assistant"
    assert not pair.is_trained(Projection, "free") and pair.warnings("free") == []
    with pytest.raises(UserError, match=r"'base\+assistant' has no projection"):
        pair.projection("free")
    assert load_pair("mini", "cpu").is_trained(Projection, "mini-dates")


def test_other_prompts_than_in_training_are_told_or_refused(mini_env, tmp_path, capsys):
    before = load_pair("mini", "cpu")
    fresh = Projection.for_pair(before, "mini-gsm")
    fresh.save(tmp_path / "fresh")
    assert fresh.template_hash == before.prompting("mini-gsm")["template_hash"] != ""
    assert fresh.placeholder == "<unk>" and fresh.base_revision == ""
    for role in ("base", "assistant"):
        (tmp_path / role).mkdir()
        (tmp_path / role / "default.jinja").write_text("{{ question }} Well?")
    options = ["--projection", str(tmp_path / "fresh"), "--max-new-tokens", "2"]
    options += ["--task", "mini-gsm"]
    assert main(["ask", "How many?", *options]) == 0
    assert capsys.readouterr().err == ""
    options += ["--prompts", str(tmp_path)]
    assert main(["ask", "How many?", *options]) == 0
    assert "'mini-gsm' was trained with other prompts" in capsys.readouterr().err
    assert main(["evaluate", "--task", "mini-gsm", "--limit", "2", *options]) == 2
    assert "was trained with other prompts" in capsys.readouterr().err
    fresh.placeholder = "<pad>"
    assert "the placeholder <pad>, not <unk>" in before.mismatches(fresh)[0]


def test_weights_from_before_these_facts_were_kept_still_load(mini_env, tmp_path):
    pair = load_pair("mini", "cpu")
    Projection.for_pair(pair, "mini-gsm").save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    for name in ("template_hash", "placeholder", "base_revision", "assistant_revision"):
        config.pop(name)
    (tmp_path / "config.json").write_text(json.dumps(config))
    old = Projection.load(tmp_path)
    assert old.template_hash == "" and pair.mismatches(old) == []
    (tmp_path / "config.json").write_text(json.dumps({**config, "colour": "red"}))
    with pytest.raises(UserError, match="damaged"):
        Projection.load(tmp_path)


def test_models_without_a_chat_template_say_so(checkpoints, tmp_path):
    folder = shutil.copytree(checkpoints / "mini" / "base", tmp_path / "plain")
    (folder / "chat_template.jinja").unlink()
    lm = LanguageModel.load(folder, "cpu")
    assert "plain has no chat template" in lm.notice
    assert LanguageModel.load(checkpoints / "mini" / "base", "cpu").notice == ""


@pytest.mark.parametrize("family", ["llama3", "qwen2", "gemma3"])
def test_a_missing_tokenizer_is_named(tmp_path, family):
    """Some libraries' classes complain, and others make a tokenizer without words."""
    save_model(family, tmp_path, 16, 0)
    for file in tmp_path.glob("*token*"):
        file.unlink()
    (tmp_path / "chat_template.jinja").unlink()
    with pytest.raises(UserError, match=r"\(the files of its tokenizer are missing, or know no"):
        LanguageModel.load(tmp_path, "cpu")


def test_settings_of_generation_need_not_be_there(tmp_path):
    save_model("llama3", tmp_path, 16, 0)
    (tmp_path / "generation_config.json").unlink()
    config = json.loads((tmp_path / "config.json").read_text())
    config["eos_token_id"] = None
    (tmp_path / "config.json").write_text(json.dumps(config))
    lm = LanguageModel.load(tmp_path, "cpu")
    assert lm.end_ids == {lm.tokenizer.eos_token_id, lm.prompts.end_of_turn}
    lm.model.generation_config = None
    assert models.declared_ends(lm.model) == frozenset()


def test_long_contexts_are_cut(checkpoints, tmp_path):
    folder = shutil.copytree(checkpoints / "mini" / "base", tmp_path / "long")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 131072}))
    assert LanguageModel.load(folder, "cpu").context == models.LONGEST_CONTEXT == 8192


@pytest.mark.parametrize(
    ("model_type", "options", "context"),
    [
        ("gpt2", {}, 1024),
        ("mpt", {"max_seq_len": 640}, 640),
        ("bloom", {"seq_length": 320}, 320),
        ("bloom", {}, models.USUAL_CONTEXT),
        ("mamba", {}, models.USUAL_CONTEXT),
    ],
)
def test_the_longest_context_is_found_under_other_names(model_type, options, context):
    model = plain_model(model_type, **options)
    if context != 1024:
        del model.config.max_position_embeddings  # as where the family does not know it
    assert LanguageModel.of(model, plain_tokenizer(), name="x").context == context


def test_a_tokenizer_may_say_how_long_a_context_is(monkeypatch):
    model, tokenizer = plain_model("bloom"), plain_tokenizer()
    del model.config.max_position_embeddings
    monkeypatch.setattr(tokenizer, "model_max_length", 700)
    assert LanguageModel.of(model, tokenizer, name="x").context == 700


@pytest.mark.parametrize(("billions", "shown"), [(0.01, False), (1.5, True), (None, True)])
def test_only_what_takes_long_shows_how_far_it_is(billions, shown):
    logging.enable_progress_bar()
    with loading.visible_loading([loading.ModelSource("here", billions=billions)] * 2):
        assert logging.is_progress_bar_enabled() == shown
    assert logging.is_progress_bar_enabled()
