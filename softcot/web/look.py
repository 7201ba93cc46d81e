"""How the page looks: a Gradio theme from system fonts and one accent, a style sheet, Plotly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import plotly

from softcot.web import language

_HERE = Path(__file__).resolve().parent
_PLOTLY = Path(plotly.__file__).resolve().parent / "package_data" / "plotly.min.js"

EXAMPLES_JS = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-index]");
  if (button) trigger("select", { index: Number(button.dataset.index) });
});
"""
"""Turns a press on one of `views.examples` into an event with its `index`."""

TABS_JS = (_HERE / "tabs.js").read_text(encoding="utf-8")
"""Opens the tab that the address names, and names the open one there."""

THOUGHTS_JS = (_HERE / "thoughts.js").read_text(encoding="utf-8")
"""Marks the thought that a reader picked wherever it is shown."""

ACCENT = gr.themes.Color(
    "#f0fdfa", "#ccfbf1", "#99f6e4", "#5eead4", "#2dd4bf", "#14b8a6", "#0d9488", "#0f766e",
    "#115e59", "#134e4a", "#042f2e", name="accent",
)  # fmt: skip
GREY = gr.themes.Color(
    "#fafafa", "#f4f5f6", "#e4e6e9", "#c9ced4", "#9aa2ad", "#6b7280", "#5b636d", "#3a4048",
    "#26292e", "#17191c", "#0f1113", name="grey",
)  # fmt: skip


def theme() -> gr.themes.Base:
    """Calm, flat, one accent; no font is fetched from anywhere."""
    base = gr.themes.Base(
        primary_hue=ACCENT,
        secondary_hue=ACCENT,
        neutral_hue=GREY,
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"],
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"],
        radius_size=gr.themes.sizes.radius_lg,
        text_size=gr.themes.sizes.text_md,
    )
    return base.set(**_both(
        body_background_fill=("*neutral_50", "*neutral_950"),
        body_text_color=("#1c1f23", "#eceef0"),
        body_text_color_subdued=("*neutral_600", "#a3abb5"),
        color_accent_soft=("*primary_50", "#12312e"),
        block_background_fill=("transparent", "transparent"),
        block_border_width=("0px", "0px"),
        block_label_text_color=("#1c1f23", "#eceef0"),
        block_title_text_color=("#1c1f23", "#eceef0"),
        border_color_primary=("*neutral_200", "*neutral_800"),
        border_color_accent=("*primary_700", "*primary_400"),
        input_background_fill=("#ffffff", "#1d2024"),
        input_border_color=("*neutral_300", "*neutral_700"),
        input_border_color_focus=("*primary_700", "*primary_400"),
        input_placeholder_color=("#6b7280", "#8d959f"),
        checkbox_background_color=("#ffffff", "#1d2024"),
        checkbox_background_color_selected=("*primary_700", "*primary_600"),
        checkbox_border_color=("#8d959f", "*neutral_500"),
        checkbox_label_background_fill=("#ffffff", "#1d2024"),
        checkbox_label_background_fill_hover=("*neutral_100", "*neutral_800"),
        checkbox_label_background_fill_selected=("*primary_50", "#12312e"),
        checkbox_label_border_color=("*neutral_300", "*neutral_700"),
        checkbox_label_border_color_selected=("*primary_700", "*primary_400"),
        checkbox_label_text_color_selected=("*primary_800", "*primary_200"),
        slider_color=("*primary_700", "*primary_400"),
        button_primary_background_fill=("*primary_700", "*primary_400"),
        button_primary_background_fill_hover=("*primary_800", "*primary_300"),
        button_primary_border_color=("*primary_700", "*primary_400"),
        button_primary_border_color_hover=("*primary_800", "*primary_300"),
        button_primary_text_color=("#ffffff", "#0b1413"),
        button_primary_text_color_hover=("#ffffff", "#0b1413"),
        button_secondary_background_fill=("#ffffff", "#1d2024"),
        button_secondary_background_fill_hover=("*neutral_100", "*neutral_800"),
        button_secondary_border_color=("*neutral_300", "*neutral_700"),
        button_secondary_border_color_hover=("*neutral_400", "*neutral_600"),
        button_secondary_text_color=("#1c1f23", "#eceef0"),
        button_secondary_text_color_hover=("#1c1f23", "#eceef0"),
    )).set(
        block_title_text_weight="600",
        block_label_text_weight="600",
        block_padding="0px",
        block_info_text_size="*text_sm",
        input_border_width="1px",
        checkbox_label_border_width="1px",
        button_border_width="1px",
        form_gap_width="0px",
        layout_gap="18px",
    )  # fmt: skip


