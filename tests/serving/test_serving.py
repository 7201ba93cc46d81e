"""The server, asked by OpenAI's own client and without one."""

import asyncio
import json
import socket
import threading
import time

import httpx
import pytest
import uvicorn
from conftest import build_problems
from hostile import texts, tried, values
from hypothesis import strategies as st

from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling, decode, finish
from softcot.decoding.engine import Engine
from softcot.methods import get_method
from softcot.serving import server as routes
from softcot.serving.answering import Serving
from softcot.serving.server import Server

openai = pytest.importorskip("openai")

PROBLEMS = build_problems(16)
HARD, SOFT = "mini:zero-shot-cot", "mini:softcot"
TASK = {"extra_body": {"task": "mini-gsm", "k": 4}}


@pytest.fixture(scope="module")
def engine():
    return Engine(rows=24)


@pytest.fixture(scope="module")
def serving(pair, engine):
    return Serving(pair, engine, usual_length=16)


def started(server: Server) -> tuple[uvicorn.Server, threading.Thread, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = uvicorn.Server(routes.configuration(server, "127.0.0.1", port))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    until(lambda: running.started)
    return running, thread, f"http://127.0.0.1:{port}"


def until(true, seconds=60):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def url(serving):
    running, thread, url = started(Server(serving))
    yield url
    running.should_exit = True
    thread.join()
    assert serving.backend._closed  # who stops the server ends its models' thread


@pytest.fixture(scope="module")
def client(url):
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        yield client


def alone(pair, problem, name, sampling, k=4, samples=1, task="mini-gsm"):
    method = get_method(name.split(":")[1], pair, get_task(task), seed=sampling.seed)
    prompt = method.prepare([problem], method.checked_k(k))
    rows = finish(decode(pair.base, prompt, sampling, [0], samples))
    return [pair.base.text(row.ids) for row in rows]


def message(question: str) -> list[dict]:
    return [{"role": "user", "content": question}]


def test_32_clients_at_once_each_read_what_they_read_alone(pair, url, engine):
    """Streaming, greedy and sampled, both methods: more rows than there is room for at once."""
    asked = [
        (problem, name, Sampling(temperature, seed=seed, max_new_tokens=10 + seed % 5))
        for seed, problem in enumerate(PROBLEMS)
        for name, temperature in ((HARD, 0.0), (SOFT, 1.0))
    ]

    async def ask(client, problem, name, sampling):
        stream = await client.chat.completions.create(
            model=name,
            messages=message(problem.question),
            stream=True,
            temperature=sampling.temperature,
            seed=sampling.seed,
            max_tokens=sampling.max_new_tokens,
            **TASK,
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def everybody():
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none") as client:
            return await asyncio.gather(*(ask(client, *one) for one in asked))

    found = asyncio.run(everybody())
    assert found == [alone(pair, *one)[0] for one in asked]
    assert len(asked) == 32 and len(set(found)) > 16
    until(lambda: engine.load().requests == 0)


def test_a_whole_answer_says_what_it_took(pair, client):
    answer = client.chat.completions.create(
        model=SOFT, messages=message(PROBLEMS[0].question), max_tokens=6, **TASK
    )
    [text] = alone(pair, PROBLEMS[0], SOFT, Sampling(max_new_tokens=6))
    [choice] = answer.choices
    assert (choice.message.content, choice.message.role) == (text, "assistant")
    assert choice.finish_reason == "length" and answer.model == SOFT
    assert answer.usage.completion_tokens == 6 and answer.usage.prompt_tokens > 20
    assert answer.usage.total_tokens == 6 + answer.usage.prompt_tokens


def test_several_answers_are_samples_and_a_stream_may_end_with_usage(pair, client):
    asked = {"model": SOFT, "prompt": PROBLEMS[1].question, "n": 3, "seed": 5, "max_tokens": 8}
    texts = alone(pair, PROBLEMS[1], SOFT, Sampling(1.0, seed=5, max_new_tokens=8), samples=3)
    whole = client.completions.create(**asked, **TASK)
    assert [choice.text for choice in whole.choices] == texts and len(set(texts)) > 1
    usage = {"include_usage": True}
    chunks = list(client.completions.create(**asked, stream=True, stream_options=usage, **TASK))
    streamed = [""] * 3
    for chunk in chunks[:-1]:
        streamed[chunk.choices[0].index] += chunk.choices[0].text
    assert streamed == texts and chunks[-1].usage.completion_tokens == 24


def test_a_stop_ends_the_text_before_it(pair, client):
    [text] = alone(pair, PROBLEMS[2], HARD, Sampling(max_new_tokens=12))
    stop = text[3:6]
    asked = {"model": HARD, "messages": message(PROBLEMS[2].question), "stop": [stop, "never"]}
    whole = client.chat.completions.create(**asked, max_tokens=12, **TASK).choices[0]
    assert whole.message.content == text[: text.index(stop)] and whole.finish_reason == "stop"
    stream = client.chat.completions.create(**asked, max_tokens=12, stream=True, **TASK)
    pieces = [chunk.choices[0].delta.content or "" for chunk in stream]
    assert "".join(pieces) == whole.message.content


def test_models_are_pairs_and_methods(client, serving):
    names = [model.id for model in client.models.list()]
    assert {HARD, SOFT, "mini:lora"} <= {*names} and names == serving.models
    assert client.models.retrieve(SOFT).id == SOFT


def test_controls_and_k_decide_the_thoughts(pair, client):
    def answer(**extra):
        asked = {"model": SOFT, "messages": message(PROBLEMS[3].question), "max_tokens": 8}
        made = client.chat.completions.create(**asked, extra_body={"task": "mini-gsm"} | extra)
        return made.choices[0].message.content

    [none] = alone(pair, PROBLEMS[3], HARD, Sampling(max_new_tokens=8))
    assert answer(k=0) == none != answer(k=4) == answer(thoughts=4) != answer(k=4, control="zero")


def test_whoever_hangs_up_frees_the_rows(client, engine):
    asked = {"model": HARD, "prompt": PROBLEMS[0].question, "max_tokens": 400}
    with client.completions.create(**asked, stream=True, **TASK) as stream:
        next(iter(stream))
        assert engine.load().rows == 1
    until(lambda: engine.load().requests == 0)


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"model": "mini:telepathy"}, 404, "There is no model 'mini:telepathy'"),
        ({"messages": [*message("Why?"), *message("How?")]}, 400, "Send one message"),
        ({"messages": [{"role": "system", "content": "Sing."}]}, 400, "of the role user"),
        ({"messages": message(" ")}, 400, "question is empty"),
        ({"messages": message("apples " * 600)}, 400, "tokens long; the limit is"),
        ({"messages": message("a" * routes.MOST_BYTES)}, 413, "A request has at most"),
        ({"n": 99}, 400, "n: "),
        ({"temperature": -1.0}, 400, "temperature must be a number from 0 to 10"),
        ({"max_tokens": 0, "seed": -1}, 400, "seed must be"),
        ({"extra_body": {"control": "prayer"}}, 400, "no control called 'prayer'"),
        ({"extra_body": {"K": 99}}, 400, "K = 99 thoughts is out of range"),
        ({"extra_body": {"task": "chess"}}, 400, "chess"),
        ({"extra_body": {"prompt_embeds": "gASV"}}, 400, "prompt_embeds is not supported"),
        ({"logprobs": True}, 400, "logprobs is not supported"),
    ],
)
def test_what_cannot_be_is_refused_as_openai_does(client, changes, status, said):
    asked = {"model": SOFT, "messages": message("Why?")} | changes
    with pytest.raises(openai.APIStatusError, match=said) as refused:
        client.chat.completions.create(**asked)
    assert refused.value.status_code == status
    assert refused.value.body["type"] == "invalid_request_error"


