"""Numbers to figures. No model is read here, and no colour is decided anywhere else.

The other figures of thoughts are in `softcot.plots.thoughts`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from softcot.analysis.geometry import Exploration, Point

_ACCENT = {"light": "#0f766e", "dark": "#2dd4bf"}
ACCENT = _ACCENT["light"]
"""For figures whose page puts the dark theme's accent in its place (see `dark_accents`)."""
_INK = {"light": "#1c1f23", "dark": "#eceef0"}
_PAPER = {"light": "#ffffff", "dark": "#17191c"}
_CLOUD = {"light": "#c3c8ce", "dark": "#454b53"}
_QUESTION = {"light": "#6b7280", "dark": "#9aa2ad"}
_GRID = {"light": "#eceef0", "dark": "#26292e"}

_KINDS = {
    "light": ["#0f766e", "#c2410c", "#7c3aed", "#be185d", "#2563eb", "#4d7c0f", "#a16207"],
    "dark": ["#2dd4bf", "#fb923c", "#a78bfa", "#f472b6", "#60a5fa", "#a3e635", "#facc15"],
}

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"


THOUGHTS, COLUMNS = "thoughts", "columns"
"""What `meta` says of a trace whose points, a figure whose columns are the thoughts in order."""

LEGEND = {"orientation": "h", "y": -0.08, "x": 0, "itemsizing": "constant"}


def template(theme: str) -> go.layout.Template:
    """How a map or a table of numbers looks in the `"light"` or the `"dark"` theme."""
    axis = {"ticks": "", "showticklabels": False, "title": {"font": {"size": 12}}}
    scene = {"gridcolor": _GRID[theme], "zeroline": False, "showbackground": False, **axis}
    shades = [[0, _PAPER[theme]], [1, _ACCENT[theme]]]
    layout = {
        **_layout(theme, **axis),
        "colorway": [*_KINDS[theme], _QUESTION[theme]],
        "scene": {f"{name}axis": scene | {"showspikes": False} for name in "xyz"},
        "coloraxis": _shading(shades),
        "coloraxis2": _shading([[0, _QUESTION[theme]], [0.5, _PAPER[theme]], shades[1]]),
    }
    return go.layout.Template(
        layout=layout,
        # Plotly hands these to a figure's traces in turn: the order is that of the maps.
        data={
            "scatter": [*_flat_marks(theme), *_makers_marks(theme)],
            "scatter3d": _deep_marks(theme),
        },
    )


def _shading(scale: list[list[Any]]) -> dict[str, Any]:
    bar = {"thickness": 12, "outlinewidth": 0, "title": {"side": "right", "font": {"size": 12}}}
    return {"colorscale": scale, "autocolorscale": False, "colorbar": bar}


def _flat_marks(theme: str) -> list[dict[str, Any]]:
    """Vocabulary, question, lines to the nearest tokens, nearest tokens, thoughts."""
    return [
        {"marker": {"size": 4, "color": _CLOUD[theme]}},
        {
            "marker": {"size": 7, "color": _QUESTION[theme], "symbol": "diamond"},
            "textfont": {"size": 11, "color": _QUESTION[theme]},
        },
        {"line": {"color": _ACCENT[theme], "width": 1, "dash": "dot"}, "opacity": 0.5},
        {
            "marker": {
                "size": 8,
                "color": _PAPER[theme],
                "line": {"color": _ACCENT[theme], "width": 1.5},
            },
            "textfont": {"size": 12, "color": _INK[theme]},
        },
        {
            "marker": {"size": 20, "color": _ACCENT[theme]},
            "textfont": {"size": 11, "color": _PAPER[theme]},
        },
    ]


def _makers_marks(theme: str) -> list[dict[str, Any]]:
    """Of others than SoftCoT who make thoughts: each has a shape and a colour of its own."""
    shapes = ("square", "triangle-up", "cross", "star", "pentagon", "hexagon")
    pairs = zip(shapes, _KINDS[theme][1:], strict=True)
    return [{"marker": {"size": 11, "symbol": shape, "color": colour}} for shape, colour in pairs]


