"""Make the report, and its short forms in docs/ and the README, from the records."""

import argparse
from pathlib import Path

from softcot.cli.options import RESULTS

REPORT, TABLES, README = Path("assets/report"), Path("docs/results.md"), Path("README.md")
REAL = Path("docs/real-models.md")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of records")
    parser.add_argument(
        "--trainings",
        type=Path,
        nargs="+",
        metavar="FILE",
        help=f"training.json files; default: those that are shipped for {RESULTS}",
    )
    parser.add_argument(
        "--page", type=Path, help=f"file with all short tables; default: {TABLES} for {RESULTS}"
    )
    parser.add_argument(
        "--readme", type=Path, help=f"file with the main table; default: {README} for {RESULTS}"
    )
    parser.add_argument(
        "--real-page",
        type=Path,
        help=f"file with what is said of ready-made models; default: {REAL} for {RESULTS}",
    )
    parser.add_argument(
        "--out", type=Path, default=REPORT, help="folder of report.md and report.json"
    )


def run(args: argparse.Namespace) -> None:
    """Write the report."""
    from softcot.report import write_report
    from softcot.report.learning import training_files

    # The pages show the records that come with them, not those of a quick run.
    shipped = args.results == RESULTS
    page = args.page or (TABLES if shipped else None)
    readme = args.readme or (README if shipped else None)
    real = args.real_page or (REAL if shipped else None)
    trainings = args.trainings or (training_files(Path()) if shipped else [])
    write_report(
        args.results, args.out, trainings=trainings, page=page, readme=readme, real_page=real
    )
