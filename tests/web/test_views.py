"""Data to HTML."""

import importlib
import inspect
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from jinja2 import UndefinedError, nodes

from softcot.analysis.geometry import Exploration, Geometry, Point, Shape, Thought
from softcot.analysis.inspection import Inspection
from softcot.analysis.lens import Plan, Reading
from softcot.analysis.trajectory import Trajectory
from softcot.analysis.vocabulary import Neighbour
from softcot.data.lexicon import Unread
from softcot.data.problems import Problem
from softcot.evaluation.answering import Column
from softcot.evaluation.variants import Trial
from softcot.methods import METHODS
from softcot.thoughts.pair import Pair
from softcot.thoughts.projection import Projection
from softcot.training.live import LiveTraining
from softcot.web import (
    inside_views,
    intervene_views,
    pairs_views,
    results_views,
    sweep_views,
    templating,
    tour_views,
    train_views,
    views,
)
from softcot.web.cautions import Caution
from softcot.web.explorer import Seen
from softcot.web.requests import Asked
from softcot.web.residents import Loading, Offer

WEB = Path(views.__file__).parent
VIEWS = sorted(WEB.glob("*views.py"))
EVIL = '<img src=x onerror=alert(1)> ${1+1} {{value}} & "quoted"'
HARD = Column("zero-shot-cot", "Zero-shot CoT", 0, "So it is 4.", "4", True, 9, 1.25)
SOFT = Column("softcot", "SoftCoT", 6, "So it is 5.", "5", False, 8, 1.0, done=True)


def parsed(html: str) -> ElementTree.Element:
    """The HTML as a tree: it must be well formed, and nothing in a text may have become a tag."""
    return ElementTree.fromstring(f"<div>{html}</div>")


def words(html: str) -> str:
    return " ".join("".join(parsed(html).itertext()).split())


def test_a_running_column_shows_its_text_and_no_verdict():
    hard = views.column(replace(HARD, answer=None, correct=None))
    assert "running" in hard and "9 tokens · 1.2 s" in hard
    assert "right" not in words(hard) and "wrong" not in words(hard)


def test_right_and_wrong_are_said_in_words():
    hard, soft = views.column(replace(HARD, done=True)), views.column(SOFT)
    assert "Answer 4✓ right" in words(hard) and "Answer 5✗ wrong" in words(soft)
    unknown = views.column(replace(SOFT, correct=None))
    assert "Answer 5" in words(unknown) and "wrong" not in words(unknown)
    unread = views.column(replace(SOFT, answer=None, correct=False))
    assert "no answer" in words(unread)


@pytest.mark.parametrize(
    ("thoughts", "swapped", "said"),
    [(6, False, "with 6 soft thoughts"), (1, False, "with 1 soft thought"),
     (6, True, "6 soft thoughts of another question"), (0, True, "K = 0: no thoughts")],
)  # fmt: skip
def test_the_soft_column_says_whose_thoughts_it_has(thoughts, swapped, said):
    soft = views.column(replace(SOFT, k=thoughts), swapped)
    assert said in words(soft)


def test_a_column_without_a_token_says_what_it_waits_for():
    waiting = Column("softcot", "SoftCoT", 6)
    assert "The assistant reads the question first." in views.column(waiting)
    assert "reads the question" not in views.column(waiting, stopped=True) + views.column(HARD)


def test_the_first_step_in_which_two_answers_part_is_marked_in_both():
    same, hard, soft = "Half of 8.5 is 4.25.", "He gains 2: 6.", "He loses 2: 2."
    one = replace(HARD, text=f" {same} {hard} The answer is 6.", done=True)
    other = replace(SOFT, text=f"{same}\n{soft} The answer is 2.")

    def marked(*two: Column) -> list[str]:
        return [
            mark.text for mark in parsed(views.columns(two)).findall(".//mark[@class='parting']")
        ]

    assert marked(one, other, replace(SOFT, method="lora")) == [hard, soft]
    assert marked(one, replace(one, method="softcot")) == []
    # One that has ended parts from one that goes on.
    assert marked(replace(one, text=same), other) == [soft]
    # What is still written may become the same.
    assert marked(one, replace(other, text=f"{same} He", done=False)) == []
    assert marked(one, replace(other, text=f"{same} {soft} The", done=False)) == [hard, soft]
    assert "Marked" in views.columns([one, other]) and "Marked" not in views.columns([one, one])


