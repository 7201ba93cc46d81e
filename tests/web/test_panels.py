"""The panels that experiment: what their events send to the page."""

import json
import re
from dataclasses import replace

import gradio as gr
import pytest
from conftest import forward_passes

from softcot.data.problems import Problem
from softcot.data.tasks import FREE, get_task
from softcot.decoding.decoder import Sampling
from softcot.methods import METHODS, get_method
from softcot.support.errors import UserError
from softcot.thoughts.edits import Edit, read_edits
from softcot.thoughts.pair import Pair
from softcot.web import events, inside, intervene, intervene_views, sweep, views
from softcot.web.explorer import Explorer
from softcot.web.handlers import Handlers
from softcot.web.inside import Inside
from softcot.web.intervene import Intervene
from softcot.web.requests import (
    ComposeRequest,
    EditRequest,
    InspectRequest,
    MapRequest,
    PageRequest,
    QuestionRequest,
    SweepRequest,
)
from softcot.web.sweep import Sweep

QUESTION = "Anna has 12 apples and buys 30 more. How many?"
LOADED = Problem("mini-gsm", QUESTION, "42", rationale="12 + 30 = 42.")
ASKED = PageRequest("mini-gsm", QUESTION, 4, "42", LOADED)


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.fixture(scope="module")
def explorer(pair) -> Explorer:
    return Explorer(pair)


@pytest.fixture
def panel(explorer) -> Intervene:
    return Intervene(explorer)


def edit(edits="swap", k=4, question=QUESTION, task="mini-gsm", other=None, tried=0) -> EditRequest:
    other = "Tom gives 7 pears to Anna. How many are left?" if other is None else other
    asked = {"edits": edits, "other": other, "tried": tried}
    return EditRequest(task, question, k, "42", LOADED, **asked)


def cards(html: str) -> list[str]:
    return [words(card) for card in html.split("<article")[1:]]


def test_four_columns_answer_and_are_compared(panel):
    first, *frames, last = panel.intervene(edit())
    assert first["edit_message"] == "" and first["stop_edit"].interactive
    own, edited, *placebos = cards(frames[-1]["edit_answers"])
    assert "Own thoughts" in own and "log p of the worked answer −" in own
    assert re.search("Edited .*With the edit swap", edited) and "swap" not in own
    assert ["noise" in placebos[0], "mean" in placebos[1]] == [True, True]
    for card in (edited, *placebos):
        assert re.search(r"(Same answer|Answer changed).* log p of the worked answer [+−]", card)
    assert set().union(first, *frames, last) <= set(intervene.ANSWERED)


def test_a_swap_with_the_same_question_changes_nothing(panel):
    *_, frame, _ = panel.intervene(edit(other=QUESTION))
    edited = cards(frame["edit_answers"])[1]
    assert "Same answer" in edited and re.search(r"worked answer \+0\.0", edited)


def test_free_questions_have_placebos_too(panel):
    request = replace(edit("zero:2", task=FREE.name), question="Sing of pears.")
    *_, frame, _ = panel.intervene(request)
    assert "Placebo: zero" in cards(frame["edit_answers"])[3]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"edits": ""}, "no edit; choose one"),
        ({"edits": "explode"}, "no edit called"),
        ({"edits": "drop:9"}, "names slot 9; there are 4"),
        ({"question": " "}, "question is empty"),
    ],
)
def test_bad_input_becomes_a_message(panel, changes, sentence):
    *_, last = panel.intervene(edit(**changes))
    assert sentence in last["edit_message"] and not last["stop_edit"].interactive
    assert last["edit_answers"] == intervene_views.idle()


def test_the_builder_writes_what_is_read(panel):
    mix = panel.compose(ComposeRequest("mix", [3, 1], 0.25, "two"))
    assert read_edits(mix["edits"]) == (Edit("mix", (1, 3), 0.25),)
    assert mix["amount"].visible and mix["amount"].maximum == 1
    assert not mix["token"].visible and mix["borrowed"].visible
    add = panel.compose(ComposeRequest("add", [], -2, " two"))
    assert read_edits(add["edits"]) == (Edit("add", (), -2.0, "two"),)
    assert add["amount"].minimum == -3 and add["token"].visible and not add["borrowed"].visible
    # The token is still to be typed.
    assert panel.compose(ComposeRequest("add", [], 1, ""))["edits"] == ""
    assert panel.compose(ComposeRequest("mix", [], -2, ""))["amount"].value == 0
    assert set(mix) == set(add) == set(intervene.BUILDER)