def test_harmless_fields_of_other_clients_are_taken(client):
    client.completions.create(
        model=HARD, prompt="Why?", max_tokens=1, presence_penalty=0, echo=False, user="somebody"
    )


def test_a_full_queue_says_when_to_come_again_and_who_waits_reads_a_place(pair, monkeypatch):
    engine = Engine(rows=1, waiting=1)
    running, thread, url = started(Server(Serving(pair, engine, 16)))
    asked = {"model": HARD, "prompt": "Why?", "stream": True, "max_tokens": 2}
    read: list[str] = []

    def wait_in_line():
        with httpx.stream("POST", f"{url}/v1/completions", json=asked, timeout=60) as answer:
            read.extend(answer.iter_lines())

    with engine.session():
        waiting = threading.Thread(target=wait_in_line)
        waiting.start()
        until(lambda: engine.load().waiting == 1)
        assert httpx.get(f"{url}/readyz").status_code == 503
        refused = httpx.post(f"{url}/v1/completions", json=asked)
        assert refused.status_code == 429 and int(refused.headers["retry-after"]) >= 1
        assert refused.json()["error"]["type"] == "rate_limit_error"
    waiting.join()
    assert read[0] == ": Place 1 in the queue." and read[-2] == "data: [DONE]"
    assert httpx.get(f"{url}/readyz").json() == {"status": "ready"}
    running.should_exit = True
    thread.join()