def test_the_words_that_are_new_to_the_base_are_underlined_in_their_sentences():
    question = "Bo has 4 eggs. Ann confiscates 3 eggs from Bo. How many are left?"
    key = "loss/{m} [confiscates] {q} [from] {n}"
    problem = Problem("mini-gsm", question, "1", meta={"unread": [key]})
    html = views.reading(problem)
    assert [new.text for new in parsed(html).iter("u")] == ["confiscates", "from"]
    assert "Ann confiscates 3 eggs from Bo." in words(html) and "are left" not in html
    assert views.reading(problem, laboratory=False) == ""
    assert views.reading(replace(problem, meta={"unread": []})) == ""
    assert views.reading(Problem("free", question)) == ""


def test_what_was_never_read_is_marked_with_a_wording_that_was():
    question = "Anna has 3 coins. How many does she have?"
    parts = (Unread(0, 4, "word"), Unread(18, len(question), "form"))
    found = Caution("question", question, parts, EVIL, True)
    html = views.caution(found, "mini")
    assert [new.text for new in parsed(html).iter("u")] == ["Anna", "How many does she have?"]
    assert "no question that mini learned from held this" in words(html)
    button = parsed(html).find(".//button")
    assert button.get("data-text") == button.text == EVIL and "Try:" in words(html)
    assert parsed(html).find(".//a").get("data-to") == ".pairs"
    assert "a problem like this" in words(views.caution(replace(found, is_near=False), "mini"))
    note = words(views.caution(replace(found, part="note", is_near=False), "mini"))
    assert "no note that mini learned from held this" in note and "a note like this" in note
    assert views.caution(None, "mini") == ""


def test_no_answer_to_what_was_never_read_is_called_right():
    done = [replace(HARD, done=True), SOFT]
    cards = parsed(views.columns(done, unread=True)).findall(".//article")
    badges = [[badge.text for badge in card.findall(".//*[@class]")
               if badge.get("class").startswith("badge")] for card in cards]  # fmt: skip
    assert badges == [["not read"], ["not read", "✗ wrong"]]
    assert words(views.columns(done, unread=True)).count("the answer is luck") == 2
    assert "luck" not in words(views.columns(done)) and "✓ right" in words(views.columns(done))
    four = [replace(done[0], title=f"SoftCoT, {edit}") for edit in ("", "zero", "noise", "mean")]
    four[0] = replace(four[0], title="SoftCoT")
    assert words(intervene_views.cards(four)).count("✓ right") == 4
    assert "✓ right" not in words(intervene_views.cards(four, unread=True))


def planned(*tokens: str, length: int) -> Seen:
    said = [Reading(place, token, 0.9) for place, token in enumerate(tokens)]
    noise = [Reading(9, "·noise", 0.2)] * len(said)
    return Seen("Why?", [], [], [], (0.1, 0.1, 0.1), Plan(said, noise, length))


def test_the_plan_has_a_chip_for_each_thought_and_padding_is_done():
    seen = planned("multiply", "·2", "4", "<end>", "est", length=3)
    page = parsed(views.plan(seen, 5, swapped=False))
    chips = page.findall(".//li[@data-thought]")
    assert ["".join(chip.itertext()).split() for chip in chips] == [
        ["1", "multiply"], ["2", "2"], ["3", "4"],
    ]  # fmt: skip
    assert [chip.get("class") for chip in chips] == [None, None, "joined"]
    assert "".join(page.find(".//li[@class='padding']").itertext()).split() == ["4", "5", "done"]
    fewer = parsed(views.plan(seen, 2, swapped=False))
    assert len(fewer.findall(".//li")) == 2 and "done" not in words(views.plan(seen, 2, False))
    assert "noise" not in words(views.plan(seen, 5, False))
    assert "K = 0: no thoughts" in words(views.plan(seen, 0, False))


def test_a_swapped_plan_says_so_and_one_that_says_nothing_stands_beside_the_placebo():
    seen = planned("add", "<end>", length=1)
    assert "Another question's plan" in words(views.plan(seen, 2, swapped=True))
    assert "arriving" in views.plan(seen, 2, True, arriving=True)
    silent = words(views.plan(planned("↵", "↵", length=2), 2, swapped=False))
    assert "say nothing that reads as a plan" in silent and silent.count("·noise") == 2


def test_answers_say_what_they_belong_to_where_that_is_something_else():
    asked = Asked("Why?", 4, "Who?")
    assert "<p" in views.standing(asked, False) and not words(views.standing(asked, False))
    stale = words(views.standing(asked, True))
    assert "belong to Why? K = 4 with the thoughts of Who?" in stale
    assert "the thoughts of" not in words(views.standing(replace(asked, donor=""), True))
    opening = replace(asked, opening=True)
    assert "Asked for you" in words(views.standing(opening, False))
    assert "Asked for you" not in words(views.standing(opening, True))
    assert views.standing(None, False) == ""


