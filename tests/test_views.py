"""Data to HTML."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from softcot.analysis import Point, Thought
from softcot.answering import Column
from softcot.problems import Problem
from softcot.vocabulary import Neighbour
from softcot.web import views

EVIL = '<img src=x onerror=alert(1)> ${1+1} {{value}} & "quoted"'
HARD = Column("zero-shot-cot", "Zero-shot CoT", 0, "So it is 4.", "4", True, 9, 1.25)
SOFT = Column("softcot", "SoftCoT", 6, "So it is 5.", "5", False, 8, 1.0, done=True)


def parsed(html: str) -> ElementTree.Element:
    """The HTML as a tree: it must be well formed, and nothing in a text may have become a tag."""
    return ElementTree.fromstring(f"<div>{html}</div>")


def words(html: str) -> str:
    return " ".join("".join(parsed(html).itertext()).split())


def test_a_running_column_shows_its_text_and_no_verdict():
    hard, _ = views.columns([replace(HARD, answer=None, correct=None), SOFT])
    assert "running" in hard and "9 tokens · 1.2 s" in hard
    assert "right" not in words(hard) and "wrong" not in words(hard)


def test_right_and_wrong_are_said_in_words():
    hard, soft = views.columns([replace(HARD, done=True), SOFT])
    assert "Answer 4✓ right" in words(hard) and "Answer 5✗ wrong" in words(soft)
    (unknown,) = views.columns([replace(SOFT, correct=None)])
    assert "Answer 5" in words(unknown) and "wrong" not in words(unknown)
    (unread,) = views.columns([replace(SOFT, answer=None, correct=False)])
    assert "no answer" in words(unread)


@pytest.mark.parametrize(
    ("thoughts", "swapped", "said"),
    [(6, False, "with 6 soft thoughts"), (1, False, "with 1 soft thought"),
     (6, True, "6 soft thoughts of another question"), (0, True, "K = 0: no thoughts")],
)  # fmt: skip
def test_the_soft_column_says_whose_thoughts_it_has(thoughts, swapped, said):
    _, soft = views.columns([HARD, replace(SOFT, thoughts=thoughts)], swapped)
    assert said in words(soft)


def test_notes_votes_and_a_stop_are_told():
    voted = replace(SOFT, votes={"5": 3, "4": 1}, note="The text was cut off.")
    assert "Votes: 5 ×3 · 4 ×1" in words(views.columns([voted])[0])
    assert "The text was cut off." in words(views.columns([voted])[0])
    assert "Stopped." in words(views.columns([HARD], stopped=True)[0])
    assert "Stopped." not in words(views.columns([SOFT], stopped=True)[0])


def test_no_text_can_become_markup(pair):
    problem = Problem("mini-gsm", EVIL, EVIL, meta={"unread": [EVIL]})
    near = [Neighbour(1, EVIL, 0.5)]
    thought = Thought(1, 1.0, near, near, Point("1", 0, 0), [Point(EVIL, 0, 0)])
    shown = [
        views.examples([problem]),
        views.message(EVIL),
        views.thought_table([thought]),
        views.header(pair, EVIL),
        *views.columns([replace(SOFT, text=EVIL, answer=EVIL, note=EVIL, votes={EVIL: 2})]),
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


def test_the_figure_is_shown_and_carries_no_foreign_address():
    html = views.how_it_works()
    assert "<svg" in html and "Projection" in html and "laboratory" in html
    assert html.count("http") == html.count("http://www.w3.org/")
    parsed(html)
