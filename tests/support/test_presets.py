"""Presets: where the pairs are."""

from dataclasses import replace
from pathlib import Path

import pytest

import softcot
from softcot.data.tasks import get_task
from softcot.prompts.wording import SETS
from softcot.support.errors import UserError
from softcot.support.presets import (
    DEFAULT_THOUGHTS,
    LABORATORY,
    MAX_THOUGHTS,
    PRESETS,
    get_preset,
    own_preset,
)
from softcot.thoughts.pair import load_pair

KNOWING_ASSISTANTS = ("qwen2.5-coder-0.5b-large", "qwen2.5-coder-0.5b-self")
"""Pairs whose assistant is meant to be no smaller than the base."""


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
        ready_made = isinstance(preset.base, str)
        assert preset.prompts in (["chat", "chat-paper"] if ready_made else LABORATORY)
        assert preset.laboratory != ready_made
        for side in ("base", "assistant"):
            assert isinstance(getattr(preset, side), str if ready_made else Path)
            assert (getattr(preset, f"{side}_billions") is not None) == ready_made
            assert not ready_made or getattr(preset, side) in preset.source
        if preset.base_billions is not None and name not in KNOWING_ASSISTANTS:
            assert preset.assistant_billions < preset.base_billions
        assert bool(preset.licence) == (ready_made and "meta-llama" in preset.base)


def test_two_models_make_a_pair_that_is_named_after_both(tmp_path):
    (tmp_path / "here").mkdir()
    preset = own_preset(str(tmp_path / "here"), "owner/model")
    assert preset.name == "here+model" and preset.trained.name == preset.name
    assert preset.base == tmp_path / "here" and preset.assistant == "owner/model"
    assert preset.prompts == "chat" and preset.trained_paths() == {}
    for models in ((None, "owner/model"), ("owner/model", None)):
        with pytest.raises(UserError, match="both --base and --assistant"):
            own_preset(*models)


def test_a_pair_may_have_other_prompts_for_a_task_or_a_kind_of_answer():
    preset = replace(PRESETS["qwen2.5-1.5b"], other_prompts={"number": "chat-two", "svamp": "mini"})
    asked = [("gsm8k", "number"), ("svamp", "number"), ("aqua", "letter")]
    assert [preset.prompts_for(*each) for each in asked] == ["chat-two", "mini", "chat"]
    for known in PRESETS.values():
        assert {known.prompts, *known.other_prompts.values()} <= {
            each.name for each in SETS.iterdir()
        }


def test_a_pair_is_told_by_all_its_sets(mini_env, monkeypatch):
    preset = replace(PRESETS["mini"], other_prompts={"letter": "chat-one"})
    monkeypatch.setitem(PRESETS, "mini", preset)
    told = load_pair("mini", "cpu").base.prompts.templates
    assert [told.name(get_task(name)) for name in ("gsm8k", "aqua")] == ["mini", "chat-one"]
