"""The Train panel: a projection trained in the page, used at once, and taken home."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import gradio as gr

from softcot import plots
from softcot.data.tasks import TASKS
from softcot.plots.training import training_chart
from softcot.support.errors import UserError
from softcot.thoughts.projection import Projection
from softcot.training.live import train_live
from softcot.web import look, train_views, views
from softcot.web.events import idle, paced, stoppable, unchanged
from softcot.web.explorer import Explorer
from softcot.web.zerogpu import lends

STEPS = 150
"""Steps where nobody chose a number: about two minutes on two cores."""


class Train:
    """Widgets and events of the panel.

    Args:
        explorer: What can be asked.
        asked: The page's question and K.
        using: The page's choice to use what was trained here.
    """

    def __init__(
        self, explorer: Explorer, asked: Sequence[gr.components.Component], using: gr.Checkbox
    ):
        self.explorer = explorer
        self.asked = list(asked)
        self.using = using

    def build(self) -> None:
        """Lay the panel out and connect it."""
        look.html(train_views.INTRODUCTION)
        taught = [(task.title, name) for name, task in TASKS.items() if "train" in task.splits]
        with gr.Column(elem_classes="sheet"):
            self.task = gr.Radio(taught, value=taught[0][1], label="Kind of problem to learn")
            amount = (20, 600, STEPS, 10, "Steps")
            self.steps, self.run, self.stop = look.action(amount, "Train", "Stop training")
            self.status = look.html(train_views.EMPTY)
            self.chart = look.plot(
                "", plots.templates(plots.chart_template), train_views.ALT, plots.dark_accents()
            )
            self.download = gr.DownloadButton("Download projection", visible=False, size="md")
        look.html(train_views.MAP)
        with gr.Column(elem_classes="sheet"):
            self.map = look.plot("", plots.templates(), train_views.MAP_ALT, tall="map")
        self.ending, self.trained = gr.State(None), gr.State(None)
        self._connect()

    def _connect(self) -> None:
        self.run.click(
            self.train,
            [self.task, self.steps, *self.asked],
            [
                self.ending,
                self.run,
                self.stop,
                self.status,
                self.chart,
                self.map,
                self.download,
                self.trained,
                self.using,
            ],
            # One training at a time, beside the lane of the answers; the queue tells the others
            # their place.
            concurrency_id="training",
            concurrency_limit=1,
            api_visibility="private",
            show_progress_on=self.status,
        )
        stoppable(self.stop, self.ending)

    def train(self, task: str, steps: int, question: str, k: int) -> Iterator[tuple]:
        """Train and show it.

        Yields:
            what ends it, train, stop, status, chart, map, download, the trained projection, whether
            Compare uses it.
        """
        ending = threading.Event()
        folder = Path(tempfile.mkdtemp(prefix="softcot-"), f"projection-{task}")
        ready = (gr.Button(interactive=True), idle())
        yield (ending, idle(), gr.Button(interactive=True), *unchanged(6))
        frames = train_live(
            self.explorer.pair,
            TASKS[task],
            question.strip() or self.explorer.problem(task, 0).question,
            self.explorer.vocabulary,
            steps,
            folder,
            ending,
        )
        try:
            if lends():
                raise UserError(
                    "Training takes longer than this Space lends a GPU; start the app on a machine "
                    "of your own to train."
                )
            for live in paced(frames):
                seen = plots.thought_map(live.seen, k).to_json() if live.seen else ""
                yield (
                    *unchanged(3),
                    train_views.status(live),
                    training_chart(live).to_json() if live.losses else gr.skip(),
                    seen or gr.skip(),
                    *unchanged(3),
                )
            weights = gr.DownloadButton(value=str(folder / "model.safetensors"), visible=True)
            trained = Projection.load_for(self.explorer.pair, folder)
            using = gr.Checkbox(value=True, visible=True)
            yield (gr.skip(), *ready, *unchanged(3), weights, trained, using)
        except UserError as error:
            yield (gr.skip(), *ready, views.message(str(error)), *unchanged(5))
        finally:
            ending.set()
