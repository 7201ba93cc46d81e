"""Write a folder with the app and one pair, ready to be pushed to Hugging Face Spaces."""

import argparse
from pathlib import Path

from softcot.cli.options import add_pair


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("action", choices=["export"])
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new folder")
    add_pair(parser)


def run(args: argparse.Namespace) -> None:
    """Write the folder and say what to do with it."""
    from softcot.web.space import export

    print(f"{export(args.folder, args.pair)}: push this folder to a Gradio Space")
