"""What the project is made of: bounded, locked, and telling nobody anything."""

import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from softcot.web.explorer import Explorer
from softcot.web.page import Page

ROOT = Path(__file__).parents[1]


def lines(name: str) -> list[Requirement]:
    text = (ROOT / name).read_text("utf-8").splitlines()
    return [Requirement(line) for line in text if line and not line.startswith("#")]


def locked() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in lines("requirements.lock"):
        [exact] = one.specifier
        assert exact.operator == "=="
        found.setdefault(canonicalize_name(one.name), set()).add(exact.version)
    return found


def test_every_dependency_has_an_upper_bound():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for one in map(Requirement, project["dependencies"]):
        assert any(part.operator in ("<", "==", "<=") for part in one.specifier), one


def test_the_lock_file_has_what_the_bounds_allow_and_all_that_it_needs():
    known = locked()
    for one in lines("requirements.txt"):
        versions = known[canonicalize_name(one.name)]
        assert all(version in one.specifier for version in versions), one


@pytest.mark.parametrize("name", [canonicalize_name(one.name) for one in lines("requirements.txt")])
def test_what_a_dependency_needs_is_locked_too(name):
    for text in metadata.requires(name) or ():
        needed = Requirement(text)
        wanted = needed.marker is None or needed.marker.evaluate({"extra": ""})
        cuda = needed.name.startswith(("nvidia", "cuda", "triton"))  # torch names their versions
        if wanted and not cuda:
            assert canonicalize_name(needed.name) in locked(), f"{name} needs {needed.name}"


def test_the_page_sends_no_telemetry(pair):
    assert not Page(Explorer(pair)).build().analytics_enabled
