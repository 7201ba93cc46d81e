"""Real data sets: what is read, what is left out, and that no split knows another's questions."""

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from softcot.cli.main import main
from softcot.data import stored
from softcot.data.answers import is_correct, parse
from softcot.data.problems import ENDING, digest, question_hash, split_of
from softcot.data.rows import json_rows, lone_number
from softcot.data.stored import DATA_VARIABLE
from softcot.data.tasks import BENCHMARK_TASKS, TASKS, get_task, training_tasks
from softcot.evaluation.records import counted
from softcot.support.errors import UserError

OWN = Path(__file__).parent / "stored"
REAL = os.environ.get(DATA_VARIABLE)
STORED = [(name, split) for name, task in BENCHMARK_TASKS.items() for split in task.splits]

REAL_COUNTS = {
    ("gsm8k", "train"): (6736, {}),
    ("gsm8k", "validation"): (737, {}),
    ("gsm8k", "test"): (1319, {}),
    ("gsm8k-paper", "train"): (6736, {}),
    ("gsm8k-paper", "validation"): (737, {}),
    ("gsm8k-paper", "test"): (1319, {}),
    ("aqua-paper", "test"): (254, {}),
    ("date-understanding-bbh", "test"): (250, {}),
    ("aqua", "validation"): (254, {}),
    ("aqua", "test"): (250, {"several answers": 4}),
    ("strategyqa", "train"): (1848, {"repeated": 1}),
    ("strategyqa", "validation"): (212, {}),
    ("strategyqa", "test"): (229, {}),
    ("date-understanding", "test"): (369, {}),
    ("asdiv", "test"): (2092, {"unreadable answer": 122, "several answers": 90, "repeated": 1}),
    ("svamp", "test"): (1000, {}),
}
"""Problems and what was left out, for the original files."""


