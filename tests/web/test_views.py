"""Data to HTML."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from softcot.analysis.geometry import Exploration, Point, Thought
from softcot.analysis.vocabulary import Neighbour
from softcot.data.problems import Problem
from softcot.evaluation.answering import Column
from softcot.methods import METHODS
from softcot.web import tour_views, views

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


def test_no_text_can_become_markup(pair):
    problem = Problem("mini-gsm", EVIL, EVIL, meta={"unread": [EVIL]})
    near = [Neighbour(1, EVIL, 0.5)]
    thought = Thought(1, 1.0, near, near, Point("1", 0, 0), [Point(EVIL, 0, 0)])
    shown = [
        views.examples([problem]),
        views.message(EVIL),
        views.thought_table([thought]),
        views.header(pair, EVIL),
        views.columns([replace(SOFT, text=EVIL, answer=EVIL, note=EVIL, votes={EVIL: 2})]),
    ]
    for html in shown:
        assert EVIL in "".join(parsed(html).itertext())
        assert not parsed(html).findall(".//img")


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
