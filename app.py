"""The SoftCoT Explorer: `python app.py [--pair mini] [--host HOST] [--port PORT] [--share]`.

The command line and the server; the page is in `softcot.web.page`. What it can do is in `explorer`
there, what an event does in `handlers` and the panels, how it reads in the views and how it looks
in `theme`.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from softcot.cli.options import add_pair, pair_options
from softcot.data.tasks import discover_own
from softcot.support.errors import UserError
from softcot.support.presets import get_preset, own_preset
from softcot.thoughts.pair import Pair, load_pair
from softcot.web import theme
from softcot.web.explorer import Explorer
from softcot.web.page import Page
from softcot.web.results import REPORT
from softcot.web.zerogpu import on_loan


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
            **theme.launch_options(),
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
        discover_own()
        pair, notice = load(args)
        blocks = serve(on_loan(Explorer(pair)), args.host, args.port, args.share, notice=notice)
    except UserError as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2
    blocks.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
