"""Serve a pair to other programs, in the form of OpenAI's interface."""

import argparse
import os

from softcot.cli import options
from softcot.support.presets import choose_preset

KEY_VARIABLE = "SOFTCOT_API_KEY"
"""What clients have to send as a bearer token, if it is set."""

PORT = 8000
"""Where it listens when nobody says anything else."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_pair(parser)
    options.add_backend(parser)
    parser.add_argument("--host", default="127.0.0.1", help="default: this machine alone")
    parser.add_argument("--port", type=options.count, default=PORT, help=f"default: {PORT}")
    parser.add_argument(
        "--rows", type=options.count, help="answers written at once (default: 64); more may wait"
    )
    parser.add_argument("--queue", type=options.count, help="requests that may wait (default: 256)")


def run(args: argparse.Namespace) -> None:
    """Load the pair and serve it until somebody ends it."""
    from softcot.web.host import bracketed, check_address

    options.check_backend(args)
    usual_length = choose_preset(args.pair, args.base, args.assistant).max_new_tokens
    check_address(args.host, args.port)
    from softcot.decoding.engine import ROWS, WAITING, Engine
    from softcot.serving.answering import Serving
    from softcot.serving.server import Server, serve

    pair = options.load(args)
    rows, waiting = args.rows or ROWS, args.queue or WAITING
    engine = Engine(rows, waiting)
    backend = options.backend(args, pair, engine) or engine
    serving = Serving(pair, backend, usual_length, most=rows + waiting)
    key = os.environ.get(KEY_VARIABLE)

    def announce() -> None:
        print(f"Serving {', '.join(serving.models)}")
        print(f"  http://{bracketed(args.host)}:{args.port}/v1", flush=True)

    serve(Server(serving, key), args.host, args.port, announce)
