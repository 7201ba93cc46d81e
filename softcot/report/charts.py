"""Rows of cells to Plotly figures, as plain data: colours of text and paper are the theme's.

SoftCoT has the one colour and everything else is grey; patterns, dashes and markers say the rest,
so that no figure needs its colours to be read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from softcot.methods import METHODS, SoftCoT
from softcot.report.parts import Cell, Figure

ACCENT, GREY = "#0f766e", "#8a929c"
_SHADE = {ACCENT: "rgba(15,118,110,0.16)", GREY: "rgba(138,146,156,0.22)"}
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")
_HOVER = "%{x}: %{y}<br>95 % interval %{customdata[0]} to %{customdata[1]}"

_HOVER_SIDEWAYS = "%{y}: %{x}<br>95 % interval %{customdata[0]} to %{customdata[1]}"


def colour(method: str) -> str:
    """The accent for SoftCoT, grey for the others."""
    return ACCENT if method == SoftCoT.name else GREY


def points(x: Sequence[Any], cells: Sequence[Cell]) -> dict[str, Any]:
    """Places, heights and error bars of some cells, a gap where one is missing."""
    return {
        "x": list(x),
        "y": [cell.value for cell in cells],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [_distance(cell.value, cell.high) for cell in cells],
            "arrayminus": [_distance(cell.low, cell.value) for cell in cells],
            "color": GREY,
            "thickness": 1,
            "width": 2,
        },
        "customdata": [[cell.low, cell.high] for cell in cells],
        "hovertemplate": _HOVER,
    }


def _distance(low: float | None, high: float | None) -> float | None:
    """Length of an error bar, where there is one."""
    return None if low is None or high is None else round(high - low, 4)


def bars(
    name: str, x: Sequence[str], cells: Sequence[Cell], method: str, *, faint: bool = False
) -> dict[str, Any]:
    """A bar for each cell, in the manner of a method; faint ones leave room for markers."""
    hue = colour(method)
    hatch = METHODS[method].hatch
    pattern = {"shape": hatch[:1], "size": 6 * max(1, len(hatch)), "solidity": 0.25}
    return {
        "type": "bar",
        "name": name,
        **points(x, cells),
        "marker": {
            "color": _SHADE[hue] if faint else hue,
            "line": {"color": hue, "width": 1},
            "pattern": pattern,
        },
    }


def line(
    name: str, x: Sequence[float], cells: Sequence[Cell], method: str, place: int
) -> dict[str, Any]:
    """A line in a method's colour; `place`, the number of the task, has its dash and marker."""
    hue = colour(method)
    return {
        **_scatter(name, x, cells, _SYMBOLS[place % len(_SYMBOLS)], hue),
        "mode": "lines+markers",
        "line": {"color": hue, "width": 2, "dash": _DASHES[place % len(_DASHES)]},
    }


def markers(name: str, x: Sequence[str], cells: Sequence[Cell], place: int) -> dict[str, Any]:
    """A marker for each cell, beside bars; `place` as in `line`."""
    return {
        **_scatter(name, x, cells, f"{_SYMBOLS[place % len(_SYMBOLS)]}-open", GREY),
        "mode": "markers",
    }


def dots(name: str, x: Sequence[str], cells: Sequence[Cell], method: str) -> dict[str, Any]:
    """A full marker for each cell, in a method's colour."""
    return {**_scatter(name, x, cells, _SYMBOLS[0], colour(method)), "mode": "markers"}


def _scatter(
    name: str, x: Sequence[Any], cells: Sequence[Cell], symbol: str, hue: str
) -> dict[str, Any]:
    # All that a theme could set for traces in turn is set here.
    return {
        "type": "scatter",
        "name": name,
        "opacity": 1,
        **points(x, cells),
        "marker": {"color": hue, "symbol": symbol, "size": 8, "line": {"color": hue, "width": 1}},
    }


def sideways(trace: dict[str, Any]) -> dict[str, Any]:
    """The same marks with their places on the vertical axis, where long names have room."""
    turned = {"x": trace["y"], "y": trace["x"], "hovertemplate": _HOVER_SIDEWAYS}
    errors = {"error_x": trace["error_y"]} if "error_y" in trace else {}
    return {name: value for name, value in trace.items() if name != "error_y"} | turned | errors


