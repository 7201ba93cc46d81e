"""A soak: what it asks is answered and compared, and what is wrong is found."""

import os
import socket
import threading

import pytest
import uvicorn
from conftest import build_problems
from gate import until

import app
from softcot.bench.servers import Address
from softcot.bench.soak import asked, fairness, load, memory, record
from softcot.bench.soak.load import Load, soaked
from softcot.cli.main import main
from softcot.data.tasks import GeneratedProblems
from softcot.decoding.engine import Engine
from softcot.serving import server as routes
from softcot.serving.answering import Serving
from softcot.serving.server import Server
from softcot.web.explorer import Explorer


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Little to ask, short answers, and no judgement of how fast this machine is."""

    def draw(self, task, split, count, seed):
        return build_problems(min(count, 12), task=task, seed=len(task))

    monkeypatch.setattr(GeneratedProblems, "problems", draw)
    monkeypatch.setattr(asked, "QUESTIONS", 2)
    monkeypatch.setattr(asked, "LONGEST", 12)
    monkeypatch.setattr(asked, "SHORT", 4)
    monkeypatch.setattr(load, "SINGLE", 2)
    monkeypatch.setattr(load, "REST", 0.0)
    monkeypatch.setattr(fairness, "NEWCOMERS", 2)
    for name in ("GROWTH", "SLOWER", "SOON"):
        monkeypatch.setattr(record, name, 1e9)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def serve(pair):
    """A little `serve` in this process, and what answers there."""
    serving = Serving(pair, Engine(), 12)
    running = uvicorn.Server(routes.configuration(Server(serving), "127.0.0.1", free_port()))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    until(lambda: running.started)
    yield serving, f"http://127.0.0.1:{running.config.port}"
    running.should_exit = True
    thread.join()


def together(url: str, seconds: float = 1.5, process: int | None = None) -> load.Found:
    return soaked("serve", Address(url, process), Load(4, seconds), lambda *_: None)


def test_serve_in_a_process_of_its_own_answers_many_as_it_answers_one(
    mini_env, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(memory, "BEAT", 0.1)
    kept, page = tmp_path / "soak.json", tmp_path / "page.md"
    options = ["--target", "serve", "--clients", "4", "--seconds", "2", "--json", str(kept)]
    assert main(["soak", *options]) == 0
    told = record.load(kept)
    kinds = told["sides"]["serve"]["kinds"]
    assert sum(kind["answered"] for kind in kinds.values()) > 10
    assert told["sides"]["serve"]["told"] == [] and told["ratios"][0]["value"] == 0
    assert min(told["sides"]["serve"]["memory"]) > 1e8
    assert told["versions"]["gradio"] and told["settings"]["clients"] == 4
    assert "| serve: chat, stream | " in capsys.readouterr().out
    page.write_text("<!-- soak:start -->\n<!-- soak:end -->\n")
    assert main(["soak", "--show", str(kept), "--page", str(page)]) == 0
    assert record.tables(told) in page.read_text() and "SHORT" in page.read_text()


def test_the_app_answers_many_as_it_answers_one_and_newcomers_beside_long_work(
    pair, tmp_path, capsys
):
    blocks = app.serve(Explorer(pair), "127.0.0.1", free_port())
    try:
        url, kept = blocks.local_url.rstrip("/"), tmp_path / "soak.json"
        options = ["--clients", "4", "--seconds", "2", "--json", str(kept)]
        assert main(["soak", "--target", "app", "--url", url, *options]) == 0
        assert main(["soak", "--url", url]) == 2  # of which of the two?
    finally:
        blocks.close()
    told = record.load(kept)
    ends = {name: kind["answered"] for name, kind in told["sides"]["app"]["kinds"].items()}
    assert ends["compare, call"] and ends["compare, join"]
    assert len(told["fairness"]["beside_seconds"]) == 2
    assert "newcomer" in told["ratios"][-1]["what"] and not record.failures(told)


def test_an_answer_of_somebody_else_is_found(serve, monkeypatch):
    """As a server would give that mixes up two that ask at the same time."""
    serving, url = serve
    sampling = Serving._sampling

    def mixed(self, request):
        own, many = sampling(self, request), self.running > 1
        return type(own)(1.0, seed=99, max_new_tokens=own.max_new_tokens) if many else own

    monkeypatch.setattr(Serving, "_sampling", mixed)
    found = together(url)
    assert found.tally.wrong > 0
    failed = record.failures(judged(found))
    assert any("answers unlike" in said for said in failed)
    assert any(" instead of " in said for said in failed)


def judged(found: load.Found) -> dict:
    return {
        "sides": {"serve": record.side(found)},
        "ratios": record.checks({"serve": found}, None),
    }


def test_what_fails_is_found_and_a_full_queue_is_no_failure(serve, monkeypatch):
    serving, url = serve
    with monkeypatch.context() as patch:
        method = Serving._method

        def sometimes(self, request):
            if self.running > 2:
                raise RuntimeError("out of order")
            return method(self, request)

        patch.setattr(Serving, "_method", sometimes)
        found = together(url)
        assert found.tally.count("failed") and not found.tally.count("busy")
        assert any("500: " in said for said in record.failures(judged(found)))
    serving.most = 1
    found = together(url)
    assert found.tally.count("busy") and not found.tally.count("failed")


def test_what_is_no_server_or_no_record_is_refused(tmp_path, capsys):
    assert main(["soak", "--target", "serve", "--url", f"http://127.0.0.1:{free_port()}"]) == 2
    assert "There is no `serve` at" in capsys.readouterr().err
    (tmp_path / "one.json").write_text("{}")
    assert main(["soak", "--show", str(tmp_path / "one.json")]) == 2
    assert "make it again" in capsys.readouterr().err


def test_memory_that_is_kept_is_found(serve, monkeypatch):
    _, url = serve
    answer, kept = Serving.answer, []

    def leak(self, request, visitor="", ended=None):
        if self.running:
            kept.append(b"x" * 20_000_000)
        return answer(self, request, visitor, ended)

    monkeypatch.setattr(memory, "BEAT", 0.02)
    monkeypatch.setattr(record, "GROWTH", 1.05)
    monkeypatch.setattr(load, "LEAVING", 0.0)
    monkeypatch.setattr(Serving, "answer", leak)
    found = together(url, 2.0, os.getpid())
    assert found.growth > 1.05
    assert any("memory" in said for said in record.failures(judged(found)))
