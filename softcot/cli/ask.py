"""Answer one question, streaming the text as it is written."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from softcot.cli import options
from softcot.data.problems import Problem
from softcot.data.tasks import FREE, get_task
from softcot.support.presets import is_laboratory

if TYPE_CHECKING:
    from softcot.evaluation.answering import Column

GUESSED = "The question was read as {task}; name another --task if it is not."

UNTRAINED = (
    "Nobody trained a projection of the pair {pair} for {task} yet, so these are untrained "
    "thoughts; train one with `python -m softcot train {option} --task {task} --out DIR`."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("question", metavar="QUESTION")
    options.add_pair(parser)
    options.add_backend(parser)
    parser.add_argument(
        "--task",
        help="whose projection and answer kind to use; default: for the laboratory's pairs the "
        "kind that the question reads like, for others free",
    )
    parser.add_argument("--note", default="", help="what the assistant alone is told")
    options.add_method(parser)
    options.add_sampling(parser)
    parser.add_argument("--seed", type=int, default=41)
    parser.add_argument(
        "--edits", default="", help="what is done to the thoughts, such as 'swap', 'mix=0.5:1-4'"
    )
    parser.add_argument(
        "--other", default="", help="the question whose thoughts swap and mix take; default: drawn"
    )
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the run there (replay)")
    options.add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Ask, and print the answer."""
    from softcot.evaluation.answering import ColumnRequest
    from softcot.evaluation.run_file import RunRequest, save_run
    from softcot.methods import METHODS
    from softcot.support.schema import to_json
    from softcot.thoughts.edits import read_edits
    from softcot.thoughts.projection import Projection

    options.check_backend(args)
    sampling = options.sampling(args, args.seed)
    named = get_task(args.task) if args.task else None
    pair = options.load(args)
    task = named or pair.likely_task(args.question)
    kind = METHODS[args.method].kind if args.method in METHODS else None
    served = is_laboratory(pair.name) or pair.is_trained(Projection, task.name)
    if kind is Projection and not served:
        pair = pair.with_untrained()  # as on the page
        print(UNTRAINED.format(pair=pair.name, option=pair.option, task=task.name), file=sys.stderr)
    for sentence in pair.warnings(task.name, kind):
        print(sentence, file=sys.stderr)
    problem = Problem(task.name, args.question, note=args.note.strip())
    edits = read_edits(args.edits, args.other) if args.edits else ()
    requests = (ColumnRequest(args.method, edits=edits),)
    asked = RunRequest(problem, requests, args.k, sampling, args.samples)
    shown, backend = "", options.backend(args, pair)
    for [column] in asked.stream(pair, backend=backend):
        if not args.json and args.samples == 1:
            print(column.text[len(shown) :], end="", flush=True)
            shown = column.text
    if task not in (named, FREE):
        print(GUESSED.format(task=task.name), file=sys.stderr)
    if args.save:
        save_run(args.save, pair, asked, [column])
    if args.json:
        told = {"told_alone": problem.note} if problem.note else {}
        question = {"question": problem.question, **told, "task": task.name, "pair": pair.name}
        how = {"samples": args.samples, "sampling": asdict(sampling)}
        options.print_json(to_json(column) | question | how)
    else:
        _print_ending(column, args.samples)


def _print_ending(column: "Column", samples: int) -> None:
    """Print what is known once the text is there; the text too, where it could not be streamed."""
    print(column.text if samples > 1 else "")
    votes = ", ".join(f"{answer}: {count}" for answer, count in column.votes.items())
    print(f"\nAnswer: {column.answer or '-'}{f'   votes {votes}' if votes else ''}")
    print(
        f"{column.title}, K = {column.k}, {column.new_tokens} tokens, "
        f"{column.seconds:.1f} s. {column.note}".rstrip()
    )
