"""Make the report, and the README's short form of it, from the records."""

import argparse
from pathlib import Path

from softcot.cli.options import README, RESULTS

REPORT = Path("assets/report")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of records")
    parser.add_argument(
        "--readme", type=Path, help=f"file to rewrite; default: {README} for those of {RESULTS}"
    )
    parser.add_argument(
        "--out", type=Path, default=REPORT, help="folder of report.md and report.json"
    )


def run(args: argparse.Namespace) -> None:
    """Write the report."""
    from softcot.report import write_report

    # The README shows the records that come with it, not those of a quick run.
    readme = args.readme or (README if args.results == RESULTS else None)
    write_report(args.results, args.out, readme)
