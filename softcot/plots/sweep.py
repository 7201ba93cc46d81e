"""The figure of a sweep over K."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from softcot.plots import ACCENT, chart_template

if TYPE_CHECKING:  # names only: no model is needed to draw
    from softcot.evaluation.variants import Trial

ROWS = ("right answers, %", "log p of the worked answer", "ms a problem")


def sweep_chart(trials: Sequence[Trial], trained: int) -> go.Figure:
    """Accuracy with its interval, likelihood and time against K, one below the other.

    Args:
        trials: One for each K that has been asked.
        trained: The largest K of the training, which began at 1; that range is shaded.
    """
    figure = make_subplots(rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.07)
    bounds = [trial.accuracy_interval for trial in trials]
    curves = (
        [100 * trial.accuracy for trial in trials],
        [sum(trial.logprobs) / trial.n for trial in trials],
        [1000 * trial.seconds / trial.n for trial in trials],
    )
    for row, (values, title) in enumerate(zip(curves, ROWS, strict=True), start=1):
        figure.add_scatter(
            x=[trial.k for trial in trials],
            y=values,
            row=row,
            col=1,
            mode="lines+markers",
            line={"color": ACCENT, "width": 2},
            marker={"size": 7},
            hovertemplate=f"K = %{{x}}<br>{title}: %{{y:.1f}}<extra></extra>",
        )
        figure.update_yaxes(title={"text": title}, row=row, col=1)
    figure.data[0].error_y = {
        "type": "data",
        "symmetric": False,
        "array": [100 * (b[1] - t.accuracy) for b, t in zip(bounds, trials, strict=True)],
        "arrayminus": [100 * (t.accuracy - b[0]) for b, t in zip(bounds, trials, strict=True)],
        "thickness": 1,
        "width": 3,
    }
    figure.add_vrect(0.5, trained + 0.5, fillcolor=ACCENT, opacity=0.05, line_width=0)
    figure.update_xaxes(range=[-0.6, trained + 0.6], dtick=1)
    figure.update_xaxes(title={"text": "K (shaded: trained)"}, row=3, col=1)
    figure.update_layout(
        template=chart_template("light"),
        showlegend=False,
        margin={"l": 56, "r": 8, "t": 8, "b": 44},
        uirevision="sweep",
    )
    return figure