def test_the_loaded_problem_keeps_its_worked_answer():
    def asked(question: str, gold: str) -> Problem:
        return QuestionRequest("mini-gsm", question, 4, gold, LOADED).problem

    assert asked(f"{QUESTION} ", "42") == LOADED
    changed = asked("Why?", "42")
    assert (changed.question, changed.answer, changed.rationale) == ("Why?", "42", "")
    assert not asked(QUESTION, "41").rationale


def test_a_trial_shows_progress_and_ends_with_effects(panel, monkeypatch):
    monkeypatch.setattr(intervene, "paced", iter)
    start, *frames, end = panel.try_many(edit("zero", 3, other="", tried=30))
    assert start["stop_trial"].interactive and not end["stop_trial"].interactive
    assert "0 of 30 problems" in words(start["effects"])
    assert any("25 of 30 problems" in words(frame["effects"]) for frame in frames)
    table = words(frames[-1]["effects"])
    assert "30 problems, greedy" in table and "of 30" not in table
    assert re.search(r"Edited \d+ % \( \d+ to \d+ \)", table.replace("(", "( ").replace(")", " )"))
    [refused] = panel.try_many(edit("zero", 3, task=FREE.name, tried=30))
    assert "choose a kind of problem" in refused["effects"]
    assert set().union(start, *frames, end, refused) <= set(intervene.TRIAL)


def test_a_sweep_draws_a_point_for_every_k(explorer, monkeypatch):
    panel = Sweep(explorer)
    assert list(panel.ks("mini-gsm")) == list(range(17))
    monkeypatch.setattr(Sweep, "ks", lambda panel, task: [0, 2, 5])
    start, *frames, end = panel.sweep(SweepRequest("mini-gsm", 4))
    assert start["stop_sweep"].interactive and not end["stop_sweep"].interactive
    assert "4 test problems" in words(end["sweep_status"])
    figure = json.loads(frames[-1]["sweep_chart"])
    assert [trace["x"] for trace in figure["data"]] == [[0, 2, 5]] * 3
    hard = next(explorer.try_edits("mini-gsm", 0, [], 4))
    assert "0 of 3" in words(start["sweep_status"]) and hard
    assert words(frames[-1]["sweep_table"]).count("ms") == 3
    [refused] = panel.sweep(SweepRequest(FREE.name, 4))
    assert "choose a kind of problem" in refused["sweep_status"]
    assert set().union(start, *frames, end, refused) <= set(sweep.CURVES)


def test_inside_shows_every_thought_and_every_figure(explorer):
    panel = Inside(explorer)
    asked = {"metric": "Dot", "corrected": True}
    seen = panel.inspect(InspectRequest("mini-gsm", QUESTION, 3, "42", LOADED, **asked))
    facts, parts = seen.pop("facts"), dict(seen)
    assert "effective rank" in words(facts) and "placebo" in words(facts)
    tables = [parts.pop(name) for name in ("readings", "effects_of_each")]
    assert [table.count('class="number"') for table in tables] == [3, 3]
    assert len(parts) == 4 and all(json.loads(figure)["data"] for figure in parts.values())
    assert set(seen) == set(inside.PARTS)
    refused = panel.inspect(InspectRequest("mini-gsm", QUESTION, 0))
    assert "K = 0" in refused.pop("facts") and not refused


def test_a_point_of_the_map_leads_to_its_problem(explorer):
    panel = Inside(explorer)
    drawn = panel.draw_map(MapRequest("mini-gsm", 2, 5))
    found = drawn["trajectories"]
    assert drawn["map_message"] == "" and len(found) == 5
    figure = json.loads(drawn["trajectory_map"])
    assert {n for trace in figure["data"] for n in trace["customdata"]} == set(range(5))
    point = gr.EventData(None, {"index": 3})
    picked = panel.pick(MapRequest("mini-gsm", 2, 5, found), point)
    assert picked["picked"].question == found[3].question and picked["ask_picked"].visible
    assert found[3].answer in words(picked["about_picked"])
    refused = panel.draw_map(MapRequest(FREE.name, 2, 5))
    assert "choose a kind of problem" in refused["map_message"]
    opened = Handlers(explorer).open_picked(PageRequest("mini-gsm", "", 2, picked=picked["picked"]))
    assert opened["question"] == found[3].question


