"""The harness's own task and scorer, asked of a method."""

import json

import pytest

from softcot.cli.main import main
from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling
from softcot.evaluation.evaluator import Protocol, evaluate

pytest.importorskip("lm_eval", reason="the extra lm-eval is not installed")

CHOICES = ["35", "42"]
FREE = """
task: little
dataset_path: json
dataset_kwargs: {data_files: {test: %s}}
test_split: test
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{answer}}"
generation_kwargs: {until: ["zzzz"], max_gen_toks: 9, do_sample: false}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
"""
CHOICE = """
task: chosen
dataset_path: json
dataset_kwargs: {data_files: {test: %s}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: ["35", "42"]
doc_to_target: "{{label}}"
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
"""


def test_the_harness_reads_what_an_evaluation_reads(
    pair, problems, mini_env, tmp_path, monkeypatch
):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    rows = [
        {"question": one.question, "answer": one.answer, "label": n % 2}
        for n, one in enumerate(problems)
    ]
    file = tmp_path / "little.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "little.yaml").write_text(FREE % file)
    (tmp_path / "chosen.yaml").write_text(CHOICE % file)
    asked = f"--tasks little,chosen --task mini-gsm --include-path {tmp_path} --thoughts 4"
    out = tmp_path / "out.json"
    assert main(["lm-eval", *asked.split(), "--out", str(out), "--batch-size", "2"]) == 0
    found = json.loads(out.read_text())
    protocol = Protocol("softcot", k=4, sampling=Sampling(max_new_tokens=9))
    ours = evaluate(pair, get_task("mini-gsm"), protocol, problems)
    theirs = {one["doc"]["question"]: one["resps"][0][0] for one in found["samples"]["little"]}
    assert [theirs[one.question] for one in problems] == [row.text for row in ours.rows]
    scores = [one["resps"] for one in found["samples"]["chosen"]]
    assert len(scores) == 5 and all(len(one) == len(CHOICES) for one in scores)
    assert 0 <= found["results"]["chosen"]["acc,none"] <= 1


def test_tasks_that_there_are_not_are_refused(mini_env, capsys):
    assert main(["lm-eval", "--tasks", "telepathy"]) == 2
    assert "telepathy" in capsys.readouterr().err
