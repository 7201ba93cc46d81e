"""The one page: the Compare tab's widgets and events, the panels, and the address."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from softcot.data.problems import Problem
from softcot.support.errors import UserError
from softcot.web import components, handlers, link, results_views, views
from softcot.web.api import Blocks, add_endpoints
from softcot.web.events import AT_ONCE, LANE, PRIVATE, ends, stoppable
from softcot.web.explorer import MOST_SAMPLES, Explorer
from softcot.web.handlers import Handlers
from softcot.web.inside import Inside
from softcot.web.intervene import Intervene
from softcot.web.pairs import PICK, Pairs
from softcot.web.panel import Panel
from softcot.web.questions import examples
from softcot.web.requests import (
    AddressRequest,
    Asked,
    LandingRequest,
    OpeningRequest,
    PageRequest,
    QuestionRequest,
)
from softcot.web.residents import Residents
from softcot.web.results import REPORT, read_report
from softcot.web.sweep import Sweep
from softcot.web.train import Train
from softcot.web.wiring import Widgets

PANELS: tuple[tuple[str, type[Panel], str], ...] = (
    ("Intervene", Intervene, "strip_intervene"),
    ("Inside", Inside, "strip_inside"),
    ("Sweep", Sweep, ""),
    ("Train", Train, ""),
)
"""Title, panel, and the name of the strip with the question, if it is about that."""


class Page:
    """The widgets of the one page, and which event changes which of them.

    Args:
        explorer: What the page can do, and does where a visitor chose no other pair.
        report: The file that the Results tab shows.
        notice: What a reader must know first; empty for nothing.
        residents: The pairs that a visitor may choose of.
    """

    def __init__(
        self,
        explorer: Explorer,
        report: Path = REPORT,
        notice: str = "",
        residents: Residents | None = None,
    ):
        self.explorer = explorer
        self.report = report
        self.notice = notice
        self.residents = residents or Residents(explorer)
        self.handlers = Handlers(explorer)
        self.widgets = Widgets(self.residents)
        self.panels = [panel(explorer, self.widgets) for _, panel, _ in PANELS]
        self.pairs = Pairs(self.residents, self.widgets, self.panels)

    def build(self) -> gr.Blocks:
        """Lay the widgets out, connect them, and add the named endpoints."""
        first = self.explorer.first
        with Blocks(title="SoftCoT Explorer", analytics_enabled=False) as self.blocks:
            add_endpoints(self.residents)  # first, for these names to be theirs alone
            components.html(views.HEADER)
            self.pairs.build()
            if self.notice:
                components.html(views.message(self.notice))
            with gr.Tabs(elem_classes="pages"):
                with gr.Tab("Compare", id="compare"):
                    self._compare(first)
                for panel, (title, _, strip) in zip(self.panels, PANELS, strict=True):
                    with gr.Tab(title, id=title.lower()):
                        if strip:
                            shown = views.strip(first.question, self.explorer.default_k)
                            self.widgets[strip] = components.html(shown)
                        panel.build()
                with gr.Tab("Results", id="results"):
                    self._results()
            self._connect()
            for script in (components.TABS_JS, components.THOUGHTS_JS, components.ANNOUNCE_JS):
                self.blocks.load(None, js=script, **PRIVATE)
        return self.blocks

    def _compare(self, first: Problem) -> None:
        with gr.Row(elem_classes="workplace"):
            with gr.Column(elem_classes="sheet ask"):
                self._problem(first)
            with gr.Column(elem_classes="sheet settings"):
                self._settings(first)
            with gr.Column(elem_classes="shown"):
                with gr.Column(elem_classes="said"):
                    self._plan(first)
                    self._answers()
                with gr.Column(elem_classes="seen"):
                    self._thoughts()
        self.widgets["tour"] = components.html(self._shown["tour"])

    def _problem(self, first: Problem) -> None:
        w, listed = self.widgets, examples(first.task, self.explorer.laboratory)
        w["task"] = gr.Radio(
            [(task.title, name) for name, task in self.explorer.tasks.items()],
            value=first.task,
            label="Kind of problem",
            elem_classes="kinds",
        )
        w["listed"], w["loaded"] = gr.State(listed), gr.State(first)
        w["examples"] = components.html(
            handlers.offered(self.explorer, first.task), js_on_load=components.EXAMPLES_JS
        )
        w["question"] = gr.Textbox(
            first.question,
            label="Question",
            placeholder="Type a question",
            lines=4,
            max_lines=12,
            elem_classes="question",
        )
        w["caution"] = components.html("", js_on_load=components.TRY_JS)
        with gr.Row(elem_classes="go"):
            w["run"] = gr.Button("Run", variant="primary", scale=2, min_width=110, elem_id="run")
            w["stop"] = gr.Button("Stop", interactive=False, scale=1, min_width=90)
            w["another"] = gr.Button("Another problem", scale=0, min_width=120)

    def _settings(self, first: Problem) -> None:
        w = self.widgets
        w["k"] = gr.Slider(
            0,
            self.explorer.max_thoughts,
            self.explorer.default_k,
            step=1,
            precision=0,
            label="Soft thoughts K",
            info=handlers.about_k(self.explorer),
            min_width=240,
        )
        w["note"] = gr.Textbox(
            first.note,
            label="Tell the assistant alone",
            placeholder="The base never reads this",
            lines=1,
            max_lines=6,
            elem_classes="note-box",
        )
        w["note_caution"] = components.html("", js_on_load=components.TRY_JS)
        w["gold"] = gr.Textbox(first.answer, label="Right answer", placeholder="if you know it")
        w["typed"] = gr.State(False)
        w["using"] = gr.Checkbox(
            False, label="Use the projection that was trained on this page", visible=False
        )
        w["further"] = gr.CheckboxGroup(self.explorer.further, label="Ask these methods, too")
        self._sampling()

    def _sampling(self) -> None:
        w, longest, usual = self.widgets, self.explorer.longest, self.explorer.usual_length
        with gr.Accordion("Sampling", open=False, elem_classes="sampling"):
            w["temperature"] = gr.Slider(
                0, 2, 0, step=0.05, label="Temperature", info="0 takes the likeliest token"
            )
            w["top_p"] = gr.Slider(
                0.05, 1, 1, step=0.05, label="Top-p", info="1 samples from all tokens"
            )
            w["samples"] = gr.Slider(
                1, MOST_SAMPLES, 1, step=1, label="Samples", info="of several, the majority answers"
            )
            w["longest"] = gr.Slider(8, longest, usual, step=8, label="Longest answer in tokens")
            w["seed"] = gr.Number(41, label="Seed", precision=0, minimum=0)

    def _plan(self, first: Problem) -> None:
        """What stands between the question and the answers."""
        w, seen = self.widgets, self.explorer.explore(first.question, first.task)
        opened = PageRequest(first.task, first.question, self.explorer.default_k)
        self._shown = self.handlers.shown(seen, opened)
        w["message"] = components.html("")
        with gr.Column(elem_classes="sheet planned"):
            w["seen"] = gr.State(seen)
            w["reading"] = components.html(views.reading(first, self.explorer.laboratory))
            with gr.Row(elem_classes="plan-row"):
                w["plan"] = components.html(self._shown["plan"])
                w["swapped"] = gr.Checkbox(
                    False, label="Swap plan", elem_classes="swap", min_width=120, scale=0
                )
            with gr.Row(visible=False) as w["donor_row"]:
                w["donor"] = gr.Textbox(
                    label="SoftCoT is given the thoughts of this question instead",
                    lines=2,
                    scale=4,
                    min_width=240,
                )
                w["redraw"] = gr.Button("Another one", size="md", scale=1, min_width=140)

    def _answers(self) -> None:
        w, opened = self.widgets, self._opened()
        w["ending"], w["run_folder"] = gr.State(None), gr.State(None)
        w["asked"], w["queue"] = gr.State(opened), components.html("", elem_classes="queue")
        w["standing"] = components.html(views.standing(opened, False))
        w["answers"] = components.html(views.columns(self.explorer.opened))
        with gr.Row(elem_classes="after"):
            w["sampled"] = components.html("", elem_classes="sampled")
            w["again"] = gr.Button("Regenerate", size="sm", min_width=150, scale=0)
            w["download"] = gr.DownloadButton("Download run", interactive=False, size="sm", scale=0)

    def _opened(self) -> Asked | None:
        """Answer the first example before anybody comes, where that takes no time to speak of."""
        if not self.explorer.laboratory:
            return None
        for _ in self.explorer.opening():
            pass
        return Asked(self.explorer.first.question, self.explorer.default_k, opening=True)

    def _thoughts(self) -> None:
        w = self.widgets
        components.html(views.THOUGHTS)
        with gr.Column(elem_classes="sheet"):
            w["origin"] = components.html(self._shown["origin"])
            w["map"] = components.thought_map(self._shown["map"])
            components.html(views.ABOUT_MAP)
            w["table"] = components.html(self._shown["table"])

    def _results(self) -> None:
        try:
            page = results_views.results(read_report(self.report))
        except UserError as error:  # the rest of the page needs no report
            components.html(views.message(str(error)))
        else:
            components.results(page)

    def _connect(self) -> None:
        greeting = self._connect_address()
        self._connect_problems(running=greeting + self._connect_run(greeting))
        self._connect_thoughts()

    def _connect_run(self, greeting: list[gr.events.Dependency]) -> list[gr.events.Dependency]:
        w, h = self.widgets, self.handlers
        compare = {
            **w.listener(h.compare, PageRequest, handlers.RUN),
            **LANE,
            **PRIVATE,
            "show_progress": "minimal",
            "show_progress_on": w["queue"],
        }
        reseed = w.listener(h.reseed, PageRequest, ["temperature", "seed"])
        stoppable(w["stop"], w["ending"])
        gr.on(
            [w["temperature"].change, w["seed"].change],
            **w.listener(h.sampling, PageRequest, ["sampled"]),
            **AT_ONCE,
        )
        pressed = [w["run"].click, w["question"].submit, w["again"].click]
        gr.on(pressed, None, None, js=components.SHOW_JS, **PRIVATE)
        runs = [
            gr.on(pressed[:2], **compare, cancels=greeting),
            w["again"].click(**reseed, **AT_ONCE, cancels=greeting).then(**compare),
        ]
        # Another plan is carried out at once, whatever is being written.
        for event, handler in (
            (w["swapped"].input, h.toggle_swap),
            (w["redraw"].click, h.draw_donor),
        ):
            ends(event, w["ending"])
            swap = {**w.listener(handler, PageRequest, handlers.SWAP), **LANE, **PRIVATE}
            swapped = event(**swap, cancels=greeting, trigger_mode="always_last")
            runs.append(swapped.then(**compare))
        return runs

    def _connect_problems(self, running: list[gr.events.Dependency]) -> None:
        w, h = self.widgets, self.handlers
        # Another problem ends the run: its answer would stand under the wrong question.
        options = {"cancels": running, **LANE, **PRIVATE}
        for event, handler, changes in (
            (w["task"].input, h.pick_task, (*handlers.OFFER, *handlers.PROBLEM)),
            (w["examples"].select, h.pick_example, handlers.PROBLEM),
            (w["another"].click, h.draw_problem, handlers.PROBLEM),
            (w["ask_picked"].click, h.open_picked, handlers.PROBLEM),
        ):
            ends(event, w["ending"])
            event(**w.listener(handler, PageRequest, changes), **options)
        read = w.listener(h.read_question, QuestionRequest, ["gold", *handlers.READ])
        gr.on([w["question"].change, w["note"].change], **read, **AT_ONCE)
        for name, text, handler in (
            ("caution", "question", h.try_wording),
            ("note_caution", "note", h.try_note),
        ):
            tried = w.listener(handler, QuestionRequest, [text])
            w[name].select(**tried, **AT_ONCE)
        w["gold"].input(lambda: True, None, w["typed"], **AT_ONCE)

    def _connect_thoughts(self) -> None:
        w, h = self.widgets, self.handlers
        gr.on(
            [w["question"].change, w["k"].change],
            **w.listener(h.strips, QuestionRequest, handlers.STRIPS),
            **AT_ONCE,
        )
        w["k"].change(**w.listener(h.follow, PageRequest, handlers.THOUGHTS), **AT_ONCE)
        w["further"].input(**w.listener(h.look, PageRequest, handlers.LOOK), **LANE, **PRIVATE)
        names = ("question", "note", "k", "swapped", "donor", "asked")
        deciding = [w[name].change for name in names]
        gr.on(deciding, **w.listener(h.stand, PageRequest, ["standing"]), **AT_ONCE)

    def _connect_address(self) -> list[gr.events.Dependency]:
        """The address follows what is asked, and a page that is opened follows its address.

        Returns:
            What answers the first example where nothing else is asked.
        """
        w = self.widgets
        told = [w[name] for name in link.FIELDS.values()]
        gr.on([one.change for one in told], None, told, js=link.follow_js(), **PRIVATE)
        w["landing"], w["search"] = gr.Textbox(visible=False), gr.State("")
        changes = (*handlers.ADDRESS, *handlers.OFFER, *handlers.PROBLEM)
        # First the pair that it names, then the rest, with what that pair offers.
        opened = self.blocks.load(
            **w.listener(self.pairs.arrive, LandingRequest, (*PICK, "search"), answers=False),
            js="() => [location.search]",
            **PRIVATE,
            concurrency_limit=None,
        )
        fitted, *others = self.pairs.connect(opened)
        addressed = fitted.then(
            **w.listener(self.handlers.open_address, AddressRequest, changes),
            **LANE,
            **PRIVATE,
        )
        greet = w.listener(self.handlers.open, OpeningRequest, handlers.OPENING)
        return [one.then(**greet, **LANE, **PRIVATE) for one in (addressed, *others)]
