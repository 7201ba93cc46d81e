"""A Space: the exported folder starts by itself, and says to the Hub what it needs."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml
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


def test_the_exported_app_runs_on_its_own_files(folder):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    for name in ("PYTHONPATH", "SOFTCOT_CHECKPOINTS"):
        environment.pop(name, None)
    where = "import softcot; print(softcot.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", where], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert found.stdout.strip() == str(folder / "softcot" / "__init__.py")
    with subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
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
            assert process.poll() is None and state["pair"] == "mini"
            seen = Client(url, verbose=False).predict("How many?", "free", 2, api_name="/thoughts")
            assert [thought["number"] for thought in seen["thoughts"]] == [1, 2]
        finally:
            process.terminate()


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
    assert "projection-all" in names and not names & {"base", "assistant"}


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