def test_every_method_has_a_card_that_says_what_it_gives():
    shown = [Column(name, kind.title, 3) for name, kind in METHODS.items()]
    page = parsed(views.columns(shown))
    assert len(page.findall(".//article")) == len(METHODS)
    abouts = [about.text for about in page.findall(".//p[@class='about']")]
    assert len(set(abouts)) == len(METHODS) and not any("{" in about for about in abouts)


def test_notes_votes_and_a_stop_are_told():
    voted = replace(SOFT, votes={"5": 3, "4": 1}, note="The text was cut off.")
    assert "Votes: 5 ×3 · 4 ×1" in words(views.column(voted))
    assert "The text was cut off." in words(views.column(voted))
    assert "Stopped." in words(views.column(HARD, stopped=True))
    assert "Stopped." not in words(views.column(SOFT, stopped=True))


def all_views(text: str, pair: Pair) -> dict[Callable, str]:
    """What every view function shows where `text` is all that people and models wrote."""
    near = [Neighbour(1, text, 0.5)]
    read = [[Reading(1, text, 0.5)]]
    seen = Seen(
        question=text,
        thoughts=[Thought(1, 1.0, near, near, Point(text, 0, 0), [])],
        question_points=[],
        vocabulary_points=[],
        explained=(0.1, 0.1, 0.1),
        plan=Plan(read[0], read[0], 1),
    )
    one = np.ones(1)
    shapes = [Shape(np.ones((1, 1)), 1.0, one)] * 2
    inspected = Inspection(seen, Geometry(one, *shapes), read, [], text, one, one, one, one)
    said = {"text": text, "note": text, "votes": {text: 2}, "done": True, "gold_logprob": -1.0}
    own = replace(SOFT, answer=text, **said)
    edited = replace(own, title=f"SoftCoT, {text}", answer="4")
    placebo = replace(own, title="SoftCoT, noise")
    trial = Trial("own", 2, [text], [True], [-1.0])
    result = SimpleNamespace(finished=True, seconds=1.0, best_step=1, best_loss=1.0)
    live = LiveTraining(9, shipped=0.5, phase="finished", accuracies=[(1, 0.5)], result=result)
    cell = {"text": text, "low": -1.0, "high": 1.0, "best": True, "command": text}
    rows = [[{**cell, "value": value, "source": "paper"} for value in (None, 1.0)]]
    table = {"title": text, "columns": [text] * 3, "rows": rows, "note": text}
    figure = {"title": text, "alt": text, "plotly": {"data": [{"name": text}]}}
    section = {"id": text, "title": text, "text": text, "tables": [table], "figures": [figure]}
    named = Pair(text, pair.base, pair.assistant, {})
    offer = Offer(text, "absent", 0.6, licence=text)
    return {
        views.examples: views.examples([Problem("mini-gsm", text, text, meta={"unread": [text]})]),
        views.columns: views.columns([own, edited, Column("cot-unk", text, 3, note=text)], True),
        views.caution: views.caution(
            Caution("question", text, (Unread(0, 3, "word"),), text, True), text
        ),
        views.idle_columns: views.idle_columns(),
        views.column: views.column(own, stopped=True),
        views.message: views.message(text),
        views.progress: views.progress(1, 2, text),
        views.strip: views.strip(text, 2),
        views.reading: views.reading(Problem("", f"It is {text}", meta={"unread": ["fact/It"]})),
        views.plan: views.plan(seen, 2, True),
        views.standing: views.standing(Asked(text, 2, text), True),
        views.origin: views.origin(seen, 2, True, text),
        views.sampled: views.sampled(0.7, 42),
        views.thought_table: views.thought_table(seen.thoughts),
        inside_views.heading: inside_views.heading(text, text),
        inside_views.facts: inside_views.facts(inspected),
        inside_views.readings: inside_views.readings(inspected),
        inside_views.effects: inside_views.effects(inspected),
        inside_views.entry: inside_views.entry(
            Trajectory("1", text, text, text, False, [], [text])
        ),
        intervene_views.idle: intervene_views.idle(),
        intervene_views.cards: intervene_views.cards([own, edited, placebo, placebo]),
        intervene_views.effects: intervene_views.effects([trial, replace(trial, label="mean")], 9),
        sweep_views.said: sweep_views.said("mini-gsm", 3),
        sweep_views.progress: sweep_views.progress([trial], 9),
        sweep_views.table: sweep_views.table([trial]),
        train_views.status: train_views.status(live),
        train_views.brought: train_views.brought(Projection(1, 1, task=text)),
        tour_views.tour: tour_views.tour(seen, 1, named),
        pairs_views.picker: pairs_views.picker([offer], text, offer),
        pairs_views.facts: pairs_views.facts(SimpleNamespace(pair=named, device=text)),
        pairs_views.absent: pairs_views.absent(offer, text),
        pairs_views.coming: pairs_views.coming(Loading(text, fetches=True), text),
        results_views.results: results_views.results(
            {"title": text, "note": text, "sections": [section], "conclusions": [text]}
        ),
    }


