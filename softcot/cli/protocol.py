"""`--protocol`: the options of a command, as a readable file has them."""

import argparse
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from softcot.support.errors import UserError
from softcot.support.presets import choose_preset
from softcot.support.reading import read_text, reason

PROTOCOLS = Path(__file__).parent / "protocols"
"""Those that come with the package."""


def add_protocol(parser: argparse.ArgumentParser) -> None:
    """Add the option; `expanded` puts what the file says into its place."""
    parser.add_argument(
        "--protocol",
        metavar="PROTOCOL",
        help=f"options as a TOML file has them: {_known()}, or a file; others overrule it",
    )


def expanded(argv: Sequence[str], command: str | None) -> list[str]:
    """A command line with what its protocol says before all else, which so overrules it.

    Raises:
        UserError: The protocol is none, or says nothing about this command.
    """
    asked = _asked(argv)
    if command is None or asked.protocol is None:
        return list(argv)
    settings = _settings(asked.protocol)
    if command not in settings:
        raise UserError(
            f"The protocol {asked.protocol} says nothing about {command}; leave it out."
        )
    words = [f"--{name}={value}" for name, value in settings[command].items()]
    told = choose_preset(asked.pair, asked.base, asked.assistant).prompts
    if prompts := settings.get("prompts", {}).get(told):
        words.append(f"--prompts={prompts}")
    place = argv.index(command) + 1
    return [*argv[:place], *words, *argv[place:]]


def _asked(argv: Sequence[str]) -> argparse.Namespace:
    """The protocol of a command line and what decides the prompts of its pair."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for name in ("protocol", "base", "assistant"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--pair", default="mini")
    try:
        return parser.parse_known_args(argv)[0]
    except argparse.ArgumentError:  # the command's own parser says what is wrong
        return parser.parse_args([])


def _settings(name: str) -> dict[str, dict[str, Any]]:
    """The tables of a protocol."""
    file = Path(name) if name.endswith(".toml") else PROTOCOLS / f"{name}.toml"
    try:
        settings = tomllib.loads(read_text(file))
    except FileNotFoundError as error:
        raise UserError(
            f"There is no protocol called {name!r}; choose {_known()}, or name a .toml file."
        ) from error
    except (OSError, ValueError) as error:
        raise UserError(
            f"The protocol {file} cannot be used ({reason(error)}); correct it."
        ) from error
    if not all(isinstance(table, dict) for table in settings.values()):
        raise UserError(f"The protocol {file} must hold tables alone, such as [train]; correct it.")
    return settings


def _known() -> str:
    """The names of those that come with the package."""
    return ", ".join(sorted(file.stem for file in PROTOCOLS.glob("*.toml")))
