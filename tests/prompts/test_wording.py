"""What the models are told: which file, cut where, and the same for the shipped pair as ever."""

import hashlib
import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from softcot.data.answers import parse
from softcot.data.tasks import BENCHMARK_TASKS, FREE, TASKS, get_task
from softcot.evaluation.records import load_record
from softcot.prompts.builder import PromptBuilder
from softcot.prompts.wording import ROLES, SETS, Example, Templates, Wording
from softcot.support.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
RECORDS = ROOT / "assets" / "results" / "mini"


@pytest.fixture
def folder(tmp_path):
    """A folder of templates with a default for each role."""
    for role in ROLES:
        (tmp_path / role).mkdir()
        (tmp_path / role / "default.jinja").write_text(f"{role}: {{{{ question }}}}!\n")
    return tmp_path


@pytest.mark.parametrize("name", [name for name in TASKS if name != "free"])
def test_the_shipped_records_were_made_with_these_prompts(name):
    tokenizer = AutoTokenizer.from_pretrained(ROOT / "checkpoints" / "mini" / "base")
    builder = PromptBuilder(tokenizer, context=512)
    problems = {problem.id: problem for problem in get_task(name).problems("test", 1000)}
    for kind in ("zero-shot-cot.none.k0.greedy", "softcot.none.k12.*greedy"):
        record = load_record(sorted(RECORDS.glob(f"{name}.{kind}.json"))[0])
        for row in record.rows[:25]:
            question = problems[row.id].question
            ids = builder.base(question, task=get_task(name), k=record.k).ids
            digest = hashlib.sha256(json.dumps(list(ids)).encode()).hexdigest()
            assert digest[:16] == row.prompt


def test_what_the_shipped_sets_say():
    mini, chat = Templates.named("mini"), Templates.named("chat")
    plain = Wording("Solve the problem step by step and end with the answer.\n", "")
    for name in TASKS:
        assert mini.wording("base", get_task(name)) == plain
    assert mini.wording("base", get_task("gsm8k")) == plain
    assert "the letter of the right option.\n" in mini.wording("base", get_task("aqua")).before
    assert "yes or no.\n" in mini.wording("base", get_task("strategyqa")).before
    for task in (*TASKS.values(), *BENCHMARK_TASKS.values()):
        told = chat.wording("base", task)
        assert "step by step" in told.before and "The answer is X." in told.before
        # The slots stand right behind the question, at the end of the turn.
        assert told.after == "" and told.before.endswith("\n\n")
        assert chat.wording("assistant", task).before != told.before


def test_the_task_goes_before_the_kind_of_answer_and_that_before_the_default(folder):
    templates, task = Templates(folder), get_task("gsm8k")
    assert templates.wording("base", task) == Wording("base: ", "!")
    (folder / "base" / "number.jinja").write_text("A number? {{ question }}")
    assert templates.wording("base", task) == Wording("A number? ", "")
    (folder / "base" / "gsm8k.jinja").write_text("{{ question }} A sum.")
    assert templates.wording("base", task) == Wording("", " A sum.")
    assert templates.wording("base", FREE) == Wording("base: ", "!")
    assert templates.wording("assistant", task) == Wording("assistant: ", "!")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("No place for it.", "shows the question 0 times"),
        ("{{ question }} and {{ question }}", "shows the question 2 times"),
        ("{{ question", "cannot be used"),
        ("{{ question }} {{ 1 / 0 }}", "cannot be used"),
        ("{% include 'other' %}{{ question }}", "cannot be used"),
    ],
)
def test_bad_templates_are_refused(folder, text, complaint):
    (folder / "base" / "default.jinja").write_text(text)
    with pytest.raises(UserError, match=complaint) as refused:
        Templates(folder).wording("base", FREE)
    assert "\n" not in str(refused.value)


def test_incomplete_folders_are_refused(folder):
    (folder / "base" / "default.jinja").unlink()
    with pytest.raises(UserError, match="no template for the base; write .*default.jinja"):
        Templates(folder).wording("base", FREE)
    (folder / "base").rmdir()
    with pytest.raises(UserError, match="no folder 'base'"):
        Templates(folder)


def test_fingerprints_follow_the_words_of_both_roles(folder):
    tasks, templates = [get_task("gsm8k"), FREE], Templates(folder)
    before = templates.fingerprint(tasks)
    assert len(before) == 16 and before == templates.fingerprint(tasks[:1])
    (folder / "assistant" / "number.jinja").write_text("Think! {{ question }}")
    assert templates.fingerprint(tasks[:1]) != before == templates.fingerprint([FREE])
    (folder / "assistant" / "number.jinja").write_text("assistant: {{question}}!")
    assert templates.fingerprint(tasks) == before
    assert Templates.named("mini").fingerprint(tasks) != Templates.named("chat").fingerprint(tasks)


def test_every_shipped_template_is_used_by_some_task():
    tasks = [*TASKS.values(), *BENCHMARK_TASKS.values()]
    names = {name for task in tasks for name in (task.name, task.answer_kind, "default")}
    assert {file.stem for file in SETS.glob("*/*/*.jinja")} <= names
    assert {file.name.partition(".")[0] for file in SETS.glob("*/*/*.json")} <= names


