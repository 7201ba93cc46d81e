"""The Sweep panel: accuracy, likelihood and time against K, live."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from softcot import plots
from softcot.errors import UserError
from softcot.plots.sweep import sweep_chart
from softcot.tasks import FREE
from softcot.web import look, sweep_views, views
from softcot.web.events import LANE, PRIVATE, paced
from softcot.web.explorer import Explorer

TRIED = 30
"""Problems for each K where nobody chose a number."""


class Sweep:
    """Widgets and events of the panel.

    Args:
        explorer: What can be asked.
        task: The page's kind of problem.
    """

    def __init__(self, explorer: Explorer, task: gr.Radio):
        self.explorer = explorer
        self.task = task
        self.counts = list(range(explorer.max_thoughts + 1))

    def build(self) -> None:
        """Lay the panel out and connect it."""
        look.html(sweep_views.INTRODUCTION)
        with gr.Column(elem_classes="sheet"):
            with gr.Row(elem_classes="action"):
                self.count = gr.Slider(
                    10, 500, TRIED, step=10, label="Problems for each K", scale=3, min_width=240
                )
                self.run = gr.Button("Run sweep", variant="primary", scale=1, min_width=140)
                self.stop = gr.Button("Stop sweep", interactive=False, scale=1, min_width=110)
            self.status = look.html(sweep_views.EMPTY)
            self.chart = look.plot(
                "", plots.templates(plots.chart_template), sweep_views.ALT, plots.dark_accents()
            )
            self.table = look.html("")
        running = self.run.click(
            self.sweep,
            [self.task, self.count],
            [self.stop, self.status, self.chart, self.table],
            **LANE,
            **PRIVATE,
        )
        self.stop.click(None, cancels=running, **PRIVATE).then(
            lambda: gr.Button(interactive=False), None, self.stop, **PRIVATE
        )

    def sweep(self, task: str, count: int) -> Iterator[tuple]:
        """Ask the same problems with every K.

        Yields:
            stop, status, chart, table.
        """
        try:
            if task == FREE.name:
                raise UserError("A question of your own is one problem; choose a kind of problem.")
            total = len(self.counts)
            yield (
                gr.Button(interactive=True),
                views.progress(0, total, "values of K"),
                gr.skip(),
                gr.skip(),
            )
            for trials in paced(self.explorer.sweep(task, self.counts, count)):
                done = [trial for trial in trials if trial.n]
                yield (
                    gr.skip(),
                    views.progress(len(done), total, "values of K"),
                    sweep_chart(done, self.explorer.max_thoughts).to_json(),
                    sweep_views.table(done),
                )
            yield gr.Button(interactive=False), sweep_views.said(task, count), *(gr.skip(),) * 2
        except UserError as error:
            message = views.message(str(error))
            yield gr.Button(interactive=False), message, gr.skip(), gr.skip()
