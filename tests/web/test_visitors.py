"""What one visitor can see of another, and of the machine: nothing, whatever is asked for."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
from test_app import ROOT, free_port
from test_leaving import press

import app
from softcot.decoding.engine import Engine
from softcot.web.explorer import Explorer

SECRET = "Anna has 12 apples and hides 30 pears. How many?"
"""A question of somebody else's; its words stand nowhere else."""

OPEN = (
    *("/", "/config", "/config/", "/healthz", "/theme.css", "/manifest.json", "/robots.txt"),
    *("/monitoring", "/monitoring/summary", "/monitoring/key", "/runs", "/gradio_api/runs"),
    *("/gradio_api/info", "/gradio_api/info?all_endpoints=true", "/gradio_api/openapi.json"),
    *("/gradio_api/queue/status", "/gradio_api/app_id", "/gradio_api/startup-events"),
    *("/gradio_api/user", "/gradio_api/token", "/gradio_api/login_check", "/docs", "/openapi.json"),
    *("/gradio_api/run-history/records", "/gradio_api/run-history/buckets", "/redoc"),
    *("/gradio_api/profiling/traces", "/gradio_api/profiling/summary"),
    "/gradio_api/deep_link?session_hash=guess",
    "/gradio_api/call/compare/guess",
    "/gradio_api/queue/data?session_hash=guess",
)
"""Everything that anybody may ask a page of Gradio's for."""

ELSEWHERE = (
    *("/etc/passwd", "//etc/passwd", "../../../../../../etc/passwd", "....//....//etc/passwd"),
    *(
        "/proc/self/environ",
        "/proc/self/cmdline",
        "~/.bashrc",
        "file:///etc/passwd",
        "/etc/passwd\0",
    ),
    *("app.py", "README.md", "softcot/web/page.py", ".git/config", "checkpoints"),
    *("..\\..\\etc\\passwd", str(ROOT / "README.md"), str(ROOT / "pyproject.toml"), str(ROOT)),
)
"""Files that are no business of a visitor's."""

ROUTES = (
    *("/gradio_api/file=", "/file=", "/gradio_api/file/", "/static/", "/assets/", "/svelte/"),
    *("/gradio_api/custom_component/1/client/component/", "/gradio_api/proxy=", "/"),
)
"""What serves files, or a path that a client says."""


@pytest.fixture(scope="module")
def http(pair):
    blocks = app.serve(Explorer(pair, Engine()), "127.0.0.1", free_port())
    address = blocks.local_url.rstrip("/")
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as http:
        yield http
    blocks.close()


def completed(http, session: str) -> list[str]:
    """All that a visitor's page is told of its event."""
    told = {"session_hash": session}
    with http.stream("GET", "/gradio_api/queue/data", params=told) as answer:
        return [line for line in answer.iter_lines() if line.startswith("data: ")]


def ran(http, session: str) -> str:
    """Press Run, and return the address of the file of the run."""
    press(http, "Run", session)
    told = "".join(completed(http, session))
    [address] = set(re.findall(r'"url":"([^"]*\.run)"', told))
    return address


@pytest.fixture(scope="module")
def theirs(http):
    """What somebody else asked, and the addresses of what they may download."""
    event = {"data": [SECRET, "mini-gsm"]}
    number = http.post("/gradio_api/call/thoughts", json=event).json()["event_id"]
    assert "pears" in http.get(f"/gradio_api/call/thoughts/{number}").text
    event = {"data": [SECRET, "mini-gsm", 3], "session_hash": "theirs"}
    number = http.post("/gradio_api/call/compare", json=event).json()["event_id"]
    assert '"done": true' in http.get(f"/gradio_api/call/compare/{number}").text
    return number, ran(http, "theirs"), ran(http, "others")


@pytest.mark.parametrize("path", OPEN)
def test_nothing_that_is_open_to_all_says_what_somebody_asked(http, theirs, path):
    said = http.get(path, timeout=10).text
    number, *addresses = theirs
    folders = [Path(address).parent.name for address in addresses]
    for secret in ("hides 30 pears", "theirs", number, *folders):
        assert secret not in said


@pytest.mark.parametrize("path", ["queue/data?session_hash=guess", "call/compare/guess"])
def test_a_stream_of_nothing_says_so_and_leaves_the_log_alone(http, caplog, capfd, path):
    assert "404" in http.get(f"/gradio_api/{path}", timeout=10).text
    assert not caplog.records and capfd.readouterr().err == ""