@pytest.fixture(autouse=True)
def own_files(monkeypatch):
    """The small files of this folder, and nothing remembered of any others."""
    monkeypatch.setenv(DATA_VARIABLE, str(OWN))
    stored._load.cache_clear()
    stored._read_rows.cache_clear()


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of the small files that a test may damage."""
    shutil.copytree(OWN, tmp_path / "data")
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def hub(monkeypatch):
    """A Hub that serves given rows and remembers what it was asked for."""
    monkeypatch.setenv(DATA_VARIABLE, "")
    served = SimpleNamespace(rows=[], asked=[])

    def load_dataset(*place, **options):
        served.asked.append((*place, options))
        if isinstance(served.rows, Exception):
            raise served.rows
        return served.rows

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
    return served


def all_of(name, split):
    return get_task(name).problems(split, 10**6)


def loaded(name, split):
    return get_task(name).source.load(name, split)


def check(name, split):
    """What holds of every problem of a split."""
    task = get_task(name)
    problems = all_of(name, split)
    assert len({p.id for p in problems}) == len(problems)
    for problem in problems:
        assert problem.task == name and problem.question == problem.question.strip()
        assert parse(task.answer_kind, problem.answer) == problem.answer
        assert is_correct(
            task.answer_kind, parse(task.answer_kind, problem.target), problem.answer
        ), problem
        assert problem.target[0] != " " and set(problem.meta) <= {"source_id"}
        if task.answer_kind == "letter":
            assert f"({problem.answer}) " in problem.question.partition(" Answer choices: ")[2]
    return problems


def check_apart(name, splits):
    """No question in two splits, whatever its options."""
    stems = [
        {question_hash(p.question.partition(" Answer choices: ")[0]) for p in all_of(name, split)}
        for split in splits
    ]
    assert len(set().union(*stems)) == sum(map(len, stems))


@pytest.mark.parametrize(("name", "split"), STORED)
def test_problems_are_whole_and_readable(name, split):
    assert check(name, split)


@pytest.mark.parametrize("name", BENCHMARK_TASKS)
def test_no_question_is_in_two_splits(name):
    check_apart(name, get_task(name).splits)


def test_what_is_left_out_is_counted():
    assert loaded("gsm8k", "train").dropped == {"repeated": 1, "unreadable answer": 1}
    assert loaded("gsm8k", "validation").dropped == {"in another split": 1}
    assert loaded("gsm8k", "test").dropped == {}
    assert loaded("aqua", "train").dropped == {"in another split": 1}
    assert loaded("aqua", "test").dropped == {"several answers": 1}
    assert loaded("date-understanding", "test").dropped == {"several answers": 1}
    assert loaded("asdiv", "test").dropped == {
        "unreadable answer": 2,
        "several answers": 1,
        "repeated": 1,
    }


def test_a_missing_validation_split_is_held_out_of_training_by_hash():
    for name in ("gsm8k", "asdiv-aug", "strategyqa"):
        assert {split_of(p.question) for p in all_of(name, "validation")} == {"validation"}
        assert "validation" not in {split_of(p.question) for p in all_of(name, "train")}
    assert len(all_of("gsm8k", "test")) == 2  # all of the file, whatever the hashes


def test_rationales_hold_the_reasoning_and_no_marks():
    first = all_of("gsm8k", "train")[0]
    lines = first.rationale.splitlines()
    assert lines[0] == "There are 4 x 6 = 24 lemons." and lines[1].endswith(
        "keeps 24 - 5 = 19 of them."
    )
    assert first.target.endswith("of them. The answer is 19.")
    assert [p.answer for p in all_of("gsm8k", "train")] == ["19", "19", "19", "1200"]
    assert [p.answer for p in all_of("gsm8k", "test")] == ["19", "-7"]
    assert all_of("asdiv-aug", "train")[0].target == "8-3=5 The answer is 5."
    [problem, _] = all_of("strategyqa", "test")
    assert problem.target == "Snails are slow. Hares are fast. The answer is yes."
    assert problem.meta == {"source_id": "d0"}
    assert all_of("svamp", "test")[0].target == "The answer is 5."


def test_options_are_part_of_the_question():
    problem = all_of("aqua", "validation")[0]
    assert problem.question == (
        "Two numbers add up to 20 and differ by 4. Which is the larger one? "
        "Answer choices: (A) 10, (B) 11, (C) 12, (D) 13, (E) 14."
    )
    assert problem.answer == "C"
    # Two wrong options may be the same; the right one may not have a double.
    assert "(A) 18, (B) 72, (C) 18, (D) 81" in all_of("aqua", "test")[1].question


def test_a_letter_that_is_stored_twice_is_no_part_of_the_option():
    options = ["A)A)59", "B)B)69", "C) C: 7", "D)(A) 1"]
    row = {"question": "Which?", "options": options, "correct": "A", "rationale": ""}
    found = get_task("aqua").source.read(row)
    assert found.question == "Which? Answer choices: (A) 59, (B) 69, (C) C: 7, (D) (A) 1."


def test_golds_that_are_one_number_are_kept_however_they_are_written():
    golds = {"-(1/3)": "-0.3333333333333333333333333333", "7 1/2": "7.5", "10 (cm^2)": "10"}
    golds |= {"1,080 (m)": "1080", "3:4": None, "6th": None, "5:45": None, "Vendor 2": None}
    assert {gold: lone_number(gold) for gold in golds} == golds


def test_dates_have_their_options_in_an_order_of_the_text_alone(copied):
    before = all_of("date-understanding", "test")
    assert {p.answer for p in before} != {"A"}
    right = ["03/01/2005", "04/30/1999", "01/01/2011"]
    for problem, date in zip(before, right, strict=True):
        assert f"({problem.answer}) {date}" in problem.question
    file = copied / "date_understanding" / "bigbench_task.json"
    task = json.loads(file.read_text())
    for example in task["examples"]:
        example["target_scores"] = dict(reversed(example["target_scores"].items()))
    file.write_text(json.dumps(task))
    stored._load.cache_clear()
    stored._read_rows.cache_clear()
    assert all_of("date-understanding", "test") == before


def test_word_problems_join_their_parts_and_keep_fractions():
    eggs, pie = all_of("asdiv", "test")
    assert eggs.question.endswith("two more. How many eggs are in the nest?")
    assert (eggs.answer, eggs.meta) == ("5", {"source_id": "own-1"})
    assert pie.answer == "0.75" and is_correct("number", parse("number", "It is 3/4."), pie.answer)
    assert [p.answer for p in all_of("svamp", "test")] == ["5", "19.5", "13"]


def test_a_split_can_be_a_part_of_a_file():
    order = [f"p{number}" for number in range(10)]

    def ids(split):
        return [problem.meta["source_id"] for problem in all_of("strategyqa-paper", split)]

    assert ids("test") == order[8:]
    assert ids("train") + ids("validation") == order[:8]


def test_the_papers_sets_keep_what_others_leave_out():
    aqua, paper = all_of("aqua", "test"), all_of("aqua-paper", "test")
    assert loaded("aqua-paper", "test").dropped == {}
    assert len(paper) == len(aqua) + loaded("aqua", "test").dropped["several answers"]
    marked = all_of("gsm8k-paper", "test")
    assert [one.question for one in marked] == [one.question for one in all_of("gsm8k", "test")]
    assert "<<" in marked[0].rationale
    ends = r"#### {0} \boxed{{{0}}}"
    assert all(one.target.endswith(ends.format(one.answer)) for one in marked[:1])
    assert all(parse("number", one.target) == one.answer for one in marked)
    assert digest(marked) != digest([replace(one, ending=ENDING) for one in marked])
    usual = all_of("gsm8k", "test")[0]
    assert usual.target.endswith(f" The answer is {usual.answer}.")
    first, second = all_of("date-understanding-bbh", "test")
    assert first.question.endswith("choices: (A) 03/01/2004, (B) 03/01/2005, (C) 03/02/2005.")
    assert (first.answer, second.answer) == ("B", "A")


def test_the_table_of_the_method_has_the_counts_of_the_original_files():
    table = {}
    for line in (Path(__file__).parents[2] / "docs" / "method.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 7 and cells[0].strip("`") in BENCHMARK_TASKS:
            table[cells[0].strip("`")] = cells[1:]
    assert table.keys() == BENCHMARK_TASKS.keys()
    for name, (file, *counts, left_out, _) in table.items():
        source = BENCHMARK_TASKS[name].source
        assert file == f"`{source.files['test']}`"
        for split, said in zip(("train", "validation", "test"), counts, strict=True):
            count, _ = REAL_COUNTS.get((name, split), (None, {}))
            unknown = "?" if split in source.splits else "–"
            assert said == (unknown if count is None else f"{count:,}"), (name, split)
        _, dropped = REAL_COUNTS.get((name, "test"), (None, {}))
        assert left_out == ("?" if counts[-1] == "?" else counted(dropped) or "none"), name


def test_seed_0_takes_the_first_and_other_seeds_a_sample():
    task = get_task("gsm8k")
    every = task.problems("train", 1000)
    assert task.problems("train", 3) == task.problems("train", 3, seed=0) == every[:3]
    samples = [task.problems("train", 3, seed) for seed in range(1, 9)]
    assert samples == [task.problems("train", 3, seed) for seed in range(1, 9)]
    assert all(len({p.id for p in sample}) == 3 for sample in samples)
    assert any(sample != every[:3] for sample in samples)
    assert sorted(p.id for p in task.problems("train", 99, 5)) == sorted(p.id for p in every)
    assert task.problem("train", 7) == task.problem("train", 7)
    assert len({task.problem("train", seed).id for seed in range(30)}) == len(every)


def test_tasks_are_found_by_name_and_train_only_where_there_is_a_split():
    assert get_task("date-understanding").projection == "gsm8k"
    assert get_task("aqua").splits == ("train", "validation", "test")
    assert get_task("svamp").splits == ("test",)
    assert [task.name for task in training_tasks("gsm8k")] == ["gsm8k"]
    assert not {task.name for task in training_tasks("all")} & set(BENCHMARK_TASKS)
    assert not set(TASKS) & set(BENCHMARK_TASKS)
    for task in BENCHMARK_TASKS.values():
        assert "train" in get_task(task.projection).splits
    with pytest.raises(UserError, match="no training split"):
        training_tasks("date-understanding")
    with pytest.raises(UserError, match="no split 'train'; its splits are test"):
        get_task("svamp").problem("train", 0)
    with pytest.raises(UserError, match="gsm8k"):
        get_task("gsm9k")


@pytest.mark.parametrize("name", BENCHMARK_TASKS)
def test_missing_and_damaged_files_are_refused_in_one_sentence(name, copied):
    task = get_task(name)
    file = copied / task.source.files["test"]
    for text in ("no data at all", '[{"other": 1}]\n', '{"examples": [3]}\n', "<a><Problem/></a>"):
        file.write_text(text)
        with pytest.raises(UserError, match=r"damaged .*--data-dir\.$"):
            task.problem("test", 1)
    for raw, said in ((b"\xff\xfe", "it is empty|no element"), (b"\xe4", "not UTF-8 text")):
        file.write_bytes(raw)
        with pytest.raises(UserError, match=f"damaged .*({said})"):
            task.problem("test", 1)
    file.unlink()
    with pytest.raises(UserError, match=f"Cannot read .*{file.name}.*--data-dir"):
        task.problem("test", 1)


@pytest.mark.parametrize("name", BENCHMARK_TASKS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_are_read_in_the_encoding_that_they_begin_with(name, encoding, copied):
    before = all_of(name, "test")
    file = copied / get_task(name).source.files["test"]
    file.write_bytes(file.read_text().replace("\n", "\r\n").encode(encoding))
    stored._load.cache_clear()
    stored._read_rows.cache_clear()
    assert all_of(name, "test") == before


def test_a_damaged_file_is_refused_for_the_true_reason(copied):
    file = copied / "gsm8k" / "test.jsonl"
    for text, said in (
        ('{"question": "a", "answer": "#### 1"}\nno', "line 2 is not JSON .Expecting value"),
        ('{"question": "a"}', "row 1 lacks 'answer'"),
        ('{"question": "a", "answer": 1}', "row 1 has another kind of value"),
    ):
        file.write_text(text)
        with pytest.raises(UserError, match=said):
            get_task("gsm8k").problem("test", 1)


def test_a_file_without_a_usable_problem_is_refused(copied):
    (copied / "svamp" / "SVAMP.json").write_text("[]")
    with pytest.raises(UserError, match=r"SVAMP.json holds no usable test problem.*--data-dir"):
        get_task("svamp").problems("test", 3)


def test_the_hub_is_asked_at_the_pinned_revision(hub):
    hub.rows = json_rows((OWN / "gsm8k" / "test.jsonl").read_text())
    assert [p.answer for p in all_of("gsm8k", "test")] == ["19", "-7"]
    revision = get_task("gsm8k").source.hub.revision
    assert hub.asked == [("openai/gsm8k", "main", {"revision": revision, "split": "test"})]
    all_of("gsm8k", "test")
    assert len(hub.asked) == 1  # and no second time


def test_rows_of_the_hub_are_the_same_problems(hub, monkeypatch):
    monkeypatch.setenv(DATA_VARIABLE, str(OWN))
    names = ("date-understanding", "svamp", "strategyqa")
    local = {name: all_of(name, "test") for name in names}
    monkeypatch.setenv(DATA_VARIABLE, "")
    examples = json.loads((OWN / "date_understanding" / "bigbench_task.json").read_text())
    hub.rows = [
        {
            "inputs": f"Q: {example['input']}\nA:",
            "multiple_choice_targets": list(example["target_scores"]),
            "multiple_choice_scores": list(example["target_scores"].values()),
        }
        for example in examples["examples"]
    ]
    assert all_of("date-understanding", "test") == local["date-understanding"]
    rows = json.loads((OWN / "svamp" / "SVAMP.json").read_text())
    hub.rows = [row | {"Answer": str(row["Answer"])} for row in rows]
    assert all_of("svamp", "test") == local["svamp"]
    rows = json.loads((OWN / "strategyqa" / "dev.json").read_text())
    hub.rows = [row | {"facts": " ".join(row["facts"])} for row in rows]
    assert [p.answer for p in all_of("strategyqa", "test")] == ["yes", "no"]


def test_trouble_with_the_hub_is_told_in_one_sentence(hub, monkeypatch):
    hub.rows = ConnectionError("Nobody answers.\nTraceback and more")
    with pytest.raises(UserError, match=r"openai/gsm8k \(Nobody answers\).*--data-dir\.$"):
        get_task("gsm8k").problem("test", 0)
    hub.rows = [{"text": "something else"}]
    with pytest.raises(UserError, match="The Hub's openai/gsm8k is damaged"):
        get_task("gsm8k").problem("test", 0)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match="pip install datasets.*--data-dir"):
        get_task("gsm8k").problem("test", 0)


def test_the_command_line_takes_the_folder(monkeypatch, capsys):
    monkeypatch.setenv(DATA_VARIABLE, "somewhere/else")
    argv = ["problem", "--task", "aqua", "--seed", "0", "--count", "9", "--json"]
    assert main([*argv, "--data-dir", str(OWN)]) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [problem["answer"] for problem in printed] == ["D", "D"]
    assert main([*argv, "--data-dir", "nowhere"]) == 2
    [sentence] = capsys.readouterr().err.splitlines()
    assert "nowhere" in sentence and "--data-dir" in sentence


@pytest.mark.skipif(not REAL, reason=f"{DATA_VARIABLE} names no folder of the original files")
def test_the_original_files(monkeypatch):
    monkeypatch.setenv(DATA_VARIABLE, REAL)
    for (name, split), (count, dropped) in REAL_COUNTS.items():
        assert len(check(name, split)) == count
        assert loaded(name, split).dropped == dropped
    for name in ("gsm8k", "strategyqa"):
        check_apart(name, get_task(name).splits)
    check_apart("aqua", ("validation", "test"))
    # Letters are spread, so that no constant answer is right more often than chance would have it.
    letters = [p.answer for p in all_of("date-understanding", "test")]
    assert max(letters.count(letter) for letter in "ABCDEF") < len(letters) / 4
