"""Named pairs of models, where they live, and the few numbers every entry point shares."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from softcot.errors import UserError

MAX_THOUGHTS = 16
"""Largest K the mini projections are trained for."""

DEFAULT_THOUGHTS = 12
"""K where nobody chose one."""

DEFAULT_HINT_TOKENS, MAX_HINT_TOKENS = 24, 32
"""Hard tokens that the assistant of Assist-CoT may write; the paper finds about 24 best."""

MAX_NEW_TOKENS = 160
"""Length of an answer where nobody chose one, and the room a question must leave for it."""


@dataclass(frozen=True)
class PairPreset:
    """A base model, its assistant and the folder of what was trained between them."""

    name: str
    """What `--pair` takes."""
    base: str | Path
    """Folder or Hub id of the model that reasons."""
    assistant: str | Path
    """Folder or Hub id of the smaller model that thinks softly."""
    trained: Path
    """Folder that holds `projection-<task>` folders and the like of other methods."""
    source: str
    """Where the models come from."""

    def trained_paths(self) -> dict[str, Path]:
        """Name -> folder, such as `projection-mini-gsm`, for all trained weights there are."""
        return {folder.name: folder for folder in sorted(self.trained.glob("*-*"))}


PRESETS: dict[str, PairPreset] = {
    "mini": PairPreset(
        name="mini",
        base=Path("mini/base"),
        assistant=Path("mini/assistant"),
        trained=Path("mini"),
        source="trained from scratch by this project: `python -m softcot pretrain`",
    ),
}
"""The known pairs; a relative `Path` is below `checkpoint_root()`."""

ASSISTANT_SIZES = ("assistant-64", "assistant-96")
"""Pairs of mini's base with narrower assistants."""

READINGS = ("reading-30", "reading-60", "reading-80", "reading-100")
"""Pairs of mini's assistant with small bases that have read so many percent of the situations."""

for _name in (*ASSISTANT_SIZES, *READINGS):
    _own = "assistant" if _name in ASSISTANT_SIZES else "base"
    PRESETS[_name] = replace(
        PRESETS["mini"],
        name=_name,
        trained=Path(_name),
        source=f"for an experiment: `python -m softcot pretrain --pair {_name}`",
        **{_own: Path(_name, _own)},
    )


def checkpoint_root() -> Path:
    """The folder of the shipped checkpoints; the variable SOFTCOT_CHECKPOINTS overrides it."""
    override = os.environ.get("SOFTCOT_CHECKPOINTS")
    return Path(override) if override else Path(__file__).resolve().parent.parent / "checkpoints"


def get_preset(name: str) -> PairPreset:
    """The preset called `name`, its paths resolved against `checkpoint_root()`.

    Raises:
        UserError: No preset has this name.
    """
    if name not in PRESETS:
        raise UserError(f"There is no pair called {name!r}; choose one of: {', '.join(PRESETS)}.")
    preset, root = PRESETS[name], checkpoint_root()

    def resolve(place: str | Path) -> str | Path:
        return root / place if isinstance(place, Path) else place

    return replace(
        preset,
        base=resolve(preset.base),
        assistant=resolve(preset.assistant),
        trained=root / preset.trained,
    )
