"""List the methods, with what each trains and how many parameters that is."""

import argparse
from typing import TYPE_CHECKING

from softcot.cli.options import add_json, add_pair, load, print_json
from softcot.support.presets import MAX_THOUGHTS

if TYPE_CHECKING:
    from softcot.methods import Method
    from softcot.thoughts.pair import Pair


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_pair(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Print one line or one JSON object for each method."""
    from softcot.methods import METHODS, SlotMethod

    pair = load(args)
    found = [
        {
            "name": name,
            "title": kind.title,
            "trains": kind.trains,
            "parameters": _parameters(kind, pair),
            "slots": issubclass(kind, SlotMethod),
        }
        for name, kind in METHODS.items()
    ]
    if args.json:
        return print_json(found)
    for entry in found:
        size = f" ({entry['parameters']:,} parameters)" if entry["parameters"] else ""
        print(f"{entry['name']:14} {entry['title']:14} trains {entry['trains']}{size}")


def _parameters(method: "type[Method]", pair: "Pair") -> int:
    """How many parameters a method trains between the models of a pair; the frozen do not count."""
    return method.kind.for_pair(pair, "all", MAX_THOUGHTS).size if method.kind else 0
