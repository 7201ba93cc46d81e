"""The SoftCoT Explorer: `python app.py [--pair mini] [--host HOST] [--port PORT] [--share]`.

Widgets and their events. What the page can do is in `softcot.web.explorer`, what an event does in
`softcot.web.handlers`, how it reads in `softcot.web.views`, how it looks in `softcot.web.look`.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from softcot import plots
from softcot.cli.options import add_pair, pair_options
from softcot.data.problems import Problem
from softcot.data.tasks import TASKS
from softcot.support.errors import UserError
from softcot.support.presets import get_preset, own_preset
from softcot.thoughts.pair import Pair, load_pair
from softcot.web import link, look, results_views, views
from softcot.web.api import add_endpoints
from softcot.web.events import AT_ONCE, LANE, PRIVATE, stoppable
from softcot.web.explorer import Explorer, examples
from softcot.web.handlers import Handlers
from softcot.web.inside import Inside
from softcot.web.intervene import Intervene
from softcot.web.results import REPORT, read_report
from softcot.web.sweep import Sweep
from softcot.web.train import Train
from softcot.web.zerogpu import on_loan


class Page:
    """The widgets of the one page, and which event changes which of them.

    Args:
        explorer: What the page can do.
        report: The file that the Results tab shows.
        notice: What a reader must know first; empty for nothing.
    """

    def __init__(self, explorer: Explorer, report: Path = REPORT, notice: str = ""):
        self.explorer = explorer
        self.report = report
        self.notice = notice
        self.handlers = Handlers(explorer)

    def build(self) -> gr.Blocks:
        """Lay the widgets out, connect them, and add the named endpoints."""
        first = examples(next(iter(TASKS)))
        with gr.Blocks(title="SoftCoT Explorer", analytics_enabled=False) as self.blocks:
            add_endpoints(self.explorer)  # first, for these names to be theirs alone
            look.html(views.header(self.explorer.pair, self.explorer.device))
            if self.notice:
                look.html(views.message(self.notice))
            with gr.Tabs(elem_classes="pages"):
                with gr.Tab("Compare", id="compare"):
                    with gr.Column(elem_classes="sheet"):
                        self._problem(first)
                        self._controls()
                        self._sampling()
                    self._answers()
                    self._thoughts(first[0])
                with gr.Tab("Intervene", id="intervene"):
                    self.strips = [self._strip(first[0])]
                    self.intervene = Intervene(self.explorer, self._asked)
                    self.intervene.build()
                with gr.Tab("Inside", id="inside"):
                    self.strips.append(self._strip(first[0]))
                    self.inside = Inside(self.explorer, self._asked)
                    self.inside.build()
                with gr.Tab("Sweep", id="sweep"):
                    Sweep(self.explorer, self.task).build()
                with gr.Tab("Train", id="train"):
                    self.train = Train(self.explorer, [self.question, self.k], self.using)
                    self.train.build()
                with gr.Tab("Results", id="results"):
                    self._results()
            self._connect_problems(running=self._connect_run())
            self._connect_thoughts()
            self._connect_address()
            for script in (look.TABS_JS, look.THOUGHTS_JS):
                self.blocks.load(None, js=script, **PRIVATE)
        return self.blocks

    def _problem(self, first: list[Problem]) -> None:
        self.task = gr.Radio(
            [(task.title, name) for name, task in TASKS.items()],
            value=first[0].task,
            label="Kind of problem",
        )
        self.listed, self.loaded = gr.State(first), gr.State(first[0])
        self.examples = look.html(
            views.examples(first, self.explorer.laboratory), js_on_load=look.EXAMPLES_JS
        )
        with gr.Row():
            self.question = gr.Textbox(
                first[0].question,
                label="Question",
                placeholder="Type a question",
                lines=3,
                max_lines=12,
                scale=4,
                min_width=280,
                elem_classes="question",
            )
            with gr.Column(scale=1, min_width=200):
                self.gold = gr.Textbox(
                    first[0].answer, label="Right answer", placeholder="if you know it"
                )
                self.another = gr.Button("Another problem", size="md")

    def _controls(self) -> None:
        with gr.Row(elem_classes="controls"):
            self.k = gr.Slider(
                0,
                self.explorer.max_thoughts,
                self.explorer.default_k,
                step=1,
                precision=0,
                label="Soft thoughts K",
                info=f"Trained for 1 to {self.explorer.max_thoughts}; 0 is hard CoT",
                min_width=240,
                scale=3,
            )
            self.swap = gr.Checkbox(
                False,
                label="Swap thoughts with another question",
                info="If they carry the question, this breaks the answer",
                min_width=240,
                scale=3,
            )
            with gr.Row():
                self.run = gr.Button("Run", variant="primary", scale=2, min_width=110)
                self.stop = gr.Button("Stop", interactive=False, scale=1, min_width=90)
        self.using = gr.Checkbox(
            False, label="Use the projection that was trained on this page", visible=False
        )
        self.message = look.html("")
        with gr.Row(visible=False) as self.donor_row:
            self.donor = gr.Textbox(
                label="SoftCoT is given the thoughts of this question instead",
                lines=2,
                scale=4,
                min_width=240,
            )
            self.redraw = gr.Button("Another one", size="md", scale=1, min_width=200)

    def _sampling(self) -> None:
        self.further = gr.CheckboxGroup(self.explorer.further, label="Ask these methods, too")
        with gr.Accordion("Sampling", open=False, elem_classes="sampling"):
            with gr.Row():
                temperature = gr.Slider(
                    0, 2, 0, step=0.05, label="Temperature", info="0 takes the likeliest token"
                )
                top_p = gr.Slider(
                    0.05, 1, 1, step=0.05, label="Top-p", info="1 samples from all tokens"
                )
                samples = gr.Slider(
                    1, 15, 1, step=1, label="Samples", info="of several, the majority answers"
                )
            with gr.Row():
                longest = self.explorer.longest
                length = gr.Slider(8, longest, longest, step=8, label="Longest answer in tokens")
                seed = gr.Number(41, label="Seed", precision=0, minimum=0)
        self.sampling = [temperature, top_p, length, seed, samples]
        self.varied = [temperature, seed, samples, self.further]

    def _answers(self) -> None:
        self.ending = gr.State(None)
        self.cards = [look.html(views.idle_columns())]
        with gr.Row(elem_classes="after"):
            self.again = gr.Button("Regenerate", size="sm", min_width=150, scale=0)
            self.cards.append(
                gr.DownloadButton("Download run", interactive=False, size="sm", scale=0)
            )

    def _thoughts(self, first: Problem) -> None:
        seen, shown = self.explorer.explore(first.question, first.task), self.explorer.default_k
        origin, figure, table, tour = self.handlers.follow(seen, shown, False)
        look.html(views.THOUGHTS)
        with gr.Column(elem_classes="sheet"):
            self.seen = gr.State(seen)
            self.origin = look.html(origin)
            self.map = look.thought_map(figure, plots.templates())
            self.table = look.html(table)
        self.tour = look.html(tour)

    def _connect_address(self) -> None:
        """The address follows what is asked, and a page that is opened follows its address."""
        experiment = [self.intervene.edits, self.intervene.other]
        told = [self.task, self.question, self.gold, self.k, *self.varied, *experiment]
        gr.on([one.change for one in told], None, told, js=link.follow_js(), **PRIVATE)
        search = gr.Textbox(visible=False)
        self.blocks.load(
            self.handlers.open_address,
            search,
            [self.task, self.k, *self.varied, *experiment, *self._offered, *self._loaded],
            js="() => [location.search]",
            **LANE,
            **PRIVATE,
        )

    def _strip(self, problem: Problem) -> gr.HTML:
        return look.html(views.strip(problem.question, self.explorer.default_k))

    def _results(self) -> None:
        try:
            page = results_views.results(read_report(self.report))
        except UserError as error:  # the rest of the page needs no report
            look.html(views.message(str(error)))
        else:
            look.results(page, plots.templates(plots.chart_template), plots.dark_accents())

    @property
    def _projection(self) -> list[gr.components.Component]:
        """What was trained on this page, and whether it is to be used."""
        return [self.train.trained, self.using]

    def _connect_run(self) -> list[gr.events.Dependency]:
        asked = [*self._whose, self.gold, self.loaded, *self._projection, self.further]
        compare = {
            "fn": self.handlers.compare,
            "inputs": [*asked, *self.sampling],
            "outputs": [self.message, self.ending, self.stop, *self.cards, *self._look],
            **LANE,
            **PRIVATE,
        }
        reseeded = self.again.click(
            self.handlers.reseed, self.varied[:2], self.varied[:2], **AT_ONCE
        )
        running = [
            gr.on([self.run.click, self.question.submit], **compare),
            reseeded.then(**compare),
        ]
        stoppable(self.stop, self.ending)
        return running

    def _connect_problems(self, running: list[gr.events.Dependency]) -> None:
        asked = [self.task, self.k, self.swap]
        loaded = self._loaded
        # Another problem ends the run: its answer would stand under the wrong question.
        options = {"cancels": running, **LANE, **PRIVATE}
        self.task.input(self.handlers.pick_task, asked, [*self._offered, *loaded], **options)
        self.examples.select(self.handlers.pick_example, [*asked, self.listed], loaded, **options)
        self.another.click(self.handlers.draw_problem, asked, loaded, **options)
        self.inside.connect(self.handlers.open_problem, asked, loaded, **options)
        self.question.change(
            self.handlers.own_answer,
            [self.question, self.gold, self.loaded],
            self.gold,
            **AT_ONCE,
        )

    def _connect_thoughts(self) -> None:
        swapped = [self.donor_row, self.donor, self.message, *self._look]
        self.swap.input(self.handlers.toggle_swap, self._whose, swapped, **LANE, **PRIVATE)
        self.redraw.click(self.handlers.draw_donor, self._whose, swapped, **LANE, **PRIVATE)
        gr.on(
            [self.question.change, self.k.change],
            lambda question, k: [views.strip(question, k)] * len(self.strips),
            [self.question, self.k],
            self.strips,
            **AT_ONCE,
        )
        self.k.change(
            self.handlers.follow, [self.seen, self.k, self.swap], self._look[1:], **AT_ONCE
        )

    @property
    def _asked(self) -> list[gr.components.Component]:
        return [self.task, self.question, self.k, self.gold, self.loaded]

    @property
    def _whose(self) -> list[gr.components.Component]:
        return [self.task, self.question, self.donor, self.k, self.swap]

    @property
    def _offered(self) -> list[gr.components.Component]:
        return [self.listed, self.examples, self.another]

    @property
    def _loaded(self) -> list[gr.components.Component]:
        text = [self.question, self.gold, self.donor, self.message]
        return [self.stop, self.loaded, *text, *self.cards, *self._look]

    @property
    def _look(self) -> list[gr.components.Component]:
        return [self.seen, self.origin, self.map, self.table, self.tour]


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; Gradio's own variables set the defaults, as hosts expect."""
    parser = argparse.ArgumentParser(prog="app.py", description="The SoftCoT Explorer.")
    add_pair(parser)
    parser.add_argument(
        "--host",
        default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        help="address to listen on (default: 127.0.0.1; 0.0.0.0 is everywhere)",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=os.environ.get("GRADIO_SERVER_PORT", "7860"),
        help="port to listen on (default: 7860)",
    )
    parser.add_argument("--share", action="store_true", help="ask Gradio for a public link")
    return parser.parse_args(argv)


