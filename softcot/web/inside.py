"""The Inside panel: one question's thoughts from all sides, and those of many problems on a map."""

from __future__ import annotations

import gradio as gr

from softcot.analysis.vocabulary import METRICS
from softcot.data.problems import Problem
from softcot.plots import thoughts as figures
from softcot.support.errors import UserError
from softcot.web import components, inside_views, views
from softcot.web.events import LONG, PRIVATE
from softcot.web.explorer import MOST_MAPPED
from softcot.web.panel import Panel
from softcot.web.requests import InspectRequest, MapRequest
from softcot.web.wiring import Named

MAPPED = components.Amount(50, MOST_MAPPED, 150, 50)
"""Problems on the map."""
MAPPED_FEW = components.Amount(5, 40, 20, 5)
"""The same for pairs that are not the laboratory's, which take longer to read them."""

PARTS = ("readings", "effects_of_each", "space", "cosines", "lens", "heads")
"""What `inside_views.PARTS` describes, in its order."""
MAP = ("map_message", "trajectory_map", "trajectories")
PICKED = ("picked", "about_picked", "ask_picked")


class Inside(Panel):
    """Widgets and events of the panel."""

    def build(self) -> None:
        """Lay the panel out and connect it."""
        w = self.widgets
        components.html(inside_views.INTRODUCTION)
        with gr.Column(elem_classes="sheet"):
            with gr.Row(elem_classes="action"):
                w["metric"] = gr.Radio(
                    [name.capitalize() for name in METRICS],
                    value="Cosine",
                    label="Nearest by",
                    scale=2,
                    min_width=240,
                )
                w["corrected"] = gr.Checkbox(
                    False,
                    label="Hold hubs back",
                    info="Tokens that are near everything, cosine only",
                    scale=2,
                    min_width=200,
                )
                run = gr.Button("Look inside", variant="primary", scale=1, min_width=140)
            w["facts"] = components.html(inside_views.EMPTY)
        for name, part in zip(PARTS, inside_views.PARTS, strict=True):
            w[name] = self._part(*part)
        self._many()
        run.click(
            **w.listener(self.inspect, InspectRequest, ["facts", *PARTS]),
            **LONG,
            api_visibility="private",
            show_progress_on=w["facts"],
        )

    def _part(self, title: str, about: str, drawn: str) -> gr.HTML:
        """A section for a table or a figure, empty at first."""
        components.html(inside_views.heading(title, about))
        with gr.Column(elem_classes="sheet drawn" if drawn else "sheet"):
            waiting = components.html(inside_views.WAITING)
            return components.plot(about, drawn) if drawn else waiting

    def _many(self) -> None:
        w = self.widgets
        components.html(inside_views.heading(*inside_views.MANY))
        with gr.Column(elem_classes="sheet"):
            with gr.Row(elem_classes="action"):
                w["mapped"] = gr.Slider(
                    **self._amount._asdict(), label="Problems", scale=3, min_width=240
                )
                draw = gr.Button("Draw map", scale=1, min_width=140)
            w["map_message"] = components.html("")
            w["trajectory_map"] = components.plot(inside_views.MANY[1], "map")
            w["trajectories"], w["picked"] = gr.State([]), gr.State(None)
            w["about_picked"] = components.html("")
            w["ask_picked"] = gr.Button("Ask this problem", visible=False, size="md")
        draw.click(**w.listener(self.draw_map, MapRequest, MAP), **LONG, **PRIVATE)
        w["trajectory_map"].select(**w.listener(self.pick, MapRequest, PICKED), **PRIVATE)

    @property
    def _amount(self) -> components.Amount:
        return MAPPED if self.explorer.laboratory else MAPPED_FEW

    def fresh(self) -> Named:
        """The sizes of this pair, and nothing measured yet."""
        return {
            "facts": inside_views.EMPTY,
            **dict.fromkeys(PARTS[:2], inside_views.WAITING),
            "mapped": gr.Slider(**self._amount._asdict()),
            "map_message": "",
            "trajectories": [],
            "picked": None,
            "about_picked": "",
            "ask_picked": gr.Button(visible=False),
        }

    def inspect(self, request: InspectRequest) -> Named:
        """Measure everything about the question's thoughts: facts and `PARTS`."""
        metric = request.metric.lower()
        corrected = request.corrected and metric == "cosine"
        try:
            k = self.explorer.k_for(request.question, request.task, request.k)
            seen = self.explorer.inspect(request.problem, k, metric, corrected)
        except UserError as error:
            return {"facts": views.message(str(error))}
        return {
            "facts": inside_views.facts(seen),
            "readings": inside_views.readings(seen),
            "effects_of_each": inside_views.effects(seen),
            "space": figures.thought_space(seen.exploration, k).to_json(),
            "cosines": figures.cosine_heatmap(seen.geometry.thoughts.cosines).to_json(),
            "lens": figures.lens_heatmap(seen.base).to_json(),
            "heads": figures.attention_heatmap(seen.head_shares).to_json(),
        }

    def draw_map(self, request: MapRequest) -> Named:
        """The thoughts of many problems: `MAP`."""
        try:
            k = self.explorer.k_for("", request.task, request.k)
            found = self.explorer.trajectories(request.task, k, request.mapped)
        except UserError as error:
            return {"map_message": views.message(str(error))}
        explained = self.explorer.vocabulary.basis.explained_variance_ratio_
        drawn = figures.trajectory_map(found, explained).to_json()
        return {"map_message": "", "trajectory_map": drawn, "trajectories": found}

    def pick(self, request: MapRequest, event: gr.EventData) -> Named:
        """Show the problem of a point: `PICKED`."""
        entry = request.trajectories[int(event.index)]
        return {
            "picked": Problem(request.task, entry.question, entry.answer),
            "about_picked": inside_views.entry(entry),
            "ask_picked": gr.Button(visible=True),
        }
