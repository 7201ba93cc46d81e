"""The Sweep panel: accuracy, likelihood and time against K, live."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import gradio as gr

from softcot.plots.sweep import sweep_chart
from softcot.support.errors import UserError
from softcot.web import components, sweep_views, views
from softcot.web.events import LONG, PRIVATE, Departure, idle, paced, stoppable, until
from softcot.web.explorer import MOST_TRIED
from softcot.web.panel import Panel
from softcot.web.requests import SweepRequest
from softcot.web.wiring import Named

SWEPT = components.Amount(10, MOST_TRIED, 30, 10)
"""Problems for each K."""
SWEPT_FEW = components.Amount(2, 40, 8, 2)
"""The same for pairs that are not the laboratory's: every one of them takes seconds."""

FEW = (0, 1, 2, 4, 8, 16)
"""Values of K that those are asked with."""

CURVES = ("sweep_ending", "stop_sweep", "sweep_status", "sweep_chart", "sweep_table")


class Sweep(Panel):
    """Widgets and events of the panel."""

    def ks(self, task: str) -> Sequence[int]:
        """Every K that is asked of a task, from none on."""
        every = range(self.explorer.largest_k(task) + 1)
        return every if self.explorer.laboratory else [k for k in FEW if k in every]

    @property
    def _amount(self) -> components.Amount:
        return SWEPT if self.explorer.laboratory else SWEPT_FEW

    def build(self) -> None:
        """Lay the panel out and connect it."""
        w = self.widgets
        components.html(sweep_views.INTRODUCTION)
        with gr.Column(elem_classes="sheet"):
            w["swept"], run, w["stop_sweep"] = components.action(
                self._amount, "Problems for each K", "Run sweep", "Stop sweep"
            )
            w["sweep_status"] = components.html(sweep_views.EMPTY)
            w["sweep_chart"] = components.chart(sweep_views.ALT)
            w["sweep_table"] = components.html("")
        w["sweep_ending"] = gr.State(None)
        run.click(**w.listener(self.sweep, SweepRequest, CURVES), **LONG, **PRIVATE)
        stoppable(w["stop_sweep"], w["sweep_ending"])

    def fresh(self) -> Named:
        """The sizes of this pair, and no curves yet."""
        return {
            "swept": gr.Slider(**self._amount._asdict()),
            "sweep_status": sweep_views.EMPTY,
            "sweep_table": "",
        }

    def sweep(self, request: SweepRequest) -> Iterator[Named]:
        """Ask the same problems with every K. Yields: `CURVES`."""
        ending = Departure()
        try:
            ks = self.ks(request.task)
            frames = self.explorer.sweep(request.task, ks, request.swept)
            yield {
                "sweep_ending": ending,
                "stop_sweep": gr.Button(interactive=True),
                "sweep_status": sweep_views.progress([], len(ks)),
            }
            for trials in paced(until(frames, ending)):
                done = [trial for trial in trials if trial.n]
                yield {
                    "sweep_status": sweep_views.progress(trials, len(ks)),
                    "sweep_chart": sweep_chart(done, max(ks)).to_json(),
                    "sweep_table": sweep_views.table(done),
                }
            said = "" if ending.is_set() else sweep_views.said(request.task, request.swept)
            yield {"stop_sweep": idle(), "sweep_status": said}
        except UserError as error:
            yield {
                "sweep_ending": None,
                "stop_sweep": idle(),
                "sweep_status": views.message(str(error)),
            }
