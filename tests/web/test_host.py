"""The app in other people's environments: it starts, or says in one sentence why it does not."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from urllib.error import URLError

import pytest
from gradio_client import Client
from test_app import ROOT, free_port, get, refusal

import app
from softcot.support import network
from softcot.support.errors import UserError
from softcot.web import components, host, temporary
from softcot.web.explorer import Explorer

NAME = "C# demo, 50% off? \"so\" 'n' ü"
"""A folder that somebody may well have."""


@pytest.fixture(autouse=True)
def surroundings():
    """The app changes its process's environment; here it is as before afterwards."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def own_folder(monkeypatch, tmp_path):
    """A process that has no temporary folder yet, and the place where it will get one."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv(temporary.VARIABLE, raising=False)
    temporary.process_folder.cache_clear()
    yield tmp_path
    temporary.process_folder.cache_clear()


@pytest.fixture
def unloaded(monkeypatch):
    """An app that must not come so far as to load anything."""

    def load(_):
        raise AssertionError("a pair was loaded")

    monkeypatch.setattr(app, "load", load)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--port", "99999"], "--port must be a whole number from 1 to 65535; it is '99999'"),
        (["--port", "-5"], "it is '-5'"),
        (["--port", "0"], "it is '0'"),
        (["--port", "abc"], "it is 'abc'"),
        (["--port", "7860.5"], "it is '7860.5'"),
        (["--port", "٧٨٦٠"], "--port must be"),
        (["--port", "9" * 5000], "--port must be"),
        (["--port"], "expected one argument"),
        (["--prot", "3"], "--prot"),
        (["--host", "no.such.host.invalid"], "Cannot listen on no.such.host.invalid"),
        (["--host", "two words"], "Cannot listen on two words"),
        (["--host", "x" * 300], "Cannot listen on"),
        (["--host", "a..b"], "Cannot listen on a..b"),
        (["--host", "203.0.113.7"], "Cannot listen on 203.0.113.7"),
        (["--host", "127.0.0.1:80"], "Cannot listen on"),
    ],
)
def test_a_bad_address_is_refused_before_anything_is_loaded(capsys, unloaded, arguments, sentence):
    assert sentence in refusal(capsys, *arguments)


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, "abc") for name in host.WHOLE_NUMBERS]
    + [
        ("GRADIO_SERVER_PORT", "99999"),
        ("GRADIO_SERVER_PORT", "-1"),
        ("GRADIO_NUM_PORTS", "1.5"),
        ("GRADIO_ROOT_PATH", "demo"),
        ("SSL_CERT_FILE", "/no/such/file"),
    ],
)
def test_a_bad_variable_is_refused_before_anything_is_loaded(
    capsys, monkeypatch, unloaded, name, value
):
    monkeypatch.setenv(name, value)
    said = refusal(capsys)
    assert name in said and value in said


def test_a_bad_name_of_the_server_is_refused(capsys, monkeypatch, unloaded):
    monkeypatch.setenv("GRADIO_SERVER_NAME", "no.such.host.invalid")
    assert "no.such.host.invalid" in refusal(capsys)


def test_what_is_empty_is_unset_and_what_is_said_counts(monkeypatch):
    for name in (*host.WHOLE_NUMBERS, "GRADIO_SERVER_NAME", "GRADIO_ROOT_PATH"):
        monkeypatch.setenv(name, " ")
    args = app.parse_args(["--host", ""])
    assert (args.host, args.port) == (host.HOST, host.PORT)
    assert not [name for name in os.environ if name in host.WHOLE_NUMBERS]
    monkeypatch.setenv("GRADIO_SERVER_NAME", "::1")
    monkeypatch.setenv("GRADIO_SERVER_PORT", " 7001 ")
    monkeypatch.setenv("GRADIO_DEFAULT_CONCURRENCY_LIMIT", "none")
    args = app.parse_args([])
    assert (args.host, args.port) == ("[::1]", 7001)
    # Gradio would try the address of the variable, whatever the app was told.
    assert "GRADIO_SERVER_NAME" not in os.environ
    monkeypatch.setenv("GRADIO_SERVER_PORT", "7001")
    assert app.parse_args(["--port", "7002"]).port == 7002


def test_help_needs_neither_gradio_nor_good_variables():
    code = "import app, sys\ntry: app.main(['--help'])\nfinally: print(*sys.modules)"
    environment = os.environ | {"GRADIO_SERVER_PORT": "abc", "ALL_PROXY": "socks://x"}
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (shown.returncode, shown.stderr) == (0, "") and "--port" in shown.stdout
    assert not {"gradio", "torch", "httpx"} & set(shown.stdout.split())


def test_this_machine_is_reached_without_a_proxy(monkeypatch):
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "example.org, localhost")
    network.direct("192.0.2.1")
    said = "example.org,localhost,127.0.0.1,::1,192.0.2.1"
    assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == said
    with pytest.raises(KeyError), network.without_proxies():
        assert os.environ["no_proxy"] == "*"
        raise KeyError
    assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == said
    del os.environ["no_proxy"]
    with network.without_proxies():
        pass
    assert "no_proxy" not in os.environ


def test_a_process_has_a_folder_of_its_own_below_the_one_that_is_wanted(own_folder, monkeypatch):
    assert temporary.process_folder().parent == own_folder
    assert temporary.process_folder() is temporary.process_folder()
    temporary.process_folder.cache_clear()
    wanted = own_folder / "not" / "there yet"
    monkeypatch.setenv(temporary.VARIABLE, str(wanted))
    temporary.give_to_gradio()
    assert Path(os.environ[temporary.VARIABLE]).parent == wanted


def test_a_folder_goes_with_its_last_owner(own_folder):
    folder = temporary.Folder()
    path, other = folder.path, folder
    assert path.parent == temporary.process_folder()
    (path / "file").touch()
    del folder
    assert path.is_dir()
    del other
    assert not path.exists()


@pytest.mark.parametrize("place", ["/proc/nowhere", "a\0b"])
def test_no_place_for_temporary_files_is_one_sentence(own_folder, monkeypatch, place):
    monkeypatch.setattr(tempfile, "tempdir", place)
    with pytest.raises(UserError, match="set TMPDIR to a folder"):
        temporary.process_folder()
    monkeypatch.setattr(tempfile, "tempdir", str(own_folder))
    (own_folder / "file").touch()
    monkeypatch.setenv(temporary.VARIABLE, str(own_folder / "file"))
    with pytest.raises(UserError, match=f"set {temporary.VARIABLE} to a folder"):
        temporary.process_folder()


def test_a_folder_that_vanished_is_one_sentence(own_folder):
    temporary.process_folder().rmdir()
    with pytest.raises(UserError, match="cannot be written to"):
        temporary.Folder()


def test_the_app_without_a_place_for_temporary_files(capsys, monkeypatch, own_folder, unloaded):
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")
    assert "TMPDIR" in refusal(capsys, "--port", str(free_port()))


def test_the_figures_script_is_served_from_a_folder_of_any_name(pair, tmp_path, monkeypatch):
    script = tmp_path / NAME / "plotly.min.js"
    script.parent.mkdir()
    script.write_text("// ü", encoding="utf-8")
    monkeypatch.setattr(components, "_PLOTLY", script)
    blocks = app.serve(Explorer(pair), "127.0.0.1", port := free_port())
    try:
        config = json.loads(get(f"http://127.0.0.1:{port}/config")[1])
        heads = {one["props"].get("head") for one in config["components"]} - {None, ""}
        [source] = {unescape(re.fullmatch(r'<script src="([^"]*)"></script>', h)[1]) for h in heads}
        assert get(f"http://127.0.0.1:{port}/{source}") == (200, "// ü")
    finally:
        blocks.close()


@contextmanager
def started(folder: Path, **environment: str):
    """The app as a process of its own in a folder, and its address."""
    port = free_port()
    # Other tests start the app in this process, which names its own folder here.
    ours = {name: value for name, value in os.environ.items() if name != "GRADIO_TEMP_DIR"}
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)],
        cwd=folder,
        env=ours | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    while process.poll() is None:
        try:
            if get(f"{url}/healthz")[0] == 200:
                break
        except URLError:
            time.sleep(0.2)
    yield process, url
    process.kill()
    process.communicate()


def test_it_runs_where_nothing_is_as_it_should_be(mini_env, tmp_path):
    checkout, temporary_files = tmp_path / NAME, tmp_path / "tmp"
    checkout.mkdir()
    temporary_files.mkdir()
    for name in ("app.py", "softcot", "assets"):
        (checkout / name).symlink_to(ROOT / name)
    (temporary_files / "gradio").touch()  # somebody else's: no folder can be made in it
    environment = {
        "TMPDIR": str(temporary_files),
        "PYTHONIOENCODING": "ascii",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "nonsense",
        "ALL_PROXY": "socks://127.0.0.1:9/",
        "GRADIO_SERVER_PORT": "",
        "GRADIO_SERVER_NAME": "",
        "GRADIO_DEBUG": "1",
    }
    with started(checkout, **environment) as (process, url):
        assert process.poll() is None, process.stderr.read()
        client = Client(url, verbose=False)
        asked = {"question": "Anna has 2 apples → ü.", "max_new_tokens": 4}
        assert client.predict(**asked, api_name="/compare")["done"]
        kept = {file.name[:8] for file in temporary_files.iterdir()}
        assert kept == {"gradio", "softcot-"}
        process.terminate()
        said, complaints = process.communicate(timeout=60)
    assert "Traceback" not in complaints and url in said
    assert [file.name for file in temporary_files.iterdir()] == ["gradio"]
