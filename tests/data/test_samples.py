"""The problems that ship: readable, different, licensed, and as the rule draws them."""

import json
import os
import re

import pytest

from softcot.data import samples
from softcot.data.answers import is_correct, parse
from softcot.data.problems import question_hash
from softcot.data.rows import CHOICES
from softcot.data.samples import COUNT, DRAWN_FROM, EXAMPLES, choose, sample_problems
from softcot.data.stored import DATA_VARIABLE
from softcot.data.tasks import BENCHMARK_TASKS, TASKS, get_task

SAMPLED = [*DRAWN_FROM, "free"]
real_data = pytest.mark.skipif(
    not os.environ.get(DATA_VARIABLE), reason=f"{DATA_VARIABLE} names no original files"
)


def stem(question):
    """A question without its options, as splits are told apart."""
    return question_hash(question.partition(CHOICES)[0])


@pytest.mark.parametrize("name", SAMPLED)
def test_every_answer_reads_back_from_its_rationale(name):
    kind = get_task(name).answer_kind
    for problem in sample_problems(name):
        assert problem.task == name and problem.question == problem.question.strip()
        assert is_correct(kind, parse(kind, problem.target), problem.answer), problem
        if CHOICES in problem.question and kind in ("letter", "any"):
            assert f"({problem.answer}) " in problem.question.partition(CHOICES)[2]
        assert bool(problem.rationale) == (name != "svamp")  # which has equations, but no words


def test_no_problem_stands_twice_and_each_says_where_it_is_from():
    problems = [problem for name in SAMPLED for problem in sample_problems(name)]
    assert len({problem.id for problem in problems}) == len(problems) == 4 * COUNT + 12
    places = {problem.meta["source_id"] for problem in problems}
    assert len(places) == len(problems)


def test_our_own_problems_are_of_several_kinds():
    answers = [problem.answer for problem in sample_problems("free")]
    assert {"yes", "no", "C"} <= set(answers)
    assert sum(answer.isdigit() for answer in answers) >= 5


def test_other_tasks_have_none_and_nobody_can_change_what_others_get():
    for name in (TASKS.keys() | BENCHMARK_TASKS.keys() | {"handmade", "../aqua"}) - set(SAMPLED):
        assert sample_problems(name) == []
    sample_problems("gsm8k").clear()
    assert len(sample_problems("gsm8k")) == COUNT


def test_every_file_has_its_licence_in_the_notice():
    notice = (EXAMPLES / "LICENSES.md").read_text("utf-8")
    files = sorted(EXAMPLES.glob("*.json"))
    assert [file.stem for file in files] == sorted([*DRAWN_FROM, samples.HANDMADE])
    for file in files:
        said = json.loads(file.read_text("utf-8"))
        [row] = [line for line in notice.splitlines() if line.startswith(f"| `{file.name}`")]
        assert said["licence"] in row and said["origin"] in row
        if said["licence"] == "MIT":
            assert re.search(rf"^Copyright \(c\) .*`{file.name}`", notice, re.MULTILINE)


@real_data
@pytest.mark.parametrize("name", DRAWN_FROM)
def test_the_rule_draws_what_ships(name):
    drawn = choose(get_task(name).problems(DRAWN_FROM[name], 10**6))
    said = [(p.question, p.answer, p.rationale) for p in drawn]
    assert said == [(p.question, p.answer, p.rationale) for p in sample_problems(name)]


@real_data
@pytest.mark.parametrize("name", [name for name, split in DRAWN_FROM.items() if split != "test"])
def test_no_sample_is_in_a_test_split(name):
    tests = get_task(name).problems("test", 10**6)
    asked = {stem(problem.question) for problem in tests}
    assert not asked & {stem(problem.question) for problem in sample_problems(name)}
