"""The command line: `python -m softcot COMMAND ...`, or `softcot COMMAND ...` when installed.

Results go to stdout, progress and complaints to stderr. Bad input ends with exit code 2 and one
sentence. Whatever is slow to import is imported by the command that needs it.
"""

import argparse
import json
import os
import secrets
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from softcot import __version__
from softcot.data.benchmarks import DATA_VARIABLE
from softcot.data.problems import SPLITS, Problem, read_problems
from softcot.data.tasks import get_task
from softcot.support.errors import UserError
from softcot.support.files import refuse_used
from softcot.support.presets import MAX_NEW_TOKENS, MAX_THOUGHTS, own_preset
from softcot.support.ranges import read_ranges

if TYPE_CHECKING:  # names only: importing torch takes seconds
    from softcot.decoding.decoder import Sampling
    from softcot.evaluation.records import Record
    from softcot.thoughts.pair import Pair
    from softcot.training.trainer import Update

EVALUATED = 1000
"""Problems of a task's split that an evaluation takes where nobody chose a number."""

QUICK = 30
"""Problems a record of `reproduce --quick`, which gives every table in about ten minutes."""

RESULTS, QUICK_RESULTS, README = Path("assets/results"), Path("runs/quick"), Path("README.md")
REPORT = Path("assets/report")
SPEED = Path("assets/benchmarks")
TABLES, ENGINE = Path("docs/results.md"), Path("docs/engine.md")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 2 for bad input, 130 for Ctrl-C."""
    argv = sys.argv[1:] if argv is None else list(argv)
    try:
        args = _parser(argv).parse_args(argv)
        args.command_line = shlex.join(["python", "-m", "softcot", *argv])
        if getattr(args, "data_dir", None):
            os.environ[DATA_VARIABLE] = args.data_dir
        args.run(args)
        sys.stdout.flush()
    except UserError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader has seen enough: `softcot problem ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if error.filename is None:
            raise
        print(f"Cannot use {error.filename}: {error.strerror}.", file=sys.stderr)
        return 2
    return 0


def ask(args: argparse.Namespace) -> None:
    """Answer one question, streaming the text as it is written."""
    from softcot.evaluation.answering import ColumnRequest
    from softcot.evaluation.run_file import RunRequest, save_run
    from softcot.methods import METHODS
    from softcot.support.schema import to_json
    from softcot.thoughts.edits import read_edits

    temperature = args.temperature
    if temperature is None:
        temperature = _usual_temperature(args.samples)
    sampling = _sampling(args, temperature)
    task = get_task(args.task)
    pair = _load(args)
    kind = METHODS[args.method].kind if args.method in METHODS else None
    for sentence in pair.warnings(task.name, kind):
        print(sentence, file=sys.stderr)
    problem = Problem(task.name, args.question)
    edits = read_edits(args.edits, args.other) if args.edits else ()
    requests = (ColumnRequest(args.method, edits=edits),)
    asked = RunRequest(problem, requests, args.k, sampling, args.samples)
    shown = ""
    for [column] in asked.stream(pair):
        if not args.json and args.samples == 1:
            print(column.text[len(shown) :], end="", flush=True)
            shown = column.text
    if args.save:
        save_run(args.save, pair, asked, [column])
    if args.json:
        return _print_json(
            to_json(column)
            | {
                "question": args.question,
                "task": task.name,
                "pair": pair.name,
                "samples": args.samples,
                "sampling": asdict(sampling),
            }
        )
    print(column.text if args.samples > 1 else "")
    votes = ", ".join(f"{answer}: {count}" for answer, count in column.votes.items())
    print(f"\nAnswer: {column.answer or '-'}{f'   votes {votes}' if votes else ''}")
    print(
        f"{column.title}, K = {column.k}, {column.new_tokens} tokens, "
        f"{column.seconds:.1f} s. {column.note}".rstrip()
    )


def replay(args: argparse.Namespace) -> None:
    """Run a saved run again and say whether the same comes out."""
    from softcot.evaluation.run_file import load_run
    from softcot.evaluation.run_file import replay as run_again

    run_file = load_run(args.file)
    args.pair = args.pair or run_file.pair
    columns = run_again(_load(args), run_file)
    print(f"{run_file.asked.problem.question}\n")
    for column in columns:
        print(f"{column.title}: {column.text}\nAnswer: {column.answer or '-'}\n")
    print("Every word, answer and thought is the same.")


def problem(args: argparse.Namespace) -> None:
    """Print problems with their gold answers."""
    seed = secrets.randbelow(2**31) if args.seed is None else args.seed
    for found in get_task(args.task).problems(args.split, args.count, seed):
        if args.json:
            _print_json(found.to_json() | {"split": args.split, "seed": seed}, indent=None)
        else:
            print(f"{found.question}\nAnswer: {found.answer}\n")


def train(args: argparse.Namespace) -> None:
    """Train what a method trains and write it into a folder."""
    from softcot.data.tasks import training_tasks

    training_tasks(args.task)  # refuse a wrong name before anything slow
    from softcot.methods import get_trainable

    get_trainable(args.method)
    from softcot.models.language_model import best_device
    from softcot.support.processes import Processes
    from softcot.training.config import TrainingConfig
    from softcot.training.log import training_log
    from softcot.training.trainer import train as train_method

    names = {field.name for field in fields(TrainingConfig)}
    config = TrainingConfig(**{k: v for k, v in vars(args).items() if k in names and v is not None})
    processes = Processes.of(best_device())  # first: it says which GPU is this process's
    pair = _load(args)
    with _interruptible() as should_stop, _Bar() as bar, training_log(args.log, args.out) as log:

        def progress(update: "Update") -> None:
            if not processes.main:
                return
            log(update)
            if update.phase == "thinking":
                bar.show("reading", update.done, update.total)
            else:
                facts = {"loss": update.loss, "validation": update.validation_loss}
                bar.show("training", update.done, update.total, **facts)

        result = train_method(
            pair,
            args.method,
            args.task,
            config,
            args.out,
            resume=args.resume,
            cache=args.cache,
            command=args.command_line,
            progress=progress,
            should_stop=should_stop,
        )
    if processes.main:
        ending = "" if result.finished else "; stopped early, go on with --resume"
        print(
            f"{result.path}: validation loss {result.best_loss:.4f} at step {result.best_step}, "
            f"{result.seconds:.0f} s{ending}"
        )
    processes.leave()


def import_projection(args: argparse.Namespace) -> None:
    """Make a projection of a PyTorch state dict with a weight and a bias."""
    from softcot.thoughts.importing import import_projection

    refuse_used(args.out)
    pair = _load(args)
    projection, remarks = import_projection(args.file, pair, args.task, args.max_thoughts)
    projection.save(args.out)
    for remark in remarks:
        print(remark, file=sys.stderr)
    print(f"{args.out}: {projection.size:,} parameters, K 1 to {projection.max_thoughts}")


def space(args: argparse.Namespace) -> None:
    """Write a folder with the app and one pair, ready to be pushed to Hugging Face Spaces."""
    from softcot.web.space import export

    print(f"{export(args.folder, args.pair)}: push this folder to a Gradio Space")


def evaluate(args: argparse.Namespace) -> None:
    """Answer many problems and score the answers."""
    task = get_task(args.task)
    seeds = parse_seeds(args.seeds)
    if args.problems is None:
        split = args.split
        problems = task.problems(split, args.limit or EVALUATED)
    else:
        split = args.problems.name
        problems = read_problems(args.problems, task.name)[: args.limit]
    from softcot.evaluation.evaluator import Protocol, evaluate
    from softcot.evaluation.records import write_record
    from softcot.models.language_model import best_device
    from softcot.support.processes import Processes

    temperature = args.temperature
    if temperature is None:
        temperature = _usual_temperature(args.samples)
    protocol = Protocol(
        args.method,
        control=args.control,
        k=args.k,
        trained_on=args.trained_on,
        sampling=_sampling(args, temperature),
        seeds=tuple(seeds),
        samples=args.samples,
        gold_logprob=args.gold_logprob,
    )
    processes = Processes.of(best_device())  # first: it says which GPU is this process's
    pair = _load(args)
    partial = args.out and args.out.with_name(f"{args.out.name}.partial")
    with _Bar() as bar:
        record = evaluate(
            pair,
            task,
            protocol,
            problems,
            split=split,
            batch_size=args.batch_size,
            partial=partial,
            command=args.command_line,
            progress=lambda done, total: processes.main and bar.show(task.name, done, total),
        )
    if processes.main:
        if args.out:
            write_record(record, args.out)
        _print_record(record, args.json)
    processes.wait()  # until the record is there, the parts are needed
    if args.out:
        processes.own(partial).unlink(missing_ok=True)
    processes.leave()


def _print_record(record: "Record", as_json: bool) -> None:
    """Print what an evaluation came to."""
    if as_json:
        return _print_json(record.head())
    low, high = (100 * bound for bound in record.interval)
    print(
        f"{record.task} ({record.split}, n = {record.n}), {record.method}, "
        f"control {record.control}, K = {record.k}: {100 * record.accuracy:.1f} % correct "
        f"({low:.1f} to {high:.1f}), {100 * record.parse_failures:.1f} % unreadable, "
        f"{record.mean_new_tokens:.1f} tokens an answer, {record.seconds:.0f} s"
    )


def thoughts(args: argparse.Namespace) -> None:
    """Describe the soft thoughts of one question."""
    from softcot.analysis.geometry import explore
    from softcot.analysis.vocabulary import Vocabulary
    from softcot.methods import SoftCoT, get_method

    task = get_task(args.task)
    pair = _load(args)
    method = get_method(SoftCoT.name, pair, task)
    k = method.checked_k(args.k)
    vectors = method.thoughts([Problem(task.name, args.question)], k)[0]
    found = explore(
        args.question, vectors, pair.base, Vocabulary.of(pair.base), args.neighbours
    ).thoughts
    if args.json:
        return _print_json(
            {
                "question": args.question,
                "task": task.name,
                "pair": pair.name,
                "thoughts": [thought.to_json() for thought in found],
            }
        )
    for thought in found:
        nearest = "  ".join(f"{near.token} {near.cosine:.2f}" for near in thought.nearest)
        print(f"{thought.number:3}  norm {thought.norm_ratio:5.2f}  {nearest}")


def methods(args: argparse.Namespace) -> None:
    """List the methods, with what each trains and how many parameters that is."""
    from softcot.methods import METHODS, SlotMethod

    pair = _load(args)
    found = []
    for name, kind in METHODS.items():
        weights = kind.kind and kind.kind.for_pair(pair, "all", MAX_THOUGHTS)
        count = sum(p.numel() for p in weights.parameters()) if weights else 0
        entry = {"name": name, "title": kind.title, "trains": kind.trains, "parameters": count}
        found.append(entry | {"slots": issubclass(kind, SlotMethod)})
    if args.json:
        return _print_json(found)
    for entry in found:
        size = f" ({entry['parameters']:,} parameters)" if entry["parameters"] else ""
        print(f"{entry['name']:14} {entry['title']:14} trains {entry['trains']}{size}")


def pretrain(args: argparse.Namespace) -> None:
    """Make the mini pair's two language models again from nothing."""
    from softcot.lab import pretraining

    pretraining.run(args)


