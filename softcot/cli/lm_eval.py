"""Let lm-evaluation-harness ask a method, with its own tasks and scorers."""

import argparse
from pathlib import Path

from softcot.cli import options
from softcot.support.errors import UserError
from softcot.support.files import json_text, write_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--tasks", required=True, metavar="NAMES", help="of the harness: gsm8k,...")
    options.add_pair(parser)
    options.add_backend(parser)
    options.add_method(parser)
    parser.add_argument(
        "--control", default="none", help="none, swap, shuffle, mean, noise, zero or untrained"
    )
    parser.add_argument(
        "--task", default="free", help="whose instruction and weights are used (default: free)"
    )
    parser.add_argument(
        "--num-fewshot", type=int, default=0, help="examples before each question (default: 0)"
    )
    parser.add_argument("--limit", type=options.count, help="problems of each task; default: all")
    parser.add_argument("--include-path", type=Path, metavar="DIR", help="tasks of your own")
    parser.add_argument("--batch-size", type=options.count, default=16)
    parser.add_argument("--max-new-tokens", type=options.count)
    parser.add_argument("--out", type=Path, help="write results and samples there, as JSON")


def run(args: argparse.Namespace) -> None:
    """Ask, and print the harness's own table."""
    options.check_backend(args)
    longest = options.longest(args)
    try:
        from lm_eval import simple_evaluate
        from lm_eval.tasks import TaskManager
        from lm_eval.utils import handle_non_serializable, make_table

        from softcot.serving.harness import SoftCoTModel
    except ImportError as error:
        raise UserError(
            f"lm-evaluation-harness is not here ({error}); install it with `pip install "
            "'softcot[lm-eval]'`."
        ) from error
    pair = options.load(args)
    model = SoftCoTModel(
        pair,
        args.method,
        args.task,
        args.k,
        args.control,
        args.batch_size,
        longest,
        options.backend(args, pair),
    )
    own = str(args.include_path) if args.include_path else None
    try:
        found = simple_evaluate(
            model=model,
            tasks=args.tasks.split(","),
            num_fewshot=args.num_fewshot,
            limit=args.limit,
            task_manager=TaskManager(include_path=own),
        )
    except (KeyError, ValueError, ConnectionError) as error:
        raise UserError(f"The harness cannot do the tasks {args.tasks!r}: {error}") from error
    print(make_table(found))
    if args.out:
        found["softcot"] = {"command": args.command_line, "pair": pair.name, "method": args.method}
        write_text(args.out, json_text(found, indent=2, default=handle_non_serializable))
