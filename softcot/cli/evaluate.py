"""Answer many problems and score the answers."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from softcot.cli import options
from softcot.cli.progress import Bar
from softcot.cli.protocol import add_protocol
from softcot.data.problems import SPLITS, Problem, read_problems
from softcot.data.tasks import BENCHMARK_TASKS, Task, get_task
from softcot.support.errors import UserError
from softcot.support.ranges import read_ranges

if TYPE_CHECKING:
    from softcot.evaluation.evaluator import Protocol
    from softcot.evaluation.records import Record


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_pair(parser)
    add_protocol(parser)
    options.add_backend(parser)
    parser.add_argument("--task", required=True)
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument(
        "--problems",
        type=Path,
        help="JSON with question, answer and perhaps note, instead of the task's",
    )
    options.add_data_dir(parser)
    parser.add_argument(
        "--limit",
        type=options.count,
        help=f"problems; default: all of a data set or file, {options.EVALUATED} made-up ones",
    )
    options.add_method(parser)
    parser.add_argument(
        "--control", default="none", help="none, swap, shuffle, mean, noise, zero or untrained"
    )
    parser.add_argument("--seeds", default="41", help="such as 41-45")
    parser.add_argument(
        "--trained-on", metavar="TASK", help="use the weights of this task; default: the task's own"
    )
    parser.add_argument(
        "--noise",
        type=float,
        help="length of softcot-p's noise, as a share of a thought's; default: the chosen one",
    )
    options.add_sampling(parser)
    parser.add_argument(
        "--gold-logprob", action="store_true", help="also score the worked gold answers"
    )
    parser.add_argument(
        "--batch-size", type=options.count, default=128, help="rows decoded together"
    )
    parser.add_argument("--out", type=Path, help="write the record there; resumes if interrupted")
    options.add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Evaluate, write the record where it was asked for, and print what it came to."""
    options.use_data_dir(args)
    options.check_backend(args)
    task = get_task(args.task)
    seeds = parse_seeds(args.seeds)
    split, problems, left_out = _problems(args, task)  # all this is refused before anything slow
    from softcot.evaluation.evaluator import evaluate
    from softcot.evaluation.records import write_record
    from softcot.models.language_model import best_device
    from softcot.support.processes import Processes

    protocol = _protocol(args, seeds)
    processes = Processes.of(best_device())  # first: it says which GPU is this process's
    pair = options.load(args)
    backend = options.backend(args, pair)
    partial = args.out and args.out.with_name(f"{args.out.name}.partial")
    with Bar() as bar:

        def progress(done: int, total: int) -> None:
            if processes.main:
                bar.show(task.name, done, total)

        record = evaluate(
            pair,
            task,
            protocol,
            problems,
            split=split,
            left_out=left_out,
            batch_size=args.batch_size,
            partial=partial,
            command=args.command_line,
            progress=progress,
            backend=backend,
        )
    if processes.main:
        if args.out:
            write_record(record, args.out)
        weights = getattr(protocol.build(pair, task, seeds[0]), "weights", None)
        for sentence in weights.remarks() if weights else ():
            print(sentence, file=sys.stderr)
        _print_record(record, args.json)
    processes.wait()  # until the record is there, the parts are needed
    if args.out:
        processes.own(partial).unlink(missing_ok=True)
    processes.leave()


def parse_seeds(text: str) -> list[int]:
    """Seeds written as `41-45` or `41,43`, or both.

    Raises:
        UserError: The text is no such list.
    """
    try:
        return read_ranges(text)
    except ValueError as error:
        message = f"The seeds {text!r} are not a list such as 41-45 or 41,43."
        raise UserError(message) from error


def _problems(
    args: argparse.Namespace, task: Task
) -> tuple[str, list[Problem], Mapping[str, int] | None]:
    """The name of where the problems come from, the problems, and what was left out of them."""
    if args.problems is not None:
        return args.problems.name, read_problems(args.problems, task.name)[: args.limit], None
    most = sys.maxsize if task.name in BENCHMARK_TASKS else options.EVALUATED
    problems = task.problems(args.split, args.limit or most)
    return args.split, problems, task.left_out(args.split)


def _protocol(args: argparse.Namespace, seeds: list[int]) -> "Protocol":
    """How the problems are to be answered."""
    from softcot.evaluation.evaluator import Protocol

    return Protocol(
        args.method,
        control=args.control,
        k=args.k,
        trained_on=args.trained_on,
        sampling=options.sampling(args),
        seeds=tuple(seeds),
        samples=args.samples,
        noise=args.noise,
        gold_logprob=args.gold_logprob,
    )


def _print_record(record: "Record", as_json: bool) -> None:
    """Print what an evaluation came to."""
    if as_json:
        return options.print_json(record.head())
    from softcot.evaluation.records import counted

    low, high = (100 * bound for bound in record.interval)
    print(
        f"{record.task} ({record.split}, n = {record.n}), {record.method}, "
        f"control {record.control}, K = {record.k}: {100 * record.accuracy:.1f} % correct "
        f"({low:.1f} to {high:.1f}), {100 * record.parse_failures:.1f} % unreadable, "
        f"{100 * (record.cut or 0):.1f} % cut off at {record.sampling['max_new_tokens']} tokens, "
        f"{record.mean_new_tokens:.1f} tokens an answer, {record.seconds:.0f} s"
    )
    if record.chains:
        votes = f"of {record.samples} samples at least one is right: "
        told = f"{votes}{100 * record.chains['pass']:.1f} %, "
        print(f"{told}{record.chains['answers']:.2f} different answers")
    if record.left_out:
        print(f"Problems of the split that cannot be judged: {counted(record.left_out)}")
