"""Train what a method trains and write it into a folder."""

import argparse
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from softcot.cli.fields import add_fields
from softcot.cli.options import add_data_dir, add_pair, load, use_data_dir
from softcot.cli.progress import Bar, interruptible
from softcot.cli.protocol import add_protocol
from softcot.data.tasks import training_tasks
from softcot.training.config import TrainingConfig

if TYPE_CHECKING:
    from softcot.training.trainer import Update


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; those that decide the weights are the fields of `TrainingConfig`."""
    add_pair(parser)
    add_protocol(parser)
    parser.add_argument(
        "--method", default="softcot", help="what is trained for; see `methods` (default: softcot)"
    )
    parser.add_argument("--task", required=True, help="a task with a training split, or 'all'")
    add_data_dir(parser)
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--resume", action="store_true", help="go on where it was interrupted")
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="keep what the assistant thinks for next time"
    )
    parser.add_argument("--log", help="also write the curves for tensorboard or trackio")
    add_fields(parser, TrainingConfig, "what decides the weights")


def run(args: argparse.Namespace) -> None:
    """Train; the first Ctrl-C ends it with the best weights so far."""
    use_data_dir(args)
    training_tasks(args.task)  # refuse a wrong name before anything slow
    from softcot.methods import get_trainable

    get_trainable(args.method)
    from softcot.models.language_model import best_device
    from softcot.support.processes import Processes
    from softcot.training.log import training_log
    from softcot.training.trainer import train

    config = TrainingConfig(**{f.name: getattr(args, f.name) for f in fields(TrainingConfig)})
    processes = Processes.of(best_device())  # first: it says which GPU is this process's
    pair = load(args)
    with interruptible() as should_stop, Bar() as bar, training_log(args.log, args.out) as log:

        def progress(update: "Update") -> None:
            if processes.main:
                log(update)
                _show(bar, update)

        result = train(
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


def _show(bar: Bar, update: "Update") -> None:
    """Draw how far a training is."""
    if update.phase == "thinking":
        bar.show("reading", update.done, update.total)
    elif update.phase == "validating":
        bar.say(f"validating, {update.done} of {update.total}")
    else:
        facts = {
            "loss": update.loss,
            "validation": update.validation_loss,
            "swap": update.swap_loss,
        }
        bar.show("training", update.done, update.total, **facts)