def _deep_marks(theme: str) -> list[dict[str, Any]]:
    """The same in space, where a number does not stay on its mark and stands above it."""
    cloud, question, ties, near, thoughts = _flat_marks(theme)
    cloud["marker"]["size"], question["marker"]["size"], near["marker"]["size"] = 2, 4, 5
    ties["line"] |= {"width": 3}
    thoughts["marker"]["size"], thoughts["textfont"] = 9, near["textfont"]
    return [cloud, question, ties, near, thoughts]


def chart_template(theme: str) -> go.layout.Template:
    """How a figure of the report looks; nobody needs to zoom into it, so a finger scrolls on."""
    layout = _layout(theme, fixedrange=True, title={"font": {"size": 13}}, tickfont={"size": 12})
    layout |= {"dragmode": False, "legend": {"font": {"size": 12}}, "bargap": 0.25}
    edge = {"color": _QUESTION[theme], "width": 1}  # patterns alone do not look like bars
    bar = {"error_y": {"color": _INK[theme]}, "marker": {"line": edge}}
    return go.layout.Template(layout=layout, data={"bar": [bar]})


def dark_accents() -> dict[str, str]:
    """What stands for the light theme's accent, plain or in an rgba(), in the dark theme."""
    rgb = {
        theme: ",".join(str(part) for part in bytes.fromhex(colour[1:]))
        for theme, colour in _ACCENT.items()
    }
    return {_ACCENT["light"]: _ACCENT["dark"], rgb["light"]: rgb["dark"]}


def templates(look: Callable[[str], go.layout.Template] = template) -> str:
    """Both themes as JSON, `{"light": ..., "dark": ...}`, for a page that can change its own."""
    return json.dumps({theme: look(theme).to_plotly_json() for theme in ("light", "dark")})


def _layout(theme: str, **axis: Any) -> dict[str, Any]:
    axes = {"gridcolor": _GRID[theme], "zeroline": False, **axis}
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": _INK[theme]},
        "xaxis": axes,
        "yaxis": axes,
        "hoverlabel": {"font": {"family": FONT}},
        # For the page, which marks the thought that a reader picked.
        "meta": {"ink": _INK[theme], "accent": _ACCENT[theme]},
    }


def thought_map(
    exploration: Exploration, k: int, makers: Iterable[tuple[str, Sequence[Point]]] = ()
) -> go.Figure:
    """The first k thoughts among the token embeddings they live with.

    The frame is that of all thoughts, so it holds still while K moves.

    Args:
        exploration: Of the question.
        k: K.
        makers: Others who make thoughts: what they are called, and where all of theirs are.
    """
    makers = list(makers)
    thoughts = exploration.thoughts[:k]
    nearest = [point for thought in thoughts for point in thought.nearest_points[:1]]
    others = [point for thought in thoughts for point in thought.nearest_points[1:]]
    labels = list(dict.fromkeys(nearest))
    neighbours = labels + [point for point in dict.fromkeys(others) if point not in labels]
    names = [escape(point.label) if point in labels else "" for point in neighbours]
    edges = frame(exploration, "xy", [point for _, points in makers for point in points])
    names = apart(neighbours, names, edges)
    places, text = [thought.point for thought in thoughts], "markers+text"
    numbers = apart(places, [escape(point.label) for point in places], edges, counted=True)
    above = {"mode": text, "textposition": "top center"}
    figure = flat_map(
        [
            cloud("vocabulary", exploration.vocabulary_points),
            cloud("tokens of the question", exploration.question_points),
            ties(places, nearest),
            cloud("nearest tokens", neighbours, text=names, **above),
            cloud("soft thoughts", places, mode=text, text=numbers, meta=THOUGHTS),
            *(cloud(name, points[:k]) for name, points in makers),
        ],
        exploration.explained,
        "thought-map",
    )
    for name, values in edges.items():
        figure.update_layout({f"{name}axis": {"range": values}})
    return figure


