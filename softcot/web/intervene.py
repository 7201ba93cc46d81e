"""The Intervene panel: change some thoughts of the question and see what that does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import gradio as gr

from softcot.evaluation.answering import Column
from softcot.support.errors import UserError
from softcot.thoughts.edits import BORROWING, EDITS, MEASURED, Edit, read_edits
from softcot.web import components, intervene_views, questions, views
from softcot.web.events import (
    AT_ONCE,
    LANE,
    LONG,
    PRIVATE,
    Departure,
    idle,
    paced,
    stoppable,
    until,
)
from softcot.web.explorer import MOST_TRIED
from softcot.web.panel import Panel
from softcot.web.requests import ComposeRequest, EditRequest, QuestionRequest
from softcot.web.wiring import Named

TRIED = components.Amount(10, MOST_TRIED, 100, 10)
"""Problems of a trial."""
TRIED_FEW = components.Amount(2, 40, 8, 2)
"""The same for pairs that are not the laboratory's: every one of them takes seconds."""

BUILDER = ("edits", "amount", "token", "borrowed")
"""What the choice of an edit changes."""
FITTED = ("slots", "edits")
ANSWERED = ("edit_message", "edit_ending", "stop_edit", "edit_answers")
TRIAL = ("trial_ending", "stop_trial", "effects")


