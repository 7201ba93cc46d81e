"""The panels that experiment: what their events send to the page."""

import json
import re

import gradio as gr
import pytest
from conftest import forward_passes

from softcot.data.problems import Problem
from softcot.data.tasks import FREE, get_task
from softcot.decoding.decoder import Sampling
from softcot.methods import get_method
from softcot.support.errors import UserError
from softcot.thoughts.edits import Edit, read_edits
from softcot.thoughts.pair import Pair
from softcot.web import events, inside_views, intervene, intervene_views, views
from softcot.web.explorer import Explorer, asked_problem
from softcot.web.handlers import Handlers
from softcot.web.inside import Inside
from softcot.web.intervene import Intervene
from softcot.web.sweep import Sweep

QUESTION = "Anna has 12 apples and buys 30 more. How many?"
LOADED = Problem("mini-gsm", QUESTION, "42", rationale="12 + 30 = 42.")


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.fixture(scope="module")
def explorer(pair) -> Explorer:
    return Explorer(pair)


@pytest.fixture
def panel(explorer) -> Intervene:
    return Intervene(explorer, [])


def cards(html: str) -> list[str]:
    return [words(card) for card in html.split("<article")[1:]]


def run(panel, edits="swap", thoughts=4, question=QUESTION, task="mini-gsm") -> list[tuple]:
    other = "Tom gives 7 pears to Anna. How many are left?"
    return list(panel.intervene(task, question, thoughts, "42", LOADED, edits, other))


def test_four_columns_answer_and_are_compared(panel):
    (message, _, stop, _), *frames, _ = run(panel)
    assert message == "" and stop.interactive
    own, edited, *placebos = cards(frames[-1][3])
    assert "Own thoughts" in own and "log p of the right answer −" in own
    assert "Edited With the edit swap" in edited and "swap" not in own
    assert ["noise" in placebos[0], "mean" in placebos[1]] == [True, True]
    for card in (edited, *placebos):
        assert re.search(r"(Same answer|Answer changed).* log p of the right answer [+−]", card)


def test_a_swap_with_the_same_question_changes_nothing(panel):
    frames = list(panel.intervene("mini-gsm", QUESTION, 4, "42", LOADED, "swap", QUESTION))
    edited = cards(frames[-2][3])[1]
    assert "Same answer" in edited and re.search(r"right answer \+0\.0", edited)


def test_free_questions_have_placebos_too(panel):
    frames = run(panel, "zero:2", task=FREE.name)
    assert "Placebo: zero" in cards(frames[-2][3])[3]


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
    *_, (message, _, stop, shown) = run(panel, **changes)
    assert sentence in message and not stop.interactive
    assert shown == intervene_views.idle()


def test_the_builder_writes_what_is_read(panel):
    text, amount, token, other = panel.compose("mix", [3, 1], 0.25, "two")
    assert read_edits(text) == (Edit("mix", (1, 3), 0.25),)
    assert amount.visible and amount.maximum == 1 and not token.visible and other.visible
    text, amount, token, other = panel.compose("add", [], -2, " two")
    assert read_edits(text) == (Edit("add", (), -2.0, "two"),)
    assert amount.minimum == -3 and token.visible and not other.visible
    assert panel.compose("add", [], 1, "")[0] == ""  # the token is still to be typed
    assert panel.compose("mix", [], -2, "")[1].value == 0


def test_the_loaded_problem_keeps_its_worked_answer():
    assert asked_problem("mini-gsm", f"{QUESTION} ", "42", LOADED) == LOADED
    changed = asked_problem("mini-gsm", "Why?", "42", LOADED)
    assert (changed.question, changed.answer, changed.rationale) == ("Why?", "42", "")
    assert not asked_problem("mini-gsm", QUESTION, "41", LOADED).rationale


def test_a_trial_shows_progress_and_ends_with_effects(panel, monkeypatch):
    monkeypatch.setattr(intervene, "paced", iter)
    (_, start, first), *frames, (_, end, _) = panel.try_many("mini-gsm", 3, "zero", "", 30)
    assert start.interactive and not end.interactive and "0 of 30 problems" in words(first)
    assert any("25 of 30 problems" in words(html) for *_, html in frames)
    table = words(frames[-1][2])
    assert "30 problems, greedy" in table and "of 30" not in table
    assert re.search(r"Edited \d+ % \( \d+ to \d+ \)", table.replace("(", "( ").replace(")", " )"))
    [(*_, refused)] = panel.try_many(FREE.name, 3, "zero", "", 30)
    assert "choose a kind of problem" in refused


def test_a_sweep_draws_a_point_for_every_k(explorer, monkeypatch):
    panel = Sweep(explorer, gr.Radio())
    panel.counts = [0, 2, 5]
    (_, start, *_), *frames, (_, end, said, *_) = panel.sweep("mini-gsm", 4)
    assert start.interactive and not end.interactive and "4 test problems" in words(said)
    figure = json.loads(frames[-1][3])
    assert [trace["x"] for trace in figure["data"]] == [[0, 2, 5]] * 3
    hard = next(explorer.try_edits("mini-gsm", 0, [], 4))
    assert "0 of 3" in words(frames[0][2]) and words(frames[-1][4]).count("ms") == 3 and hard
    [(_, _, refused, *_)] = panel.sweep(FREE.name, 4)
    assert "choose a kind of problem" in refused


