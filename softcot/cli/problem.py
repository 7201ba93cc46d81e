"""Print problems with their gold answers."""

import argparse
import secrets

from softcot.cli.options import add_data_dir, add_json, count, print_json, use_data_dir
from softcot.data.problems import SPLITS
from softcot.data.tasks import get_task


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--task", required=True)
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--seed", type=int, help="default: another one each time")
    parser.add_argument("--count", type=count, default=1)
    add_data_dir(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Draw the problems and print them, as JSON one to a line."""
    use_data_dir(args)
    seed = secrets.randbelow(2**31) if args.seed is None else args.seed
    for found in get_task(args.task).problems(args.split, args.count, seed):
        if args.json:
            print_json(found.to_json() | {"split": args.split, "seed": seed}, indent=None)
        else:
            note = f"For the assistant alone: {found.note}\n" if found.note else ""
            print(f"{note}{found.question}\nAnswer: {found.answer}\n")
