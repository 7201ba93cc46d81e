"""The corpus of the two models, their tokenizer, and a pre-training run of toy size."""

import json
import random
import re
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM

from softcot.data.families import FAMILIES
from softcot.data.families.reading import SHIPPED_FRACTION
from softcot.data.lexicon import FILE, Lexicon
from softcot.data.problems import question_hash, split_of
from softcot.data.tasks import TASKS
from softcot.lab import pretraining
from softcot.lab.corpus import BaseAuthor, plain_texts
from softcot.lab.pretraining import (
    PretrainingConfig,
    add_lexicon,
    author_for,
    batches,
    pretrain,
)
from softcot.lab.tokenizer import train_tokenizer
from softcot.support.errors import UserError

TOY = PretrainingConfig(
    "base", steps=6, width=32, layers=1, heads=2, batch_size=4, warmup=2, vocabulary=600
)


@pytest.fixture(scope="module")
def words():
    return train_tokenizer(plain_texts(0, 2_000, FAMILIES), 4000, 512)


@pytest.fixture(autouse=True)
def small_corpus(monkeypatch):
    """A tokenizer in moments, and no compiler: six steps do not repay it."""
    texts = plain_texts(0, 400, FAMILIES)
    monkeypatch.setattr(pretraining, "plain_texts", lambda *_: texts)
    monkeypatch.setattr(pretraining.shutil, "which", lambda _: None)


def test_any_text_survives_the_tokenizer_and_digits_stand_alone(words):
    for text in ("Ünïcode 🎉 漢字\t\n x", "12 345 6.78", "<end> <unk>", " leading and  double"):
        ids = words(text, add_special_tokens=False, split_special_tokens=True).input_ids
        assert words.decode(ids) == text
        assert not set(ids) & set(words.all_special_ids)
    assert [t.strip("Ġ") for t in words.tokenize("and 1234")] == ["and", "1", "2", "3", "4"]


@pytest.mark.parametrize("role", ["base", "assistant"])
def test_training_text_holds_no_test_or_validation_problem(words, role, monkeypatch):
    held_out = {
        question_hash(problem.question)
        for task in TASKS.values()
        for split in ("validation", "test")
        if split in task.splits
        for problem in task.problems(split, 200)
    }
    config = PretrainingConfig(role, steps=1, width=32, layers=1, heads=2)
    author, seen = author_for(config, words), []
    draw = type(author).training_problem

    def recording(self, rng, reader):
        seen.append(draw(self, rng, reader))
        return seen[-1]

    monkeypatch.setattr(type(author), "training_problem", recording)
    rng = random.Random(0)
    for _ in range(600):
        author.write(rng, 0.2)
    assert len(seen) > 500
    assert {split_of(problem.question) for problem in seen} == {"train"}
    assert not held_out & {question_hash(problem.question) for problem in seen}
    if role == "base":
        assert all(problem.meta["unread"] == [] for problem in seen)
    else:
        assert any(problem.meta["unread"] for problem in seen)


def test_assistant_never_reads_a_rationale_and_names_the_hint_at_placeholders(words):
    config = PretrainingConfig("assistant", steps=1, width=32, layers=1, heads=2)
    author, rng = author_for(config, words), random.Random(0)
    problem = TASKS["mini-gsm"].problem("train", 3)
    glance = author._glance(problem)
    said = [label for label in glance.labels if label != -100]
    assert len(said) == 16
    assert words.decode(said, skip_special_tokens=True) == problem.hint
    hole = words.convert_tokens_to_ids("<unk>")
    assert all(
        i == hole for i, label in zip(glance.ids, glance.labels, strict=True) if label != -100
    )
    for _ in range(200):
        assert " = " not in words.decode(author.write(rng, 0.2).ids)


def test_base_learns_only_what_follows_the_prompt(words):
    config = PretrainingConfig("base", steps=1, width=32, layers=1, heads=2)
    author = author_for(config, words)
    problem = TASKS["mini-gsm"].problem("train", 3)
    document = author._answered(problem)
    said = [label for label in document.labels if label != -100]
    assert words.decode(said) == f"{problem.target}<end>"
    place = [i for i, label in enumerate(document.labels) if label != -100]
    assert [document.ids[i + 1] for i in place[:-1]] == said[:-1]


def test_base_learns_nothing_but_the_verdicts_of_a_comparison(words):
    config = PretrainingConfig("base", steps=1, width=32, layers=1, heads=2)
    author, rng, found = author_for(config, words), random.Random(0), []
    for _ in range(100):
        document = author._judged(rng).write()
        text = words.decode(document.ids)
        result, options = re.fullmatch(r"That is ([^.]+)\.(.+)", text).groups()
        options = re.findall(r"\([A-E]\) ([^:]+):", options)
        said = [words.decode([label]).strip() for label in document.labels if label != -100]
        assert said == ["yes" if option == result else "no" for option in options]
        assert len(said) == 5
        found += said
    assert 0.2 < found.count("yes") / len(found) < 0.5


