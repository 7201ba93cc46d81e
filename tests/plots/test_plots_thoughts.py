"""Figures of space, cosines, lens, attention and trajectories."""

import json

import numpy as np
import pytest

from softcot.analysis.geometry import Exploration, Point, Thought
from softcot.analysis.lens import Reading
from softcot.analysis.trajectory import Trajectory
from softcot.analysis.vocabulary import Neighbour
from softcot.plots import template
from softcot.plots.thoughts import (
    MOST_KINDS,
    attention_heatmap,
    cosine_heatmap,
    lens_heatmap,
    thought_space,
    trajectory_map,
)

EXPLAINED = (0.123, 0.045, 0.031)


def thought(number: int) -> Thought:
    near = [Neighbour(number, f"·near{number}", 0.5), Neighbour(99, "·shared", 0.4)]
    points = [Point(f"·near{number}", number + 1.0, 0.0, 3.0), Point("·shared", 5.0, 5.0, 5.0)]
    place = Point(str(number), float(number), -2.0, 10.0 * number)
    return Thought(number, 1.25, near, near, place, points)


@pytest.fixture
def exploration() -> Exploration:
    return Exploration(
        question="How many?",
        thoughts=[thought(number) for number in (1, 2, 3)],
        question_points=[Point("·many", 0.5, 0.5, 0.5)],
        vocabulary_points=[Point("a", -4.0, 8.0, 1.0), Point("<b>", 12.0, -6.0, 2.0)],
        explained=EXPLAINED,
    )


def entry(number: int, kind: str = "add", read: bool = True) -> Trajectory:
    points = [Point(str(slot), number + slot / 10, -slot, 0.0) for slot in (1, 2)]
    return Trajectory(f"id{number}", f"Question {number}?", "4", kind, read, points, [kind] * 2)


def test_thoughts_stand_in_space_among_the_words(exploration):
    figure = thought_space(exploration, 2)
    vocabulary, question, ties, near, shown = figure.data
    assert (list(shown.x), list(shown.y), list(shown.z)) == ([1, 2], [-2, -2], [10, 20])
    assert list(shown.text) == ["1", "2"] and list(question.z) == [0.5]
    assert list(vocabulary.z) == [1, 2] and vocabulary.hovertext[1] == "&lt;b&gt;"
    assert list(near.text) == ["·near1", "", "·near2"] and list(near.z) == [3, 5, 3]
    assert list(ties.z) == [10, 3, None, 20, 3, None]


def test_the_space_holds_still_while_k_moves(exploration):
    figures = [thought_space(exploration, k) for k in range(4)]
    assert len({tuple(figure.layout.scene.zaxis.range) for figure in figures}) == 1
    low, high = figures[0].layout.scene.zaxis.range
    assert low < 0.5 and high > 30
    assert len(figures[0].data[-1].x) == 0
    titles = [figures[0].layout.scene[f"{axis}axis"].title.text for axis in "xyz"]
    assert all(share in title for share, title in zip(("12.3%", "4.5%", "3.1%"), titles))
    assert {figure.layout.uirevision for figure in figures} == {"thought-space"}


def test_cosines_are_shown_between_minus_one_and_one():
    cosines = np.array([[1, -0.25, 0.5], [-0.25, 1, 0], [0.5, 0, 1]], np.float32)
    figure = cosine_heatmap(cosines)
    (trace,) = figure.data
    assert np.array(trace.z) == pytest.approx(cosines)
    assert list(trace.x) == list(trace.y) == [1, 2, 3] and trace.coloraxis == "coloraxis2"
    scale = figure.layout.coloraxis2
    assert (scale.cmin, scale.cmax, scale.colorbar.title.text) == (-1, 1, "cosine")
    assert figure.layout.yaxis.autorange == "reversed"


def test_the_lens_writes_the_likeliest_token_and_tells_the_others():
    def cell(layer: int, slot: int) -> list[Reading]:
        best = Reading(1, f"<i>{layer}{slot}", 0.5 + layer / 10 + slot / 100)
        return [best, Reading(2, "·a-very-long-token", 0.125)]

    figure = lens_heatmap([[cell(layer, slot) for slot in range(2)] for layer in range(3)])
    (trace,) = figure.data
    assert np.array(trace.z) == pytest.approx(np.array([[0.5, 0.51], [0.6, 0.61], [0.7, 0.71]]))
    assert list(trace.x) == [1, 2] and list(trace.y) == [0, 1, 2]
    assert trace.text[1][0] == "&lt;i&gt;10" and trace.texttemplate == "%{text}"
    assert trace.hovertext[2][1] == "&lt;i&gt;21 71.0%<br>·a-very-long-token 12.5%"
    scale = figure.layout.coloraxis
    assert (scale.cmin, scale.cmax, scale.colorbar.title.text) == (0, 1, "probability")
    long = lens_heatmap([[[Reading(2, "·a-very-long-token", 0.125)]]]).data[0].text[0][0]
    assert long == "·a-very-…"


