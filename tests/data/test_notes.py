"""The note task: the assistant hears a number that the base never reads."""

import hashlib
import json

from softcot.data.problems import digest
from softcot.data.tasks import PROBE_TASKS, TASKS, get_task, training_tasks
from softcot.methods import get_method
from softcot.thoughts.assistant import soft_states


def test_the_number_is_in_the_note_alone():
    problems = get_task("notes").problems("test", 200)
    assert len({problem.id for problem in problems}) == 200
    for problem in problems:
        assert problem.answer in problem.note and problem.answer not in problem.question
        assert problem.heard == f"{problem.note} {problem.question}"
        assert problem.target == f"The answer is {problem.answer}."
        assert problem.to_json()["note"] == problem.note


def test_splits_share_no_note():
    task = get_task("notes")
    heard = [{p.heard for p in task.problems(split, 300)} for split in task.splits]
    assert not heard[0] & heard[1] and not heard[0] & heard[2] and not heard[1] & heard[2]


def test_it_is_found_by_name_and_offered_nowhere():
    assert "notes" in PROBE_TASKS and "notes" not in TASKS
    assert "notes" not in [task.name for task in training_tasks("all")]


def test_problems_without_a_note_are_what_they_were():
    [problem] = get_task("mini-gsm").problems("test", 1)
    assert "note" not in problem.to_json() and problem.heard == problem.question
    said = json.dumps([[problem.task, problem.question, problem.answer, problem.rationale]])
    assert digest([problem]) == hashlib.sha256(said.encode()).hexdigest()


def test_the_assistant_hears_the_note_and_the_base_does_not(pair):
    task = get_task("notes")
    one, other = task.problems("test", 2)
    method = get_method("softcot", pair.with_untrained(), task)
    thoughts = method.thoughts([one], 4)
    states = soft_states(pair.assistant, [one.heard], 4, task)
    assert (thoughts == method.weights(states)).all()
    [prompt] = method.prompts([one], 4)
    assert one.answer not in pair.base.tokenizer.decode(prompt.ids)
    donors = {"control": "swap", "donors": [one, other]}
    swapped = get_method("softcot", pair.with_untrained(), task, **donors)
    assert (swapped.thoughts([one], 4) == method.thoughts([other], 4)).all()
