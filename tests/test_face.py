"""The package's public face: it costs nothing to import, and every name of it is there."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from test_layers import HEAVY

import softcot

FILE = Path(softcot.__file__)


def in_a_new_python(code: str) -> list[str]:
    """The words that some code prints."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=FILE.parents[1], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_importing_the_package_loads_nothing():
    loaded = set(in_a_new_python("import sys, softcot; print(*sys.modules)"))
    assert not HEAVY & loaded
    ours = {name for name in loaded if name.startswith("softcot")}
    assert ours == {"softcot", "softcot.support", "softcot.support.version"}


def test_light_names_stay_light():
    code = "import sys; from softcot import Problem, get_task; print(*sys.modules)"
    assert not HEAVY & set(in_a_new_python(code))


@pytest.mark.parametrize("name", softcot.__all__)
def test_every_name_is_that_of_its_module(name):
    home = import_module(f"softcot.{softcot._HOMES[name]}")
    assert getattr(softcot, name) is getattr(home, name)
    assert name in dir(softcot)
    assert vars(softcot)[name] is getattr(softcot, name)  # the second time it is at hand


def test_type_checkers_see_the_same_names():
    [block] = [node for node in ast.parse(FILE.read_text()).body if isinstance(node, ast.If)]
    seen = {
        alias.name: node.module.removeprefix("softcot.")
        for node in block.body
        for alias in node.names
    }
    assert seen == softcot._HOMES and sorted(seen) == sorted(softcot.__all__)


def test_everything_can_be_imported_at_once():
    names = in_a_new_python("from softcot import *; print(*globals())")
    assert set(softcot.__all__) <= set(names)


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="module 'softcot' has no attribute 'Thoughts'"):
        softcot.Thoughts  # noqa: B018
    with pytest.raises(ImportError):
        from softcot import Thoughts  # noqa: F401