class Intervene(Panel):
    """Widgets and events of the panel."""

    def build(self) -> None:
        """Lay the panel out and connect it."""
        w = self.widgets
        components.html(intervene_views.INTRODUCTION)
        with gr.Column(elem_classes="sheet"):
            self._builder()
            with gr.Row(elem_classes="action"):
                w["edits"] = gr.Textbox(
                    "swap",
                    label="Edits",
                    info="As they are made, one after the other; several may be written",
                    scale=3,
                    min_width=240,
                )
                w["run_edit"] = gr.Button("Run edit", variant="primary", scale=1, min_width=140)
                w["stop_edit"] = gr.Button("Stop edit", interactive=False, scale=1, min_width=110)
            w["edit_message"] = components.html("")
        w["edit_answers"] = components.html(intervene_views.idle(), elem_classes="four")
        self._trial()
        w["edit_ending"], w["trial_ending"] = gr.State(None), gr.State(None)
        self._connect()

    def _builder(self) -> None:
        w = self.widgets
        w["kind"] = gr.Radio(
            [(kind.capitalize(), kind) for kind in EDITS], value="swap", label="Edit"
        )
        components.html(intervene_views.EXPLAINED)
        w["slots"] = gr.CheckboxGroup(
            self._slots(self.explorer.default_k),
            label="Slots",
            info="None chosen means all of them",
            elem_classes="slots",
        )
        with gr.Row():
            w["amount"] = gr.Slider(
                -3, 3, 0.5, step=0.05, label="Amount", visible=False, min_width=200
            )
            w["token"] = gr.Textbox(
                label="Token",
                info="A text that is one token to the base",
                visible=False,
                min_width=200,
            )
        with gr.Row() as w["borrowed"]:
            first = w["loaded"].value
            w["other"] = gr.Textbox(
                self._donor(first.task, first.question, seed=0),
                label="Second question",
                lines=2,
                scale=4,
                min_width=240,
            )
            w["draw_other"] = gr.Button("Draw another", size="md", scale=1, min_width=160)

    def _trial(self) -> None:
        w = self.widgets
        components.html(intervene_views.TRIAL)
        with gr.Column(elem_classes="sheet"):
            w["tried"], w["try_out"], w["stop_trial"] = components.action(
                self._amount(), "Problems", "Try on many", "Stop trial", variant="secondary"
            )
            w["effects"] = components.html("")

    def _connect(self) -> None:
        w = self.widgets
        composed = w.listener(self.compose, ComposeRequest, BUILDER)
        for name in ("kind", "slots", "amount", "token"):
            w[name].input(**composed, **AT_ONCE)
        w["k"].change(**w.listener(self.fit, ComposeRequest, FITTED), **AT_ONCE)
        drawn = w.listener(self.draw, QuestionRequest, ["other"])
        w["draw_other"].click(**drawn, **AT_ONCE)
        w["task"].change(**drawn, **AT_ONCE)
        gr.on(
            [w["run_edit"].click, w["edits"].submit],
            **w.listener(self.intervene, EditRequest, ANSWERED),
            **LANE,
            **PRIVATE,
        )
        w["try_out"].click(**w.listener(self.try_many, EditRequest, TRIAL), **LONG, **PRIVATE)
        stoppable(w["stop_edit"], w["edit_ending"])
        stoppable(w["stop_trial"], w["trial_ending"])

    @staticmethod
    def _slots(k: int) -> list[tuple[str, int]]:
        return [(str(n), n) for n in range(1, k + 1)]

    def _amount(self) -> components.Amount:
        return TRIED if self.explorer.laboratory else TRIED_FEW

    def _donor(self, task: str, question: str, seed: int | None = None) -> str:
        return questions.donor(task, question, seed, self.explorer.laboratory).heard

    def fresh(self) -> Named:
        """The slots and sizes of this pair, and nothing answered yet."""
        return {
            "slots": gr.CheckboxGroup(value=[]),  # K says which there are
            "tried": gr.Slider(**self._amount()._asdict()),
            "edit_message": "",
            "edit_answers": intervene_views.idle(),
            "effects": "",
        }

    def compose(self, request: ComposeRequest) -> Named:
        """The edit that the widgets describe, and which of them it needs: `BUILDER`."""
        kind = request.kind
        low, high = (0, 1) if kind == "mix" else (-3, 3)
        amount = min(max(request.amount, low), high)
        token = request.token.strip().replace(" ", "·") if kind == "add" else ""
        try:
            text = str(Edit(kind, tuple(sorted(request.slots)), amount, token))
        except UserError:  # the token is still to be typed
            text = ""
        slider: Named = {"visible": kind in MEASURED, "label": intervene_views.AMOUNTS.get(kind)}
        return {
            "edits": text,
            "amount": gr.Slider(value=amount, minimum=low, maximum=high, **slider),
            "token": gr.Textbox(visible=kind == "add"),
            "borrowed": gr.Row(visible=kind in BORROWING),
        }

    def fit(self, request: ComposeRequest) -> Named:
        """Offer the slots that there are at K, and edit no others: `FITTED`."""
        kept = [slot for slot in request.slots if slot <= request.k]
        fitted: Named = {"slots": gr.CheckboxGroup(self._slots(request.k), value=kept)}
        if kept != request.slots:
            fitted["edits"] = self.compose(replace(request, slots=kept))["edits"]
        return fitted

    def draw(self, request: QuestionRequest) -> Named:
        """A question whose thoughts may be borrowed."""
        return {"other": self._donor(request.task, request.question)}

    def intervene(self, request: EditRequest) -> Iterator[Named]:
        """Answer with the own thoughts, the edited ones and placebos. Yields: `ANSWERED`."""
        ending = Departure()
        try:
            edits = read_edits(request.edits, request.other)
            explorer = self.explorer.visit(ended=ending)
            k = explorer.k_for(request.question, request.task, request.k)
            frames = explorer.intervene(request.problem, k, edits)
            yield {
                "edit_message": "",
                "edit_ending": ending,
                "stop_edit": gr.Button(interactive=True),
            }
            unread = self.explorer.is_unread(request.problem)
            columns: list[Column] = []
            for columns in paced(until(frames, ending)):
                yield {"edit_answers": intervene_views.cards(columns, unread=unread)}
            cards = intervene_views.cards(columns, ending.is_set(), unread)
            yield {"stop_edit": idle(), "edit_answers": cards}
        except UserError as error:
            yield {
                "edit_message": views.message(str(error)),
                "edit_ending": None,
                "stop_edit": idle(),
                "edit_answers": intervene_views.idle(),
            }

    def try_many(self, request: EditRequest) -> Iterator[Named]:
        """The same edit on many problems. Yields: `TRIAL`."""
        ending, count = Departure(), request.tried
        try:
            edits = read_edits(request.edits, request.other)
            k = self.explorer.k_for("", request.task, request.k)
            frames = self.explorer.try_edits(request.task, k, edits, count)
            yield {
                "trial_ending": ending,
                "stop_trial": gr.Button(interactive=True),
                "effects": views.progress(0, count, "problems"),
            }
            for trials in paced(until(frames, ending)):
                yield {"effects": intervene_views.effects(trials, count)}
            yield {"stop_trial": idle()}
        except UserError as error:
            yield {
                "trial_ending": None,
                "stop_trial": idle(),
                "effects": views.message(str(error)),
            }