def test_inside_shows_every_thought_and_every_figure(explorer):
    panel = Inside(explorer, [])
    panel.parts = [None] * len(inside_views.PARTS)
    facts, readings, effects, *drawn = panel.inspect(
        "mini-gsm", QUESTION, 3, "42", LOADED, "Dot", True
    )
    assert "effective rank" in words(facts) and "placebo" in words(facts)
    assert readings.count('class="number"') == effects.count('class="number"') == 3
    assert len(drawn) == 4 and all(json.loads(figure)["data"] for figure in drawn)
    refused, *others = panel.inspect("mini-gsm", QUESTION, 0, "", LOADED, "Cosine", False)
    assert "K = 0" in refused and len(others) == len(inside_views.PARTS)


def test_a_point_of_the_map_leads_to_its_problem(explorer):
    panel = Inside(explorer, [])
    message, figure, found = panel.draw_map("mini-gsm", 2, 5)
    assert message == "" and len(found) == 5
    numbers = {n for trace in json.loads(figure)["data"] for n in trace["customdata"]}
    assert numbers == set(range(5))
    picked, about, button = panel.pick("mini-gsm", found, gr.EventData(None, {"index": 3}))
    assert picked.question == found[3].question and button.visible
    assert found[3].answer in words(about)
    refused, *_ = panel.draw_map(FREE.name, 2, 5)
    assert "choose a kind of problem" in refused


def test_a_stop_ends_the_work_within_one_token(explorer):
    """Counted in the model itself, however seldom the page is drawn."""
    handlers = Handlers(explorer)
    asked = ("mini-gsm", QUESTION, "", 4, False, "42", LOADED, None, False, [])
    sampling = (0.0, 1.0, 160, 41, 1)
    panel = Intervene(explorer, [])
    for start in (
        lambda: handlers.compare(*asked, *sampling),
        lambda: panel.intervene("mini-gsm", QUESTION, 4, "42", LOADED, "zero", ""),
    ):
        with forward_passes(explorer.pair.base) as passes:
            frames = start()
            _, ending, stop, *_ = next(frames)
            next(frames), next(frames)  # by now every column writes
            ending.set()
            before = len(passes)
            last = list(frames)[-1]
            assert len(passes) <= before + 1
        assert stop.interactive and not last[2].interactive
        assert "Stopped." in words(last[3])


def test_a_stop_before_the_first_token_leaves_the_cards_that_wait(explorer):
    frames = Handlers(explorer).compare(
        *("mini-gsm", QUESTION, "", 4, False, "42", LOADED, None, False, []),
        *(0.0, 1.0, 160, 41, 1),
    )
    _, ending, *_ = next(frames)
    ending.set()
    [(*_, stop, shown, _, _, _, _, _, _)] = frames
    assert not stop.interactive and shown == views.idle_columns()


def test_a_stopped_trial_and_sweep_keep_what_they_have(explorer, monkeypatch):
    monkeypatch.setattr(intervene, "paced", iter)
    frames = Intervene(explorer, []).try_many("mini-gsm", 3, "zero", "", 500)
    sweep = Sweep(explorer, gr.Radio()).sweep("mini-gsm", 4)
    for running in (frames, sweep):
        ending, *_ = next(running)
        next(running)
        ending.set()
        *_, (_, stop, *_) = running
        assert not stop.interactive


def test_frames_are_paced_and_the_last_one_always_comes():
    times = iter([0.0, 0.0, 0.01, 0.02, 1.0, 1.0, 1.01])
    assert list(events.paced(iter("abcde"), lambda: next(times))) == ["a", "d", "e"]
    assert list(events.paced(iter(""))) == []


def test_a_pair_that_nobody_trained_works_and_says_so(pair):
    bare = Explorer(Pair("bare", pair.base, pair.assistant, {}))
    assert not bare.laboratory and bare.longest > Explorer(pair).longest
    assert [name for _, name in bare.further] == ["cot-unk", "assist-cot"]
    *_, columns = bare.comparison(LOADED, 4, Sampling(max_new_tokens=4)).stream(bare.pair)
    assert [column.title for column in columns] == ["Zero-shot CoT", "SoftCoT, untrained"]
    hard, soft = cards(views.columns(columns))
    assert "untrained projection Train one" in soft and "untrained" not in hard
    *_, (*_, shown) = run(Intervene(bare, []), "zero:2")
    assert "With the edit zero:2" in cards(shown)[1] and "Placebo: mean" in cards(shown)[3]
    assert "new to the base" not in Handlers(bare).pick_task("mini-gsm", 3, False)[1]
    assert len(bare.explore(QUESTION, "mini-gsm", 3).thoughts) == 3
    assert "laboratory" not in Handlers(bare).follow(bare.explore(QUESTION, "free"), 3, False)[-1]
    trained = pair.projection("mini-gsm")
    *_, columns = bare.comparison(LOADED, 4, Sampling(max_new_tokens=4)).stream(
        bare.using(trained).pair
    )
    assert columns[1].title == "SoftCoT"
    with pytest.raises(UserError, match="has no projection"):  # a record needs a training
        get_method("softcot", Pair("bare", pair.base, pair.assistant, {}), get_task("mini-gsm"))
