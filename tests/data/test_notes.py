"""The note task: the assistant hears a number that the base never reads."""

import hashlib
import json
import re

import pytest

from softcot.data.answers import is_correct, parse
from softcot.data.families.notes import COUNTS
from softcot.data.problems import digest, read_problems
from softcot.data.tasks import PROBE_TASKS, TASKS, get_task, training_tasks
from softcot.methods import ZeroShotCoT, get_method
from softcot.support.errors import UserError
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


@pytest.mark.parametrize("name", ["mini-notes", *(f"mini-notes-{count}" for count in COUNTS)])
def test_the_base_cannot_know_what_the_facts_are(name):
    task = get_task(name)
    problems = task.problems("test", 200)
    counts = {problem.meta["facts"] for problem in problems}
    assert counts == ({*COUNTS} if name == "mini-notes" else {int(name.rpartition("-")[2])})
    for problem in problems:
        assert problem.task == name and problem.note.count(".") == problem.meta["facts"]
        assert problem.answer not in problem.question
        assert is_correct("any", parse("any", problem.target), problem.answer)
        if problem.meta["asked"] == "sum":
            left, right = map(int, re.findall(r"\d+", problem.rationale)[:2])
            assert problem.answer == str(left + right)
            assert {str(left), str(right)} <= {*re.findall(r"\d+", problem.note)}
        else:
            assert problem.answer in problem.note


def test_every_kind_of_fact_is_asked_for_and_sums_too():
    asked = [p.meta["asked"] for p in get_task("mini-notes").problems("test", 300)]
    assert {*asked} == {"number", "place", "colour", "sum"}
    assert {p.meta["asked"] for p in get_task("mini-notes-1").problems("test", 99)} == {*asked} - {
        "sum"
    }


def test_parts_of_the_notes_share_the_projection_of_all():
    for count in COUNTS:
        part = get_task(f"mini-notes-{count}")
        assert part.projection == "mini-notes" and part.splits == ("validation", "test")
    assert not {"mini-notes", "mini-notes-8"} & TASKS.keys()


def test_a_problems_file_may_hold_notes(tmp_path):
    file = tmp_path / "mine.jsonl"
    file.write_text(
        '{"question": "Where is Ana?", "answer": "farm", "note": " Ana is at the farm. "}\n'
        '{"question": "Where is Ben?", "answer": "farm"}'
    )
    told, plain = read_problems(file, "mini-notes")
    assert (told.note, plain.note) == ("Ana is at the farm.", "")
    assert told.heard == "Ana is at the farm. Where is Ana?" and plain.heard == plain.question
    file.write_text('{"question": "Where is Ana?", "answer": "farm", "note": 7}')
    with pytest.raises(UserError, match="the note in line 1 is a number, not a text"):
        read_problems(file, "mini-notes")


def test_told_cot_reads_the_note_and_is_zero_shot_without_one(pair, problems):
    task = get_task("mini-notes")
    noted = task.problems("test", 2)
    told, plain = get_method("told-cot", pair, task), ZeroShotCoT(pair, task)
    for prompt, problem in zip(told.prompts(noted), noted, strict=True):
        assert problem.heard in pair.base.tokenizer.decode(prompt.ids)
    assert told.prepare(noted).hashes != plain.prepare(noted).hashes
    assert told.prepare(problems).hashes == plain.prepare(problems).hashes


def test_real_stories_and_facts_are_told_to_the_assistant_alone(monkeypatch, tmp_path):
    (tmp_path / "svamp").mkdir()
    told = {"Question": "How many has he?", "Equation": "( ( 9.0 - 3.0 ) + 2.5 )"}
    rows = [{"ID": str(n), "Body": f"Jack has {n} cats.", "Answer": 8.5, **told} for n in range(20)]
    (tmp_path / "svamp" / "SVAMP.json").write_text(json.dumps(rows))
    (tmp_path / "strategyqa").mkdir()
    row = {"qid": "1", "question": "Can cats fly?", "answer": False, "facts": ["Cats lack wings"]}
    for name in ("train", "dev"):
        (tmp_path / "strategyqa" / f"{name}.json").write_text(json.dumps([row]))
    monkeypatch.setenv("SOFTCOT_DATA", str(tmp_path))
    task = get_task("svamp-noted")
    stories = task.problems("test", 9)
    assert [story.note for story in stories] == [f"Jack has {n} cats." for n in range(14, 20)]
    assert stories[0].question == "How many has he?"
    assert stories[0].target == "(9 - 3) + 2.5 = 8.5. The answer is 8.5."
    assert stories[0].heard == get_task("svamp").problems("test", 20)[14].question
    # The same question about another story is another problem, and stays where its story is.
    assert len(task.problems("validation", 99)) == 14 and not task.left_out("validation")
    [facts] = get_task("strategyqa-noted").problems("test", 9)
    assert (facts.question, facts.note) == ("Can cats fly?", "Cats lack wings.")
    assert {"svamp-noted", "strategyqa-noted"} <= PROBE_TASKS.keys()