def reproduce(args: argparse.Namespace) -> None:
    """Make the records of an experiment that are not there yet."""
    from softcot.evaluation.experiments import can_run, plan
    from softcot.evaluation.experiments import reproduce as make

    results = args.results or (QUICK_RESULTS if args.quick else RESULTS)
    count = args.limit or (QUICK if args.quick else EVALUATED)
    if args.base or args.assistant:
        args.pair = own_preset(args.base, args.assistant).name
    runs = plan(args.experiment, args.pair)
    pairs = {}
    for name in dict.fromkeys(run.pair for run in runs):
        try:
            own = name == args.pair  # the options are about that one alone
            pairs[name] = _load_named(**pair_options(args)) if own else _load_named(name)
        except UserError as error:
            if name == args.pair:
                raise
            print(f"Pair {name} is left out. {error}", file=sys.stderr)
    runs = [run for run in runs if run.pair in pairs]
    missing = [run for run in runs if not can_run(pairs[run.pair], run)]
    for pair, method in dict.fromkeys((run.pair, run.protocol.method) for run in missing):
        print(f"Some of {method} of pair {pair} is left out: not trained.", file=sys.stderr)
    runs = [run for run in runs if run not in missing]
    with _Bar() as bar:
        for number, run in enumerate(runs, start=1):
            title = f"{number}/{len(runs)} {run.file.removesuffix('.json')}"
            make(
                pairs[run.pair],
                run,
                results,
                count=count,
                split=args.split,
                progress=lambda done, total, title=title: bar.show(title, done, total),
            )
    print(f"{results}: {len(runs)} records of {count} problems each")
    if args.quick:
        print(f"See them with: python -m softcot report --results {results} --out {results}/report")