def launch_options() -> dict[str, Any]:
    """What `Blocks.launch` needs to show the page this way."""
    return {
        "theme": theme(),
        "css_paths": [_HERE / f"{name}.css" for name in ("style", "panels", "results")],
        "head": language.script(),
        "footer_links": ["api", "settings"],
        "run_history": False,
    }


def html(value: str, **options: Any) -> gr.HTML:
    """Ready-made HTML, untouched by Gradio's prose style."""
    return gr.HTML(value, **{"apply_default_css": False, "js_on_load": None, **options})


def action(
    amount: tuple[int, int, int, int, str], run: str, stop: str, variant: str = "primary"
) -> tuple[gr.Slider, gr.Button, gr.Button]:
    """A row that starts something long: how much of it, and the buttons that begin and end it.

    Args:
        amount: Least, most, usual value, step and label of the slider.
        run: Label of the button that begins.
        stop: That of the one that ends it, which is idle at first.
        variant: Whether this is what the panel is for.
    """
    least, most, usual, step, label = amount
    with gr.Row(elem_classes="action"):
        slider = gr.Slider(least, most, usual, step=step, label=label, scale=3, min_width=240)
        running = gr.Button(run, variant=variant, scale=1, min_width=140)
        stopping = gr.Button(stop, interactive=False, scale=1, min_width=110)
    return slider, running, stopping


def thought_map(figure: str, templates: str) -> gr.HTML:
    """A Plotly figure (JSON) that follows the page's theme, which `gr.Plot` does not.

    Plotly updates it in place, so zoom and hidden traces outlive a change of the figure.
    """
    about = "Map of the soft thoughts among token embeddings; the table below lists the same"
    place = _place("thought-map", about, "group")  # its toolbar can be reached
    return _figures(figure, "plot.js", templates, html_template=place, toolbar=True)


def plot(
    figure: str,
    templates: str,
    about: str,
    dark_accents: dict[str, str] | None = None,
    tall: str = "tall",
) -> gr.HTML:
    """Any other figure (JSON) that follows the page's theme; nothing for an empty one.

    A press on a point that carries a number is the event `select` with that `index`.
    """
    place = _place(f"chart-place {tall}{' blank' * (not figure)}", about)
    options = {"html_template": place, "dark_accents": dark_accents or {}}
    return _figures(figure, "plot.js", templates, **options)


def _place(kind: str, about: str, role: str = "img") -> str:
    """Where a figure is drawn, and what it shows for whoever cannot see it."""
    return f'<div class="plot-place {kind}" role="{role}" aria-label="{about}"></div>'


def results(page: str, templates: str, dark_accents: dict[str, str]) -> gr.HTML:
    """The page of `results_views`, with what makes its tables and figures work."""
    return _figures(page, "results.js", templates, dark_accents=dark_accents)


def _figures(value: str, script: str, templates: str, **options: Any) -> gr.HTML:
    """HTML whose script draws with Plotly in the page's theme.

    Plotly is the one that plotly.py brings along, served from this machine.
    """
    gr.set_static_paths([_PLOTLY])
    return html(
        value,
        js_on_load=_text("figures.js") + _text(script),
        head=f'<script src="gradio_api/file={_PLOTLY}"></script>',
        templates=templates,
        **options,
    )


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _both(**pairs: tuple[str, str]) -> dict[str, str]:
    light = {name: value for name, (value, _) in pairs.items()}
    return light | {f"{name}_dark": value for name, (_, value) in pairs.items()}
