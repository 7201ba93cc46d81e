"""The real vLLM with mini's base: the same words as here, and an evaluation that outlives it.

It wants an environment of its own; `SOFTCOT_VLLM_PYTHON` names its Python.
"""

import os
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from softcot.data.tasks import get_task
from softcot.decoding import vllm
from softcot.decoding.decoder import Sampling
from softcot.decoding.vllm import Vllm
from softcot.evaluation.answering import ColumnRequest, answer_stream
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.support.errors import UserError
from softcot.thoughts.pair import load_pair

PYTHON = os.environ.get("SOFTCOT_VLLM_PYTHON")
BASE = Path(__file__).parents[2] / "checkpoints" / "mini" / "base"
TASK = get_task("mini-gsm")
COUNT = int(os.environ.get("SOFTCOT_VLLM_PROBLEMS", "24"))
"""Problems that both answer."""

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(not PYTHON, reason="SOFTCOT_VLLM_PYTHON names no Python that has vLLM"),
]


class Started:
    """A server on a port of its own, which a test may kill and start again."""

    def __init__(self, log: Path):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url, self.log = f"http://127.0.0.1:{self.port}/v1", log
        self.start()

    def start(self):
        options = (
            f"--model {BASE} --enable-prompt-embeds --dtype float32 --max-model-len 512 "
            f"--enforce-eager --host 127.0.0.1 --port {self.port}"
        )
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [PYTHON, "-m", "vllm.entrypoints.openai.api_server", *options.split()],
                env=os.environ | {"VLLM_CPU_KVCACHE_SPACE": "1"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 580
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/health").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(1)
        raise AssertionError(self.log.read_text(errors="replace")[-3000:])

    def kill(self):
        os.killpg(self.process.pid, 9)
        self.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = Started(tmp_path_factory.mktemp("vllm") / "log.txt")
    yield started
    started.kill()


@pytest.fixture(scope="module")
def shipped():
    """The pair that ships, in fp32."""
    return load_pair("mini", "cpu", dtype="float32")


@pytest.mark.parametrize("method", ["zero-shot-cot", "softcot"])
def test_greedy_answers_are_those_written_here(shipped, server, method):
    problems, protocol = TASK.problems("test", COUNT), Protocol(method, k=None)
    here = evaluate(shipped, TASK, protocol, problems)
    there = evaluate(shipped, TASK, protocol, problems, backend=Vllm(shipped.base, server.url))
    assert [row.text for row in there.rows] == [row.text for row in here.rows]
    assert [row.tokens for row in there.rows] == [row.tokens for row in here.rows]
    assert there.versions["vllm"] != "unknown"


def test_both_columns_stream_and_samples_are_seeded(shipped, server):
    backend, [problem] = Vllm(shipped.base, server.url), TASK.problems("test", 1)
    requests = [ColumnRequest("zero-shot-cot"), ColumnRequest("softcot")]
    asked = (shipped, problem, TASK, requests, 8, Sampling(1.0, max_new_tokens=40), 3, backend)
    first, second = ([*answer_stream(*asked)] for _ in range(2))
    assert len(first) > 2 and all(column.done for column in first[-1])
    assert [one.text for one in first[-1]] == [one.text for one in second[-1]]
    assert len(first[-1][1].votes) >= 1 and first[-1][0].gold_logprob is not None


def test_another_base_is_refused(shipped, server):
    with pytest.raises(UserError, match="which is another one than the base"):
        Vllm(shipped.assistant, server.url)


def test_an_evaluation_goes_on_after_the_engine_was_killed(shipped, server, tmp_path, monkeypatch):
    monkeypatch.setattr(vllm, "PAUSES", (0.2, 0.2))
    problems, protocol = TASK.problems("test", 12), Protocol("softcot")
    partial, backend, done = tmp_path / "partial", Vllm(shipped.base, server.url), []

    def kill_at_four(rows: int, total: int):
        done.append(rows)
        if 4 <= rows < total and server.process.poll() is None:
            server.kill()

    options = {"partial": partial, "batch_size": 2, "backend": backend}
    with pytest.raises(UserError, match="cannot be asked|went away"):
        evaluate(shipped, TASK, protocol, problems, progress=kill_at_four, **options)
    assert 4 <= max(done) < 12
    server.start()
    kept: list[int] = []
    record = evaluate(
        shipped, TASK, protocol, problems, progress=lambda rows, _: kept.append(rows), **options
    )
    assert kept[0] >= 4 and [row.id for row in record.rows] == [one.id for one in problems]
    here = evaluate(shipped, TASK, protocol, problems)
    assert [row.text for row in record.rows] == [row.text for row in here.rows]
