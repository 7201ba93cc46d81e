"""The backend of a server, against a little one that speaks as vLLM does."""

import base64
import io
import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from conftest import build_problems

from softcot.bench.setting import Setting
from softcot.bench.vllm import measure
from softcot.data.tasks import get_task
from softcot.decoding import vllm
from softcot.decoding.decoder import Sampling, decode, finish
from softcot.decoding.elsewhere import next_logprobs
from softcot.decoding.vllm import Vllm
from softcot.evaluation.answering import ColumnRequest, answer_stream
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.methods import ZeroShotCoT
from softcot.models.batches import PromptEmbeds
from softcot.support.errors import UserError

TASK = get_task("mini-gsm")
SHORT = Sampling(max_new_tokens=8)
HARD, SOFT = ColumnRequest("zero-shot-cot"), ColumnRequest("softcot")


class Little:
    """What a server knows and was asked; a test changes how it behaves."""

    def __init__(self, base):
        self.base = base
        self.asked: list[dict] = []
        self.embeddings = True
        self.key = ""
        self.busy = 0
        """Requests that are answered with a 503 first."""
        self.breaks = 0
        """Answers that break off in the middle."""
        self.endless = False
        self.hung_up = threading.Event()

    def prompt(self, body: dict) -> PromptEmbeds:
        if "prompt_embeds" in body:
            embeds = torch.load(io.BytesIO(base64.b64decode(body["prompt_embeds"])))
        else:
            embeds = self.base.embed(torch.tensor(body["prompt"]))
        length = len(embeds)
        return PromptEmbeds(
            embeds=embeds[None],
            attention_mask=torch.ones(1, length, dtype=torch.long),
            position_ids=torch.arange(length)[None],
            slot_mask=torch.zeros(1, length, dtype=torch.bool),
            prompt_tokens=[length],
            hashes=[""],
            passes=[0],
        )

    def rows(self, body: dict):
        known = ("temperature", "top_p", "seed")
        sampling = {name: body[name] for name in known if name in body}
        chosen = Sampling(**sampling, max_new_tokens=body["max_tokens"])
        return decode(self.base, self.prompt(body), chosen, samples=body.get("n", 1))


class Handler(BaseHTTPRequestHandler):
    little: Little

    def log_message(self, *args):
        pass

    def send(self, status: int, body: dict):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        if self.little.key and self.headers["Authorization"] != f"Bearer {self.little.key}":
            return self.send(401, {"error": "no"})
        if self.path == "/version":
            return self.send(200, {"version": "0.0.little"})
        self.send(200, {"data": [{"id": "base", "max_model_len": self.little.base.context}]})

    def do_POST(self):
        little = self.little
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if little.busy:
            little.busy -= 1
            return self.send(503, {"error": {"message": "full"}})
        if "prompt_embeds" in body and not little.embeddings:
            return self.send(400, {"error": {"message": "prompt embeds are not enabled"}})
        little.asked.append(body)
        if not body.get("stream"):
            [row] = finish(little.rows(body))
            choice = {"token_ids": row.ids, "text": "", "finish_reason": "length"}
            if "logprobs" in body:
                known = next_logprobs(little.base, body["prompt"])
                choice["logprobs"] = {"token_logprobs": [known[row.ids[0]].item()]}
            return self.send(200, {"choices": [choice]})
        self.send_response(200)
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            self.stream(body)
            return
        little.hung_up.set()

    def stream(self, body: dict):
        little, sent = self.little, [0] * body["n"]
        for step, rows in enumerate(little.rows(body)):
            choices = [
                {
                    "index": number,
                    "text": "",
                    "token_ids": row.ids[sent[number] :],
                    "finish_reason": {"end": "stop"}.get(row.stop_reason, row.stop_reason) or None,
                }
                for number, row in enumerate(rows)
            ]
            sent = [len(row.ids) for row in rows]
            self.event(json.dumps({"choices": choices}))
            if little.breaks and step == 2:
                little.breaks -= 1
                return
        while little.endless:
            self.event(json.dumps({"choices": []}))
        self.event("[DONE]")

    def event(self, text: str):
        self.wfile.write(f"data: {text}\n\n".encode())
        self.wfile.flush()


@pytest.fixture
def little(pair, monkeypatch):
    monkeypatch.setattr(vllm, "PAUSES", (0.01, 0.01))
    monkeypatch.delenv(vllm.KEY_VARIABLE, raising=False)
    return Little(pair.base)


@pytest.fixture
def url(little):
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Mine", (Handler,), {"little": little}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def columns(pair, backend, requests=(HARD, SOFT), sampling=SHORT, samples=1):
    problem = build_problems(1)[0]
    *_, last = answer_stream(pair, problem, TASK, requests, 4, sampling, samples, backend)
    return last


def test_a_comparison_is_what_it_is_here(pair, little, url):
    backend = Vllm(pair.base, url)
    there, here = columns(pair, backend), columns(pair, None)
    for one, other in zip(there, here, strict=True):
        assert (one.text, one.answer, one.new_tokens) == (other.text, other.answer, 8)
        assert one.gold_logprob == other.gold_logprob and one.seconds > 0
    asked = [body for body in little.asked if body.get("stream")]
    assert len(asked) == 2 and all(body["top_k"] == -1 for body in asked)
    # Where token ids say it all, they are what is sent.
    assert sorted("prompt_embeds" in body for body in asked) == [False, True]
    assert all(body["repetition_penalty"] == 1.0 for body in asked)  # servers have their own


