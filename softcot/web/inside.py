"""The Inside panel: one question's thoughts from all sides, and those of many problems on a map."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import gradio as gr

from softcot import plots
from softcot.analysis.vocabulary import METRICS
from softcot.data.problems import Problem
from softcot.plots import thoughts as figures
from softcot.support.errors import UserError
from softcot.web import inside_views, look, views
from softcot.web.events import LANE, PRIVATE, unchanged
from softcot.web.explorer import asked_problem
from softcot.web.panel import Panel

MAPPED = 150
"""Problems on the map where nobody chose a number."""


class Inside(Panel):
    """Widgets and events of the panel."""

    def build(self) -> None:
        """Lay the panel out and connect it."""
        look.html(inside_views.INTRODUCTION)
        with gr.Column(elem_classes="sheet"):
            with gr.Row(elem_classes="action"):
                self.metric = gr.Radio(
                    [name.capitalize() for name in METRICS],
                    value="Cosine",
                    label="Nearest by",
                    scale=2,
                    min_width=240,
                )
                self.corrected = gr.Checkbox(
                    False,
                    label="Hold hubs back",
                    info="Tokens that are near everything, cosine only",
                    scale=2,
                    min_width=200,
                )
                self.run = gr.Button("Look inside", variant="primary", scale=1, min_width=140)
            self.facts = look.html(inside_views.EMPTY)
        self.parts = [self._part(*part) for part in inside_views.PARTS]
        self._many()
        self.run.click(
            self.inspect,
            [*self.asked, self.metric, self.corrected],
            [self.facts, *self.parts],
            concurrency_id=LANE["concurrency_id"],
            api_visibility="private",
            show_progress_on=self.facts,
        )

    def _part(self, title: str, about: str, drawn: str) -> gr.HTML:
        """A section for a table or a figure, empty at first."""
        look.html(inside_views.heading(title, about))
        with gr.Column(elem_classes="sheet"):
            if drawn:
                return look.plot("", plots.templates(), about, tall=drawn)
            return look.html(inside_views.WAITING)

    def _many(self) -> None:
        look.html(inside_views.heading(*inside_views.MANY))
        with gr.Column(elem_classes="sheet"):
            with gr.Row(elem_classes="action"):
                self.count = gr.Slider(
                    50, 1000, MAPPED, step=50, label="Problems", scale=3, min_width=240
                )
                self.draw = gr.Button("Draw map", scale=1, min_width=140)
            self.message = look.html("")
            self.map = look.plot("", plots.templates(), inside_views.MANY[1], tall="map")
            self.found = gr.State([])
            self.picked = gr.State(None)
            self.about = look.html("")
            self.open = gr.Button("Ask this problem", visible=False, size="md")
        self.draw.click(
            self.draw_map,
            [self.asked[0], self.asked[2], self.count],
            [self.message, self.map, self.found],
            **LANE,
            **PRIVATE,
        )
        self.map.select(
            self.pick, [self.asked[0], self.found], [self.picked, self.about, self.open], **PRIVATE
        )

    def connect(self, load: Callable, inputs: Sequence, outputs: Sequence, **options) -> None:
        """Let the picked problem be asked: `load` gets it before the other inputs."""
        self.open.click(load, [self.picked, *inputs], outputs, **options)

    def inspect(
        self,
        task: str,
        question: str,
        k: int,
        gold: str,
        loaded: Problem,
        metric: str,
        corrected: bool,
    ) -> tuple:
        """Measure everything about the question's thoughts. Returns: facts, parts."""
        problem = asked_problem(task, question, gold, loaded)
        try:
            metric = metric.lower()
            seen = self.explorer.inspect(problem, k, metric, corrected and metric == "cosine")
        except UserError as error:
            return (views.message(str(error)), *unchanged(len(self.parts)))
        return (
            inside_views.facts(seen),
            inside_views.readings(seen),
            inside_views.effects(seen),
            figures.thought_space(seen.exploration, k).to_json(),
            figures.cosine_heatmap(seen.geometry.thoughts.cosines).to_json(),
            figures.lens_heatmap(seen.base).to_json(),
            figures.attention_heatmap(seen.head_shares).to_json(),
        )

    def draw_map(self, task: str, k: int, count: int) -> tuple:
        """The thoughts of many problems. Returns: message, map, entries."""
        try:
            found = self.explorer.trajectories(task, k, count)
        except UserError as error:
            return views.message(str(error)), gr.skip(), gr.skip()
        explained = self.explorer.vocabulary.basis.explained_variance_ratio_
        return "", figures.trajectory_map(found, explained).to_json(), found

    def pick(self, task: str, found: list, event: gr.EventData) -> tuple:
        """Show the problem of a point. Returns: picked problem, about it, button."""
        entry = found[int(event.index)]
        problem = Problem(task, entry.question, entry.answer)
        return problem, inside_views.entry(entry), gr.Button(visible=True)
