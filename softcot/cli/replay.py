"""Run a saved run again and say whether the same comes out."""

import argparse
from pathlib import Path

from softcot.cli.options import add_pair, load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a run that was saved")
    add_pair(parser)
    parser.set_defaults(pair=None)  # that of the run


def run(args: argparse.Namespace) -> None:
    """Replay, and print what came out; anything else than before is refused."""
    from softcot.evaluation.run_file import load_run, replay

    run_file = load_run(args.file)
    args.pair = args.pair or run_file.pair
    columns = replay(load(args), run_file)
    print(f"{run_file.asked.problem.question}\n")
    for column in columns:
        print(f"{column.title}: {column.text}\nAnswer: {column.answer or '-'}\n")
    print("Every word, answer and thought is the same.")
