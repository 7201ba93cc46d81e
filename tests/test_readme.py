"""The documents: commands and examples work, links lead somewhere, figures are the records'."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import gradio as gr
import proofs
import pytest
import yaml
from test_layers import FLOORS, PACKAGE

import softcot
from softcot.bench import records as speed
from softcot.bench import sizing
from softcot.bench.soak import record as soak
from softcot.cli.main import parse
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.methods import METHODS, get_method
from softcot.report import (
    build,
    files,
    load_records,
    load_trainings,
    page_block,
    readme_block,
    real_block,
)
from softcot.report.learning import training_files
from softcot.report.render import JUDGED, SUMMARY, TABLES
from softcot.support import presets
from softcot.support.files import markers
from softcot.web.explorer import Explorer
from softcot.web.requests import NOTHING, QuestionRequest
from softcot.web.wiring import Widgets

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
README, CONTRIBUTING = TEXTS["README.md"], TEXTS["CONTRIBUTING.md"]
LAYOUT = {"softcot", "tests", "assets", "checkpoints", "docs"}

EXAMPLES = {
    "softcot/methods/question_mean.py",
    "tests/methods/test_question_mean.py",
    "softcot/data/tasks/mini_change.py",
}
"""Files that a contributor is told to make."""


def test_the_same_versions_of_python_are_named_everywhere():
    with (ROOT / "pyproject.toml").open("rb") as file:
        assert tomllib.load(file)["project"]["requires-python"] == ">=3.11,<3.15"
    for text in (README, CONTRIBUTING):
        assert re.findall(r"Python (3\.\d+ \S+ 3\.\d+)", text) == ["3.11 to 3.14"]


def command(marker: str) -> str:
    """The one-line command after a marker."""
    return re.search(rf"<!-- {marker} -->\s*```bash\n(.*?)\n```", README, re.S).group(1)


def blocks(page: str, language: str) -> list[str]:
    """The code of a page that is in some language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXTS[page], re.S | re.M)


def block_with(page: str, text: str) -> str:
    """The one Python block of a page that holds a text."""
    [block] = [block for block in blocks(page, "python") if text in block]
    return block


def prose(text: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)


def anchors(text: str) -> set[str]:
    """Where the links into a page may lead, as GitHub names its headings."""
    found: list[str] = []
    for heading in re.findall(r"^#+ (.+)$", prose(text), re.M):
        name = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        same = sum(name == re.sub(r"-\d+$", "", other) for other in found)
        found.append(f"{name}-{same}" if same else name)
    return set(found)


def between(page: str, name: str) -> str:
    """What a program wrote into a page."""
    start, end = markers(name)
    return TEXTS[page].split(start)[1].split(end)[0].strip()


def test_two_commands_install_from_files_that_are_here():
    app, tests = command("app command"), command("test command")
    assert "\n" not in app and "\n" not in tests
    assert "-r requirements.txt" in app and app.endswith("python app.py")
    assert '-e ".[test]"' in tests and "-m pytest" in tests


def test_requirements_are_the_packages_own():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    listed = {line for line in lines if line and not line.startswith("#")}
    declared = re.search(
        r"^dependencies = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.S | re.M
    ).group(1)
    assert listed == set(re.findall(r'"([^"]+)"', declared))


def test_the_readme_is_short():
    assert len(README.split()) < 1500


def test_the_readme_leads_to_every_page():
    targets = set(re.findall(r"\]\(([^)#]+)", README))
    assert targets >= TEXTS.keys() - {"README.md"} | {"CITATION.cff"}
    assert {"assets/first-minute-opens.png", "assets/method.svg"} <= targets


@pytest.mark.parametrize("page", TEXTS)
def test_links_and_pictures_lead_somewhere(page):
    for target in re.findall(r"\]\(((?:[^()]|\([^()]*\))+)\)", prose(TEXTS[page])):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), target
        assert ROOT in file.resolve().parents, target
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), target


def test_anchors_are_named_as_on_github():
    text = "# `A` b, c: d-e?\n## F\n```bash\n# no heading\n```\n## F\n"
    assert anchors(text) == {"a-b-c-d-e", "f", "f-1"}


@pytest.mark.parametrize("page", TEXTS)
def test_files_that_a_page_names_exist(page):
    for named in re.findall(r"`([\w.\-]+/[\w./\-]*)`", prose(TEXTS[page])):
        if named.split("/")[0] in LAYOUT and named not in EXAMPLES:
            assert (ROOT / named).exists(), named


