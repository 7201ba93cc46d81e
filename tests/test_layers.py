"""The house: every module is in a room, imports point one way, and text needs no torch."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "softcot"

FLOORS = (
    {"support"},
    {"data"},
    {"prompts", "fetching"},
    {"models"},
    {"thoughts", "decoding", "lab"},
    {"methods"},
    {"evaluation", "analysis"},
    {"training", "report"},
    {"plots", "bench"},
    {"web", "serving"},
    {"cli"},
    {"__main__"},
)
"""The rooms, from the ground up: one may import what is below it, and nothing beside or above."""

PURE = (
    "support.errors support.presets support.ranges data.problems data.answers data.stored "
    "data.samples data.task data.tasks prompts.wording prompts.builder training.config "
    "fetching fetching.pairs fetching.conversion"
).split()
HEAVY = {"torch", "transformers", "numpy", "sklearn", "scipy", "gradio", "plotly", "datasets"}


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


FILES = {name_of(file): file for file in sorted(PACKAGE.rglob("*.py"))}
FACE = "__init__"
"""The package's own file, which every room may read a version from and which names them all."""


def room_of(module: str) -> str:
    return module.partition(".")[0]


def imports(node: ast.AST) -> set[str]:
    """Our modules that are imported below a node, also those for type checkers only."""
    if isinstance(node, ast.Import):
        names = {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, "imports are absolute"
        names = {f"{node.module}.{alias.name}" for alias in node.names}
    else:
        return set().union(*map(imports, ast.iter_child_nodes(node)))
    ours = (name.removeprefix("softcot.") for name in names if name.startswith("softcot."))
    return {module for name in ours if (module := _module(name))}


def _module(name: str) -> str:
    """The module that a dotted name belongs to: itself, or what it is a name in."""
    while name and name not in FILES:
        name = name.rpartition(".")[0]
    return name


GRAPH = {name: imports(ast.parse(file.read_text("utf-8"))) for name, file in FILES.items()}


def complaints(graph: dict[str, set[str]], floors: tuple[set[str], ...]) -> list[str]:
    """What is wrong with a house: modules without a room, rooms without a module, arrows up."""
    place = {room: floor for floor, rooms in enumerate(floors) for room in rooms}
    rooms = {room_of(module) for module in graph} - {FACE}
    found = [f"{room} is on no floor" for room in sorted(rooms - place.keys())]
    found += [f"{room} is no room" for room in sorted(place.keys() - rooms)]
    for module, needed in sorted(graph.items()):
        for other in sorted(needed - {FACE}):
            mine, theirs = room_of(module), room_of(other)
            if mine not in place or theirs not in place or mine == theirs:
                continue
            if place[theirs] >= place[mine]:
                found.append(f"{module} imports {other}, which is not below it")
    return found


def test_every_room_imports_only_what_is_below_it():
    house = {name: needed for name, needed in GRAPH.items() if name != FACE}
    assert complaints(house, FLOORS) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"evaluation.stray": {"web.views"}}, "evaluation.stray imports web.views"),
        ({"loose": set()}, "loose is on no floor"),
        ({"analysis.stray": {"evaluation.records"}}, "analysis.stray imports evaluation.records"),
    ],
)
def test_a_module_out_of_place_is_found(change, said):
    house = {name: needed for name, needed in GRAPH.items() if name != FACE} | change
    [complaint] = complaints(house, FLOORS)
    assert complaint.startswith(said)


def test_a_misspelt_floor_is_found():
    floors = tuple({"evaluaton" if r == "evaluation" else r for r in rooms} for rooms in FLOORS)
    house = {name: needed for name, needed in GRAPH.items() if name != FACE}
    assert complaints(house, floors)[:2] == ["evaluation is on no floor", "evaluaton is no room"]


def test_no_module_imports_itself_in_a_circle():
    list(TopologicalSorter(GRAPH).static_order())


def test_the_decoder_knows_no_method():
    for module in (name for name in GRAPH if room_of(name) in ("thoughts", "decoding")):
        rooms = {room_of(other) for other in GRAPH[module]}
        assert not rooms & {"methods", "evaluation"}, module
        assert not {"thoughts", "decoding"} <= rooms, f"{module} joins what methods join"


def loaded_by(*names: str) -> set[str]:
    """Every module in a new Python that imports some of ours."""
    code = "import sys; " + "; ".join(f"import softcot.{name}" for name in names)
    code += "; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(loaded.stdout.split())


def test_pure_modules_load_nothing_heavy():
    commands = [name for name in FILES if room_of(name) == "cli"]
    assert not HEAVY & loaded_by(*PURE, *commands)


def test_records_are_read_without_a_model_library():
    assert HEAVY & loaded_by("evaluation.records") == {"numpy"}