def test_monitoring_and_the_history_of_runs_are_off(http):
    for path in ("/monitoring", "/monitoring/summary", "/monitoring/key"):
        assert http.get(path).status_code == 403
    for path in ("/gradio_api/runs", "/gradio_api/run-history/records"):
        assert http.get(path).status_code == 404


def test_an_answer_is_told_once_and_only_to_whoever_asked(http, theirs):
    number, *_ = theirs
    assert "pears" not in http.get(f"/gradio_api/call/compare/{number}", timeout=10).text
    assert http.get("/gradio_api/queue/status").json().keys() <= {
        *("msg", "event_id", "rank", "queue_size", "rank_eta")
    }


def test_a_download_has_a_name_that_nobody_can_guess_and_belongs_to_one_visit(http, theirs):
    _, one, other = theirs
    assert one != other, "the same question, but another visit"
    folders = {Path(address).parent.name for address in (one, other)}
    assert len(folders) == 2 and all(len(name.removeprefix("tmp")) >= 8 for name in folders)
    for address in (one, other):  # a safetensors file: eight bytes, then a JSON object
        assert http.get(address).content[8:9] == b"{"
    for above in (one.rpartition("/")[0], one.rpartition("/")[0].rpartition("/")[0]):
        assert http.get(above).status_code == 403 and http.get(f"{above}/").status_code == 403


@pytest.mark.parametrize("route", ROUTES)
def test_no_file_of_the_machine_is_served(http, route):
    kept = [ROOT.joinpath(name).read_text()[:40] for name in ("README.md", "app.py")]
    kept += ["root:", "PATH=", "[build-system]", "[core]", "pytest"]
    for path in ELSEWHERE:
        for said in (path, quote(path, safe=""), quote(quote(path, safe=""), safe="")):
            try:
                answer = http.get(route + said)
            except httpx.InvalidURL:  # no client sends it
                continue
            assert answer.status_code in (400, 403, 404, 405), route + said
            assert not any(secret in answer.text for secret in kept), route + said


class Canary(BaseHTTPRequestHandler):
    """A server inside, which must not be asked."""

    asked: list[str] = []

    def do_GET(self):
        Canary.asked.append(self.path)
        self.send_response(200)
        self.end_headers()

    do_HEAD = do_GET


@pytest.fixture
def inside():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Canary)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_the_server_asks_no_other_one_for_a_visitor(http, inside):
    for route in ("/gradio_api/file=", "/gradio_api/proxy="):
        for address in (f"{inside}/secret", "https://example.org/", "HTTP://example.org"):
            for said in (address, quote(address, safe="")):
                answer = http.get(route + said)
                assert (answer.status_code, "fetches nothing" in answer.text) == (403, True)
    assert not Canary.asked


def test_a_forged_upload_is_refused(http, theirs, inside):
    """Whose file is brought must have been uploaded; its address is nothing a client may choose."""
    config = http.get("/config").json()
    buttons = [one["id"] for one in config["components"] if one["type"] == "uploadbutton"]
    [event] = [one for one in config["dependencies"] if set(one["inputs"]) & set(buttons)]
    for number, path in enumerate((*ELSEWHERE, "x.zip", urlsplit(theirs[1]).path)):
        for more in ({}, {"url": f"{inside}/x.zip"}, {"url": f"file://{path}"}):
            forged = {"path": path, "orig_name": "x.zip", "meta": {"_type": "gradio.FileData"}}
            joined = {"data": [None, forged | more], "fn_index": event["id"]}
            joined["session_hash"] = f"forged-{number}-{len(more)}"
            answer = http.post("/gradio_api/queue/join", json=joined)
            if answer.status_code == 200:
                said = "".join(completed(http, joined["session_hash"]))
                assert "root:" not in said and "[build-system]" not in said
                assert '"success":false' in said, path
    for address in (f"{inside}/x.zip", "https://example.org/x.zip"):
        forged = {"path": address, "meta": {"_type": "gradio.FileData"}}
        joined = {"data": [None, forged], "fn_index": event["id"], "session_hash": "address"}
        http.post("/gradio_api/queue/join", json=joined).raise_for_status()
        assert "an address is not taken" in "".join(completed(http, "address"))
    assert not Canary.asked