def test_with_a_key_nobody_else_is_answered(pair):
    running, thread, url = started(Server(Serving(pair, Engine(), 16), key="sesame"))
    with pytest.raises(openai.AuthenticationError, match="asks for a key"):
        openai.OpenAI(base_url=f"{url}/v1", api_key="guess", max_retries=0).models.list()
    assert openai.OpenAI(base_url=f"{url}/v1", api_key="sesame").models.list().data
    assert httpx.get(f"{url}/healthz").json() == {"status": "ok", "pair": "mini"}
    running.should_exit = True
    thread.join()


def test_what_was_answered_is_counted(url, client):
    client.completions.create(model=SOFT, prompt=PROBLEMS[4].question, max_tokens=3)
    told = httpx.get(f"{url}/metrics").text
    assert 'softcot_requests_total{model="mini:softcot",outcome="answered"}' in told
    assert 'softcot_tokens_total{kind="written"}' in told
    assert 'softcot_first_token_seconds_bucket{le="+Inf"}' in told
    assert "\nsoftcot_rows 0\n" in told


def test_a_failure_is_told_and_the_next_request_works(pair, client, monkeypatch):
    def fail(*args, **options):
        raise RuntimeError("secret innards")

    with monkeypatch.context() as patch:
        patch.setattr("softcot.serving.answering.get_method", fail)
        with pytest.raises(openai.InternalServerError, match="its log says more") as failed:
            client.completions.create(model=HARD, prompt="Why?", max_tokens=2)
    assert "secret" not in str(failed.value)
    assert client.completions.create(model=HARD, prompt="Why?", max_tokens=2).choices


FIELDS = (
    "model messages n stream stream_options temperature top_p top_k max_tokens stop seed k K "
    "thoughts control task prompt_embeds logprobs"
).split()


@pytest.mark.proof("Hostile text and fields to `serve`")
@tried(
    question=texts,
    route=st.sampled_from(("chat/completions", "completions")),
    changes=st.dictionaries(st.sampled_from(FIELDS), values, max_size=3),
)
def test_whatever_is_sent_is_answered_or_refused_in_a_sentence(url, question, route, changes):
    asked = {"model": SOFT, "max_tokens": 2, "k": 2}
    asked |= {"messages": message(question)} if route.startswith("chat") else {"prompt": question}
    body = json.dumps(asked | changes).encode()
    answer = httpx.post(f"{url}/v1/{route}", content=body, timeout=60)
    assert answer.status_code in (200, 400, 404, 413, 422), answer.text
    if answer.status_code != 200:
        said = answer.json()["error"]
        assert said["type"] == "invalid_request_error" and "Traceback" not in said["message"]
        assert 0 < len(said["message"]) < 2000


@pytest.mark.proof("Bytes that are no request, to `serve`")
@tried(body=st.binary(max_size=60))
def test_bytes_that_are_no_request_are_refused(url, body):
    answer = httpx.post(f"{url}/v1/completions", content=body, timeout=60)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
