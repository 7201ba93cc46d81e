"""Ask the app and `serve` with many clients for long, and check every answer."""

import argparse
import sys
from pathlib import Path
from typing import Any

from softcot.cli.options import count
from softcot.cli.progress import Bar
from softcot.support.errors import UserError

PAGE = Path("docs/reliability.md")
"""Where the record is shown."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--target", choices=["app", "serve", "both"], default="both")
    parser.add_argument("--clients", type=count, default=64, help="at once (default: 64)")
    parser.add_argument("--seconds", type=count, default=600, help="of each target (default: 600)")
    parser.add_argument("--seed", type=int, default=0, help="who asks what, and who hangs up when")
    parser.add_argument("--pair", default="mini", help="what the servers are started with")
    parser.add_argument("--url", help="of one that runs already, instead; its memory is not seen")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the record goes")
    parser.add_argument(
        "--show", type=Path, metavar="FILE", help="ask nothing; put this record into the page"
    )
    parser.add_argument("--page", type=Path, default=PAGE, help=f"default: {PAGE}")


def run(args: argparse.Namespace) -> None:
    """Ask, print what came of it, and end with 1 where something does not hold."""
    from softcot.bench.soak import record

    if args.show:
        record.write_page(record.load(args.show), args.page)
        return
    if args.url and args.target == "both":
        raise UserError("Say with --target whether the address is that of an app or of `serve`.")
    found = _measured(args)
    print(record.tables(found))
    failed = record.failures(found)
    for sentence in failed:
        print(sentence, file=sys.stderr)
    if failed:
        raise SystemExit(1)


def _measured(args: argparse.Namespace) -> dict[str, Any]:
    """The record, which is written whatever it says."""
    from softcot.bench.soak import TARGETS, Load, soak
    from softcot.support.files import write_json

    targets = TARGETS if args.target == "both" else (args.target,)
    load = Load(args.clients, args.seconds, args.seed)
    with Bar() as bar:
        found = soak(load, args.pair, targets, args.url, args.command_line, bar.show)
    if args.json:
        write_json(args.json, found)
    return found