def test_attention_is_layers_by_heads_from_nothing_upwards():
    shares = np.array([[0.1, 0.2, 0.3], [0.0, 0.6, 0.05]])
    figure = attention_heatmap(shares, "share of thought 2")
    (trace,) = figure.data
    assert np.array(trace.z) == pytest.approx(shares)
    assert list(trace.x) == [1, 2, 3] and list(trace.y) == [1, 2]
    scale = figure.layout.coloraxis
    assert (scale.cmin, scale.cmax) == (0, 0.6)
    assert scale.colorbar.title.text == "share of thought 2"
    assert attention_heatmap(np.zeros((2, 3))).layout.coloraxis.cmax > 0


def test_a_trajectory_map_has_a_colour_for_each_kind():
    entries = [entry(0, "add"), entry(1, "halve", read=False), entry(2, "add")]
    figure = trajectory_map(entries, EXPLAINED)
    add, halve = figure.data
    assert (add.name, halve.name) == ("add", "halve")
    assert list(add.x) == [0.1, 0.2, 2.1, 2.2] and list(add.y) == [-1, -2, -1, -2]
    assert list(add.customdata) == [0, 0, 2, 2] and list(halve.customdata) == [1, 1]
    assert set(add.marker.symbol) == {"circle"} and set(halve.marker.symbol) == {"x"}
    assert halve.hovertext[1] == "thought 2 of Question 1?"
    assert "not read" in figure.layout.annotations[0].text
    assert "12.3%" in figure.layout.xaxis.title.text and "4.5%" in figure.layout.yaxis.title.text


def test_rare_kinds_share_the_last_colour():
    kinds = [f"kind {n}" for n in range(MOST_KINDS + 2)]
    entries = [entry(n, kind) for kind in kinds[:-3] for n in (1, 2)]
    entries += [entry(9, kind) for kind in kinds[-3:]]
    figure = trajectory_map(entries, EXPLAINED)
    assert len(figure.data) == MOST_KINDS == len(template("light").layout.colorway)
    assert figure.data[-1].name == "3 others" and len(figure.data[-1].x) == 6
    assert sum(len(trace.x) for trace in figure.data) == 2 * len(entries)
    assert len(trajectory_map(entries[:-4], EXPLAINED).data) == MOST_KINDS - 1
    assert trajectory_map([], EXPLAINED).data == ()


def test_a_long_question_is_cut_and_stays_text():
    long = Trajectory("id", "<b>" + "x" * 99, "4", "add", True, [Point("1", 0.0, 0.0)], ["add"])
    (trace,) = trajectory_map([long], EXPLAINED).data
    assert trace.hovertext[0] == "thought 1 of &lt;b&gt;" + "x" * 56 + "…"


def test_every_figure_takes_its_colours_from_the_template(exploration):
    figures = [
        thought_space(exploration, 3),
        cosine_heatmap(np.eye(3)),
        lens_heatmap([[[Reading(1, "a", 0.5)]]]),
        attention_heatmap(np.ones((2, 2)) / 2),
        trajectory_map([entry(0)], EXPLAINED),
    ]
    revisions = set()
    for figure in figures:
        drawn = json.loads(figure.to_json())
        revisions.add(drawn["layout"]["uirevision"])
        assert drawn["layout"].pop("template") == template("light").to_plotly_json()
        assert "#" not in json.dumps(drawn) and "colorscale" not in json.dumps(drawn)
        assert "http" not in json.dumps(drawn)
    assert len(revisions) == len(figures)


def test_large_tables_number_only_some_of_their_rows():
    layout = attention_heatmap(np.zeros((48, 8))).layout
    assert layout.yaxis.dtick == 3 and layout.xaxis.dtick == 1
    assert layout.yaxis.showticklabels and layout.xaxis.title.text == "head"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_kinds_and_thoughts_stand_out_from_the_paper(theme):
    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return float(np.dot((0.2126, 0.7152, 0.0722), linear))

    look = template(theme)
    paper = luminance({"light": "#ffffff", "dark": "#17191c"}[theme])
    colours = [*look.layout.colorway, look.data.scatter3d[4].marker.color]
    colours += [look.layout.coloraxis.colorscale[1][1], look.layout.coloraxis2.colorscale[0][1]]
    for colour in colours:
        low, high = sorted((luminance(colour), paper))
        assert (high + 0.05) / (low + 0.05) > 3, colour
    assert look.layout.coloraxis.colorscale[0][1] == look.layout.coloraxis2.colorscale[1][1]
