"""The figure of a training in progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from softcot.plots import ACCENT, chart_template

if TYPE_CHECKING:  # names only: no model is needed to draw
    from softcot.training.live import LiveTraining

GREY = "#8a929c"


def training_chart(live: LiveTraining) -> go.Figure:
    """Accuracy between zero-shot CoT and the shipped projection, the losses, and the collapse."""
    figure = make_subplots(
        rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.07, row_heights=[0.4, 0.36, 0.24]
    )
    lines = [("hard CoT", live.alone, "dot"), ("shipped projection", live.shipped, "dash")]
    for name, value, dash in lines:
        if value is not None:
            figure.add_scatter(
                x=[0, live.total],
                y=[100 * value] * 2,
                row=1,
                col=1,
                mode="lines",
                name=name,
                line={"color": GREY, "dash": dash, "width": 1.5},
            )
    figure.add_scatter(
        x=[step for step, _ in live.accuracies],
        y=[100 * share for _, share in live.accuracies],
        row=1,
        col=1,
        mode="lines+markers",
        name="this projection",
        line={"color": ACCENT, "width": 2},
        marker={"size": 8},
    )
    for name, points, style in (
        ("training loss", live.losses, {"color": GREY, "width": 1}),
        ("validation loss", live.validation, {"color": ACCENT, "width": 2}),
        ("with swapped thoughts", live.swapped, {"color": ACCENT, "width": 2, "dash": "dot"}),
    ):
        figure.add_scatter(
            x=[step for step, _ in points],
            y=[round(loss, 5) for _, loss in points],
            row=2,
            col=1,
            mode="lines",
            name=name,
            line=style,
        )
    figure.add_scatter(
        x=[step for step, _ in live.collapses],
        y=[round(found["cosine"], 4) for _, found in live.collapses],
        customdata=[round(found["effective_rank"], 2) for _, found in live.collapses],
        hovertemplate="%{y}, effective rank %{customdata}",
        row=3,
        col=1,
        mode="lines+markers",
        name="likeness of two questions' thoughts",
        line={"color": ACCENT, "width": 2, "dash": "dashdot"},
        marker={"size": 8, "symbol": "diamond"},
    )
    figure.update_xaxes(range=[0, live.total])
    figure.update_xaxes(title={"text": "step"}, row=3, col=1)
    figure.update_yaxes(title={"text": "cosine"}, range=[-0.05, 1.05], row=3, col=1)
    figure.update_yaxes(title={"text": "right answers, %"}, range=[0, 103], row=1, col=1)
    figure.update_yaxes(title={"text": "loss, nats a token"}, type="log", row=2, col=1)
    figure.update_layout(
        template=chart_template("light"),
        margin={"l": 56, "r": 8, "t": 8, "b": 44},
        legend={"orientation": "h", "y": -0.14, "x": 0},
        uirevision="training",
    )
    return figure