def test_the_rooms_are_the_folders_of_the_package():
    folders = {file.parent.name for file in PACKAGE.glob("*/__init__.py")}
    section = CONTRIBUTING.split("## The house in one picture")[1].split("\n## ")[0]
    described = re.findall(r"^\| `(\w+)` \| \S.*\|$", section, re.M)
    assert sorted(described) == sorted(folders)
    picture = re.search(r"```text\n(.*?)```", section, re.S).group(1).strip().splitlines()
    *floors, _ = FLOORS  # above all rooms is the module that is run
    assert picture[0] == "app.py"
    assert [set(line.split()) for line in picture[:0:-1]] == floors


def test_results_are_made_from_the_records():
    trainings = load_trainings(training_files(ROOT))
    report = build(load_records(ROOT / "assets" / "results"), trainings)
    assert between("docs/results.md", TABLES) == page_block(report, "../assets/report/report.md")
    assert between("README.md", SUMMARY) == readme_block(report, "docs/results.md")
    assert between("docs/real-models.md", JUDGED) == real_block(report, "results.md")
    for name, text in files(report).items():
        assert (ROOT / "assets" / "report" / name).read_text(encoding="utf-8") == text, name


def test_speed_is_made_from_the_records():
    found = speed.load_all(ROOT / "assets" / "benchmarks")
    assert between("docs/engine.md", speed.TABLE) == speed.table(found)
    serving = [sizing.table(record) for record in found if record["name"] == "serve"]
    assert [between("docs/serving.md", sizing.TABLE)] == (serving or ["Not measured yet."])


def test_the_load_is_told_from_its_record():
    file = ROOT / "assets" / "benchmarks" / "soak.json"
    told = soak.tables(soak.load(file)) if file.exists() else "Not recorded yet."
    assert between("docs/reliability.md", soak.TABLE) == told


def test_the_table_of_what_was_tried_is_that_of_the_records():
    table = proofs.table(proofs.load_all())
    assert between("docs/reliability.md", proofs.TABLE) == table


@pytest.mark.parametrize("page", TEXTS)
def test_every_block_that_a_program_writes_is_compared(page):
    known = {"README.md": [SUMMARY], "docs/results.md": [TABLES], "docs/engine.md": [speed.TABLE]}
    known |= {"docs/real-models.md": [JUDGED], "docs/serving.md": [sizing.TABLE]}
    known["docs/reliability.md"] = [proofs.TABLE, soak.TABLE]
    assert re.findall(r"<!-- (\S+):start -->", TEXTS[page]) == known.get(page, [])


def commands(page: str) -> list[str]:
    """The lines of a page's shell blocks."""
    return [line for block in blocks(page, "bash") for line in block.strip().splitlines()]


def parsed(line: str) -> None:
    """Let the command line read an example."""
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "softcot"]
    parse(words[3:])


@pytest.mark.parametrize("line", commands("docs/command-line.md"))
def test_examples_parse(line):
    parsed(line)


@pytest.mark.parametrize("page", TEXTS)
def test_commands_elsewhere_parse(page):
    written = re.findall(r"`(python -m softcot \w[^`]*)`", prose(TEXTS[page]))
    for line in [*commands(page), *written]:
        words = line.split()
        if words[:3] == ["python", "-m", "softcot"] and "COMMAND" not in words:
            if len(words) > 4 or line not in written:  # a command that is only named
                parsed(line)


def test_every_command_has_an_example():
    argv = [sys.executable, "-m", "softcot", "--help"]
    shown = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"^    ([a-z][a-z-]+)\b", shown, re.M))
    assert known == {line.split()[3] for line in commands("docs/command-line.md")} != set()


def test_every_pair_and_method_is_listed():
    for name in presets.PRESETS:
        assert f"`{name}`" in TEXTS["docs/command-line.md"], name
    table = TEXTS["docs/method.md"].split("| `--method` |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `([\w-]+)` \|", table, re.M) == list(METHODS)


def test_every_name_of_the_package_is_described():
    section = TEXTS["docs/api.md"].split("## Python")[1].split("```")[0]
    table = "".join(line.rpartition("|")[0] for line in section.splitlines() if "` | " in line)
    named = {name for name in re.findall(r"`(\w+)`", table.replace("|", "")) if name[0] != "_"}
    assert set(softcot.__all__) <= named


@pytest.mark.parametrize("page", ["README.md", "docs/api.md", "docs/checkpoints.md"])
def test_examples_in_python_run_as_they_are_printed(mini_env, monkeypatch, page):
    monkeypatch.chdir(ROOT)
    codes = [code for code in blocks(page, "python") if "from softcot import" in code]
    assert len(codes) == 1
    found: dict = {}
    exec(codes[0], found)
    if "thoughts" in found:
        assert found["thoughts"].shape == (2, 8, 32)
    if "record" in found:
        assert (found["record"].n, found["record"].control, found["record"].k) == (16, "swap", 8)
        assert found["row"].gold == "17" and found["row"].text
    if "projection" in found:
        assert found["projection"].task == "mini-gsm"