def structure(html: str, text: str) -> tuple[list, str]:
    """The tags with their attributes, and what stands between them, without `text`."""

    def without(said: str) -> str:
        return said.replace(json.dumps(text)[1:-1], "…").replace(text, "…")

    tree = parsed(html)
    tags = [(tag.tag, {name: without(said) for name, said in tag.items()}) for tag in tree.iter()]
    return tags, without("".join(tree.itertext()))


def test_no_text_can_become_markup(pair):
    harmless = re.sub(r"[^\w ]", "x", EVIL)
    shown, expected = all_views(EVIL, pair), all_views(harmless, pair)
    modules = [importlib.import_module(f"softcot.web.{file.stem}") for file in VIEWS]
    functions = {
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }
    assert shown.keys() == functions, "every function is tried"
    for function, html in shown.items():
        assert structure(html, EVIL) == structure(expected[function], harmless), function
    silent = {key for key, html in shown.items() if EVIL not in "".join(parsed(html).itertext())}
    numbers = {inside_views.effects, intervene_views.effects, sweep_views.table, train_views.status}
    numbers.add(sweep_views.progress)
    assert silent == numbers | {
        views.sampled,
        views.idle_columns,
        intervene_views.idle,
        sweep_views.said,
    }


def test_only_templates_make_html_and_none_turns_escaping_off():
    assert templating.ENVIRONMENT.autoescape is True
    for file in (WEB / "templates").glob("*.html"):
        tree = templating.ENVIRONMENT.parse(file.read_text(encoding="utf-8"))
        unsafe = (nodes.EvalContextModifier, nodes.MarkSafe, nodes.MarkSafeIfAutoescape)
        assert not list(tree.find_all(unsafe)), file.name
        filters = {one.name for one in tree.find_all(nodes.Filter)}
        assert not filters & {"safe", "tojson", "urlize", "xmlattr"}, file.name
    marked = [file.name for file in WEB.glob("*.py") if "Markup" in file.read_text("utf-8")]
    assert marked == ["tour_views.py"], "the figure, which is a file of this project"
    assert not [file.name for file in VIEWS if re.search("</?[a-z]", file.read_text("utf-8"))]


def test_a_value_that_is_missing_is_an_error():
    with pytest.raises(UndefinedError, match="question"):
        templating.render("strip.html", k=1)


def test_the_table_follows_k():
    near = [Neighbour(1, "·plus", 0.5)]
    thoughts = [Thought(n, 1.5, near, near, Point("", 0, 0), []) for n in (1, 2, 3)]
    tree = parsed(views.thought_table(thoughts))
    assert len(tree.findall(".//tbody/tr")) == 3 and len(tree.findall(".//thead/tr/th")) == 4
    assert "K = 0" in words(views.thought_table([]))


def test_silence_is_empty_and_an_alert_is_an_alert():
    assert views.message("") == ""
    assert 'role="alert"' in views.message("The question is empty; type a question.")


def test_the_tour_is_about_the_question_and_leads_to_every_panel(pair):
    near = [Neighbour(1, "·<plus>", 0.5)]
    thoughts = [Thought(n, 1.5, near, near, Point("", 0, 0, 0), []) for n in range(1, 11)]
    seen = Exploration(EVIL, thoughts, [], [], (0.1, 0.1, 0.1))
    html = tour_views.tour(seen, 9, pair)
    assert "<svg" in html and "Projection" in html and "laboratory" in html
    assert html.count("http") == html.count("http://www.w3.org/")
    page = parsed(html)
    assert words(html).count(" ".join(EVIL.split())) == 2 and "<plus>" in words(html)
    assert html.count("▢") == html.count("▣") == 9
    tabs = {link.get("data-tab") for link in page.findall(".//a")}
    assert tabs == {"compare", "intervene", "inside", "sweep", "train", "results"}
    assert "K = 0: no thoughts" in words(tour_views.tour(seen, 0, pair))


def test_swapped_thoughts_are_shown_in_the_prompt_of_the_question_that_is_answered(pair):
    seen = Exploration("The other one?", [], [], [], (0.1, 0.1, 0.1))
    steps = parsed(tour_views.tour(seen, 2, pair, prompted="The asked one?")).findall(".//ol/li")
    read, _, spliced, *_ = [" ".join("".join(step.itertext()).split()) for step in steps]
    assert "The other one?" in read and "The asked one?" not in read
    assert "The asked one?" in spliced and "The other one?" not in spliced
    assert "Swapped" in read and "Swapped" in spliced
    assert "Swapped" not in tour_views.tour(seen, 2, pair)
