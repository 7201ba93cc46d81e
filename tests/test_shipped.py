"""The checkpoints that ship: light, ordinary, documented, and better with thoughts than without."""

import json
import re
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from softcot.data.tasks import TASKS, get_task
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.evaluation.experiments import Run, mini_tasks, plan, trained_tasks
from softcot.evaluation.records import load_record
from softcot.evaluation.reproducing import can_run
from softcot.support.errors import UserError
from softcot.support.presets import ASSISTANT_SIZES, READINGS, get_preset
from softcot.thoughts.adapter import Adapter, CoconutAdapter
from softcot.thoughts.many_thoughts import ManyThoughts
from softcot.thoughts.pair import load_pair
from softcot.thoughts.projection import Projection
from softcot.thoughts.self_projection import PlaceProjections, SelfProjection
from softcot.thoughts.soft_prompt import PauseToken, SoftPrompt
from softcot.thoughts.tuned_assistant import TunedAssistant

PRESET = get_preset("mini")
FOLDER = PRESET.trained
RECORDS = Path(__file__).parent.parent / "assets" / "results" / "mini"
PROJECTIONS = sorted({task.projection for task in TASKS.values()})
SIZES = [name for name in ASSISTANT_SIZES if get_preset(name).trained.is_dir()]
"""Pairs with narrower assistants that are trained; the others say how they are."""


@pytest.fixture(scope="module")
def mini():
    return load_pair("mini", "cpu")


def test_models_are_small_and_the_assistant_is_clearly_smaller(mini):
    base, assistant = (lm.model.num_parameters() for lm in (mini.base, mini.assistant))
    assert base <= 30_000_000 and assistant <= base / 2
    shipped = sum(file.stat().st_size for file in FOLDER.parent.rglob("*") if file.is_file())
    assert shipped < 120_000_000
    assert mini.base.context >= 512


@pytest.mark.parametrize("name", [*SIZES, *READINGS])
def test_the_pairs_of_the_experiments_are_whole(name):
    runs = [run for run in plan("all") if run.pair == name]
    pair = load_pair(name, "cpu")
    assert runs and all(can_run(pair, run) for run in runs)
    shared = "base" if name in ASSISTANT_SIZES else "assistant"
    assert getattr(pair, shared).fingerprint() == getattr(load_pair("mini"), shared).fingerprint()


@pytest.mark.parametrize("name", [name for name in ASSISTANT_SIZES if name not in SIZES])
def test_a_pair_that_is_not_trained_yet_says_how_it_is(name):
    with pytest.raises(UserError, match=f"python -m softcot pretrain --pair {name}"):
        load_pair(name, "cpu")


def test_weights_are_safetensors_and_nothing_else_can_run_code():
    files = {file.suffix for file in FOLDER.parent.rglob("*") if file.is_file()}
    assert files <= {".safetensors", ".json", ".md", ".jinja"}, files


def test_both_models_share_one_tokenizer_and_template():
    one, other = (AutoTokenizer.from_pretrained(p) for p in (PRESET.base, PRESET.assistant))
    assert one.get_vocab() == other.get_vocab() and one.chat_template == other.chat_template


@pytest.mark.parametrize("name", PROJECTIONS)
def test_every_task_has_a_projection_with_a_card_and_a_training_record(mini, name):
    folder = FOLDER / f"projection-{name}"
    projection = Projection.load(folder)
    assert projection.task == name
    assert projection.base_fingerprint == mini.fingerprints["base"]
    assert projection.assistant_fingerprint == mini.fingerprints["assistant"]
    training = json.loads((folder / "training.json").read_text())
    assert training["finished"] and training["fingerprints"]["base"] == mini.fingerprints["base"]
    assert (folder / "README.md").read_text().startswith("---\n")


@pytest.mark.parametrize("kind", [SoftPrompt, PauseToken, Adapter, CoconutAdapter])
@pytest.mark.parametrize("name", trained_tasks())
def test_every_trained_family_has_the_weights_of_the_baselines(mini, kind, name):
    learned = mini.weights(kind, name)
    assert learned.task == name and learned.base_fingerprint == mini.fingerprints["base"]
    folder = FOLDER / f"{kind.folder}-{name}"
    assert json.loads((folder / "training.json").read_text())["finished"]
    assert (folder / "README.md").read_text().startswith("---\n")


def test_the_cards_say_how_their_folders_are_loaded():
    public = (Projection, SoftPrompt, Adapter, CoconutAdapter)
    others = (PauseToken, SelfProjection, PlaceProjections, ManyThoughts, TunedAssistant)
    kinds = {kind.folder: kind for kind in (*public, *others)}
    cards = sorted(FOLDER.parent.glob("*/*-*/README.md"))
    codes = {card: re.findall(r"```python\n(.*?)\n```", card.read_text(), re.S) for card in cards}
    for card, blocks in codes.items():
        kind = kinds[card.parent.name.partition("-")[0]]
        told = kind.loading.format(home=kind.home, kind=kind.__name__, pair="mini")
        assert blocks in ([], [told]), card
        assert kind not in public or not re.search(r"softcot\.[a-z_]+\.", card.read_text()), card
        if kind in (Projection, SoftPrompt, *others[:-1]):
            [code], scope = blocks, {}
            exec(code.replace("folder or Hub id", str(card.parent)), scope)
            assert type(scope["weights"]) is kind
    assert len(cards) > 20


