"""The five families: splits that cannot mix, text that is English, answers that are right."""

import operator
import random
import re

import pytest

from softcot.data import families
from softcot.data.answers import is_correct, parse
from softcot.data.families.reading import SHIPPED_FRACTION, Reads, ReadsWithGaps
from softcot.data.families.situations import AMOUNTS, CHANGES, COMPARISONS, INSTRUCTIONS
from softcot.data.problems import Problem, read_problems, split_of
from softcot.data.tasks import TASKS, GeneratedProblems, Task, get_task, training_tasks
from softcot.support.errors import UserError

MINI_TASKS = [name for name in TASKS if name != "free"]
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


@pytest.fixture(scope="module", params=MINI_TASKS)
def drawn(request):
    """A task with a few hundred problems of its test split."""
    task = get_task(request.param)
    return task, task.problems("test", 300)


def test_problem_set_is_stable_and_distinct(drawn):
    task, problems = drawn
    assert [p.id for p in task.problems("test", 20)] == [p.id for p in problems[:20]]
    assert len({p.id for p in problems}) == len(problems)
    assert task.problem("test", 7) == task.problem("test", 7)
    assert task.problem("test", 7) != task.problem("test", 8)


def test_splits_never_share_a_question(drawn):
    task, problems = drawn
    assert {split_of(p.question) for p in problems} == {"test"}
    for split in task.splits:
        for seed in range(30):
            assert split_of(task.problem(split, seed).question) == split


def test_gold_answer_is_what_the_target_parses_to(drawn):
    task, problems = drawn
    for problem in problems:
        parsed = parse(task.answer_kind, problem.target)
        assert is_correct(task.answer_kind, parsed, problem.answer), problem


def test_every_calculation_is_right(drawn):
    _, problems = drawn
    for problem in problems:
        steps = re.findall(r"(-?\d+) ([+\-*/]) (\d+) = (-?\d+)", problem.rationale)
        assert steps or problem.task == "mini-strategy"
        for left, sign, right, result in steps:
            assert OPERATORS[sign](int(left), int(right)) == int(result), problem.rationale


def test_number_answers_follow_from_the_chain_of_calculations():
    for name in ("mini-gsm", "mini-asdiv"):
        for problem in get_task(name).problems("test", 200):
            assert problem.rationale.rstrip(".").endswith(f"= {problem.answer}")


def test_letter_answers_name_the_option_that_was_calculated():
    for name in ("mini-aqua", "mini-dates"):
        for problem in get_task(name).problems("test", 200):
            options = dict(re.findall(r"\(([A-E])\) ((?:[A-Z][a-z]+ )?\d+)", problem.question))
            assert len(set(options.values())) == 5, problem.question
            assert problem.rationale.endswith(f"({problem.answer}) {options[problem.answer]}: yes.")
            *_, result = re.findall(r"That is ((?:[A-Z][a-z]+ )?\d+)\.", problem.rationale)
            assert result == options[problem.answer]


def test_yes_and_no_are_equally_frequent_and_letters_too():
    answers = [p.answer for p in get_task("mini-strategy").problems("test", 600)]
    assert 0.42 < answers.count("yes") / len(answers) < 0.58
    letters = [p.answer for p in get_task("mini-aqua").problems("test", 600)]
    assert min(letters.count(letter) for letter in "ABCDE") > 60


def test_text_is_written_as_sentences(drawn):
    _, problems = drawn
    for problem in problems:
        for text in (problem.question, problem.rationale):
            assert text[0].isupper() or text[0].isdigit()
            assert "[" not in text and "{" not in text and "  " not in text
            assert not re.search(r"\. [a-z]", text)


def test_some_problems_can_be_read_by_the_base_and_some_not(drawn):
    _, problems = drawn
    unread = sum(bool(p.meta["unread"]) for p in problems) / len(problems)
    assert 0.2 < unread < 0.9


def test_dates_have_no_training_split_and_use_a_word_problems_projection():
    dates = get_task("mini-dates")
    assert dates.splits == ("validation", "test") and dates.projection == "mini-asdiv"
    with pytest.raises(UserError, match="no split 'train'"):
        dates.problem("train", 0)
    with pytest.raises(UserError, match="no training split"):
        training_tasks("mini-dates")
    assert "mini-dates" not in [task.name for task in training_tasks("all")]


