"""`thoughts`: where each one lies."""

import json

from cli.conftest import QUESTION


def test_thoughts_prints_norms_and_neighbours(run):
    argv = ["thoughts", QUESTION, "--thoughts", 3, "--neighbours", 2]
    printed = json.loads(run(*argv, "--json"))
    assert [thought["number"] for thought in printed["thoughts"]] == [1, 2, 3]
    assert all(thought["norm_ratio"] > 0 for thought in printed["thoughts"])
    assert all(len(thought["nearest"]) == 2 for thought in printed["thoughts"])
    assert len(run(*argv).splitlines()) == 3