def test_pretraining_writes_an_ordinary_folder_that_loads_without_this_package(tmp_path):
    summary = pretrain(TOY, tmp_path / "base")
    assert summary["documents"] == 24
    code = (
        "import sys; sys.modules['softcot'] = None\n"
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n"
        "model = AutoModelForCausalLM.from_pretrained(sys.argv[1])\n"
        "tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])\n"
        "chat = [{'role': 'user', 'content': 'Mia has 3 coins.'}]\n"
        "ids = tokenizer.apply_chat_template(chat, return_tensors='pt', return_dict=True,\n"
        "                                    add_generation_prompt=True)\n"
        "print(model.generate(**ids, max_new_tokens=2).shape[1] - ids['input_ids'].shape[1])\n"
    )
    folder = str(tmp_path / "base")
    run = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() in ("1", "2")
    card = (tmp_path / "base" / "README.md").read_text()
    assert "reasons well but has read less" in card and f"{SHIPPED_FRACTION:.0%}"[:2] in card
    assert json.loads((tmp_path / "base" / "pretraining.json").read_text())["config"]["steps"] == 6
    assert [path.name for path in tmp_path.iterdir()] == ["base"]


def test_a_model_says_which_questions_it_was_made_of(tmp_path):
    pretrain(TOY, tmp_path / "base")
    lexicon = Lexicon.load(tmp_path / "base")
    assert lexicon is not None and len(lexicon.forms) == 5
    tokenizer = train_tokenizer(plain_texts(0, 1, FAMILIES), TOY.vocabulary, TOY.context)
    author, told = author_for(TOY, tokenizer), 0
    for pool in range(1):
        rng = random.Random(f"base:{TOY.seed}:{pool}")
        for _ in range(pretraining.POOL * TOY.batch_size):
            sheet = author.draw(rng, 0.0)
            if sheet.problem is not None:
                told += 1
                assert lexicon.unread(sheet.problem.question, sheet.problem.task) == []
    assert told > 50
    (tmp_path / "base" / FILE).unlink()
    add_lexicon(tmp_path / "base")
    assert Lexicon.load(tmp_path / "base") == lexicon
    with pytest.raises(UserError, match="There is no model of `python -m softcot pretrain`"):
        add_lexicon(tmp_path)


def test_words_that_were_made_up_are_not_said_to_be_read(words):
    config = PretrainingConfig("base", steps=1, width=32, layers=1, heads=2)
    author, rng = author_for(config, words), random.Random(0)
    drawn = [author._hinted(rng) for _ in range(20)]
    assert all(sheet.problem is None for sheet in drawn)
    assert all(len(sheet.write().ids) > 20 for sheet in drawn[:3])
    assert author._misled(rng).problem and author._paused(rng).problem
    assert author.story(rng).problem is None and author._judged(rng).problem is None


def test_resumed_training_ends_where_uninterrupted_training_does(tmp_path, monkeypatch):
    pretrain(TOY, tmp_path / "whole", save_every=4)
    reached = 0

    def interrupted(write, config, first):
        nonlocal reached
        for reached, batch in enumerate(batches(write, config, first)):
            if reached == 5:
                raise KeyboardInterrupt
            yield batch

    monkeypatch.setattr(pretraining, "batches", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pretrain(TOY, tmp_path / "parts", save_every=4)
    monkeypatch.setattr(pretraining, "batches", batches)
    pretrain(TOY, tmp_path / "parts", resume=True, save_every=4)
    whole, parts = (
        AutoModelForCausalLM.from_pretrained(tmp_path / name).state_dict()
        for name in ("whole", "parts")
    )
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_progress_with_other_documents_is_refused(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pretraining, "_write_folder", stop)
        with pytest.raises(KeyboardInterrupt):
            pretrain(TOY, tmp_path / "base", save_every=3)
    write = BaseAuthor.write
    monkeypatch.setattr(
        BaseAuthor, "write", lambda self, rng, share: write(self, rng, max(share, 0.5))
    )
    with pytest.raises(UserError, match="other documents"):
        pretrain(TOY, tmp_path / "base", resume=True)


def test_a_pretraining_that_diverges_stops_and_writes_nothing(tmp_path):
    with pytest.raises(UserError, match="diverged: its loss is (nan|inf) at step [2-6],"):
        pretrain(replace(TOY, learning_rate=1e30, warmup=1), tmp_path / "base")
    assert not (tmp_path / "base").exists()


def test_progress_of_another_configuration_is_refused(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(pretraining, "_write_folder", stop)
    with pytest.raises(KeyboardInterrupt):
        pretrain(TOY, tmp_path / "base", save_every=3)
    with pytest.raises(UserError, match="another configuration"):
        pretrain(replace(TOY, seed=9), tmp_path / "base", resume=True)