def load(args: argparse.Namespace) -> tuple[Pair, str]:
    """The pair that is asked for, or `mini` and why it is that one instead.

    Raises:
        UserError: There is no such pair, or `mini` itself cannot be loaded.
    """
    options = pair_options(args)
    if args.base or args.assistant:
        own_preset(args.base, args.assistant)
    else:
        get_preset(args.pair)
    try:
        return load_pair(**options), ""
    except UserError as error:
        if options == pair_options(parse_args([])):
            raise
        notice = f"{error} This page uses the pair mini instead."
        print(f"app.py: {notice}", file=sys.stderr)
        return load_pair(), notice


def serve(
    explorer: Explorer,
    host: str,
    port: int,
    share: bool = False,
    report: Path = REPORT,
    notice: str = "",
) -> gr.Blocks:
    """Start the app in the background and return it.

    Raises:
        UserError: Nobody can listen there.
    """
    blocks = Page(explorer, report, notice).build().queue(max_size=20)
    try:
        app, *urls = blocks.launch(
            server_name=host,
            server_port=port,
            share=share,
            prevent_thread_lock=True,
            quiet=True,
            enable_monitoring=False,
            **look.launch_options(),
        )
    except OSError as error:
        raise UserError(
            f"Cannot listen on {host}, port {port}: it is in use or not allowed. "
            "Choose another with --port or --host."
        ) from error
    state = {"status": "ok", "pair": explorer.pair.name, "device": explorer.device}
    app.add_api_route("/healthz", lambda: state, methods=["GET"])
    print(f"SoftCoT Explorer, pair {explorer.pair.name}, running on {explorer.device}:")
    print("\n".join(f"  {url}" for url in urls if url), flush=True)
    return blocks


def main(argv: Sequence[str] | None = None) -> int:
    """Load a pair and serve the page until somebody ends it."""
    args = parse_args(argv)
    try:
        pair, notice = load(args)
        blocks = serve(on_loan(Explorer(pair)), args.host, args.port, args.share, notice=notice)
    except UserError as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2
    blocks.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
