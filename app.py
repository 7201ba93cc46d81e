"""The SoftCoT Explorer: `python app.py [--pair mini] [--host HOST] [--port PORT] ...`.

The command line and the server; the page is in `softcot.web.page`. What it can do is in `explorer`
there, what an event does in `handlers` and the panels, how it reads in the views and how it looks
in `theme`.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from softcot.cli.main import Parser
from softcot.cli.options import add_backend, add_pair, backend, check_backend, pair_options
from softcot.data.tasks import discover_own
from softcot.support.console import accept_any_text
from softcot.support.errors import UserError
from softcot.support.network import direct, without_proxies
from softcot.support.presets import get_preset, own_preset
from softcot.support.reading import reason
from softcot.support.threads import share_cores
from softcot.web import host as machine
from softcot.web import temporary

if TYPE_CHECKING:  # names only: Gradio must wait until its surroundings are settled
    import gradio as gr

    from softcot.thoughts.pair import Pair
    from softcot.web.explorer import Explorer
    from softcot.web.residents import Residents


MCP_PATH = "/gradio_api/mcp/"
"""Where Gradio offers the endpoints as tools."""

THREADS = 40
"""For all that visitors do beside waiting for answers."""


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; Gradio's own variables set the defaults, as hosts expect.

    Raises:
        UserError: An option or a variable has a value that means nothing.
    """
    parser = Parser(prog="app.py", description="The SoftCoT Explorer.", allow_abbrev=False)
    add_pair(parser)
    add_backend(parser)
    parser.add_argument(
        "--host", help="address to listen on (default: 127.0.0.1; 0.0.0.0 is everywhere)"
    )
    parser.add_argument("--port", help="port to listen on (default: 7860)")
    parser.add_argument(
        "--fetch", action="store_true", help="fetch the pair first, if it is not here yet"
    )
    parser.add_argument("--share", action="store_true", help="ask Gradio for a public link")
    parser.add_argument(
        "--mcp",
        action="store_true",
        help="offer the endpoints as MCP tools, too",
    )
    args = parser.parse_args(argv)
    check_backend(args)
    if args.mcp:
        machine.check_mcp()
    usual_host, usual_port = machine.settle_variables()
    args.host = machine.bracketed(args.host or usual_host)
    args.port = machine.whole_number(args.port or str(usual_port), "--port", *machine.PORTS)
    return args


def load(args: argparse.Namespace) -> tuple[Pair, str]:
    """The pair that is asked for, or `mini` and why it is that one instead.

    Raises:
        UserError: There is no such pair, or `mini` itself cannot be loaded.
    """
    options = pair_options(args)
    from softcot.thoughts.pair import load_pair

    if args.base or args.assistant:
        own_preset(args.base, args.assistant)
    else:
        get_preset(args.pair)
    try:
        if args.fetch and not args.base:
            fetch(args.pair)
        return load_pair(**options), ""
    except UserError as error:
        if options == pair_options(parse_args([])):
            raise
        notice = f"{error} This page uses the pair mini instead."
        print(f"app.py: {notice}", file=sys.stderr)
        return load_pair(), notice


def fetch(name: str) -> None:
    """Fetch the models of a pair that are not here yet, if the memory will hold them.

    Raises:
        UserError: It will not, or they cannot be had.
    """
    from softcot.fetching import Fetching, fetch_pair, pair_state
    from softcot.models.language_model import best_device
    from softcot.models.loading import ModelSource, check_memory

    state = pair_state(name)
    if state.here or not state.fetchable:
        return
    check_memory(name, [ModelSource(name, billions=state.parameters)], best_device())
    said: list[str] = []

    def tell(now: Fetching) -> None:
        sentence = f"app.py: {now.stage} {now.file}"
        if sentence not in said:
            said.append(sentence)
            print(sentence, file=sys.stderr, flush=True)

    fetch_pair(name, tell)


def load_again(args: argparse.Namespace, name: str) -> Pair:
    """A pair that a visitor chose, with the options that go with any pair.

    Raises:
        UserError: It cannot be loaded.
    """
    from softcot.thoughts.pair import load_pair

    options = pair_options(args)
    if args.base or name != args.pair:
        own = ("base", "assistant", "projection", "prompts")
        options |= {"name": name} | dict.fromkeys(own)
    return load_pair(**options)


def serve(
    explorer: Explorer,
    host: str,
    port: int,
    share: bool = False,
    report: Path | None = None,
    notice: str = "",
    residents: Residents | None = None,
    mcp: bool = False,
) -> gr.Blocks:
    """Start the app in the background and return it.

    Raises:
        UserError: Gradio cannot serve it here.
    """
    from softcot.web import sessions, theme
    from softcot.web.events import AT_WORK, QUEUED
    from softcot.web.guard import GUARDED
    from softcot.web.page import Page
    from softcot.web.results import REPORT

    blocks = Page(explorer, report or REPORT, notice, residents).build()
    sessions.count_nothing()
    blocks.queue(max_size=QUEUED)
    direct(host.strip("[]"))
    try:
        # Gradio asks itself whether it is up; only a public link is asked for elsewhere.
        with nullcontext() if share else without_proxies():
            app, *urls = blocks.launch(
                server_name=host,
                server_port=port,
                share=share,
                prevent_thread_lock=True,
                quiet=True,
                max_threads=AT_WORK + THREADS,
                enable_monitoring=False,
                state_session_capacity=sessions.MOST,
                app_kwargs=GUARDED,
                mcp_server=mcp or None,  # or as the variable GRADIO_MCP_SERVER says
                **theme.launch_options(),
            )
    except Exception as error:  # of many kinds; whatever it is, it is in Gradio's surroundings
        raise UserError(
            f"Gradio cannot serve the page on {host}, port {port} ({reason(error)}). "
            "Choose another address with --host or --port, or mend what it names."
        ) from error
    sessions.keep_little(blocks)
    state = {"status": "ok", "pair": explorer.pair.name, "device": explorer.device}
    app.add_api_route("/healthz", lambda: state, methods=["GET"])
    print(f"SoftCoT Explorer, pair {explorer.pair.name}, running on {explorer.device}:")
    shown = [url for url in urls if url]
    if mcp:
        shown.append(f"{shown[0].rstrip('/')}{MCP_PATH} (MCP)")
    print("\n".join(f"  {url}" for url in shown), flush=True)
    return blocks


def main(argv: Sequence[str] | None = None) -> int:
    """Load a pair and serve the page until somebody ends it; 2 for what keeps it from starting."""
    accept_any_text()
    share_cores()
    try:
        args = parse_args(argv)
        machine.check_address(args.host, args.port)
        temporary.give_to_gradio()
        discover_own()
        with without_proxies():  # it makes clients, and those read the proxies, as it is imported
            importlib.import_module("gradio")

        from softcot.decoding.engine import Engine
        from softcot.web.explorer import Explorer
        from softcot.web.residents import Residents
        from softcot.web.zerogpu import on_loan

        pair, notice = load(args)
        writing = None if notice else backend(args, pair, Engine())
        explorer = on_loan(Explorer(pair, writing))
        residents = Residents(explorer, load=lambda name: load_again(args, name))
        blocks = serve(
            explorer,
            args.host,
            args.port,
            args.share,
            notice=notice,
            residents=residents,
            mcp=args.mcp,
        )
    except UserError as error:
        print(f"app.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    blocks.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
