"""The Train panel: a projection trained in the page, used at once, and taken home."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import gradio as gr

from softcot import plots
from softcot.data.tasks import TASKS
from softcot.plots.training import training_chart
from softcot.support.errors import UserError
from softcot.thoughts.projection import Projection
from softcot.training.live import LiveTraining, train_live
from softcot.web import components, questions, train_views, views
from softcot.web.events import idle, paced, stoppable
from softcot.web.panel import Panel
from softcot.web.requests import TrainRequest
from softcot.web.temporary import Folder
from softcot.web.wiring import Named
from softcot.web.zerogpu import lends

STEPS = 150
"""Steps where nobody chose a number: about two minutes on two cores."""

LEARNED = ("train_ending", "run_training", "stop_training", "train_status", "train_chart",
           "train_map", "download_projection", "projection_folder", "trained", "using")  # fmt: skip


class Train(Panel):
    """Widgets and events of the panel."""

    def build(self) -> None:
        """Lay the panel out and connect it."""
        w = self.widgets
        components.html(train_views.INTRODUCTION)
        taught = [(task.title, name) for name, task in TASKS.items() if "train" in task.splits]
        with gr.Column(elem_classes="sheet"):
            w["taught"] = gr.Radio(taught, value=taught[0][1], label="Kind of problem to learn")
            amount = (20, 600, STEPS, 10, "Steps")
            w["steps"], w["run_training"], w["stop_training"] = components.action(
                amount, "Train", "Stop training"
            )
            w["train_status"] = components.html(train_views.EMPTY)
            w["train_chart"] = components.chart(train_views.ALT)
            w["download_projection"] = gr.DownloadButton(
                "Download projection", visible=False, size="md"
            )
        components.html(train_views.MAP)
        with gr.Column(elem_classes="sheet"):
            w["train_map"] = components.plot(train_views.MAP_ALT, "map")
        w["train_ending"], w["trained"] = gr.State(None), gr.State(None)
        w["projection_folder"] = gr.State(None)
        w["run_training"].click(
            **w.listener(self.train, TrainRequest, LEARNED),
            # One training at a time, beside the lane of the answers; the queue tells the others
            # their place.
            concurrency_id="training",
            concurrency_limit=1,
            api_visibility="private",
            show_progress_on=w["train_status"],
        )
        stoppable(w["stop_training"], w["train_ending"])

    def train(self, request: TrainRequest) -> Iterator[Named]:
        """Train and show it; Compare uses what was trained. Yields: `LEARNED`."""
        ending = threading.Event()
        ready = {"run_training": gr.Button(interactive=True), "stop_training": idle()}
        yield {
            "train_ending": ending,
            "run_training": idle(),
            "stop_training": gr.Button(interactive=True),
        }
        try:
            if lends():
                raise UserError(
                    "Training takes longer than this Space lends a GPU; start the app on a machine "
                    "of your own to train."
                )
            kept = Folder()
            folder = kept.path / f"projection-{request.taught}"
            for live in paced(self._training(request, folder, ending)):
                yield self._shown(live, request.k)
            yield {
                **ready,
                "projection_folder": kept,
                "download_projection": gr.DownloadButton(
                    value=str(folder / "model.safetensors"), visible=True
                ),
                "trained": Projection.load_for(self.explorer.pair, folder),
                "using": gr.Checkbox(value=True, visible=True),
            }
        except (UserError, OSError) as error:  # its files may have no room
            yield {**ready, "train_status": views.message(str(error))}
        finally:
            ending.set()

    def _training(
        self, request: TrainRequest, folder: Path, ending: threading.Event
    ) -> Iterator[LiveTraining]:
        return train_live(
            self.explorer.pair,
            TASKS[request.taught],
            request.question.strip() or questions.draw(request.taught, 0).question,
            self.explorer.vocabulary,
            request.steps,
            folder,
            ending,
        )

    @staticmethod
    def _shown(live: LiveTraining, k: int) -> Named:
        named: Named = {"train_status": train_views.status(live)}
        if live.losses:
            named["train_chart"] = training_chart(live).to_json()
        if live.seen:
            named["train_map"] = plots.thought_map(live.seen, k).to_json()
        return named
