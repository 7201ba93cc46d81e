"""The report's figures: Plotly takes them, they carry their intervals, and need no colour."""

import json

import plotly.graph_objects as go
import pytest
from synthetic import record_of

from softcot.evaluation.experiments import MAKERS, mini_tasks, plan, trained_tasks
from softcot.methods import METHODS
from softcot.report import build
from softcot.report.charts import ACCENT, GREY


@pytest.fixture(scope="module")
def figures():
    """By section."""
    work = {"prompt_tokens": 10.0, "heard_tokens": 5.0, "token_flops": 2e9, "first_flops": 3e9}
    records = [
        record_of(run, 1 + number % 3, n=4, work=work) for number, run in enumerate(plan("all"))
    ]
    drawn = [section for section in build(records).sections if section.figures]
    return {section.id: section.figures[0] for section in drawn}


def test_every_section_but_one_has_a_figure_that_plotly_takes(figures):
    assert len(figures) == 11
    for figure in figures.values():
        drawn = go.Figure(figure.plotly)
        assert len(drawn.data) == len(figure.plotly["data"]) > 0
        assert figure.alt and any(letter.isdigit() for letter in figure.alt)


def test_traces_have_names_error_bars_and_data(figures):
    for figure in figures.values():
        for trace in figure.plotly["data"]:
            if trace.get("hoverinfo") == "skip":  # a band: the intervals themselves
                assert trace["y"]
                continue
            assert trace["name"]
            assert len(trace["x"]) == len(trace["y"]) == len(trace["customdata"])
            along = "x" if "error_x" in trace else "y"
            bars = trace.get(f"error_{along}")
            if bars is None:  # it would hide others: a pointer reads the intervals
                assert "customdata[0]" in trace["hovertemplate"]
                continue
            for value, up, down, (low, high) in zip(
                trace[along], bars["array"], bars["arrayminus"], trace["customdata"], strict=True
            ):
                assert (value + up, value - down) == pytest.approx((high, low), abs=1e-3)


def test_colours_of_text_and_paper_are_left_to_the_theme(figures):
    for figure in figures.values():
        layout = figure.plotly["layout"]
        assert not {"template", "font", "paper_bgcolor", "plot_bgcolor"} & layout.keys()
        for trace in figure.plotly["data"]:
            shown = (
                json.dumps([trace["name"], trace["x"], trace["y"]])
                if "name" in trace
                else "SoftCoT"
            )
            assert "SoftCoT" in shown or ACCENT not in json.dumps(trace)


def looks(trace):
    """All that tells a trace from another, but its colour."""
    marker = trace["marker"]
    pattern, symbol = marker.get("pattern", {}), marker.get("symbol")
    size = pattern.get("size") if pattern.get("shape") else None
    return (pattern.get("shape"), size, symbol, trace.get("line", {}).get("dash"))


def test_figures_can_be_read_without_colour(figures):
    traces = figures["makers"].plotly["data"]
    plain = [looks(trace) for trace in traces if trace["marker"]["color"] == GREY]
    assert len(set(plain)) == len(plain) == len(MAKERS) - 1
    *traces, soft = figures["main"].plotly["data"]
    assert len({looks(trace) for trace in traces}) == len(traces)
    assert soft["y"] == ["SoftCoT"]  # on a line of its name, as all others
    traces = figures["thoughts"].plotly["data"]
    for kind in ("SoftCoT", "Assist-CoT"):
        of_kind = [looks(trace) for trace in traces if trace["name"].startswith(kind)]
        assert len(set(of_kind)) == len(trained_tasks())


def test_every_method_has_a_line_and_every_task_a_marker_on_it(figures):
    *traces, average, soft = figures["main"].plotly["data"]
    assert [trace["name"] for trace in traces] == mini_tasks()
    for trace in (*traces, average):
        assert trace["y"] == [method.title for method in METHODS.values()]
    at = average["y"].index("SoftCoT")
    assert soft["x"] == [average["x"][at]]


def test_the_range_of_training_is_shaded(figures):
    [shape] = figures["thoughts"].plotly["layout"]["shapes"]
    assert (shape["x0"], shape["x1"]) == (1, 16)
