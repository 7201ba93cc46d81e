"""Two readings of the same answers; the harness itself is not needed for that."""

from types import SimpleNamespace

import pytest

from softcot.serving.two_scorers import (
    asked_problems,
    compared,
    own_task,
    said,
    write_local_tasks,
)
from softcot.support.errors import UserError


def sample(number: int, kind: str, text: str, read: str, correct: float) -> dict:
    return {
        "doc_id": number,
        "doc": {"question": f"How many are {number} ?"},
        "filter": kind,
        "resps": [[text]],
        "filtered_resps": [read],
        "exact_match": correct,
    }


def row(number: int, text: str, read: str, correct: bool) -> SimpleNamespace:
    return SimpleNamespace(id=f"id{number}", gold="3", parsed=read, correct=correct, text=text)


def test_every_problem_is_named_where_the_scorers_part():
    samples = [
        sample(0, "strict", "It is 3.", "[invalid]", 0.0),
        sample(0, "flexible", "It is 3.", "3", 1.0),
        sample(1, "strict", "It is 4.", "[invalid]", 0.0),
        sample(1, "flexible", "It is 4.", "4", 0.0),
    ]
    record = compared(samples, [row(0, "It is 3.", "3", True), row(1, "It is 5.", "5", False)])
    assert record["accuracy"] == {"ours": 0.5, "strict": 0.0, "flexible": 0.5}
    assert record["same_texts"] == 1 and len(record["rows"]) == 2
    [apart] = record["differing"]["strict"]
    assert apart["number"] == 0 and apart["ours"] == {"read": "3", "correct": True}
    assert apart["harness"]["strict"]["read"] == "[invalid]"
    assert apart["texts"] == {"ours": "It is 3.", "harness": "It is 3."}
    assert record["differing"]["flexible"] == []
    assert "strict: 0.0% correct, 1 judged otherwise" in said(record)


def test_problems_are_found_by_their_question():
    ours = [SimpleNamespace(question=f"How many are  {number} ?") for number in (2, 0, 1)]
    task = SimpleNamespace(name="t", left_out=lambda split: {}, problems=lambda split, count: ours)
    samples = [sample(number, kind, "", "", 0) for number in (0, 2) for kind in ("a", "b")]
    assert asked_problems(task, samples) == [ours[1], ours[0]]
    with pytest.raises(UserError, match="none of t's"):
        asked_problems(task, [sample(7, "a", "", "", 0)])


def test_a_task_reads_local_files_and_is_the_harness_s_own_else(tmp_path):
    data, folder = tmp_path / "data", tmp_path / "tasks"
    (data / "gsm8k").mkdir(parents=True)
    folder.mkdir()
    with pytest.raises(UserError, match=r"There is no .*train\.jsonl"):
        write_local_tasks(["gsm8k"], tmp_path, data, folder, plain=False)
    for split in ("train", "test"):
        (data / "gsm8k" / f"{split}.jsonl").write_text("{}")
    assert write_local_tasks(["gsm8k"], tmp_path, data, folder, plain=True) == ["gsm8k_here"]
    text = (folder / "gsm8k_here.yaml").read_text()
    assert f"include: {tmp_path}/gsm8k/gsm8k.yaml" in text and "{{question}}" in text
    assert own_task("gsm8k_here").name == "gsm8k"
    with pytest.raises(UserError, match="has no files in --data-dir"):
        write_local_tasks(["hellaswag"], tmp_path, data, folder, plain=False)