@pytest.mark.parametrize("page", TEXTS)
def test_python_parses_and_imports_what_is_there(page):
    for code in blocks(page, "python"):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("softcot"):
                if node.module not in map(name_of, EXAMPLES):
                    exec(ast.unparse(node), {})


def name_of(file: str) -> str:
    """The module of a file."""
    return file.removesuffix(".py").replace("/", ".")


def module_of(file: str, text: str, monkeypatch) -> ModuleType:
    """An example of a page as the module that it would be."""
    module = ModuleType(name_of(file))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(block_with("CONTRIBUTING.md", text), vars(module))
    return module


def test_the_methods_example_is_a_whole_method(pair, problems, monkeypatch):
    file = "softcot/methods/question_mean.py"
    kind = module_of(file, "class QuestionMean", monkeypatch).QuestionMean
    tests = block_with("CONTRIBUTING.md", "def test_every_slot")
    found: dict = {}
    exec(tests, found)
    found["test_every_slot_holds_the_mean_of_the_questions_tokens"](pair, problems)
    monkeypatch.setitem(METHODS, kind.name, kind)
    task = softcot.get_task("mini-gsm")
    for control in ("none", "swap"):
        method = get_method(kind.name, pair, task, control=control, donors=problems)
        assert method.thoughts(problems, 2).shape == (5, 2, 32)
    record = evaluate(pair, task, Protocol(kind.name, k=2), problems)
    assert (record.method, record.k, record.n) == (kind.name, 2, 5)


def test_the_panels_example_is_a_whole_panel(pair, monkeypatch):
    found: dict = {}
    exec(block_with("CONTRIBUTING.md", "def length"), found)
    monkeypatch.setattr(Explorer, "length", found["length"], raising=False)
    panel = module_of("softcot/web/length.py", "class Length", monkeypatch).Length
    widgets = Widgets()
    with gr.Blocks() as page:
        for field in fields(QuestionRequest):
            widgets[field.name] = gr.Textbox(label=field.name)
        built = panel(Explorer(pair), widgets)
        built.build()
    [event] = page.fns.values()
    count = len(pair.base.prompts.text("Anna has 12 apples."))
    assert built.count(QuestionRequest("free", "Anna has 12 apples.")) == {"tokens": count}
    asked = event.fn(None, None, "free", "Anna has 12 apples.", 3, "", NOTHING)
    assert asked == {widgets["tokens"]: count}


def test_the_pairs_example_makes_a_pair(monkeypatch):
    monkeypatch.setattr(presets, "PRESETS", dict(presets.PRESETS))
    exec(block_with("CONTRIBUTING.md", "_ready_made"), dict(vars(presets)))
    assert presets.get_preset("new-2b").base == "owner/new-2b-instruct"


def test_the_tasks_example_is_a_whole_task(monkeypatch):
    module = module_of("softcot/data/tasks/mini_change.py", '"""``mini-change``', monkeypatch)
    for seed in range(20):
        problem = module.TASK.problem("test", seed)
        price, paid = map(int, re.findall(r"\d+", problem.question))
        assert problem.target.endswith(f"The answer is {paid - price}.") and price < paid
    assert module.TASK.splits == ("train", "validation", "test")


def test_versions_agree():
    declared = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert declared.group(1) == softcot.__version__ == cited["version"]
    assert f"\n## {softcot.__version__} - 2026-" in TEXTS["CHANGELOG.md"]


def test_the_paper_is_cited():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0" and cited["license"] == "Apache-2.0"
    [paper] = cited["references"]
    assert [author["family-names"] for author in paper["authors"]] == ["Xu", "Guo", "Zeng", "Miao"]
    assert {"type": "other", "value": "arXiv:2502.12134"}.items() <= paper["identifiers"][0].items()


def test_hooks_need_no_network():
    [local] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local"
    assert {hook["language"] for hook in local["hooks"]} == {"system"}
    gates = blocks("CONTRIBUTING.md", "bash")[-1].splitlines()
    assert [hook["entry"] for hook in local["hooks"]] == gates[:3]


def test_space_front_matter_names_the_app_and_an_sdk():
    front = README.split("---")[1]
    for key in ("sdk: gradio", "app_file: app.py", "license: apache-2.0"):
        assert key in front