def test_samples_are_asked_for_at_once(pair, little, url):
    [soft] = columns(pair, Vllm(pair.base, url), [SOFT], Sampling(1.0, max_new_tokens=6), 3)
    assert [body["n"] for body in little.asked if body.get("stream")] == [3]
    assert soft.new_tokens == 18


def test_an_evaluation_has_the_rows_that_it_has_here(pair, little, url):
    problems, protocol = build_problems(4), Protocol("softcot", k=4, sampling=SHORT)
    here = evaluate(pair, TASK, protocol, problems)
    there = evaluate(pair, TASK, protocol, problems, backend=Vllm(pair.base, url))
    assert [row.text for row in there.rows] == [row.text for row in here.rows]
    assert there.versions == here.versions | {"vllm": "0.0.little"}


def test_a_full_server_is_asked_again(pair, little, url):
    backend = Vllm(pair.base, url)
    little.busy = 2
    assert columns(pair, backend, [SOFT])[0].new_tokens == 8
    little.busy = 9
    with pytest.raises(UserError, match="cannot be asked \\(it is full\\)"):
        columns(pair, backend, [SOFT])


def test_an_answer_that_breaks_off_is_asked_for_again(pair, little, url):
    backend = Vllm(pair.base, url)
    little.breaks = 1
    assert columns(pair, backend, [SOFT])[0].text == columns(pair, None, [SOFT])[0].text
    little.breaks = 2
    with pytest.raises(UserError, match="went away"):
        columns(pair, backend, [SOFT])
    assert columns(pair, backend, [SOFT])[0].new_tokens == 8


def test_an_evaluation_that_lost_its_server_goes_on_where_it_was(pair, little, url, tmp_path):
    problems, protocol = build_problems(6), Protocol("softcot", k=4, sampling=SHORT)
    options = {"batch_size": 2, "partial": tmp_path / "partial", "backend": Vllm(pair.base, url)}

    def lose(rows: int, total: int):
        little.busy = 10**6 if rows >= 2 else 0

    with pytest.raises(UserError, match="cannot be asked"):
        evaluate(pair, TASK, protocol, problems, progress=lose, **options)
    little.busy, kept = 0, []
    asked = len(little.asked)
    found = evaluate(
        pair, TASK, protocol, problems, progress=lambda rows, _: kept.append(rows), **options
    )
    # A request that was still being tried when the first evaluation ended may come late.
    assert 2 <= kept[0] < 6 and 6 - kept[0] <= len(little.asked) - asked < 6
    here = evaluate(pair, TASK, protocol, problems)
    assert [(row.id, row.text) for row in found.rows] == [(row.id, row.text) for row in here.rows]


def test_stop_hangs_up(pair, little, url):
    backend, problem = Vllm(pair.base, url), build_problems(1)[0]
    little.endless = True
    frames = answer_stream(pair, problem, TASK, [HARD], 4, SHORT, 1, backend)
    next(frames)
    frames.close()
    assert little.hung_up.wait(30)


def test_what_cannot_be_is_said_before_anything_is_asked(pair, little, url, monkeypatch):
    with pytest.raises(UserError, match="which is another one than the base"):
        Vllm(pair.assistant, url)
    little.embeddings = False
    with pytest.raises(UserError, match="--enable-prompt-embeds"):
        Vllm(pair.base, url)
    little.key = "secret"
    with pytest.raises(UserError, match="VLLM_API_KEY"):
        Vllm(pair.base, url)
    monkeypatch.setenv(vllm.KEY_VARIABLE, "secret")
    little.embeddings = True
    assert Vllm(pair.base, url).model == "base"
    with pytest.raises(UserError, match="no address"):
        Vllm(pair.base, "host:8000")
    with pytest.raises(UserError, match="cannot be asked"):
        Vllm(pair.base, "http://127.0.0.1:9/v1")


def test_other_weights_than_the_bases_are_refused(pair, little, url):
    backend = Vllm(pair.base, url)
    with pytest.raises(UserError, match="use --backend local"):
        columns(pair, backend, [ColumnRequest("lora")])
    with pytest.raises(UserError, match="use --backend local"):
        evaluate(pair, TASK, Protocol("coconut"), build_problems(2), backend=backend)


def test_both_are_measured_in_turns_and_their_words_compared(pair, little, url):
    found = measure(pair, Setting({}, quick=True, rounds=1, base_url=url))
    assert [(one["value"], one["goal"]) for one in found.ratios[::2]] == [(3, 3)] * 2
    assert all(one["value"] > 0 for one in found.ratios)
    assert {side.extra["answers"] for side in found.sides.values()} == {3}
    with pytest.raises(UserError, match="--base-url"):
        measure(pair, Setting({}, quick=True))


def test_a_penalty_that_an_engine_reads_otherwise_is_refused(pair, little, url):
    prompt = ZeroShotCoT(pair).prepare(build_problems(1))
    with Vllm(pair.base, url).session() as session, pytest.raises(UserError, match="penalty"):
        session.add(pair.base, prompt, Sampling(repetition_penalty=1.1))


def test_an_answer_has_the_room_that_there_is(pair, little, url):
    backend = Vllm(pair.base, url)
    backend.context = 3
    prompt = ZeroShotCoT(pair).prepare(build_problems(1))
    with backend.session() as session, pytest.raises(UserError, match="--max-model-len"):
        session.add(pair.base, prompt, SHORT)
