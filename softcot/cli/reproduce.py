"""Make the records of an experiment that are not there yet."""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from softcot.cli.options import (
    EVALUATED,
    RESULTS,
    add_backend,
    add_data_dir,
    add_pair,
    backend,
    check_backend,
    count,
    pair_options,
    use_data_dir,
)
from softcot.cli.progress import Bar
from softcot.data.problems import SPLITS
from softcot.support.errors import UserError
from softcot.support.presets import choose_preset, is_laboratory, own_preset

if TYPE_CHECKING:
    from softcot.decoding.backend import Backend
    from softcot.evaluation.experiments import Run
    from softcot.thoughts.pair import Pair

QUICK = 30
"""Problems a record with `--quick`, which gives every table in about ten minutes."""

QUICK_RESULTS = Path("runs/quick")
"""Where those records go."""


TRIED, ANSWERED = 100, 300
"""Problems a record where ready-made models answer them: to choose something, and else."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_pair(parser)
    add_backend(parser)
    parser.add_argument(
        "--experiment",
        default="all",
        help="main, controls, thoughts, assistant-size, self-consistency, forgetting, regime, "
        "makers, whisper, cost, trained-k, worth, grid, reworded, all, or noise; for a pair of "
        "ready-made models: notes, real, curve, assistants, whisper, told, cost, worth, all, or "
        "prompts, grid",
    )
    parser.add_argument("--task", help="only the records of this task")
    add_data_dir(parser)
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK} problems a record, into {QUICK_RESULTS}"
    )
    parser.add_argument("--results", type=Path, help=f"folder of records; default: {RESULTS}")
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument(
        "--limit",
        type=count,
        help=f"problems a record; default: {EVALUATED}, or {ANSWERED} by ready-made models, "
        f"{TRIED} to choose prompts",
    )
    parser.add_argument("--batch-size", type=count, default=128, help="rows decoded together")


def run(args: argparse.Namespace) -> None:
    """Make what is missing; what cannot be made is said and left out."""
    from softcot.evaluation.experiments import plan

    use_data_dir(args)
    check_backend(args)
    results = args.results or (QUICK_RESULTS if args.quick else RESULTS)
    if args.base or args.assistant:
        args.pair = own_preset(args.base, args.assistant).name
    runs = [
        planned for planned in plan(args.experiment, args.pair) if args.task in (None, planned.task)
    ]
    if not runs:
        raise UserError(f"The experiment {args.experiment!r} has no records of {args.task!r}.")
    if args.backend != "local":  # it has the base of the pair that was asked for
        runs = [planned for planned in runs if planned.pair == args.pair]
    limit = args.limit or (QUICK if args.quick else _usual(args))
    done = sum(
        _reproduce(
            args, name, [planned for planned in runs if planned.pair == name], results, limit
        )
        for name in dict.fromkeys(planned.pair for planned in runs)
    )
    print(f"{results}: {done} records of at most {limit} problems each")
    if args.quick:
        print(f"See them with: python -m softcot report --results {results} --out {results}/report")


def _reproduce(
    args: argparse.Namespace, name: str, runs: "list[Run]", results: Path, limit: int
) -> int:
    """Make the records of one pair, of which none but it is in memory; how many there are."""
    from softcot.evaluation.reproducing import reproduce

    pair = _load(args, name)
    if pair is None:
        return 0
    runs = _possible(runs, pair)
    if writing := backend(args, pair):
        runs = _writable(runs, pair, writing)
    with Bar() as bar:
        for number, planned in enumerate(runs, start=1):
            title = f"{number}/{len(runs)} {planned.file.removesuffix('.json')}"
            reproduce(
                pair,
                planned,
                results,
                count=limit,
                split=args.split,
                batch_size=args.batch_size,
                progress=partial(bar.show, title),
                backend=writing,
            )
    return len(runs)


def _usual(args: argparse.Namespace) -> int:
    """Problems a record where nobody says how many."""
    from softcot.evaluation.experiments import READY_MADE_CHOICES

    if is_laboratory(args.pair):
        return EVALUATED
    return TRIED if args.experiment in READY_MADE_CHOICES else ANSWERED


def _load(args: argparse.Namespace, name: str) -> "Pair | None":
    """A pair; only the one that was asked for has to be there."""
    from softcot.thoughts.pair import load_pair

    if name == args.pair:  # the options are about that one alone
        return load_pair(**pair_options(args))
    if not choose_preset(name).trained_paths():  # before anything slow
        print(f"Pair {name} is left out: not trained.", file=sys.stderr)
        return None
    try:
        return load_pair(name)
    except UserError as error:
        print(f"Pair {name} is left out. {error}", file=sys.stderr)
        return None


def _possible(runs: "list[Run]", pair: "Pair") -> "list[Run]":
    """The runs that the pair is trained for."""
    from softcot.evaluation.reproducing import can_run

    missing = [planned for planned in runs if not can_run(pair, planned)]
    for method in dict.fromkeys(planned.protocol.method for planned in missing):
        print(f"Some of {method} of pair {pair.name} is left out: not trained.", file=sys.stderr)
    return [planned for planned in runs if planned not in missing]


def _writable(runs: "list[Run]", pair: "Pair", backend: "Backend") -> "list[Run]":
    """The runs of a pair that a backend can write; what it cannot is said and left out."""
    from softcot.data.tasks import get_task

    kept = []
    for planned in runs:
        method = planned.protocol.build(pair, get_task(planned.task), seed=0)
        if refusal := backend.refusal(method.lm):
            print(f"{planned.file} is left out. {refusal}", file=sys.stderr)
        else:
            kept.append(planned)
    return kept
