"""Let lm-evaluation-harness ask a method, with its own tasks and scorers."""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from softcot.cli import options
from softcot.support.errors import UserError
from softcot.support.files import json_text, write_text

if TYPE_CHECKING:  # names only: importing torch takes seconds
    from softcot.decoding.backend import Backend
    from softcot.thoughts.pair import Pair


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
    options.add_data_dir(parser)
    parser.add_argument(
        "--plain",
        action="store_true",
        help="ask the question alone, as `evaluate` does, not in the task's words; with --data-dir",
    )
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="FILE",
        help="evaluate the same problems too, and write where the two scorers part",
    )
    parser.add_argument("--out", type=Path, help="write results and samples there, as JSON")


def run(args: argparse.Namespace) -> None:
    """Ask, and print the harness's own table."""
    options.check_backend(args)
    options.use_data_dir(args)
    if args.plain and not args.data_dir:
        raise UserError("--plain is for the tasks of --data-dir; name that folder, too.")
    args.samples, args.temperature, args.top_p, args.top_k = 1, 0.0, 1.0, 0
    args.repetition_penalty = 1.0
    try:
        from lm_eval.utils import handle_non_serializable, make_table

        from softcot.serving.harness import SoftCoTModel
    except ImportError as error:
        raise UserError(
            f"lm-evaluation-harness is not here ({error}); install it with `pip install "
            "'softcot[lm-eval]'`."
        ) from error
    pair = options.load(args)
    backend = options.backend(args, pair)
    model = SoftCoTModel(
        pair,
        args.method,
        args.task,
        args.k,
        args.control,
        args.batch_size,
        options.sampling(args).max_new_tokens,
        backend,
    )
    with TemporaryDirectory() as folder:
        found = _evaluated(args, model, Path(folder))
    print(make_table(found))
    if args.out:
        found["softcot"] = {"command": args.command_line, "pair": pair.name, "method": args.method}
        write_text(args.out, json_text(found, indent=2, default=handle_non_serializable))
    if args.compare:
        _compare(args, pair, backend, found)


def _evaluated(args: argparse.Namespace, model: Any, folder: Path) -> dict[str, Any]:
    """What the harness finds; a task of `--data-dir` is written into the folder."""
    import lm_eval.tasks

    from softcot.serving.two_scorers import write_local_tasks

    names, places = args.tasks.split(","), [args.include_path] if args.include_path else []
    if args.data_dir:
        harness = Path(lm_eval.tasks.__file__).parent
        names = write_local_tasks(names, harness, Path(args.data_dir), folder, args.plain)
        places.append(folder)
    try:
        found: dict[str, Any] = lm_eval.simple_evaluate(
            model=model,
            tasks=names,
            num_fewshot=args.num_fewshot,
            limit=args.limit,
            task_manager=lm_eval.tasks.TaskManager(include_path=[*map(str, places)] or None),
        )
    except (KeyError, ValueError, ConnectionError) as error:
        raise UserError(f"The harness cannot do the tasks {args.tasks!r}: {error}") from error
    return found


def _compare(
    args: argparse.Namespace, pair: "Pair", backend: "Backend | None", found: dict[str, Any]
) -> None:
    """Evaluate the problems of the harness's only task here, and write both readings."""
    from softcot.evaluation.evaluator import Protocol, evaluate
    from softcot.serving import two_scorers

    if len(found["samples"]) != 1:
        raise UserError("Two scorers are compared on one task; name one.")
    [(name, samples)] = found["samples"].items()
    task = two_scorers.own_task(name)
    problems = two_scorers.asked_problems(task, samples)
    how = Protocol(args.method, args.control, args.k, sampling=options.sampling(args))
    record = evaluate(pair, task, how, problems, batch_size=args.batch_size, backend=backend)
    both = two_scorers.compared(samples, record.rows)
    both |= {"command": args.command_line, "pair": pair.name, "method": args.method}
    both |= {
        "commit": record.commit,
        "versions": record.versions,
        "harness": found["lm_eval_version"],
    }
    write_text(args.compare, json_text(both, indent=2, ensure_ascii=False))
    print(two_scorers.said(both))
