"""A new task is one file: with it alone, everything that goes through the tasks knows it."""

import json
import sys

import pytest
from synthetic import record_of

from softcot.cli.main import main
from softcot.data import tasks
from softcot.data.tasks import BENCHMARK_TASKS, TASKS, discover, get_task, training_tasks
from softcot.evaluation.experiments import mini_tasks, plan, trained_tasks
from softcot.evaluation.records import load_record
from softcot.report import build, files, load_records
from softcot.web import questions
from softcot.web.explorer import Explorer
from softcot.web.link import read_link
from softcot.web.page import Page
from softcot.web.questions import examples

SUMS = '''
"""``sums``: what two small numbers are together."""

import random

from softcot.data.problems import Problem
from softcot.data.task import GeneratedProblems, Task


def draw(rng: random.Random) -> Problem:
    """A sum and its answer."""
    first, second = rng.randint(2, 30), rng.randint(2, 30)
    return Problem(
        task="sums",
        question=f"What is {first} plus {second}?",
        answer=str(first + second),
        rationale=f"{first} + {second} = {first + second}.",
    )


TASK = Task("sums", "Sums", "number", GeneratedProblems(draw))
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of one's own tasks; what is found in it is forgotten in the end."""
    own = tmp_path / "tasks"
    own.mkdir()
    monkeypatch.setenv(tasks.TASKS_VARIABLE, str(own))
    monkeypatch.setattr(tasks, "__path__", [*tasks.__path__])
    known = [(group, dict(group)) for group in (TASKS, BENCHMARK_TASKS)]
    modules = set(sys.modules)
    yield own
    for group, before in known:
        group.clear()
        group.update(before)
    for name in set(sys.modules) - modules:
        if name.startswith(f"{tasks.__name__}."):
            del sys.modules[name]
    examples.cache_clear()


@pytest.fixture
def sums(folder):
    """The folder with the task `sums`."""
    (folder / "sums.py").write_text(SUMS)
    return folder


def test_the_command_line_has_the_task(sums, mini_env, tmp_path, capsys):
    assert main(["problem", "--task", "sums", "--seed", "1", "--count", "5", "--json"]) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len({problem["id"] for problem in printed}) == 5
    assert {(problem["task"], problem["split"]) for problem in printed} == {("sums", "test")}
    out = tmp_path / "results" / "sums.json"
    words = "evaluate --task sums --method zero-shot-cot --limit 4 --max-new-tokens 4 --out"
    assert main([*words.split(), str(out)]) == 0, capsys.readouterr().err
    record = load_record(out)
    assert (record.task, record.n, record.answer_kind) == ("sums", 4, "number")
    assert record.problem_ids() == [p.id for p in get_task("sums").problems("test", 4)]
    report = build(load_records(out.parent))
    assert "| Zero-shot CoT |" in files(report)["report.md"] and "sums" in str(report.sections)


def test_it_stands_between_the_papers_tasks_and_free_text(sums):
    discover(sums)
    discover(sums)  # and no second time
    assert list(TASKS)[-3:] == ["mini-dates", "sums", "free"]
    assert get_task("sums").projection == "all"
    assert get_task("sums").splits == ("train", "validation", "test")
    assert "sums" in [task.name for task in training_tasks("all")]


def test_experiments_and_their_tables_have_the_task(sums):
    discover(sums)
    assert "sums" in mini_tasks() and "sums" in trained_tasks()
    report = build([record_of(run, 1 + number % 3, n=4) for number, run in enumerate(plan("all"))])
    for section in report.sections:
        if section.id in ("main", "controls", "thoughts", "forgetting"):
            [table, *_] = section.tables
            named = [*table.columns, *(row[0].text for row in table.rows)]
            assert "sums" in named, section.id
    assert "Average of the 5 trained" in files(report)["report.md"]


def test_the_page_has_the_task(sums, pair):
    discover(sums)
    page = Page(Explorer(pair))
    page.build()
    for name in ("task", "taught"):
        assert ("Sums", "sums") in page.widgets[name].choices
    shown = examples("sums")
    assert len(shown) == 4 and {problem.task for problem in shown} == {"sums"}
    assert "sums" in [problem.task for problem in examples("free")]
    problem = questions.draw("sums", 3)
    assert problem == get_task("sums").problem("test", 3)
    assert len(page.explorer.explore(problem.question, "sums", 2).thoughts) == 2
    assert read_link("?task=sums&q=Why", 16).problem.task == "sums"


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("sums", "TAKS = 3", "defines no task"),
        ("other", SUMS.replace('"sums"', '"gsm8k"'), "second task 'gsm8k'"),
        ("gsm8k", SUMS, "second task 'gsm8k'"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(folder, name, text, complaint, capsys):
    (folder / f"{name}.py").write_text(text)
    assert main(["problem", "--task", "mini-gsm"]) == 2
    [sentence] = capsys.readouterr().err.splitlines()
    assert complaint in sentence and f"{name}.py in {folder}" in sentence


def test_a_missing_folder_is_refused_in_one_sentence(folder, capsys):
    folder.rmdir()
    assert main(["problem", "--task", "mini-gsm"]) == 2
    assert capsys.readouterr().err == (
        f"There is no folder {folder}; name one that holds files with tasks.\n"
    )
