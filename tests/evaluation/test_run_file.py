"""A run in a file: what it holds, and that it comes out the same again."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from softcot.data.problems import Problem
from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling
from softcot.evaluation.answering import ColumnRequest
from softcot.evaluation.run_file import RunRequest, load_run, replay, save_run
from softcot.methods import get_method
from softcot.support.errors import UserError
from softcot.thoughts.edits import Edit

ASKED = RunRequest(
    Problem("mini-gsm", "Anna has 12 apples and buys 30 more. How many?", "42", meta={"steps": 1}),
    (
        ColumnRequest("zero-shot-cot"),
        ColumnRequest("softcot"),
        ColumnRequest("softcot", "noise", (Edit("mix", (1, 3), 0.5, question="Why?"),)),
        ColumnRequest("coconut", own_k=True),  # 4 are more than it was made for
    ),
    k=4,
    sampling=Sampling(temperature=1.0, max_new_tokens=6, seed=7),
    samples=2,
)


@pytest.fixture
def saved(pair, tmp_path):
    *_, columns = ASKED.stream(pair)
    path = tmp_path / "new" / "one.run"
    save_run(path, pair, ASKED, columns)
    return path, columns


def rewritten(path, change):
    """The same file with something else in its head."""
    with safe_open(path, "pt") as file:
        head = json.loads(file.metadata()["run"])
        vectors = {name: file.get_tensor(name) for name in file.keys()}
    change(head, vectors)
    save_file(vectors, path, {"run": json.dumps(head)})
    return load_run(path)


def test_what_was_asked_comes_back(saved):
    path, columns = saved
    run_file = load_run(path)
    assert run_file.asked == ASKED and run_file.pair == "mini"
    assert [column["text"] for column in run_file.columns] == [column.text for column in columns]
    assert run_file.origin["versions"]["torch"] and run_file.origin["device"] == "cpu"


def test_it_holds_the_thoughts_of_the_columns_that_have_some(pair, saved):
    run_file = load_run(saved[0])
    method = get_method("softcot", pair, get_task("mini-gsm"))
    assert set(run_file.vectors) == {"1", "2", "3"}
    torch.testing.assert_close(run_file.vectors["1"], method.thoughts([ASKED.problem], 4)[0])
    assert not torch.equal(run_file.vectors["1"], run_file.vectors["2"])


def test_a_replay_is_the_same_run(pair, saved):
    path, columns = saved
    again = replay(pair, load_run(path))
    for one, other in zip(columns, again, strict=True):
        assert replace(one, seconds=0) == replace(other, seconds=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda head, _: head["columns"][1].update(text="Other."), "Column 2, SoftCoT, came out"),
        (lambda head, _: head["fingerprints"].update(base="0"), "made with other weights"),
        (lambda _, vectors: vectors["2"].add_(1), "thoughts of column 3 came out differently"),
    ],
)
def test_a_difference_is_named(pair, saved, change, message):
    run_file = rewritten(saved[0], change)
    with pytest.raises(UserError, match=message):
        replay(pair, run_file)


def test_what_is_no_run_is_refused(saved, tmp_path):
    path = saved[0]
    with pytest.raises(UserError, match="There is no file"):
        load_run(tmp_path / "nothing.run")
    before = path.read_bytes()
    for change, said in (
        (lambda head, _: head.update(schema="softcot-run-0"), "its schema is softcot-run-0"),
        (lambda head, _: head["columns"].pop(), "not have one column for each way"),
        (lambda head, _: head["columns"][0].pop("text"), "it lacks 'text'"),
        (lambda head, _: head.pop("origin"), "it lacks"),
    ):
        with pytest.raises(UserError, match=said):
            rewritten(path, change)
        path.write_bytes(before)
    path.write_bytes(b"half")
    with pytest.raises(UserError, match="is no run of this program"):
        load_run(path)
    for metadata, said in (
        (None, "it lacks 'run'"),
        ({"run": "[]"}, "it is a list, not a JSON object"),
        ({"run": "["}, "line 1 is not JSON"),
    ):
        save_file({"a": torch.ones(1)}, path, metadata)
        with pytest.raises(UserError, match=f"is no run of this program .{said}"):
            load_run(path)
