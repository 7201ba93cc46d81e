"""The Intervene panel: change some thoughts of the question and see what that does."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import gradio as gr

from softcot.data.problems import Problem
from softcot.support.errors import UserError
from softcot.thoughts.edits import BORROWING, EDITS, MEASURED, Edit, read_edits
from softcot.web import intervene_views, look, views
from softcot.web.events import AT_ONCE, LANE, PRIVATE, idle, paced, stoppable, unchanged, until
from softcot.web.explorer import asked_problem
from softcot.web.panel import Panel

TRIED = 100
"""Problems of a trial where nobody chose a number."""


class Intervene(Panel):
    """Widgets and events of the panel."""

    def build(self) -> None:
        """Lay the panel out and connect it."""
        look.html(intervene_views.INTRODUCTION)
        with gr.Column(elem_classes="sheet"):
            self._builder()
            with gr.Row(elem_classes="action"):
                self.edits = gr.Textbox(
                    "swap",
                    label="Edits",
                    info="As they are made, one after the other; several may be written",
                    scale=3,
                    min_width=240,
                )
                self.run = gr.Button("Run edit", variant="primary", scale=1, min_width=140)
                self.stop = gr.Button("Stop edit", interactive=False, scale=1, min_width=110)
            self.message = look.html("")
        self.cards = look.html(intervene_views.idle(), elem_classes="four")
        self._trial()
        self._connect()

    def _builder(self) -> None:
        self.kind = gr.Radio(
            [(kind.capitalize(), kind) for kind in EDITS], value="swap", label="Edit"
        )
        self.slots = gr.CheckboxGroup(
            [(str(n), n) for n in range(1, self.explorer.max_thoughts + 1)],
            label="Slots",
            info="None chosen means all of them",
            elem_classes="slots",
        )
        with gr.Row():
            self.amount = gr.Slider(
                -3, 3, 0.5, step=0.05, label="Amount", visible=False, min_width=200
            )
            self.token = gr.Textbox(
                label="Token",
                info="A text that is one token to the base",
                visible=False,
                min_width=200,
            )
        with gr.Row() as self.borrowed:
            first = self.asked[-1].value
            self.other = gr.Textbox(
                self.explorer.donor(first.task, first.question, seed=0).question,
                label="Second question",
                lines=2,
                scale=4,
                min_width=240,
            )
            self.redraw = gr.Button("Draw another", size="md", scale=1, min_width=160)

    def _trial(self) -> None:
        look.html(intervene_views.TRIAL)
        with gr.Column(elem_classes="sheet"):
            amount = (10, 500, TRIED, 10, "Problems")
            self.count, self.try_out, self.halt = look.action(
                amount, "Try on many", "Stop trial", variant="secondary"
            )
            self.effects = look.html("")

    def _connect(self) -> None:
        built = [self.kind, self.slots, self.amount, self.token]
        for widget in built:
            widget.input(self.compose, built, [self.edits, *built[2:], self.borrowed], **AT_ONCE)
        task, question = self.asked[:2]
        drawn = {"inputs": [task, question], "outputs": self.other}
        self.redraw.click(self.draw, **drawn, **AT_ONCE)
        task.change(self.draw, **drawn, **AT_ONCE)
        ending, trial_ending = gr.State(None), gr.State(None)
        gr.on(
            [self.run.click, self.edits.submit],
            self.intervene,
            [*self.asked, self.edits, self.other],
            [self.message, ending, self.stop, self.cards],
            **LANE,
            **PRIVATE,
        )
        self.try_out.click(
            self.try_many,
            [self.asked[0], self.asked[2], self.edits, self.other, self.count],
            [trial_ending, self.halt, self.effects],
            **LANE,
            **PRIVATE,
        )
        stoppable(self.stop, ending)
        stoppable(self.halt, trial_ending)

    def compose(self, kind: str, slots: list[int], amount: float, token: str) -> tuple:
        """The edit that the widgets describe, and which of them it needs.

        Returns:
            edits, amount, token, row of the second question.
        """
        low, high = (0, 1) if kind == "mix" else (-3, 3)
        amount = min(max(amount, low), high)
        token = token.strip().replace(" ", "·") if kind == "add" else ""
        try:
            text = str(Edit(kind, tuple(sorted(slots)), amount, token))
        except UserError:  # the token is still to be typed
            text = ""
        slider = {"visible": kind in MEASURED, "label": intervene_views.AMOUNTS.get(kind)}
        return (
            text,
            gr.Slider(value=amount, minimum=low, maximum=high, **slider),
            gr.Textbox(visible=kind == "add"),
            gr.Row(visible=kind in BORROWING),
        )

    def draw(self, task: str, question: str) -> str:
        """A question whose thoughts may be borrowed."""
        return self.explorer.donor(task, question).question

    def intervene(
        self,
        task: str,
        question: str,
        k: int,
        gold: str,
        loaded: Problem,
        edits: str,
        other: str,
    ) -> Iterator[tuple]:
        """Answer with the question's own thoughts, the edited ones and placebos.

        Yields:
            message, what ends it, stop, cards.
        """
        ending = threading.Event()
        try:
            problem = asked_problem(task, question, gold, loaded)
            frames = self.explorer.intervene(problem, k, read_edits(edits, other))
            yield "", ending, gr.Button(interactive=True), gr.skip()
            columns = []
            for columns in paced(until(frames, ending)):
                yield *unchanged(3), intervene_views.cards(columns)
            cards = intervene_views.cards(columns, stopped=ending.is_set())
            yield *unchanged(2), idle(), cards
        except UserError as error:
            yield views.message(str(error)), None, idle(), intervene_views.idle()

    def try_many(self, task: str, k: int, edits: str, other: str, count: int) -> Iterator[tuple]:
        """The same edit on many problems.

        Yields:
            what ends it, stop, effects.
        """
        ending = threading.Event()
        try:
            frames = self.explorer.try_edits(task, k, read_edits(edits, other), count)
            yield ending, gr.Button(interactive=True), views.progress(0, count, "problems")
            for trials in paced(until(frames, ending)):
                yield *unchanged(2), intervene_views.effects(trials, count)
            yield gr.skip(), idle(), gr.skip()
        except UserError as error:
            yield None, idle(), views.message(str(error))
