"""Make a projection of a file of plain tensors: a weight and a bias."""

import argparse
import sys
from pathlib import Path

from softcot.cli.options import add_pair, count, load
from softcot.support.files import refuse_used


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="what torch.save made of it, or safetensors"
    )
    add_pair(parser)
    parser.add_argument("--task", required=True, help="what it was trained on, or 'all'")
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument(
        "--max-thoughts", type=count, help="largest K it was trained for; default: not known"
    )


def run(args: argparse.Namespace) -> None:
    """Read the file, and write the projection into a folder of its own."""
    from softcot.thoughts.importing import import_projection

    refuse_used(args.out)
    pair = load(args)
    projection, remarks = import_projection(args.file, pair, args.task, args.max_thoughts)
    projection.save(args.out)
    for remark in [*remarks, *projection.remarks()]:
        print(remark, file=sys.stderr)
    trained = f"K 1 to {args.max_thoughts}" if args.max_thoughts else "K not known"
    print(f"{args.out}: {projection.size:,} parameters, {trained}")
