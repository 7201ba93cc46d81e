"""A typed question is asked as the kind of problem that it reads like."""

import pytest

from softcot.data.kinds import likely_kind
from softcot.data.tasks import TASKS


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task.splits])
def test_problems_of_every_kind_are_told_apart(name):
    problems = TASKS[name].problems("validation", 100)
    assert sum(likely_kind(problem.question) == name for problem in problems) >= 98


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Anna has 1,200 apples. She loses 3. How many does she have?", "mini-gsm"),
        ("Omar has 9 keys. Eve has 4 more keys than Omar. How many keys does Eve have?",
         "mini-asdiv"),
        ("A jug holds 3 gallons. How many pints is that?", "mini-asdiv"),
        ("Does a dog live longer than a cat?", "mini-strategy"),
        ("Today is May 6. What date is tomorrow?", "mini-dates"),
        ("Which is odd? Answer choices: (A) 2, (B) 3.", "mini-aqua"),
        ("Tell me a joke.", "free"),
        ("", "free"),
    ],
)  # fmt: skip
def test_wording_decides(question, kind):
    assert likely_kind(question) == kind
