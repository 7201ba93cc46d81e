"""Numbers to figures."""

import json
from itertools import pairwise

import plotly.graph_objects as go
import pytest

from softcot.analysis.geometry import Exploration, Point, Thought
from softcot.analysis.vocabulary import Neighbour
from softcot.plots import axis_titles, frame, template, templates, thought_map


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def thought(number: int) -> Thought:
    near = [Neighbour(number, f"·near{number}", 0.5), Neighbour(99, "·shared", 0.4)]
    points = [Point(f"·near{number}", number + 1.0, 0.0), Point("·shared", 5.0, 5.0)]
    place = Point(str(number), float(number), -2.0)
    return Thought(number, 1.25, near, near, place, points)


@pytest.fixture
def exploration() -> Exploration:
    return Exploration(
        question="How many?",
        thoughts=[thought(number) for number in (1, 2, 3)],
        question_points=[Point("·many", 0.5, 0.5)],
        vocabulary_points=[Point("a", -4.0, 8.0), Point("b", 12.0, -6.0)],
        explained=(0.123, 0.045, 0.031),
    )


def traces(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data if trace.name}


def test_thoughts_are_numbered_and_stand_where_they_are(exploration):
    shown = traces(thought_map(exploration, 3))["soft thoughts"]
    assert list(shown.text) == ["1", "2", "3"]
    assert list(shown.x) == [1, 2, 3] and set(shown.y) == {-2}


def test_other_makers_stand_on_the_map_and_within_its_frame(exploration):
    far = [Point("1", 40.0, 0.0), Point("2", 1.0, 60.0)]
    figure = thought_map(exploration, 1, [("Self-thoughts", far)])
    assert list(traces(figure)["Self-thoughts"].x) == [40]
    assert figure.layout.xaxis.range[1] > 40 and figure.layout.yaxis.range[1] > 60


def test_the_figure_follows_k(exploration):
    for k in (0, 1, 3):
        shown = traces(thought_map(exploration, k))
        assert len(shown["soft thoughts"].x) == k
        assert len(shown["nearest tokens"].x) == (k + 1 if k else 0)
        assert len(shown["vocabulary"].x) == 2 and len(shown["tokens of the question"].x) == 1


def test_the_frame_holds_everything_and_still_while_k_moves(exploration):
    figures = [thought_map(exploration, k) for k in range(4)]
    for axis in ("xaxis", "yaxis"):
        ranges = [tuple(figure.layout[axis].range) for figure in figures]
        assert all(one == other for one, other in pairwise(ranges))
    low, high = figures[0].layout.yaxis.range
    assert low < -6 and high > 8


def test_a_zoom_outlives_a_new_figure(exploration):
    one, other = thought_map(exploration, 1), thought_map(exploration, 2)
    assert one.layout.uirevision == other.layout.uirevision is not None


def test_the_axes_say_what_they_explain(exploration):
    layout = thought_map(exploration, 2).layout
    assert "12.3%" in layout.xaxis.title.text and "4.5%" in layout.yaxis.title.text


def test_every_axis_has_its_share():
    assert axis_titles((0.5, 0.25, 0.125)) == [
        "1st axis · 50.0% of the variance",
        "2nd axis · 25.0%",
        "3rd axis · 12.5%",
    ]
    assert len(axis_titles((0.5, 0.25))) == 2


def test_a_frame_has_a_margin_around_all_points(exploration):
    ranges = frame(exploration, "xyz")
    assert ranges["x"] == pytest.approx([-4 - 0.06 * 16, 12 + 0.06 * 16])
    assert ranges["z"][0] < 0 < ranges["z"][1]


def test_only_the_nearest_token_is_written_and_the_others_can_be_pointed_at(exploration):
    near = traces(thought_map(exploration, 2))["nearest tokens"]
    assert [text for text in near.text if text] == ["·near1", "·near2"]
    assert "·shared" in near.hovertext


def test_markup_in_a_token_stays_text(exploration):
    exploration.vocabulary_points[0] = Point("<b>bold</b> & co", 0.0, 0.0)
    shown = traces(thought_map(exploration, 0))["vocabulary"]
    assert shown.hovertext[0] == "&lt;b&gt;bold&lt;/b&gt; &amp; co"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_must_be_read_can_be_read(theme):
    paper = {"light": "#ffffff", "dark": "#17191c"}[theme]
    look = template(theme)
    assert contrast(look.layout.font.color, paper) > 10
    question, _, near, thoughts, *makers = look.data.scatter[1:]
    assert contrast(question.textfont.color, paper) > 4.5
    assert contrast(near.textfont.color, paper) > 4.5
    assert contrast(thoughts.textfont.color, thoughts.marker.color) > 4.5
    assert contrast(thoughts.marker.color, paper) > 3
    assert all(contrast(maker.marker.color, paper) > 3 for maker in makers)


def test_templates_are_json_for_both_themes():
    both = json.loads(templates())
    assert set(both) == {"light", "dark"}
    assert len(both["dark"]["data"]["scatter"]) == len(thought_map_traces())


def thought_map_traces() -> tuple:
    empty = Exploration("", [], [], [Point("a", 0.0, 0.0)], (0.5, 0.3, 0.1))
    return thought_map(empty, 0, [(str(number), []) for number in range(6)]).data
