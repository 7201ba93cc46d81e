"""The command line: `python -m softcot COMMAND ...`, or `softcot COMMAND ...` when installed.

Results go to stdout, progress and complaints to stderr. Bad input ends with exit code 2 and one
sentence. Each command is a module with `add_arguments` and `run`, imported when it is asked for;
what imports torch, which takes seconds, waits until `run`.
"""

import argparse
import importlib
import os
import shlex
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from softcot.data.tasks import discover_own
from softcot.support.console import accept_any_text
from softcot.support.errors import UserError
from softcot.support.files import spare_temporary_files
from softcot.support.text import clean
from softcot.support.threads import share_cores
from softcot.support.version import __version__

COMMANDS = {
    "ask": "Answer one question, streaming the text as it is written.",
    "replay": "Run a saved run again and say whether the same comes out.",
    "fetch": "Fetch the real pretrained models of a pair, list them, or remove them.",
    "problem": "Print problems with their gold answers.",
    "train": "Train what a method trains and write it into a folder.",
    "import-projection": "Make a projection of a file of plain tensors: a weight and a bias.",
    "evaluate": "Answer many problems and score the answers.",
    "serve": "Serve a pair to other programs, in the form of OpenAI's interface.",
    "thoughts": "Describe the soft thoughts of one question.",
    "methods": "List the methods, with what each trains and how many parameters that is.",
    "pretrain": "Make the mini pair's two language models again from nothing.",
    "lm-eval": "Let lm-evaluation-harness ask a method, with its own tasks and scorers.",
    "reproduce": "Make the records of an experiment that are not there yet.",
    "space": "Write a folder with the app and one pair, ready to be pushed to Hugging Face Spaces.",
    "bench": "Measure the speed beside straightforward code, or show the measurements in docs/.",
    "soak": "Ask the app and `serve` with many clients for long, and check every answer.",
    "report": "Make the report, and its short forms in docs/ and the README, from the records.",
}
"""Name -> what it does: the first line of its module's docstring, known without importing it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 2 for bad input, 130 for Ctrl-C."""
    argv = sys.argv[1:] if argv is None else list(argv)
    accept_any_text()
    share_cores()
    try:
        args = parse(argv)
        args.command_line = clean(shlex.join(["python", "-m", "softcot", *argv]))
        discover_own()
        spare_temporary_files()
        args.run(args)
        if sys.stdout:  # a program may be started without one
            sys.stdout.flush()
    except UserError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader has seen enough: `softcot problem ... | head`
        _drop_output()
    except OSError as error:
        if error.filename is None:  # what was printed has nowhere to go, such as on a full disk
            _drop_output()
        what = f"use {error.filename}" if error.filename else "go on"
        print(f"Cannot {what}: {error.strerror or error}.", file=sys.stderr)
        return 2
    return 0


def _drop_output() -> None:
    """Send what is still to be printed nowhere: Python would complain once more as it ends."""
    if sys.stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read a command line; `run` of the result is the function of its command.

    Raises:
        UserError: There is no such command, or it has no such options.
    """
    parser = Parser(
        prog="softcot", description="Soft chain-of-thought, explored.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    # No option before the command takes a value, so the first word that is none is the command.
    asked = next((word for word in argv if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, allow_abbrev=False)
        if name == asked:
            module = command_module(name)
            command.description = module.__doc__
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    if any(word.startswith("--protocol") for word in argv):
        from softcot.cli.protocol import expanded

        argv = expanded(argv, asked)
    return parser.parse_args(argv)


def command_module(name: str) -> ModuleType:
    """The module of a command: its name, with underscores for hyphens."""
    return importlib.import_module(f"softcot.cli.{name.replace('-', '_')}")


class Parser(argparse.ArgumentParser):
    """An argument parser that complains like everything else here: one sentence, no usage."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        sentence = message.removeprefix("argument ").rstrip(".")
        raise UserError(f"{sentence[0].upper()}{sentence[1:]}; see `{self.prog} --help`.")
