"""`ask` and `replay`: an answer as text and as JSON, and a run that is run again."""

import json
import shutil
from dataclasses import replace

from cli.conftest import QUESTION, SHORT
from softcot.cli.main import main
from softcot.support.presets import PRESETS, checkpoint_root


def test_ask_prints_one_json_object(run):
    printed = json.loads(run("ask", QUESTION, "--thoughts", 3, *SHORT, "--json"))
    assert printed["method"] == "softcot" and printed["thoughts"] == 3
    assert printed["question"] == QUESTION and printed["new_tokens"] == 4
    assert printed["text"] and printed["seconds"] > 0
    assert printed["sampling"]["temperature"] == 0
    assert {"answer", "pair", "task", "votes"} <= printed.keys()


def test_ask_streams_the_text_and_ends_with_the_answer(run):
    text = json.loads(run("ask", QUESTION, *SHORT, "--json"))["text"]
    printed = run("ask", QUESTION, *SHORT)
    assert printed.startswith(text)
    assert "Answer: " in printed and "K = 12, 4 tokens" in printed


def test_ask_with_zero_thoughts_is_zero_shot_cot(run):
    soft = json.loads(run("ask", QUESTION, "--thoughts", 0, *SHORT, "--json"))
    hard = json.loads(run("ask", QUESTION, "--method", "zero-shot-cot", *SHORT, "--json"))
    edited = json.loads(run("ask", QUESTION, "--edits", "drop", *SHORT, "--json"))
    assert edited["text"] == hard["text"] and edited["title"] == "SoftCoT, drop"
    assert soft["text"] == hard["text"]
    assert hard["thoughts"] == 0


def test_ask_several_samples(run):
    argv = ["ask", QUESTION, "--samples", 3, "--seed", 5, "--task", "mini-gsm", *SHORT]
    printed = json.loads(run(*argv, "--json"))
    assert printed["sampling"]["temperature"] == 1.0
    assert printed["samples"] == 3 and printed["new_tokens"] > 4
    assert printed["text"] == json.loads(run(*argv, "--json"))["text"]
    assert printed["text"] in run(*argv)


def test_a_saved_run_is_replayed(run, tmp_path):
    answered = json.loads(run("ask", QUESTION, *SHORT, "--save", tmp_path / "a.run", "--json"))
    printed = run("replay", tmp_path / "a.run")
    assert answered["text"] in printed and "thought is the same" in printed


def test_a_pair_that_nobody_trained_answers_with_untrained_thoughts_and_says_so(mini_env, capsys):
    models = [str(mini_env / "mini" / side) for side in ("base", "assistant")]
    argv = ["ask", QUESTION, "--base", models[0], "--assistant", models[1], *SHORT]
    assert main(argv) == 0
    said = capsys.readouterr()
    assert "Nobody trained a projection of the pair base+assistant for free" in said.err
    assert "SoftCoT, untrained, K = " in said.out
    assert main([*argv, "--method", "zero-shot-cot"]) == 0
    assert "Nobody trained" not in capsys.readouterr().err


def test_a_pair_trained_for_one_task_answers_others_with_untrained_thoughts(
    mini_env, capsys, monkeypatch
):
    mini = PRESETS["mini"]
    own = replace(mini, name="own", trained=mini_env / "own")
    monkeypatch.setitem(PRESETS, "own", own)
    monkeypatch.setattr("softcot.cli.ask.is_laboratory", lambda name: name != "own")
    trained = checkpoint_root() / mini.trained / "projection-mini-gsm"
    shutil.copytree(trained, own.trained / trained.name)
    for task, untrained in (("mini-gsm", False), ("mini-aqua", True)):
        assert main(["ask", QUESTION, "--pair", "own", "--task", task, *SHORT]) == 0
        said = capsys.readouterr()
        assert ("Nobody trained" in said.err) == ("untrained" in said.out) == untrained


def test_the_kind_of_a_question_is_guessed_and_said(run, capsys):
    sums = "Mia has 12 coins. She inherits 5 coins. How many coins does Mia have now?"
    assert main(["ask", sums, *SHORT, "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["task"] == "mini-gsm" and "was read as mini-gsm" in said.err
    assert main(["ask", "Tell me a joke.", *SHORT, "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["task"] == "free" and "was read as" not in said.err
    assert json.loads(run("ask", sums, "--task", "free", *SHORT, "--json"))["task"] == "free"


def test_a_note_is_heard_by_the_assistant_alone(run, tmp_path):
    argv = ["ask", QUESTION, "--task", "mini-gsm", *SHORT, "--json"]
    plain, noted = (json.loads(run(*argv, *note)) for note in ([], ["--note", "Tom has 9 keys."]))
    assert "told_alone" not in plain and noted["told_alone"] == "Tom has 9 keys."
    hard = ["--method", "zero-shot-cot"]
    texts = [json.loads(run(*argv, *hard, *note))["text"] for note in ([], ["--note", "Tom."])]
    assert texts[0] == texts[1]
    thoughts = [
        json.loads(run("thoughts", QUESTION, "--task", "mini-gsm", *note, "--json"))["thoughts"]
        for note in ([], ["--note", "Tom has 9 keys."])
    ]
    assert thoughts[0] != thoughts[1]
    run(*argv, "--note", "Tom has 9 keys.", "--save", tmp_path / "noted.run")
    assert "thought is the same" in run("replay", tmp_path / "noted.run")
