"""The real app, on a free port, driven by `gradio_client` and over HTTP."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from conftest import build_problems
from gradio_client import Client
from gradio_client.exceptions import AppError

import app
from softcot.evaluation import answering
from softcot.support.errors import UserError
from softcot.thoughts import pair as pairs
from softcot.web.explorer import Explorer
from softcot.web.page import Page

ROOT = Path(__file__).parents[2]
QUESTION = "Anna has 12 apples and buys 30 more. How many?"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url: str) -> tuple[int, str]:
    try:
        with urlopen(url, timeout=120) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, ""


@pytest.fixture(scope="module")
def url(pair) -> str:
    port = free_port()
    blocks = app.serve(Explorer(pair), "127.0.0.1", port)
    yield f"http://127.0.0.1:{port}"
    blocks.close()


@pytest.fixture(scope="module")
def client(url) -> Client:
    return Client(url, verbose=False)


def compare(client: Client, **values) -> list[dict]:
    """Everything that /compare sends, to the end."""
    asked = {"question": QUESTION, "task": "mini-gsm", "thoughts": 3, "max_new_tokens": 12}
    job = client.submit(**(asked | values), api_name="/compare")
    return [json.loads(json.dumps(sent)) for sent in job]


def test_compare_streams_both_columns_to_their_end(client):
    sent = compare(client)
    assert not sent[0]["done"] and sent[-1]["done"]
    for index, method, thoughts in ((0, "zero-shot-cot", 0), (1, "softcot", 3)):
        column = [one["columns"][index] for one in sent]
        assert {one["method"] for one in column} == {method}
        assert {one["thoughts"] for one in column} == {thoughts}
        counts = [one["new_tokens"] for one in column]
        assert counts == sorted(counts) and (counts[0] > 0) == (index == 0) and 1 < counts[-1] <= 12
        assert column[-1]["done"] and column[-1]["text"] and column[-1]["seconds"] > 0


def test_without_thoughts_both_columns_are_the_same(client):
    hard, soft = compare(client, thoughts=0)[-1]["columns"]
    assert hard["text"] == soft["text"]


def test_thoughts_change_the_soft_column_only(client):
    own = compare(client)[-1]["columns"]
    swapped = compare(client, swap_question="Tom gives 7 pears to Anna.")[-1]["columns"]
    assert own[0]["text"] == swapped[0]["text"]
    assert own[1]["text"] != own[0]["text"] and own[1]["text"] != swapped[1]["text"]


def test_the_gold_answer_judges_and_its_absence_does_not(client):
    for column in compare(client, answer="-987654321")[-1]["columns"]:
        assert column["correct"] is False
    for column in compare(client)[-1]["columns"]:
        assert column["correct"] is None


def test_samples_vote(client, monkeypatch):
    # The tiny model writes no answers: anything is read as one.
    monkeypatch.setattr(answering, "parse", lambda kind, text: str(len(text) % 2))
    asked = {"samples": 3, "temperature": 1.0}
    hard, soft = compare(client, **asked)[-1]["columns"]
    assert hard["new_tokens"] > 12
    for column in (hard, soft):
        votes = list(column["votes"].values())
        assert sum(votes) == 3 and votes == sorted(votes, reverse=True)
        assert column["votes"][column["answer"]] == votes[0]
    again = compare(client, **asked)[-1]["columns"]
    assert [hard["text"], soft["text"]] == [column["text"] for column in again]


def test_the_examples_of_the_documents_run_as_they_are_printed(url, capsys):
    [code] = re.findall(
        r"```python\n(from gradio_client.*?)```", (ROOT / "docs" / "api.md").read_text(), re.S
    )
    found: dict = {}
    exec(code.replace("http://127.0.0.1:7860", url), found)
    assert len(found["frame"]["columns"]) == 3 and found["frame"]["done"]
    assert len(found["seen"]["thoughts"]) == 8
    assert [len(found["edited"]["columns"]), len(found["curve"])] == [4, 5]
    assert "Assist-CoT" in capsys.readouterr().out


def test_a_client_may_leave_out_everything_but_the_question(client):
    job = client.submit(QUESTION, api_name="/compare")
    assert job.result()["done"]


def test_thoughts_are_described(client, pair):
    seen = client.predict(QUESTION, "mini-gsm", 4, api_name="/thoughts")
    assert [thought["number"] for thought in seen["thoughts"]] == [1, 2, 3, 4]
    for thought in seen["thoughts"]:
        assert thought["norm_ratio"] > 0 and set(thought["point"]) == {*"xyz", "label"}
        assert len(thought["nearest"]) == len(thought["placebo"]) == 5
        assert all(-1 <= near["cosine"] <= 1 for near in thought["nearest"])
    assert len(seen["explained"]) == 3 and seen["pair"] == pair.name
    fewer = client.predict(QUESTION, "mini-gsm", 2, api_name="/thoughts")["thoughts"]
    for few, many in zip(fewer, seen["thoughts"][:2], strict=True):
        assert [near["id"] for near in few["nearest"]] == [near["id"] for near in many["nearest"]]
    assert client.predict(QUESTION, "free", 0, api_name="/thoughts")["thoughts"] == []


def test_edits_stream_beside_their_placebos(client):
    job = client.submit(QUESTION, "zero", "mini-gsm", thoughts=3, api_name="/intervene")
    sent = list(job)
    assert not sent[0]["done"] and sent[-1]["done"]
    titles = [column["title"] for column in sent[-1]["columns"]]
    assert titles == ["SoftCoT", "SoftCoT, zero", "SoftCoT, noise", "SoftCoT, mean"]


def test_a_sweep_streams_the_curve(client):
    *_, curve = client.submit("mini-gsm", 3, 8, api_name="/sweep")
    assert [point["thoughts"] for point in curve] == [0, 8, 16]
    assert all(point["n"] == 3 and 0 <= point["accuracy"] <= 1 for point in curve)


def test_problems_are_drawn_from_the_test_split(client):
    problem = client.predict("mini-aqua", 5, api_name="/problem")
    assert problem["task"] == "mini-aqua" and problem["answer"] in "ABCDE" and problem["question"]
    assert problem == client.predict("mini-aqua", 5, api_name="/problem")
    one, other = (client.predict("mini-gsm", api_name="/problem") for _ in range(2))
    assert one["id"] != other["id"]


@pytest.mark.parametrize(
    ("endpoint", "values", "sentence"),
    [
        ("/compare", {"question": "  "}, "empty"),
        ("/compare", {"question": "apples and pears " * 400}, "tokens long; the limit is"),
        ("/compare", {"thoughts": 99}, "choose 0 to 16"),
        ("/compare", {"thoughts": -1}, "choose 0 to 16"),
        ("/compare", {"thoughts": "many"}, "thoughts must be a whole number"),
        ("/compare", {"question": 12}, "question must be text"),
        ("/compare", {"task": "mini-nothing"}, "no task"),
        ("/compare", {"temperature": -1}, "temperature must be"),
        ("/compare", {"top_p": 0}, "top-p must be"),
        ("/compare", {"samples": 0}, "samples must be 1 or more"),
        ("/compare", {"samples": 4}, "temperature above 0"),
        ("/compare", {"max_new_tokens": 0}, "max-new-tokens must be"),
        ("/compare", {"max_new_tokens": 10**6}, "at most 160 tokens"),
        ("/compare", {"samples": 500, "temperature": 1.0}, "at most 15 samples"),
        ("/sweep", {"problems": 501}, "1 to 500 problems"),
        ("/sweep", {"step": 0}, "a step of 1 or more"),
        ("/thoughts", {"question": ""}, "empty"),
        ("/intervene", {"question": QUESTION, "edits": "explode"}, "no edit called"),
        ("/sweep", {"problems": 0}, "1 to 500 problems"),
        ("/thoughts", {"question": QUESTION, "thoughts": 17}, "choose 0 to 16"),
        ("/problem", {"task": "free"}, "no split"),
        ("/problem", {"task": "nothing"}, "no task"),
    ],
)
def test_bad_input_gets_one_sentence_and_the_app_goes_on(client, endpoint, values, sentence):
    asked = {"question": QUESTION} | values if endpoint == "/compare" else values
    with pytest.raises(AppError) as caught:
        client.predict(**asked, api_name=endpoint)
    said = str(caught.value)
    assert sentence in said and said.endswith(".") and "\n" not in said
    assert compare(client, max_new_tokens=2)[-1]["done"]


def test_half_a_character_is_a_question_mark(url):
    called = f"{url}/gradio_api/call/thoughts"
    body = b'{"data": ["Anna has 2 apples \\ud800.", "mini-gsm", 1]}'
    with urlopen(Request(called, body, {"Content-Type": "application/json"})) as answer:
        event = json.load(answer)["event_id"]
    status, said = get(f"{called}/{event}")
    assert status == 200 and "event: complete" in said
    assert json.loads(said.partition("data: ")[2])[0]["question"] == "Anna has 2 apples ?."


def test_only_these_endpoints_are_public_and_all_are_described(client):
    endpoints = client.view_api(return_format="dict", print_info=False)
    names = {"/compare", "/thoughts", "/intervene", "/sweep", "/problem"}
    assert set(endpoints["named_endpoints"]) == names
    assert not endpoints["unnamed_endpoints"]
    for endpoint in endpoints["named_endpoints"].values():
        assert endpoint["description"]
    names = [p["parameter_name"] for p in endpoints["named_endpoints"]["/compare"]["parameters"]]
    assert names[:3] == ["question", "task", "thoughts"]


def test_it_says_that_it_is_well_and_nothing_about_its_visitors(url, pair):
    status, body = get(f"{url}/healthz")
    assert status == 200 and json.loads(body)["status"] == "ok"
    assert json.loads(body)["pair"] == pair.name
    assert get(f"{url}/monitoring/summary")[0] != 200
    assert get(url)[0] == 200


def test_free_text_borrows_and_every_family_has_examples(pair):
    from softcot.data.tasks import TASKS
    from softcot.web import questions
    from softcot.web.questions import examples

    for name, task in TASKS.items():
        shown = examples(name)
        assert len({problem.id for problem in shown}) == len(shown) >= 4
        assert all(problem.answer for problem in shown)
        if task.splits:
            assert {problem.task for problem in shown} == {name}
    donor = questions.donor("free", QUESTION, seed=1)
    assert donor.question and donor.question != QUESTION


def test_the_command_starts_the_app(mini_env):
    port = free_port()
    command = [sys.executable, "app.py", "--pair", "mini", "--port", str(port)]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            while process.poll() is None:
                try:
                    if get(f"http://127.0.0.1:{port}/healthz")[0] == 200:
                        break
                except URLError:
                    pass
                time.sleep(0.2)
            client = Client(f"http://127.0.0.1:{port}", verbose=False)
            problem = build_problems(1)[0]
            asked = {"question": problem.question, "max_new_tokens": 4}
            assert client.predict(**asked, api_name="/compare")["done"]
        finally:
            process.terminate()
        said = process.stdout.read()
    assert f"http://127.0.0.1:{port}" in said and "CPU, 1 thread" in said


def refusal(capsys, *arguments: str) -> str:
    """What the command says when it refuses to start."""
    assert app.main(arguments) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("app.py: ") and said.endswith(".")
    return said


def test_an_unknown_pair_is_refused(capsys):
    assert "nothing" in refusal(capsys, "--pair", "nothing")


def test_half_a_pair_is_refused(capsys):
    assert "--assistant" in refusal(capsys, "--base", "owner/model")


def test_a_pair_that_cannot_be_had_gives_way_to_mini(capsys, monkeypatch, mini_env):
    found, asked = pairs.find_model, []

    def find(place, *facts):
        if isinstance(place, Path):
            return found(place, *facts)
        asked.append(place)
        raise UserError("The Hub cannot be reached.")

    monkeypatch.setattr(pairs, "find_model", find)
    pair, notice = app.load(app.parse_args(["--pair", "qwen3-8b"]))
    assert pair.name == "mini" and asked == ["Qwen/Qwen3-8B"]
    assert notice == "The Hub cannot be reached. This page uses the pair mini instead."
    assert notice in capsys.readouterr().err
    page = Page(Explorer(pair), notice=notice).build()
    assert notice in json.dumps(page.get_config_file(), default=str)
    assert app.load(app.parse_args([]))[1] == ""


def test_a_port_in_use_is_refused(capsys, mini_env, url):
    port = url.rpartition(":")[2]
    said = refusal(capsys, "--port", port)
    assert port in said and "--port" in said


def test_a_missing_checkpoint_is_refused(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("SOFTCOT_CHECKPOINTS", str(tmp_path))
    assert str(tmp_path) in refusal(capsys)


def test_a_damaged_projection_is_found_before_anybody_asks(
    capsys, monkeypatch, tmp_path, checkpoints
):
    for folder in (checkpoints / "mini").iterdir():
        copy = tmp_path / "mini" / folder.name
        copy.mkdir(parents=True)
        for file in folder.iterdir():
            (copy / file.name).write_bytes(file.read_bytes())
    weights = tmp_path / "mini" / "projection-mini-aqua" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])
    monkeypatch.setenv("SOFTCOT_CHECKPOINTS", str(tmp_path))
    assert "projection-mini-aqua" in refusal(capsys, "--port", str(free_port()))
