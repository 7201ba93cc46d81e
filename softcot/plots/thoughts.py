"""Figures of what is said of thoughts: space, cosines, lens, attention, trajectories.

Every figure takes its colours from `softcot.plots.template`, so a page changes its theme by
changing the template: `coloraxis` is the scale of shares, `coloraxis2` that of cosines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from softcot.analysis.geometry import Exploration, Point
from softcot.plots import (
    COLUMNS,
    LEGEND,
    THOUGHTS,
    axis_titles,
    cloud,
    flat_map,
    frame,
    template,
    ties,
)

if TYPE_CHECKING:  # names only: no model is needed to draw
    from softcot.analysis.lens import Reading
    from softcot.analysis.trajectory import Trajectory

MOST_KINDS = 8
"""Colours of a trajectory map: the rarer kinds of problems share the last of them."""

_LONGEST = 9  # characters of a token in a cell


def thought_space(exploration: Exploration, k: int) -> go.Figure:
    """The first `shown` thoughts among the token embeddings, in three dimensions.

    As in `softcot.plots.thought_map`, the frame holds still while K moves.
    """
    thoughts = exploration.thoughts[:k]
    ends = [thought.nearest_points[0] for thought in thoughts if thought.nearest_points]
    near = list(dict.fromkeys(point for t in thoughts for point in t.nearest_points))
    names = [escape(point.label) if point in ends else "" for point in near]
    places = [thought.point for thought in thoughts]
    above = {"mode": "markers+text", "textposition": "top center"}
    figure = go.Figure(
        [
            cloud("vocabulary", exploration.vocabulary_points, "xyz"),
            cloud("tokens of the question", exploration.question_points, "xyz"),
            ties(places[: len(ends)], ends, "xyz"),
            cloud("nearest tokens", near, "xyz", text=names, **above),
            cloud("soft thoughts", places, "xyz", meta=THOUGHTS, **above),
        ]
    )
    # Plotly cuts off what does not fit beside an axis in space.
    titles = [
        title.removesuffix(" of the variance") for title in axis_titles(exploration.explained)
    ]
    axes = {
        f"{name}axis": {"title": title, "range": values}
        for title, (name, values) in zip(titles, frame(exploration, "xyz").items(), strict=True)
    }
    figure.update_layout(
        template=template("light"),
        scene={**axes, "aspectmode": "cube", "camera": {"eye": {"x": 1.3, "y": 1.1, "z": 0.7}}},
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        legend=LEGEND,
        uirevision="thought-space",
    )
    return figure


def cosine_heatmap(cosines: np.ndarray) -> go.Figure:
    """The cosines between K thoughts, float[K, K], such as a `geometry.Shape` has."""
    numbers = list(range(1, len(cosines) + 1))
    trace = _table(cosines, numbers, numbers, "coloraxis2")
    trace.update(
        texttemplate="%{z:.2f}",
        hovertemplate="thoughts %{y} and %{x}: cosine %{z:.3f}<extra></extra>",
    )
    figure = _table_figure(trace, "thought", "thought", "cosine-heatmap")
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(coloraxis2=_colours("cosine", -1, 1), meta=COLUMNS)
    return figure


def lens_heatmap(readings: Sequence[Sequence[Sequence[Reading]]]) -> go.Figure:
    """What every layer reads at every slot: the likeliest token, the colour its probability.

    Args:
        readings: L + 1 layers, the embeddings first, of K slots of at least one token each, as
            `softcot.analysis.lens.base_readings` gives them. The hover shows all tokens of a cell.
    """
    layers = list(range(len(readings)))
    slots = list(range(1, len(readings[0]) + 1)) if readings else []
    best = [[slot[0].probability for slot in layer] for layer in readings]
    trace = _table(np.reshape(best, (len(layers), len(slots))), slots, layers, "coloraxis")
    trace.update(
        text=[[_clipped(slot[0].token) for slot in layer] for layer in readings],
        texttemplate="%{text}",
        hovertext=[[_listed(slot) for slot in layer] for layer in readings],
        hovertemplate="layer %{y}, thought %{x}<br>%{hovertext}<extra></extra>",
    )
    figure = _table_figure(trace, "thought", "layer (0: as it enters)", "lens-heatmap")
    figure.update_layout(coloraxis=_colours("probability", 0, 1), meta=COLUMNS)
    return figure


def attention_heatmap(shares: np.ndarray, title: str = "attention share") -> go.Figure:
    """What each head of each layer gives to the thoughts.

    Args:
        shares: float[L, H], such as `softcot.analysis.attention.slot_share`, or one slot of
            `softcot.analysis.attention.mean_attention`.
        title: What the colour means.
    """
    shares = np.asarray(shares)
    layers, heads = (list(range(1, size + 1)) for size in shares.shape)
    trace = _table(shares, heads, layers, "coloraxis")
    trace.update(hovertemplate="layer %{y}, head %{x}: %{z:.2%}<extra></extra>")
    figure = _table_figure(trace, "head", "layer", "attention-heatmap")
    colours = _colours(title, 0, max(float(shares.max(initial=0)), 0.01))
    figure.update_layout(coloraxis=colours | {"colorbar_tickformat": ".0%"})
    return figure


def trajectory_map(entries: Sequence[Trajectory], explained: Sequence[float]) -> go.Figure:
    """The thoughts of many problems, coloured by what each should name, on the first two axes.

    Crosses are thoughts about problems with words that the base has not read. `customdata`
    is the number of a point's problem in `entries`, from 0; its hover text names the slot.

    Args:
        entries: As `softcot.analysis.trajectory.trajectories` gives them.
        explained: Shares of the variance that the axes hold, `Exploration.explained`.
    """
    kinds = [kind for kind, _ in Counter(n for entry in entries for n in entry.named).most_common()]
    own = kinds if len(kinds) <= MOST_KINDS else kinds[: MOST_KINDS - 1]
    groups: dict[str, list[tuple[int, Trajectory, Point]]] = {kind: [] for kind in own}
    for number, entry in enumerate(entries):
        for point, named in zip(entry.points, entry.named, strict=True):
            name = named if named in own else f"{len(kinds) - len(own)} others"
            groups.setdefault(name, []).append((number, entry, point))
    dots = [_dots(kind, rows) for kind, rows in groups.items()]
    figure = flat_map(dots, explained, "trajectory-map")
    unread = any(not entry.read for entry in entries)
    notes = [_note("× with words that the base has not read")] if unread else []
    return figure.update_layout(showlegend=True, annotations=notes)


def _note(text: str) -> dict[str, Any]:
    corner = {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "top"}
    return {"text": text, "showarrow": False, "font": {"size": 12}, **corner}


def _dots(kind: str, rows: Sequence[tuple[int, Trajectory, Point]]) -> go.Scattergl:
    return go.Scattergl(  # thousands of marks, which SVG would draw slowly
        name=escape(kind),
        x=[round(point.x, 4) for *_, point in rows],
        y=[round(point.y, 4) for *_, point in rows],
        mode="markers",
        marker={
            "size": 6,
            # Not hollow ones: WebGL leaves hollow marks out where each mark has its own symbol.
            "symbol": ["circle" if entry.read else "x" for _, entry, _ in rows],
        },
        customdata=[number for number, *_ in rows],
        hovertext=[_about(entry, point) for _, entry, point in rows],
        hoverinfo="text+name",
    )


def _about(entry: Trajectory, point: Point) -> str:
    question = entry.question if len(entry.question) <= 60 else f"{entry.question[:59]}…"
    return f"thought {escape(point.label)} of {escape(question)}"


def _table(values: np.ndarray, x: list[int], y: list[int], coloraxis: str) -> go.Heatmap:
    rounded = np.round(np.asarray(values, float), 4).tolist()
    return go.Heatmap(z=rounded, x=x, y=y, coloraxis=coloraxis, xgap=1, ygap=1)


def _table_figure(trace: go.Heatmap, across: str, up: str, revision: str) -> go.Figure:
    axis = {"showticklabels": True, "showgrid": False, "tickformat": "d"}
    # A tick for every row, until there are too many to read.
    axes = [
        {
            **axis,
            "title": title,
            "tick0": values[0] if values else 0,
            "dtick": len(values) // 20 + 1,
        }
        for title, values in ((across, list(trace.x)), (up, list(trace.y)))
    ]
    figure = go.Figure(trace)
    figure.update_layout(
        template=template("light"),
        xaxis=axes[0],
        yaxis=axes[1],
        margin={"l": 48, "r": 8, "t": 8, "b": 40},
        uirevision=revision,
    )
    return figure


def _colours(title: str, low: float, high: float) -> dict[str, Any]:
    return {"cmin": low, "cmax": high, "colorbar_title_text": title}


def _clipped(token: str) -> str:
    return escape(token if len(token) <= _LONGEST else f"{token[: _LONGEST - 1]}…")


def _listed(readings: Sequence[Reading]) -> str:
    return "<br>".join(f"{escape(one.token)} {one.probability:.1%}" for one in readings)
