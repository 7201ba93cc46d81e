"""The app as a folder that can be pushed to Hugging Face Spaces as it is."""

import re
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

from huggingface_hub import SpaceCardData, SpaceHardware

from softcot.fetching.catalogue import fetchable_pairs, models_of
from softcot.support.errors import UserError
from softcot.support.files import refuse_used
from softcot.support.presets import PRESETS, checkpoint_root, get_preset

PROJECT = Path(__file__).resolve().parents[2]
"""Where the app, its assets and its requirements are."""

PYTHON = "3.12.12"
"""The newest Python that ZeroGPU offers."""

TORCH = "torch>=2.8,<2.12"
"""What ZeroGPU offers; elsewhere the app runs with newer versions too."""

LARGE = ("safetensors", "bin", "png", "xz")
"""Endings of files that the Hub wants as large files."""

LAUNCHER = '''"""The SoftCoT Explorer with the pair of this Space; `explorer.py` is the app."""

import sys

import explorer

if __name__ == "__main__":
    sys.exit(explorer.main(["--pair", {pair!r}, "--fetch", *sys.argv[1:]]))
'''

FALLBACK = "mini"
"""The pair that goes along with models that are fetched: a Space whose hardware cannot hold those
opens on it and says so."""

TEXT = """
# SoftCoT Explorer

See, swap and test the soft thoughts of a language model: SoftCoT
([arXiv 2502.12134](https://arxiv.org/abs/2502.12134)) beside ordinary chain-of-thought, with the
pair `{pair}`. Made by `python -m softcot space export`.
"""


def export(folder: str | Path, pair: str = "mini") -> Path:
    """Write everything that a Space with one pair needs.

    Args:
        folder: A new or empty folder.
        pair: Name of the pair; models in folders are copied, those of the Hub are named for
            the Space to fetch before it starts, and the pair `FALLBACK` goes along.

    Returns:
        The folder.

    Raises:
        UserError: The folder is in use, there is no such pair, or its files are not here.
    """
    folder, preset = Path(folder), get_preset(pair)
    refuse_used(folder)
    if not (PROJECT / "app.py").is_file():
        raise UserError("There is no app.py beside the package; export from a copy of the project.")
    needed = [preset.base, preset.assistant]
    if any(isinstance(model, str) for model in needed):
        needed += [get_preset(FALLBACK).base, get_preset(FALLBACK).assistant]
    for model in needed:
        if isinstance(model, Path) and not model.is_dir():
            raise UserError(f"There is no model in {model}; download or train it first.")
    for name, left_out in {"softcot": "__pycache__", "assets": "results"}.items():
        ignored = shutil.ignore_patterns(left_out)  # the page reads the report, not the records
        shutil.copytree(
            PROJECT / name, folder / name, ignore=ignored, copy_function=shutil.copyfile
        )
    shutil.copyfile(PROJECT / "app.py", folder / "explorer.py")
    shutil.copyfile(PROJECT / "LICENSE", folder / "LICENSE")
    hub = [model for model in (preset.base, preset.assistant) if isinstance(model, str)]
    for name in dict.fromkeys((pair, FALLBACK) if hub else (pair,)):
        _copy_checkpoints(folder / "checkpoints", name)
    large = [f"*.{ending} filter=lfs diff=lfs merge=lfs -text\n" for ending in LARGE]
    for name, text in {
        "app.py": LAUNCHER.format(pair=pair),
        "requirements.txt": _requirements(),
        ".gitattributes": "".join(large),
        "README.md": f"---\n{_front_matter(pair, hub)}\n---\n{_text(pair, hub)}",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _copy_checkpoints(target: Path, pair: str) -> None:
    """The models and trained weights of one pair, where `checkpoint_root` will look for them."""
    preset, root = PRESETS[pair], checkpoint_root()
    places = [place for place in (preset.base, preset.assistant) if isinstance(place, Path)]
    trained = [folder.relative_to(root) for folder in get_preset(pair).trained_paths().values()]
    for place in dict.fromkeys([*places, *trained]):
        shutil.copytree(
            root / place, target / place, copy_function=shutil.copyfile, dirs_exist_ok=True
        )


def _requirements() -> str:
    """The app's requirements, with the torch that Spaces have and their own package."""
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line and not re.match(r"#|torch\b", line)]
    return "\n".join([TORCH, *kept, "spaces", ""])


def _text(pair: str, hub: list[str]) -> str:
    """What a reader of the Space's files is told."""
    if not hub:
        return TEXT.format(pair=pair)
    return TEXT.format(pair=pair) + (
        f"\nThe Space fetches `{pair}` itself. Where the hardware cannot hold it, or it cannot be "
        f"had,\nthe page opens on the pair `{FALLBACK}` and says so.\n"
    )


def _front_matter(pair: str, hub: list[str]) -> str:
    """What Spaces reads of the README, as YAML."""
    gguf = pair in fetchable_pairs()
    hardware = SpaceHardware.ZERO_A10G if hub and not gguf else SpaceHardware.CPU_BASIC
    files = [f"{model.repo} {model.file}" for model in models_of(pair)] if gguf else hub
    models = list(dict.fromkeys(hub))
    fetched: dict[str, Any] = {"models": models, "preload_from_hub": files} if hub else {}
    return SpaceCardData(
        title="SoftCoT Explorer",
        emoji="💭",
        colorFrom="indigo",
        colorTo="gray",
        sdk="gradio",
        sdk_version=metadata.version("gradio"),
        python_version=PYTHON,
        app_file="app.py",
        short_description="See and test a model's soft thoughts",
        suggested_hardware=hardware.value,
        license="apache-2.0",
        **fetched,
    ).to_yaml()
