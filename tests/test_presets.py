"""Presets: where the pairs are."""

from pathlib import Path

import pytest

import softcot
from softcot.errors import UserError
from softcot.presets import DEFAULT_THOUGHTS, MAX_THOUGHTS, PRESETS, get_preset


def test_unknown_pair_is_refused_with_the_names():
    with pytest.raises(UserError, match="'nano'.*mini"):
        get_preset("nano")


def test_the_shipped_checkpoints_lie_beside_the_package(monkeypatch):
    monkeypatch.delenv("SOFTCOT_CHECKPOINTS", raising=False)
    root = Path(softcot.__file__).parent.parent / "checkpoints"
    assert get_preset("mini").base == root / "mini" / "base"


def test_an_environment_variable_moves_them(monkeypatch, tmp_path):
    monkeypatch.setenv("SOFTCOT_CHECKPOINTS", str(tmp_path))
    preset = get_preset("mini")
    assert preset.assistant == tmp_path / "mini" / "assistant"
    assert preset.trained_paths() == {}
    (tmp_path / "mini" / "projection-all").mkdir(parents=True)
    assert preset.trained_paths() == {"projection-all": tmp_path / "mini" / "projection-all"}


def test_presets_are_complete():
    assert 0 < DEFAULT_THOUGHTS <= MAX_THOUGHTS
    for name, preset in PRESETS.items():
        assert preset.name == name and preset.source