@pytest.mark.parametrize("task", mini_tasks())
def test_without_thoughts_softcot_is_the_untouched_base_token_for_token(task):
    alone, soft = (
        load_record(RECORDS / f"{task}.{method}.none.k0.greedy.json")
        for method in ("zero-shot-cot", "softcot")
    )
    assert soft.fingerprints["trained"] and soft.fingerprints["base"] == alone.fingerprints["base"]
    facts = [
        [(row.id, row.prompt, row.text, row.tokens) for row in record.rows]
        for record in (alone, soft)
    ]
    assert facts[0] == facts[1] and len(facts[0]) >= 1000


@pytest.mark.parametrize("role", ["base", "assistant"])
def test_model_cards_state_the_regime(role):
    card = (FOLDER / role / "README.md").read_text()
    assert "reasons well but has read less" in card
    assert json.loads((FOLDER / role / "pretraining.json").read_text())["config"]["role"] == role


def test_the_page_on_checkpoints_says_how_long_they_were_trained():
    page = (FOLDER.parents[1] / "docs" / "checkpoints.md").read_text(encoding="utf-8")
    took = {
        role: round(json.loads((FOLDER / role / "pretraining.json").read_text())["seconds"])
        for role in ("base", "assistant")
    }
    assert f"base took {took['base']} s and those of its assistant {took['assistant']} s" in page


def test_thoughts_help_and_somebody_elses_do_not(mini):
    torch.manual_seed(0)
    task = get_task("mini-gsm")
    problems = task.problems("test", 48)
    accuracy = {
        (method, control): evaluate(mini, task, Protocol(method, control), problems).accuracy
        for method, control in (
            ("zero-shot-cot", "none"),
            ("softcot", "none"),
            ("softcot", "swap"),
        )
    }
    alone = accuracy["zero-shot-cot", "none"]
    assert accuracy["softcot", "none"] > alone + 0.15
    assert accuracy["softcot", "swap"] < alone + 0.15


@pytest.mark.parametrize("name", [name for name in TASKS if name != "free"])
def test_the_base_solves_what_it_has_read(mini, name):
    task = get_task(name)
    readable = [p for p in task.problems("validation", 200) if not p.meta["unread"]][:24]
    found = evaluate(mini, task, Protocol("zero-shot-cot"), readable, split="validation")
    assert found.accuracy >= 0.8


def right(task: str, method="softcot", control="none", trained_on: str | None = None) -> float:
    """Greedy accuracy of a shipped record, in percent."""
    run = Run(task, Protocol(method, control, trained_on=trained_on))
    return 100 * load_record(RECORDS.parent / run.file).accuracy


def lost_elsewhere(method: str) -> float:
    """Points that weights of another task cost on the average."""
    pairs = [(one, other) for one in trained_tasks() for other in trained_tasks() if one != other]
    lost = [right(one, "zero-shot-cot") - right(one, method, trained_on=two) for one, two in pairs]
    return sum(lost) / len(lost)


def test_what_the_page_says_in_words_is_what_the_records_say():
    page = (FOLDER.parents[1] / "docs" / "results.md").read_text(encoding="utf-8")
    words, tasks = " ".join(page.split()), trained_tasks()
    shuffled = {task: right(task) - right(task, control="shuffle") for task in tasks}
    swapped = {task: right(task) - right(task, control="swap") for task in tasks}
    dates = {control: right("mini-dates", control=control) for control in ("none", "swap")}
    alone = {task: right(task, "zero-shot-cot") for task in (*tasks, "mini-dates")}
    claims = {
        "`mini-gsm` they mislead the base far below what it can do alone": (
            right("mini-gsm", control="swap") < alone["mini-gsm"] - 10
        ),
        "a part of the gain, most of it on `mini-gsm` and `mini-strategy`": (
            {*sorted(tasks, key=shuffled.__getitem__)[2:]} == {"mini-gsm", "mini-strategy"}
        ),
        "but far less than whose thoughts they are": (
            all(2 * shuffled[task] < swapped[task] for task in tasks)
        ),
        "on another one costs points on the average, more than LoRA's weights do": (
            lost_elsewhere("softcot") > max(0, lost_elsewhere("lora"))
        ),
        "An assistant that was trained along gains a little on other tasks, too": (
            lost_elsewhere("trained-assistant") < 0
        ),
        "loses by it, own thoughts and swapped ones alike": (
            max(dates.values()) < alone["mini-dates"] - 2 and abs(dates["none"] - dates["swap"]) < 2
        ),
    }
    assert [claim for claim in claims if claim not in words] == []
    assert [claim for claim, holds in claims.items() if not holds] == []
