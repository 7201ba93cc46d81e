"""The page's building blocks: HTML as it is, rows of actions, and figures that follow the theme."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import gradio as gr
import plotly

from softcot import plots

_HERE = Path(__file__).resolve().parent
_PLOTLY = Path(plotly.__file__).resolve().parent / "package_data" / "plotly.min.js"

EXAMPLES_JS = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-index]");
  if (button) trigger("select", { index: Number(button.dataset.index) });
});
"""
"""Turns a press on one of `views.examples` into an event with its `index`."""

TRY_JS = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-text]");
  if (button) trigger("select", { text: button.dataset.text });
});
"""
"""Turns a press on the wording that `views.caution` offers into an event with its `text`."""

TABS_JS = (_HERE / "tabs.js").read_text(encoding="utf-8")
"""Opens the tab that the address names, and names the open one there."""

THOUGHTS_JS = (_HERE / "thoughts.js").read_text(encoding="utf-8")
"""Marks the thought that a reader picked wherever it is shown."""


SHOW_JS = """
() => {
  const { top } = document.querySelector(".said .answers").getBoundingClientRect();
  if (top > 0 && top < 0.6 * innerHeight) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.querySelector(".said").scrollIntoView({ behavior: still ? "auto" : "smooth" });
}
"""
"""Brings the answers into view; the keyboard's focus stays where it is."""

ANNOUNCE_JS = (_HERE / "announce.js").read_text(encoding="utf-8")
"""Tells who cannot see the page what changes on it."""


class Amount(NamedTuple):
    """How much of something there may be: what a slider takes."""

    minimum: int
    maximum: int
    value: int
    """Where nobody chose."""
    step: int


def html(value: str, **options: Any) -> gr.HTML:
    """Ready-made HTML, untouched by Gradio's prose style."""
    return gr.HTML(value, **{"apply_default_css": False, "js_on_load": None, **options})


def picker(value: str) -> gr.HTML:
    """The buttons of `pairs_views.picker`, changed in place; a press is the event `select`."""
    template = value.replace("$", "&#36;").replace("{", "&#123;")  # what Gradio would fill in
    return html(value, html_template=template, js_on_load=_text("pairs.js"))


def action(
    amount: Amount,
    label: str,
    run: str,
    stop: str,
    variant: Literal["primary", "secondary"] = "primary",
) -> tuple[gr.Slider, gr.Button, gr.Button]:
    """A row that starts something long: how much of it, and the buttons that begin and end it.

    Args:
        amount: How much there may be.
        label: What the slider calls it.
        run: Label of the button that begins.
        stop: That of the one that ends it, which is idle at first.
        variant: Whether this is what the panel is for.
    """
    with gr.Row(elem_classes="action"):
        slider = gr.Slider(**amount._asdict(), label=label, scale=3, min_width=240)
        running = gr.Button(run, variant=variant, scale=1, min_width=140)
        stopping = gr.Button(stop, interactive=False, scale=1, min_width=110)
    return slider, running, stopping


def thought_map(figure: str) -> gr.HTML:
    """A Plotly figure (JSON) that follows the page's theme, which `gr.Plot` does not.

    Plotly updates it in place, so zoom and hidden traces outlive a change of the figure.
    """
    about = "Map of the soft thoughts among token embeddings; the table below lists the same"
    place = _place("thought-map", about, "group")  # its toolbar can be reached
    return _figures(figure, "plot.js", plots.templates(), html_template=place, toolbar=True)


def plot(about: str, tall: str) -> gr.HTML:
    """Any other map or table of numbers (Plotly JSON), empty at first, in the page's theme.

    A press on a point that carries a number is the event `select` with that `index`.
    """
    place = _place(f"chart-place {tall} blank", about)
    options = {"html_template": place, "dark_accents": {}}
    return _figures("", "plot.js", plots.templates(), **options)


def chart(about: str) -> gr.HTML:
    """Curves (Plotly JSON), empty at first, in the look of the report's figures."""
    place = _place("chart-place tall blank", about)
    options = {"html_template": place, "dark_accents": plots.dark_accents()}
    return _figures("", "plot.js", plots.templates(plots.chart_template), **options)


def results(page: str) -> gr.HTML:
    """The page of `results_views`, with what makes its tables and figures work."""
    templates, accents = plots.templates(plots.chart_template), plots.dark_accents()
    return _figures(page, "results.js", templates, dark_accents=accents)


def _place(kind: str, about: str, role: str = "img") -> str:
    """Where a figure is drawn, and what it shows for whoever cannot see it."""
    return f'<div class="plot-place {kind}" role="{role}" aria-label="{about}"></div>'


def _figures(value: str, script: str, templates: str, **options: Any) -> gr.HTML:
    """HTML whose script draws with Plotly in the page's theme.

    Plotly is the one that plotly.py brings along, served from this machine.
    """
    gr.set_static_paths([_PLOTLY])
    return html(
        value,
        js_on_load=_text("figures.js") + _text(script),
        head=f'<script src="gradio_api/file={quote(_PLOTLY.as_posix())}"></script>',
        templates=templates,
        **options,
    )


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
