"""Fetch the real pretrained models of a pair, list them, or remove them."""

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from softcot.cli import options
from softcot.cli.progress import Bar
from softcot.support.errors import UserError

if TYPE_CHECKING:
    from softcot.fetching import Fetching, PairState

STAGES = {"downloading": "Downloading", "checking": "Checking", "converting": "Converting"}

GIGABYTE = 1e9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("pair", metavar="PAIR", nargs="?", help="name of a pair, or of one model")
    parser.add_argument(
        "--keep-gguf", action="store_true", help="keep the GGUF files too, for other programs"
    )
    parser.add_argument("--list", action="store_true", help="say what there is, and what is here")
    parser.add_argument("--remove", action="store_true", help="delete the models of PAIR")
    options.add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Fetch, list or remove.

    Raises:
        UserError: It is not said which pair, or the pair cannot be had.
    """
    if args.json and not args.list:
        raise UserError("--json belongs to --list; leave it out, or add --list.")
    if args.list:
        _print_list(args.json)
        return
    if not args.pair:
        raise UserError("Name the pair to fetch, or see what there is with `fetch --list`.")
    if args.remove:
        from softcot.fetching import remove_pair

        print(f"Removed {args.pair}: {remove_pair(args.pair) / GIGABYTE:.2f} GB are free again.")
    else:
        _fetch(args.pair, args.keep_gguf)


def _fetch(name: str, keep_gguf: bool) -> None:
    """Fetch a pair or a model, with a bar, and say what came and where it lies."""
    from softcot.fetching import fetch_pair
    from softcot.fetching.catalogue import models_of
    from softcot.fetching.store import gguf_path, model_folder

    models = models_of(name)
    for model in models:
        print(f"{model.title}, licence: {model.licence}", file=sys.stderr)
    with Bar(unit_scale=True) as bar:

        def show(state: "Fetching") -> None:
            bar.show(f"{STAGES[state.stage]} {state.file}", state.done, state.total)

        fetch_pair(name, show, keep_gguf=keep_gguf)
    for model in models:
        print(f"{model.title}: {model_folder(model.name)}")
        if keep_gguf:
            print(f"{model.title}: {gguf_path(model)}")


def _print_list(as_json: bool) -> None:
    """Print every pair and model that can be fetched, and what of it is here."""
    from softcot.fetching import MODELS, cache_root, pair_state
    from softcot.fetching.catalogue import fetchable_pairs

    states = {name: pair_state(name) for name in (*fetchable_pairs(), *MODELS)}
    if as_json:
        rows = [{"name": name} | asdict(state) for name, state in states.items()]
        options.print_json({"cache": str(cache_root()), "models": rows})
        return
    width = max(map(len, states))
    for name, state in states.items():
        print(f"{name:{width}}  {_where(state):14}  {state.licence}")
    print(f"They lie in {cache_root()}.")


def _where(state: "PairState") -> str:
    size = state.disk_bytes if state.here else state.download_bytes
    return f"{'here,' if state.here else 'fetch'} {size / GIGABYTE:.2f} GB"
