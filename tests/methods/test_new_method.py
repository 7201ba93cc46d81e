"""A new method is one file and one line: it then works everywhere, and nothing else is touched."""

import json
from dataclasses import replace

import pytest

from softcot import report
from softcot.cli.main import main
from softcot.data.tasks import get_task
from softcot.evaluation.evaluator import evaluate
from softcot.evaluation.experiments import plan
from softcot.evaluation.records import load_record, write_record
from softcot.methods import METHODS
from softcot.methods.base import Method
from softcot.web.explorer import Explorer
from softcot.web.handlers import Handlers
from softcot.web.requests import PageRequest

QUESTION = "Anna has 12 apples and buys 30 more. How many?"


class Nudge(Method):
    """The base reads the same hint with every question."""

    name = "nudge"
    title = "Nudge"

    def prompts(self, problems, k=0):
        """The base's prompts with a hint, and no slots."""
        build = self.lm.prompts.base
        return [build(p.question, task=self.task, hint="Think.") for p in problems]


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """The line in the registry."""
    monkeypatch.setitem(METHODS, Nudge.name, Nudge)


def test_the_command_line_lists_it_and_asks_it(mini_env, capsys):
    assert main(["methods"]) == 0
    assert "nudge          Nudge          trains nothing" in capsys.readouterr().out
    assert main(["ask", QUESTION, "--method", "nudge", "--max-new-tokens", "4", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["title"], said["thoughts"], said["new_tokens"]) == ("Nudge", 0, 4)
    assert main(["train", "--method", "nudge", "--task", "mini-gsm", "--out", "nowhere"]) == 2
    assert "nothing to train for the method 'nudge'" in capsys.readouterr().err


def test_it_is_evaluated_into_a_record(mini_env, tmp_path, capsys):
    out = tmp_path / "nudge.json"
    asked = ["--task", "mini-gsm", "--method", "nudge", "--limit", "3", "--max-new-tokens", "4"]
    assert main(["evaluate", *asked, "--out", str(out)]) == 0
    record = load_record(out)
    assert (record.method, record.k, record.trained_on, record.n) == ("nudge", 0, None, 3)
    plain = tmp_path / "plain.json"
    asked[3] = "zero-shot-cot"
    assert main(["evaluate", *asked, "--out", str(plain)]) == 0
    theirs = {row.prompt for row in load_record(plain).rows}
    assert not theirs & {row.prompt for row in record.rows}


def test_it_has_a_row_in_every_table_of_the_report(pair, tmp_path):
    runs = [run for run in plan("main") if run.task == "mini-gsm"]
    assert [run.protocol.method for run in runs] == list(METHODS)
    for run in runs:
        if run.protocol.method in ("zero-shot-cot", "nudge", "softcot"):
            task = get_task(run.task)
            short = replace(run.protocol.sampling, max_new_tokens=2)
            protocol = replace(run.protocol, sampling=short)
            record = evaluate(pair, task, protocol, task.problems("test", 2))
            write_record(record, tmp_path / run.file)
    made = report.build(report.load_records(tmp_path))
    [main_section] = [section for section in made.sections if section.id == "main"]
    labelled = [
        table.title
        for table in main_section.tables
        if any(row[0].text == "Nudge" for row in table.rows)
    ]
    assert len(labelled) == 4, labelled
    assert all("Nudge" in trace["y"] for trace in main_section.figures[0].plotly["data"][:-1])


def test_the_page_offers_it_and_shows_its_card(pair):
    explorer = Explorer(pair)
    assert ("Nudge", "nudge") in explorer.further
    request = PageRequest("mini-gsm", QUESTION, 3, further=["nudge"], longest=4)
    *_, answers = (
        frame["answers"] for frame in Handlers(explorer).compare(request) if "answers" in frame
    )
    assert answers.count("<article") == 3 and "<h2>Nudge</h2>" in answers
