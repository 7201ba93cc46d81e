"""The Train panel: a projection trained in the page, used at once, and taken home."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from softcot import plots
from softcot.data.tasks import get_task
from softcot.plots.training import training_chart
from softcot.support.errors import UserError
from softcot.support.reading import reason
from softcot.thoughts.archive import pack, unpack
from softcot.thoughts.projection import Projection
from softcot.training.live import LARGE, PAGE, LiveTraining, train_live
from softcot.web import components, questions, train_views, views
from softcot.web.events import LANE, PRIVATE, Departure, idle, paced, stoppable
from softcot.web.panel import Panel
from softcot.web.requests import BringRequest, TrainRequest
from softcot.web.temporary import Folder
from softcot.web.wiring import Named
from softcot.web.zerogpu import lends

STEPS = components.Amount(20, 600, 150, 10)
"""Steps; the usual ones take about two minutes on two cores."""
STEPS_FEW = components.Amount(4, 100, 12, 4)
"""The same for pairs that are not the laboratory's, of which every step takes seconds."""

LEARNED = ("train_ending", "run_training", "stop_training", "train_status", "train_chart",
           "train_waiting", "train_map", "download_projection", "projection_folder", "trained",
           "using")  # fmt: skip
BROUGHT = ("train_status", "trained", "using")
"""What a projection from the reader's own computer changes."""


class Train(Panel):
    """Widgets and events of the panel."""

    def build(self) -> None:
        """Lay the panel out and connect it."""
        w = self.widgets
        components.html(train_views.INTRODUCTION)
        with gr.Column(elem_classes="sheet"):
            w["taught"] = gr.Radio(**self._taught(), label="Kind of problem to learn")
            w["steps"], w["run_training"], w["stop_training"] = components.action(
                self._amount, "Steps", "Train", "Stop training"
            )
            w["train_status"] = components.html(self._empty)
            w["train_chart"] = components.chart(train_views.ALT)
            with gr.Row(elem_classes="after"):
                w["download_projection"] = gr.DownloadButton(
                    "Download projection", visible=False, size="md", scale=0, min_width=210
                )
                w["brought"] = gr.UploadButton(
                    "Use a projection of yours",
                    file_types=[".zip", ".safetensors"],
                    size="md",
                    scale=0,
                    min_width=230,
                )
        components.html(train_views.MAP)
        with gr.Column(elem_classes="sheet"):
            w["train_waiting"] = components.html(train_views.WAITING)
            w["train_map"] = components.plot(train_views.MAP_ALT, "map")
        w["train_ending"], w["trained"] = gr.State(None), gr.State(None)
        w["projection_folder"] = gr.State(None)
        w["run_training"].click(
            **w.listener(self.train, TrainRequest, LEARNED),
            # One training at a time, which gives way to answers; the queue tells the others their
            # place.
            concurrency_id="training",
            concurrency_limit=1,
            api_visibility="private",
            show_progress_on=w["train_status"],
        )
        stoppable(w["stop_training"], w["train_ending"])
        w["brought"].upload(**w.listener(self.bring, BringRequest, BROUGHT), **LANE, **PRIVATE)

    def _taught(self) -> dict[str, Any]:
        """What can be learned, as a choice."""
        tasks = questions.taught(self.explorer.laboratory)
        return {
            "choices": [(task.title, name) for name, task in tasks.items()],
            "value": next(iter(tasks)),
        }

    @property
    def _amount(self) -> components.Amount:
        return STEPS if self.explorer.laboratory else STEPS_FEW

    @property
    def _empty(self) -> str:
        return train_views.EMPTY if self.explorer.laboratory else train_views.EMPTY_LARGE

    def fresh(self) -> Named:
        """What this pair can learn, and nothing trained yet."""
        return {
            "taught": gr.Radio(**self._taught()),
            "steps": gr.Slider(**self._amount._asdict()),
            "train_status": self._empty,
            "train_waiting": train_views.WAITING,
            "download_projection": gr.DownloadButton(visible=False),
        }

    def train(self, request: TrainRequest) -> Iterator[Named]:
        """Train and show it; Compare uses what was trained. Yields: `LEARNED`."""
        ending = Departure()
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
            whole = kept.path / f"{folder.name}.zip"
            pack(folder, whole)
            yield {
                **ready,
                "projection_folder": kept,
                "download_projection": gr.DownloadButton(value=str(whole), visible=True),
                "trained": Projection.load_for(self.explorer.pair, folder),
                "using": gr.Checkbox(label=train_views.TRAINED, value=True, visible=True),
            }
        except UserError as error:
            yield {**ready, "train_status": views.message(str(error))}
        except OSError as error:  # its files may have no room
            told = f"What was trained cannot be kept here ({reason(error)})."
            yield {**ready, "train_status": views.message(told)}
        finally:
            ending.set()

    def _training(
        self, request: TrainRequest, folder: Path, ending: threading.Event
    ) -> Iterator[LiveTraining]:
        return train_live(
            self.explorer.pair,
            get_task(request.taught),
            request.question.strip() or questions.draw(request.taught, 0).question,
            self.explorer.vocabulary,
            request.steps,
            folder,
            ending,
            PAGE if self.explorer.laboratory else LARGE,
            self.explorer.backend,
        )

    def bring(self, request: BringRequest) -> Named:
        """Use a projection from the reader's own computer under Compare: `BROUGHT`."""
        file, kept = Path(request.brought), Folder()
        try:
            projection = self.explorer.pair.read(Projection, unpack(file, kept.path))
        except UserError as error:
            # Where it was unpacked to is nobody's business.
            told = str(error).replace(str(kept.path / "projection"), file.name)
            return {"train_status": views.message(told)}
        return {
            "train_status": train_views.brought(projection),
            "trained": projection,
            "using": gr.Checkbox(label=train_views.BROUGHT, value=True, visible=True),
        }

    @staticmethod
    def _shown(live: LiveTraining, k: int) -> Named:
        named: Named = {"train_status": train_views.status(live)}
        if live.losses:
            named["train_chart"] = training_chart(live).to_json()
        if live.seen:
            named["train_waiting"] = ""
            named["train_map"] = plots.thought_map(live.seen, k).to_json()
        return named