def axis_titles(explained: Sequence[float]) -> list[str]:
    """What a map's axes are called, with the shares (0 to 1) of the variance that they hold."""
    names = zip(("1st", "2nd", "3rd"), explained, strict=False)
    titles = [f"{name} axis · {share:.1%}" for name, share in names]
    return [f"{titles[0]} of the variance", *titles[1:]]


def frame(
    exploration: Exploration, axes: Iterable[str], further: Sequence[Point] = ()
) -> dict[str, list[float]]:
    """The range of each of the axes that holds all points and thoughts, with a margin."""
    points = [*exploration.vocabulary_points, *exploration.question_points, *further]
    for thought in exploration.thoughts:
        points += [thought.point, *thought.nearest_points]
    return {axis: _padded([getattr(point, axis) for point in points]) for axis in axes}


NEAR = 0.03
"""Share of a map's width and height within which one label would lie on another."""


def apart(
    points: Sequence[Point],
    labels: Sequence[str],
    edges: dict[str, list[float]],
    counted: bool = False,
) -> list[str]:
    """The labels that can be read: those that would lie on an earlier one are left out.

    Args:
        points: Where they stand.
        labels: One for each point; empty for none.
        edges: What `frame` gives.
        counted: Whether a label says how many more stand in its place, as in "4 +8".
    """
    width, height = (high - low for low, high in (edges["x"], edges["y"]))
    shown: dict[int, int] = {}
    for number, point in enumerate(points):
        if not labels[number]:
            continue
        for other in shown:
            across, up = point.x - points[other].x, point.y - points[other].y
            if abs(across) < NEAR * width and abs(up) < NEAR * height:
                shown[other] += 1
                break
        else:
            shown[number] = 0
    return [
        ""
        if place not in shown
        else f"{label} +{shown[place]}"
        if counted and shown[place]
        else label
        for place, label in enumerate(labels)
    ]


def cloud(
    name: str, points: Sequence[Point], axes: str = "xy", mode: str = "markers", **style: Any
) -> go.Scatter | go.Scatter3d:
    """Points with their labels, on the axes `"xy"` or `"xyz"`."""
    labels = [escape(point.label) for point in points]  # Plotly reads some HTML in its texts
    places = {axis: [round(getattr(point, axis), 4) for point in points] for axis in axes}
    options = {"text": labels, "hovertext": labels, "hoverinfo": "text+name", **style}
    return _scatter(axes)(name=name, mode=mode, **places, **options)


def ties(
    starts: Sequence[Point], ends: Sequence[Point], axes: str = "xy"
) -> go.Scatter | go.Scatter3d:
    """A line from each start to its end."""
    pairs = list(zip(starts, ends, strict=True))
    places = {
        axis: [v for pair in pairs for v in (*(round(getattr(p, axis), 4) for p in pair), None)]
        for axis in axes
    }
    return _scatter(axes)(mode="lines", hoverinfo="skip", showlegend=False, **places)


def flat_map(traces: Sequence[go.Scatter], explained: Sequence[float], revision: str) -> go.Figure:
    """A map on the first two axes of the vocabulary that can be panned.

    Args:
        traces: What is on it.
        explained: Shares of the variance that the axes hold.
        revision: Plotly keeps a reader's zoom and hidden traces until this changes.
    """
    figure = go.Figure(list(traces))
    first, second, *_ = axis_titles(explained)
    figure.update_layout(
        template=template("light"),
        xaxis={"title": first},
        yaxis={"title": second},
        margin={"l": 34, "r": 8, "t": 8, "b": 34},
        hovermode="closest",
        dragmode="pan",
        legend=LEGEND | {"y": -0.12},
        uirevision=revision,
    )
    return figure


def _scatter(axes: str) -> type[go.Scatter] | type[go.Scatter3d]:
    return go.Scatter if len(axes) == 2 else go.Scatter3d


def _padded(values: list[float]) -> list[float]:
    low, high = min(values), max(values)
    margin = 0.06 * (high - low or 1.0)
    return [low - margin, high + margin]