def test_a_stop_ends_the_work_within_one_token(explorer):
    """Counted in the model itself, however seldom the page is drawn."""
    for start, names in (
        (lambda: Handlers(explorer).compare(ASKED), ("ending", "stop", "answers")),
        (
            lambda: Intervene(explorer).intervene(edit("zero", other="")),
            ("edit_ending", "stop_edit", "edit_answers"),
        ),
    ):
        ending, stop, answers = names
        with forward_passes(explorer.pair.base) as passes:
            frames = start()
            first = next(frames)
            next(frames), next(frames)  # by now every column writes
            first[ending].set()
            before = len(passes)
            rest = list(frames)
            assert len(passes) <= before + 1
        assert first[stop].interactive and not rest[-1][stop].interactive
        shown = [frame[answers] for frame in rest if answers in frame]
        assert "Stopped." in words(shown[-1])


def test_a_stop_before_the_first_token_leaves_the_cards_that_wait(explorer):
    frames = Handlers(explorer).compare(ASKED)
    next(frames)["ending"].set()
    *rest, last = frames
    assert not last["stop"].interactive
    assert rest[-1]["answers"] == views.idle_columns()


def test_a_stopped_trial_and_sweep_keep_what_they_have(explorer, monkeypatch):
    monkeypatch.setattr(intervene, "paced", iter)
    trial = Intervene(explorer).try_many(edit("zero", 3, other="", tried=500))
    curve = Sweep(explorer).sweep(SweepRequest("mini-gsm", 4))
    for running, kind in ((trial, "trial"), (curve, "sweep")):
        first = next(running)
        next(running)
        first[f"{kind}_ending"].set()
        *_, last = running
        assert not last[f"stop_{kind}"].interactive


def test_frames_are_paced_and_the_last_one_always_comes():
    times = iter([0.0, 0.0, 0.01, 0.02, 1.0, 1.0, 1.01])
    assert list(events.paced(iter("abcde"), lambda: next(times))) == ["a", "d", "e"]
    assert list(events.paced(iter(""))) == []


def test_a_pair_that_nobody_trained_works_and_says_so(pair):
    bare = Explorer(Pair("bare", pair.base, pair.assistant, {}))
    assert not bare.laboratory and bare.longest > Explorer(pair).longest
    untrained = [name for name, kind in METHODS.items() if kind.kind is None]
    assert [name for _, name in bare.further] == untrained[1:] and "assist-cot" in untrained
    *_, columns = bare.comparison(LOADED, 4, Sampling(max_new_tokens=4)).stream(bare.pair)
    assert [column.title for column in columns] == ["Zero-shot CoT", "SoftCoT, untrained"]
    hard, soft = cards(views.columns(columns))
    assert "untrained projection Train one" in soft and "untrained" not in hard
    *_, last = Intervene(bare).intervene(edit("zero:2"))
    shown = cards(last["edit_answers"])
    assert "With the edit zero:2" in shown[1] and "Placebo: mean" in shown[3]
    offered = Handlers(bare).pick_task(PageRequest("mini-gsm", "", 3))
    assert "new to the base" not in offered["examples"]
    assert len(bare.explore(QUESTION, "mini-gsm", 3).thoughts) == 3
    seen = bare.explore(QUESTION, "free")
    followed = Handlers(bare).follow(PageRequest("free", QUESTION, 3, seen=seen))
    assert "laboratory" not in followed["tour"]
    trained = pair.projection("mini-gsm")
    *_, columns = bare.comparison(LOADED, 4, Sampling(max_new_tokens=4)).stream(
        bare.using(trained).pair
    )
    assert columns[1].title == "SoftCoT"
    with pytest.raises(UserError, match="has no projection"):  # a record needs a training
        get_method("softcot", Pair("bare", pair.base, pair.assistant, {}), get_task("mini-gsm"))