def test_the_examples_of_the_package_show_what_the_instruction_says():
    chat, one, two = (Templates.named(name) for name in ("chat", "chat-one", "chat-two"))
    for task in (*TASKS.values(), *BENCHMARK_TASKS.values()):
        plain, first, both = (each.wording("base", task) for each in (chat, one, two))
        assert (first.before, first.after) == (both.before, both.after) == (plain.before, "")
        assert plain.examples == () and both.examples[:1] == first.examples
        assert (len(first.examples), len(both.examples)) == (1, 2)
        for example in both.examples:
            said = example.answer.rpartition("The answer is ")[2].rstrip(".")
            assert example.answer.endswith(f"\nThe answer is {said}.")
            assert "$" not in example.answer and "\\" not in example.answer
            if task.answer_kind in ("number", "letter", "yesno"):
                assert parse(task.answer_kind, example.answer) == said
        assert one.wording("assistant", task) == chat.wording("assistant", task)


def shown(folder, text, name="default", role="base"):
    (folder / role / f"{name}.examples.json").write_text(text)
    return Templates(folder)


ONE, OTHER = ('[{"question": " 1 + 1? ", "answer": "2\\n"}]', '[{"question": "2", "answer": "3"}]')


def test_examples_are_found_as_templates_are(folder):
    templates, task = shown(folder, ONE), get_task("gsm8k")
    assert templates.wording("base", task).examples == (Example("1 + 1?", "2"),)
    assert templates.wording("assistant", task).examples == ()
    shown(folder, OTHER, "number")
    assert templates.wording("base", task).examples == (Example("2", "3"),)
    assert templates.wording("base", FREE).examples == (Example("1 + 1?", "2"),)
    shown(folder, '{"question": "4", "answer": "5"}\n', "gsm8k")  # lines of JSON do as well
    assert templates.wording("base", task).examples == (Example("4", "5"),)
    shown(folder, "[]", "gsm8k")
    assert templates.wording("base", task).examples == ()


def test_fingerprints_follow_the_examples(folder):
    templates, task = Templates(folder), get_task("gsm8k")
    found = [templates.fingerprint([task])]
    for text in (ONE, OTHER, ONE.replace("2", "3"), "[]"):
        shown(folder, text)
        found.append(templates.fingerprint([task]))
    assert found[-1] == found[0] and len(set(found)) == 4
    # Trained weights keep those of the sets without examples, which so must stay what they are.
    assert Templates.named("mini").fingerprint([get_task("mini-gsm")]) == "aef3e958f526d551"
    assert Templates.named("chat").fingerprint([task]) == "38f72aa9008178bb"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "it is empty"),
        ("hello", "line 1 is not JSON"),
        ('[{"question": "1"}]', 'item 1 lacks "answer"'),
        ('[{"question": 1, "answer": "2"}]', "the question in item 1 is a number, not a text"),
        ('[{"question": "1", "answer": " "}]', "the answer in item 1 is empty"),
        ('["1"]', "item 1 is a text, not a JSON object"),
    ],
)
def test_bad_examples_are_refused(folder, text, complaint):
    with pytest.raises(UserError, match=complaint) as refused:
        shown(folder, text).wording("base", FREE)
    assert "default.examples.json" in str(refused.value) and "\n" not in str(refused.value)


def test_templates_are_a_folder_or_a_set_by_name(folder):
    assert Templates.find(folder) == Templates(folder)
    assert Templates.find("chat-two") == Templates.named("chat-two")
    with pytest.raises(UserError, match="no folder of templates chatty.*chat, chat-brief"):
        Templates.find("chatty")


def test_some_tasks_may_have_another_set():
    chat, two = Templates.named("chat"), Templates.named("chat-two")
    mixed = Templates.named("chat", {"number": "chat-two", "svamp": "mini"})
    gsm8k, svamp, aqua = (get_task(name) for name in ("gsm8k", "svamp", "aqua"))
    assert mixed.wording("base", gsm8k) == two.wording("base", gsm8k)
    assert mixed.wording("base", aqua) == chat.wording("base", aqua)
    assert [mixed.name(task) for task in (gsm8k, svamp, aqua)] == ["chat-two", "mini", "chat"]


def test_a_template_knows_nothing_but_the_question_and_the_thoughts(tmp_path):
    for text in (
        "{{ question }} {{ rationale }}",
        "{% if answer %}{% endif %}{{ question }}",
        "{% for one in examples %}{{ one }}{% endfor %}{{ question }}",
    ):
        for role in ("base", "assistant"):
            (tmp_path / role).mkdir(exist_ok=True)
            (tmp_path / role / "default.jinja").write_text(text)
        with pytest.raises(UserError, match=r"is undefined\); {{ question }}, {{ tho") as refused:
            Templates(tmp_path).wording("base", get_task("mini-gsm"))
        assert "default.jinja" in str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_template_is_read_without_the_mark_of_its_encoding(tmp_path, encoding):
    for role in ("base", "assistant"):
        (tmp_path / role).mkdir()
        (tmp_path / role / "default.jinja").write_bytes("Ja: {{ question }}".encode(encoding))
    assert Templates(tmp_path).wording("base", get_task("mini-gsm")).before == "Ja: "
