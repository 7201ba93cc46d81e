"""The README: its commands work here, its pictures exist, its figures are the records'."""

import re
import shlex
from pathlib import Path

import pytest

from softcot.cli.main import parse
from softcot.report import build, files, load_records, readme_block
from softcot.report.render import END, START

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def command(marker: str) -> str:
    """The one-line command after a marker."""
    return re.search(rf"<!-- {marker} -->\s*```bash\n(.*?)\n```", README, re.S).group(1)


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


def test_pictures_and_files_it_names_exist():
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
    tree = README.split("## What is where")[1].split("```")[1]
    package = tree.split("softcot/\n")[1].split("assets/")[0]
    for name in re.findall(r"^  (\S+)", package, re.M):
        assert (ROOT / "softcot" / name).exists(), name
    listed = set(re.findall(r"^  (\w+\.py)", package, re.M))
    there = {path.name for path in (ROOT / "softcot").glob("*.py")} - {"__init__.py", "__main__.py"}
    assert there - listed <= {"errors.py", "files.py", "provenance.py"}


def test_results_are_made_from_the_records():
    report = build(load_records(ROOT / "assets" / "results"))
    block = README.split(START)[1].split(END)[0].strip()
    assert block == readme_block(report, "assets/report/report.md")
    for name, text in files(report).items():
        assert (ROOT / "assets" / "report" / name).read_text(encoding="utf-8") == text, name


EXAMPLES = re.search(r"## Command line\s+```bash\n(.*?)```", README, re.S).group(1)


@pytest.mark.parametrize("line", EXAMPLES.strip().splitlines())
def test_examples_parse(line):
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "softcot"]
    parse(words[3:])


def test_space_front_matter_names_the_app_and_an_sdk():
    front = README.split("---")[1]
    for key in ("sdk: gradio", "app_file: app.py", "license: apache-2.0"):
        assert key in front