def test_a_task_that_makes_up_few_problems_gives_all_it_has():
    texts = [f"What is {number} plus one?" for number in range(30)]
    source = GeneratedProblems(lambda rng: Problem("few", rng.choice(texts)))
    task = Task("few", "Few", "number", source)
    drawn = [problem.question for split in task.splits for problem in task.problems(split, 99)]
    assert sorted(drawn) == sorted(texts)
    no_tests = [text for text in texts if split_of(text) != "test"]
    source = GeneratedProblems(lambda rng: Problem("few", rng.choice(no_tests)))
    for draw in (Task.problem, Task.problems):
        with pytest.raises(UserError, match="draws no test problem"):
            draw(Task("few", "Few", "number", source), "test", 1)


def test_reading_less_forgets_and_never_reshuffles():
    kinds = [*CHANGES.values(), *COMPARISONS.values(), *INSTRUCTIONS.values(), AMOUNTS]
    for entries in kinds:
        known = [{e.key for e in entries if e.is_read(f)} for f in (0.2, 0.4, 0.6, 0.8, 1.0)]
        assert all(less < more for less, more in zip(known, known[1:], strict=False))
        assert len(known[-1]) == len(entries)


@pytest.mark.parametrize("reader", [Reads(SHIPPED_FRACTION), ReadsWithGaps(SHIPPED_FRACTION)])
def test_a_reader_meets_only_what_it_has_read(reader):
    rng = random.Random(0)
    for family in families.FAMILIES:
        for _ in range(100):
            assert family.problem(rng, reader).meta["unread"] == []


def test_problems_file(tmp_path):
    file = tmp_path / "mine.jsonl"
    file.write_text(
        '{"question": "1 + 1?", "answer": 2}\n\n{"question": "Yes?", "answer": "yes"}\n'
    )
    problems = read_problems(file, "mini-gsm")
    assert [p.answer for p in problems] == ["2", "yes"]
    for absent, message in ((tmp_path / "absent", "no such file"), (tmp_path, "is a directory")):
        with pytest.raises(UserError, match=message):
            read_problems(absent, "mini-gsm")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    "text",
    [
        '{"question": "1\u2028+ 1?", "answer": 2}\r\n{"question": "So?", "answer": true}',
        '[{"question": "1\u2028+ 1?", "answer": "2"},\n{"question": "So?", "answer": "yes"}]',
    ],
)
def test_problems_files_of_other_programs_are_read(tmp_path, encoding, text):
    file = tmp_path / "mine.jsonl"
    file.write_bytes(text.encode(encoding))
    assert [(p.question, p.answer) for p in read_problems(file, "free")] == [
        ("1\u2028+ 1?", "2"),
        ("So?", "yes"),
    ]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("", "it is empty"),
        ("[]", "holds no problem"),
        ("not json", r"line 1 is not JSON \(Expecting value, column 1\)"),
        ("[1]", "item 1 is a number, not a JSON object"),
        ('{"question": "a"}', 'line 1 lacks "answer"'),
        ('\n{"answer": "a"}', 'line 2 lacks "question"'),
        ('{"question": 3, "answer": 1}', "the question in line 1 is a number, not a text"),
        ('{"question": "a", "answer": null}', "the answer in line 1 is null, not a text or"),
        ('{"question": "a", "answer": [1]}', "the answer in line 1 is a list"),
        ('[{"question": "a", "answer": {"a": 1}}]', "the answer in item 1 is an object"),
        ('{"question": ""  , "answer": 1}', "line 1 has an empty question or answer"),
        ('{"question": "a", "answer": " "}', "line 1 has an empty question or answer"),
        ('{"question": "a", "answer": 1, "answer": 2}', 'it has "answer" twice'),
        ('{"question": "a", "answer": ' + 5000 * "1" + "}", "line 1 .* string conversion"),
        ("gr\xf6\xdfe", "it is not UTF-8 text, see byte 3"),
    ],
)
def test_a_problems_file_that_cannot_be_used_is_refused_for_the_true_reason(tmp_path, bad, said):
    file = tmp_path / "mine.jsonl"
    file.write_bytes(bad.encode("latin-1"))
    with pytest.raises(UserError, match=said) as refused:
        read_problems(file, "mini-gsm")
    assert "\n" not in str(refused.value)


def test_unknown_task_lists_those_there_are():
    with pytest.raises(UserError, match="mini-strategy"):
        get_task("gsm8k-but-misspelt")