def report(args: argparse.Namespace) -> None:
    """Make the report, and its short forms in docs/ and the README, from the records."""
    from softcot.report import write_report

    # Both show the records that come with them, not those of a quick run.
    shipped = args.results == RESULTS
    page = args.page or (TABLES if shipped else None)
    readme = args.readme or (README if shipped else None)
    write_report(args.results, args.out, page=page, readme=readme)


def bench(args: argparse.Namespace) -> None:
    """Measure the speed beside straightforward code, or show the measurements in docs/."""
    from softcot.bench import records

    names = records.NAMES if args.what == "all" else (args.what,)
    if args.what == "report":
        return records.write_page(records.load_all(args.records), args.page)
    from softcot.bench import run
    from softcot.bench.setting import Setting
    from softcot.bench.shapes import get_pair

    source, found = (pair_options(args), args.shape), []
    pair = get_pair(*source)
    with _Bar() as bar:
        for name in names:
            setting = Setting(
                *source,
                task=get_task(args.task).name,
                rounds=args.rounds,
                quick=args.quick,
                scale=args.scale,
                progress=lambda side, done, total, name=name: bar.show(name, done, total),
            )
            found.append(run(name, pair, setting, args.command_line))
            print(records.details(found[-1]), file=sys.stderr)
            if args.json:
                several = args.what == "all" or args.json.is_dir()
                records.save(found[-1], args.json / f"{name}.json" if several else args.json)
    print(records.table(found))


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


