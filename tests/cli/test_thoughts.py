"""`thoughts`: where each one lies."""

import json
import shutil

from safetensors.torch import load_file, save_file

from cli.conftest import QUESTION


def test_thoughts_that_overflow_are_refused(refuse, mini_env, tmp_path):
    folder = shutil.copytree(mini_env / "mini" / "projection-all", tmp_path / "huge")
    weights = load_file(folder / "model.safetensors")
    save_file({name: w.sign() * 3e38 for name, w in weights.items()}, folder / "model.safetensors")
    for argv in (["thoughts", QUESTION, "--json"], ["ask", QUESTION]):
        assert "no finite numbers" in refuse(*argv, "--projection", folder)


def test_thoughts_prints_norms_and_neighbours(run):
    argv = ["thoughts", QUESTION, "--thoughts", 3, "--neighbours", 2]
    printed = json.loads(run(*argv, "--json"))
    assert [thought["number"] for thought in printed["thoughts"]] == [1, 2, 3]
    assert all(thought["norm_ratio"] > 0 for thought in printed["thoughts"])
    assert all(len(thought["nearest"]) == 2 for thought in printed["thoughts"])
    assert len(run(*argv).splitlines()) == 3
