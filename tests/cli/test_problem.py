"""`problem`: problems of one split, the same ones for a seed."""

import json

from softcot.data.problems import split_of


def test_problem_prints_json_lines_of_the_split(run):
    argv = ["problem", "--task", "mini-aqua", "--seed", 3, "--count", 4, "--json"]
    lines = run(*argv).splitlines()
    problems = [json.loads(line) for line in lines]
    assert len(problems) == 4 and len({problem["id"] for problem in problems}) == 4
    for problem in problems:
        assert (problem["split"], problem["seed"]) == ("test", 3)
        assert split_of(problem["question"]) == "test"
        assert problem["answer"] in "ABCDE"
    assert run(*argv).splitlines() == lines


def test_problem_is_a_fresh_one_by_default(run):
    shown = run("problem", "--task", "mini-gsm")
    assert "\nAnswer: " in shown
    assert run("problem", "--task", "mini-gsm") != shown
