"""Options that are the fields of a dataclass, explained by the fields' own docstrings."""

import argparse
import ast
import inspect
from dataclasses import fields
from itertools import pairwise
from types import NoneType
from typing import Any, get_args, get_type_hints


def add_fields(parser: argparse.ArgumentParser, kind: type[Any], title: str) -> None:
    """Add an option for each field of a dataclass, with its type and default.

    Args:
        parser: Of the command.
        kind: A dataclass of numbers and texts, each of which may also be None.
        title: Heading of these options in the command's help.
    """
    group = parser.add_argument_group(title)
    hints, texts = get_type_hints(kind), attribute_docstrings(kind)
    for field in fields(kind):
        [plain] = set(get_args(hints[field.name]) or [hints[field.name]]) - {NoneType}
        usual = "" if field.default is None else " (default: %(default)s)"
        group.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=plain,
            default=field.default,
            help=texts[field.name].removesuffix(".").replace("%", "%%") + usual,
        )


def attribute_docstrings(kind: type) -> dict[str, str]:
    """The text below each annotated attribute of a class, which only its source has.

    Args:
        kind: A class at the top level of a module; what it inherits is left out.
    """
    [definition] = ast.parse(inspect.getsource(kind)).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for attribute, below in pairwise(definition.body):
        match attribute, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = inspect.cleandoc(text)
    return found
