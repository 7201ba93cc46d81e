"""Imports point one way, and the modules that only handle text need no torch."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
STAGES = """errors presets problems ranges answers benchmarks tasks wording prompts learned
projection soft_prompt loading models assistant states cache compiled controls edits decoding
methods.base methods.hard methods.slots methods scoring prefixes learners answering capsule
processes training training_log importing space records ledger trials evaluation experiments
vocabulary analysis lens attention trajectory inspection plots plots.thoughts plots.sweep
bench.measuring
bench.setting bench.shapes bench.reference bench.records bench.train bench.evaluate bench.compare
bench.startup bench cli __main__""".split()
PURE = ["errors", "presets", "problems", "answers", "benchmarks", "tasks", "wording", "prompts"]
HEAVY = {"torch", "transformers", "numpy", "sklearn", "scipy", "gradio", "plotly", "datasets"}


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {name_of(file): file for file in sorted((ROOT / "softcot").rglob("*.py"))}


def imports(node: ast.AST) -> set[str]:
    """Modules imported below a node; those for type checkers only do not count."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        return set()
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        assert not node.level, "imports are absolute"
        paths = [f"{node.module}.{alias.name}" for alias in node.names]
        return {path if path in FILES else node.module for path in paths}
    return set().union(*map(imports, ast.iter_child_nodes(node)))


GRAPH = {name: imports(ast.parse(file.read_text("utf-8"))) for name, file in FILES.items()}


def test_no_module_imports_itself_in_a_circle():
    list(TopologicalSorter(GRAPH).static_order())


def test_stages_import_earlier_stages_only():
    for number, stage in enumerate(STAGES):
        later = {f"softcot.{other}" for other in STAGES[number:]}
        assert not GRAPH.get(f"softcot.{stage}", set()) & later, stage


def test_the_core_knows_nothing_of_the_decoder():
    for stage in ("models", "assistant", "projection", "controls", "methods.base"):
        assert "softcot.decoding" not in GRAPH[f"softcot.{stage}"]
    assert "softcot.methods" not in GRAPH["softcot.decoding"]


def loaded_by(*names: str) -> set[str]:
    """Every module in a new Python that imports some of ours."""
    code = "import sys; " + "; ".join(f"import softcot.{name}" for name in names)
    code += "; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(loaded.stdout.split())


def test_pure_modules_load_nothing_heavy():
    assert not HEAVY & loaded_by(*PURE)


def test_records_are_read_without_a_model_library():
    assert HEAVY & loaded_by("records") == {"numpy"}