class _Parser(argparse.ArgumentParser):
    """An argument parser that complains like everything else here: one sentence, no usage."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        sentence = message.removeprefix("argument ").rstrip(".")
        raise UserError(f"{sentence[0].upper()}{sentence[1:]}; see `{self.prog} --help`.")


def _parser(argv: Sequence[str]) -> _Parser:
    parser = _Parser(
        prog="softcot", description="Soft chain-of-thought, explored.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(run: Callable[[argparse.Namespace], None]) -> _Parser:
        added = commands.add_parser(
            run.__name__.replace("_", "-"),
            help=run.__doc__,
            description=run.__doc__,
            allow_abbrev=False,
        )
        added.set_defaults(run=run)
        return added

    _add_ask(command(ask))
    _add_replay(command(replay))
    _add_problem(command(problem))
    _add_train(command(train))
    _add_import(command(import_projection))
    _add_evaluate(command(evaluate))
    _add_thoughts(command(thoughts))
    listed = command(methods)
    add_pair(listed)
    _add_json(listed)
    rebuilt = command(pretrain)
    if argv[:1] == ["pretrain"]:  # its options come with torch
        from softcot.lab import pretraining

        pretraining.add_arguments(rebuilt)
    _add_reproduce(command(reproduce))
    _add_space(command(space))
    _add_bench(command(bench))
    tables = command(report)
    tables.add_argument("--results", type=Path, default=RESULTS, help="folder of records")
    usual = f"for those of {RESULTS}"
    tables.add_argument(
        "--page", type=Path, help=f"file with all short tables; default: {TABLES} {usual}"
    )
    tables.add_argument(
        "--readme", type=Path, help=f"file with the main table; default: {README} {usual}"
    )
    tables.add_argument(
        "--out", type=Path, default=REPORT, help="folder of report.md and report.json"
    )
    return parser


def _add_ask(parser: _Parser) -> None:
    parser.add_argument("question", metavar="QUESTION")
    add_pair(parser)
    parser.add_argument("--task", default="free", help="whose projection and answer kind to use")
    _add_method(parser)
    _add_samples(parser)
    parser.add_argument("--seed", type=int, default=41)
    parser.add_argument(
        "--edits", default="", help="what is done to the thoughts, such as 'swap', 'mix=0.5:1-4'"
    )
    parser.add_argument(
        "--other", default="", help="the question whose thoughts swap and mix take; default: drawn"
    )
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the run there (replay)")
    _add_json(parser)


def _add_replay(parser: _Parser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a run that was saved")
    add_pair(parser)
    parser.set_defaults(pair=None)  # that of the run


def _add_problem(parser: _Parser) -> None:
    parser.add_argument("--task", required=True)
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--seed", type=int, help="default: another one each time")
    parser.add_argument("--count", type=_count, default=1)
    _add_data_dir(parser)
    _add_json(parser)


def _add_train(parser: _Parser) -> None:
    add_pair(parser)
    parser.add_argument(
        "--method", default="softcot", help="softcot, prompt-tuning, lora or coconut"
    )
    parser.add_argument("--task", required=True, help="a task with a training split, or 'all'")
    _add_data_dir(parser)
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--resume", action="store_true", help="go on where it was interrupted")
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="keep what the assistant thinks for next time"
    )
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument(
        "--start", help="of a projection: vocabulary (aligned with both models') or random"
    )
    parser.add_argument("--max-thoughts", type=int, help="K is drawn from 1 to this at each step")
    parser.add_argument("--train-problems", type=int)
    parser.add_argument("--validation-problems", type=int)
    parser.add_argument("--validate-every", type=int, help="steps")
    parser.add_argument("--log", help="also write the curves for tensorboard or trackio")
    parser.add_argument("--seed", type=int)


def _add_import(parser: _Parser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="what torch.save made of it")
    add_pair(parser)
    parser.add_argument("--task", required=True, help="what it was trained on, or 'all'")
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument(
        "--max-thoughts", type=_count, default=MAX_THOUGHTS, help="largest K it was trained for"
    )


def _add_space(parser: _Parser) -> None:
    parser.add_argument("action", choices=["export"])
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new folder")
    add_pair(parser)


def _add_bench(parser: _Parser) -> None:
    parser.add_argument(
        "what", choices=["train", "evaluate", "compare", "startup", "all", "report"]
    )
    add_pair(parser)
    parser.add_argument("--shape", help="random models of these sizes instead: qwen2.5-7b or tiny")
    parser.add_argument("--task", default="mini-gsm")
    parser.add_argument("--rounds", type=_count, default=3, help="turns of each side")
    parser.add_argument("--quick", action="store_true", help="hardly any work, as a test")
    parser.add_argument("--scale", action="store_true", help="also 100 to 10,000 evaluations")
    parser.add_argument(
        "--json", type=Path, metavar="PLACE", help="file or folder for the record; a folder for all"
    )
    parser.add_argument("--records", type=Path, default=SPEED, help="what `report` shows")
    parser.add_argument("--page", type=Path, default=ENGINE, help="what `report` rewrites")


def _add_evaluate(parser: _Parser) -> None:
    add_pair(parser)
    parser.add_argument("--task", required=True)
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument(
        "--problems", type=Path, help="JSON lines with question and answer, instead of the task's"
    )
    _add_data_dir(parser)
    parser.add_argument(
        "--limit", type=_count, help=f"problems; default {EVALUATED}, or the whole file"
    )
    _add_method(parser)
    parser.add_argument(
        "--control", default="none", help="none, swap, shuffle, mean, noise, zero or untrained"
    )
    parser.add_argument("--seeds", default="41", help="such as 41-45")
    parser.add_argument(
        "--trained-on", metavar="TASK", help="use the weights of this task; default: the task's own"
    )
    _add_samples(parser)
    parser.add_argument(
        "--gold-logprob", action="store_true", help="also score the worked gold answers"
    )
    parser.add_argument("--batch-size", type=_count, default=128, help="rows decoded together")
    parser.add_argument("--out", type=Path, help="write the record there; resumes if interrupted")
    _add_json(parser)


def _add_reproduce(parser: _Parser) -> None:
    add_pair(parser)
    parser.add_argument(
        "--experiment",
        default="all",
        help="main, controls, thoughts, assistant-size, self-consistency, forgetting, regime, all",
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK} problems a record, into {QUICK_RESULTS}"
    )
    parser.add_argument("--results", type=Path, help=f"folder of records; default: {RESULTS}")
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--limit", type=_count, help=f"problems a record; default: {EVALUATED}")


def _add_thoughts(parser: _Parser) -> None:
    parser.add_argument("question", metavar="QUESTION")
    add_pair(parser)
    parser.add_argument("--task", default="free", help="whose projection to use")
    _add_k(parser)
    parser.add_argument("--neighbours", type=_count, default=5, help="nearest tokens a thought")
    _add_json(parser)


def _add_data_dir(parser: _Parser) -> None:
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        help=f"files of the real data sets; default: ${DATA_VARIABLE}, or the Hub",
    )


def add_pair(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which models to load; `pair_options` reads them."""
    parser.add_argument("--pair", default="mini", help="name of a pair of models (default: mini)")
    parser.add_argument("--base", metavar="MODEL", help="folder or Hub id, instead of a pair's")
    parser.add_argument("--assistant", metavar="MODEL", help="likewise; both or neither")
    parser.add_argument(
        "--projection", metavar="PLACE", help="folder or Hub id of a projection for every task"
    )
    parser.add_argument("--prompts", metavar="DIR", help="templates, instead of the pair's own")
    parser.add_argument("--quantize", help="int8 or nf4: smaller weights, other answers")
    parser.add_argument(
        "--compile",
        dest="compiled",
        action="store_true",
        help="write with a compiled base: a slow start, and faster from then on",
    )


