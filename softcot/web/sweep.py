"""The Sweep panel: accuracy, likelihood and time against K, live."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import gradio as gr

from softcot import plots
from softcot.plots.sweep import sweep_chart
from softcot.support.errors import UserError
from softcot.web import look, sweep_views, views
from softcot.web.events import LANE, PRIVATE, idle, paced, stoppable, unchanged, until
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
            amount = (10, 500, TRIED, 10, "Problems for each K")
            self.count, self.run, self.stop = look.action(amount, "Run sweep", "Stop sweep")
            self.status = look.html(sweep_views.EMPTY)
            self.chart = look.plot(
                "", plots.templates(plots.chart_template), sweep_views.ALT, plots.dark_accents()
            )
            self.table = look.html("")
        ending = gr.State(None)
        self.run.click(
            self.sweep,
            [self.task, self.count],
            [ending, self.stop, self.status, self.chart, self.table],
            **LANE,
            **PRIVATE,
        )
        stoppable(self.stop, ending)

    def sweep(self, task: str, count: int) -> Iterator[tuple]:
        """Ask the same problems with every K.

        Yields:
            what ends it, stop, status, chart, table.
        """
        ending = threading.Event()
        try:
            total, frames = len(self.counts), self.explorer.sweep(task, self.counts, count)
            begun = views.progress(0, total, "values of K")
            yield ending, gr.Button(interactive=True), begun, *unchanged(2)
            for trials in paced(until(frames, ending)):
                done = [trial for trial in trials if trial.n]
                yield (
                    *unchanged(2),
                    views.progress(len(done), total, "values of K"),
                    sweep_chart(done, self.explorer.max_thoughts).to_json(),
                    sweep_views.table(done),
                )
            said = "" if ending.is_set() else sweep_views.said(task, count)
            yield gr.skip(), idle(), said, *unchanged(2)
        except UserError as error:
            yield None, idle(), views.message(str(error)), *unchanged(2)