def named(trace: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The marks of a trace alone, which say their names to a pointer."""
    return trace | {"mode": "markers", "text": names, "hovertemplate": f"%{{text}}<br>{_HOVER}"}


def stairs(name: str, x: Sequence[float], cells: Sequence[Cell]) -> dict[str, Any]:
    """The height that is reached with so much of x, from one of the cells to the next."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "opacity": 1,
        "x": list(x),
        "y": [cell.value for cell in cells],
        "line": {"color": GREY, "width": 1, "dash": "dot", "shape": "hv"},
        "hoverinfo": "skip",
    }


def band(x: Sequence[float], cells: Sequence[Cell], method: str) -> dict[str, Any]:
    """The intervals of a line as an area around it."""
    known = [(at, cell) for at, cell in zip(x, cells, strict=True) if cell.low is not None]
    return {
        "type": "scatter",
        "mode": "lines",
        "opacity": 1,
        "x": [at for at, _ in known] + [at for at, _ in reversed(known)],
        "y": [cell.high for _, cell in known] + [cell.low for _, cell in reversed(known)],
        "fill": "toself",
        "fillcolor": _SHADE[colour(method)],
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def shaded(start: float, end: float, label: str) -> dict[str, Any]:
    """Layout that shades a range of x and says what it is."""
    return {
        "shapes": [
            {
                "type": "rect",
                "yref": "paper",
                "x0": start,
                "x1": end,
                "y0": 0,
                "y1": 1,
                "layer": "below",
                "line": {"width": 0},
                "fillcolor": _SHADE[GREY],
            }
        ],
        "annotations": [
            {
                "text": label,
                "x": (start + end) / 2,
                "y": 0,
                "yref": "paper",
                "yanchor": "bottom",
                "showarrow": False,
            }
        ],
    }


def figure(
    title: str,
    alt: str,
    traces: list[dict[str, Any]],
    x: str,
    y: str,
    *,
    ticks: Sequence[Any] | None = None,
    scale: Literal["log"] | None = None,
    **layout: Any,
) -> Figure:
    """A figure of some traces; `x` and `y` name the axes, `ticks` and `scale` are the first's."""
    axis = {"showticklabels": True, "automargin": True}
    given = {"tickvals": list(ticks or []), "type": scale}
    along = {name: value for name, value in given.items() if value}
    plain = {
        "xaxis": {"title": {"text": x}, **axis} | along,
        "yaxis": {"title": {"text": y}, **axis},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 48, "r": 12, "t": 24, "b": 48},
        "hovermode": "closest",
    }
    return Figure(title, alt, {"data": traces, "layout": plain | layout})


def panels(
    title: str,
    alt: str,
    lines: Mapping[str, Sequence[dict[str, Any]]],
    x: str,
    y: str,
    *,
    ticks: Sequence[Any] | None = None,
    scale: Literal["log"] | None = None,
    across: int = 2,
) -> Figure:
    """Small figures beside one another, on the same axes and with one legend.

    Args:
        title: Of all.
        alt: What they show, in words.
        lines: The traces of each, by its title; their names are the same in all.
        x: Name of the axis.
        y: Name of the axis.
        ticks: Of x.
        scale: Of x.
        across: Figures in a row.
    """
    traces: list[dict[str, Any]] = []
    chart = figure(title, alt, traces, x, y, ticks=ticks, scale=scale)
    layout = chart.plotly["layout"]
    first = {axis: layout[axis] for axis in ("xaxis", "yaxis")}
    layout["annotations"] = []
    for number, (label, own) in enumerate(lines.items()):
        row, column = (str(place + 1) if place else "" for place in divmod(number, across))
        layout[f"xaxis{column}"] = first["xaxis"]
        layout[f"yaxis{row}"] = first["yaxis"] | ({"matches": "y"} if row else {})
        layout["annotations"].append(_above(label, f"x{column}", f"y{row}"))
        on = {"xaxis": f"x{column}", "yaxis": f"y{row}", "showlegend": not number}
        traces += [trace | on | {"legendgroup": trace["name"]} for trace in own]
    layout["grid"] = {"rows": math.ceil(len(lines) / across), "columns": across, "ygap": 0.3}
    layout["legend"] = layout["legend"] | {"y": 1.1}  # above the titles
    return chart


def _above(label: str, x: str, y: str) -> dict[str, Any]:
    """The title of one of several small figures."""
    place = {"x": 0.5, "xref": f"{x} domain", "y": 1, "yref": f"{y} domain", "yanchor": "bottom"}
    return {"text": label, "showarrow": False, **place}