def pair_options(args: argparse.Namespace) -> dict[str, str | bool | None]:
    """What `load_pair` takes, from a command line with the options of `add_pair`."""
    names = ("base", "assistant", "projection", "prompts", "quantize", "compiled")
    return {"name": args.pair} | {name: getattr(args, name) for name in names}


def _add_method(parser: _Parser) -> None:
    parser.add_argument("--method", default="softcot", help="see `methods`")
    _add_k(parser)


def _add_k(parser: _Parser) -> None:
    parser.add_argument(
        "--thoughts", dest="k", metavar="K", type=int, help="default: the method's own choice"
    )


def _add_samples(parser: _Parser) -> None:
    parser.add_argument("--samples", type=_count, default=1, help="more than one: majority vote")
    parser.add_argument(
        "--temperature", type=float, help="default: 0 for one sample, 1 for several"
    )
    parser.add_argument("--top-p", type=float, default=1.0)
    parser.add_argument("--top-k", type=int, default=0, help="0 for all tokens")
    parser.add_argument("--max-new-tokens", type=int, default=MAX_NEW_TOKENS)


def _add_json(parser: _Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def _usual_temperature(samples: int) -> float:
    """Several samples are only worth it if they may differ."""
    return 0.0 if samples == 1 else 1.0


def _sampling(args: argparse.Namespace, temperature: float) -> "Sampling":
    from softcot.decoding.decoder import Sampling

    return Sampling(
        temperature=temperature,
        top_p=args.top_p,
        top_k=args.top_k,
        seed=getattr(args, "seed", 41),
        max_new_tokens=args.max_new_tokens,
    )


def _load(args: argparse.Namespace) -> "Pair":
    """The pair that a command line asks for."""
    return _load_named(**pair_options(args))


def _load_named(name: str, **options: str | None) -> "Pair":
    """A pair; whatever imports torch is imported when it is needed."""
    from softcot.thoughts.pair import load_pair

    return load_pair(name, **options)


def _print_json(value: Any, indent: int | None = 2) -> None:
    print(json.dumps(value, indent=indent, ensure_ascii=False))


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C ask for an end and the second one force it."""
    asked = threading.Event()

    def ask_to_stop(number: int, frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)
        print("\nStopping; press Ctrl-C again to drop what is not saved.", file=sys.stderr)

    before = signal.signal(signal.SIGINT, ask_to_stop)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


class _Bar:
    """A progress bar on stderr, a new one whenever what is counted changes."""

    def __enter__(self) -> "_Bar":
        self._counted: tuple[str, int] | None = None
        self._bar = None
        return self

    def __exit__(self, *failure: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, title: str, done: int, total: int, **facts: float) -> None:
        """Draw `done` of `total`, with numbers worth watching behind it."""
        from tqdm import tqdm

        if self._counted != (title, total):
            self.__exit__()
            self._bar = tqdm(desc=title, total=total, initial=done, dynamic_ncols=True)
            self._counted = (title, total)
        self._bar.set_postfix({k: f"{v:.4f}" for k, v in facts.items()}, refresh=False)
        self._bar.update(done - self._bar.n)
