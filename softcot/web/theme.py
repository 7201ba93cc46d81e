"""The look of the page: a Gradio theme from system fonts and one accent, and a style sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from softcot.web import language

_HERE = Path(__file__).resolve().parent

ACCENT = gr.themes.Color(
    "#f0fdfa", "#ccfbf1", "#99f6e4", "#5eead4", "#2dd4bf", "#14b8a6", "#0d9488", "#0f766e",
    "#115e59", "#134e4a", "#042f2e", name="accent",
)  # fmt: skip
GREY = gr.themes.Color(
    "#fafafa", "#f4f5f6", "#e4e6e9", "#c9ced4", "#9aa2ad", "#6b7280", "#5b636d", "#3a4048",
    "#26292e", "#17191c", "#0f1113", name="grey",
)  # fmt: skip

NO_LONE_DOT = (
    "<style>@media (max-width: 640px) { footer .show-api ~ .divider { display: none; } }</style>"
)
"""On phones Gradio hides the footer's link to the API, but not the dot behind it; what it takes as
style sheets does not reach its footer."""


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
        "head": language.script() + NO_LONE_DOT,
        "footer_links": ["api", "settings"],
        "run_history": False,
        "max_file_size": "256mb",
    }


def _both(**pairs: tuple[str, str]) -> dict[str, str]:
    light = {name: value for name, (value, _) in pairs.items()}
    return light | {f"{name}_dark": value for name, (_, value) in pairs.items()}
