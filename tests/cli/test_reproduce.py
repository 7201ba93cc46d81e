"""`reproduce` and `report`: records that are missing are made, and a report of them is written."""

import shutil
import weakref

import pytest

from softcot import report
from softcot.decoding.decoder import Sampling
from softcot.evaluation import experiments
from softcot.evaluation.records import load_record
from softcot.methods import METHODS
from softcot.thoughts import pair as pair_module


@pytest.fixture
def two_tasks(monkeypatch):
    """Experiments on two tasks only; what a report knows of them stays as it is."""
    plan, kept = experiments.plan, ("mini-gsm", "mini-aqua")
    assert report.results.plan is plan
    monkeypatch.setattr(
        experiments, "plan", lambda *names: [run for run in plan(*names) if run.task in kept]
    )


def test_reproduce_makes_what_is_missing_and_report_reads_it(
    run, refuse, tmp_path, monkeypatch, two_tasks
):
    monkeypatch.setattr(experiments, "CONTROLS", ("none", "swap", "untrained"))
    folder, out = tmp_path / "results", tmp_path / "report"
    argv = ["reproduce", "--experiment", "controls", "--limit", 1, "--results", folder]

    def made():
        return {path: path.stat().st_mtime_ns for path in folder.rglob("*.json")}

    runs = experiments.plan("controls")
    assert f"{len(runs)} records" in run(*argv)
    first = made()
    assert first.keys() == {folder / planned.file for planned in runs} and len(runs) == 8
    assert {load_record(path).n for path in first} == {1}
    lost = next(path for path in first if "swap" in path.name)
    lost.unlink()
    run(*argv)
    second = made()
    assert [path for path in first if second[path] != first[path]] == [lost]
    run("report", "--results", folder, "--out", out)
    assert "untrained" in (out / "report.md").read_text()
    assert "main, controls, thoughts" in refuse("reproduce", "--experiment", "alchemy")
    assert "4 records" in run(*argv, "--task", "mini-aqua")
    assert second == made()
    assert "no records of 'free'" in refuse(*argv, "--task", "free")


def test_reproduce_leaves_out_what_is_not_trained(
    checkpoints, run, tmp_path, monkeypatch, two_tasks
):
    root = shutil.copytree(checkpoints, tmp_path / "copy")
    for folder in root.glob("mini/lora-*"):
        shutil.rmtree(folder)
    monkeypatch.setenv("SOFTCOT_CHECKPOINTS", str(root))
    monkeypatch.setattr(experiments, "SAMPLED", Sampling(1.0, max_new_tokens=4))
    argv = ["reproduce", "--experiment", "main", "--limit", 1, "--results", tmp_path / "out"]
    assert f"{2 * len(METHODS) - 2} records" in run(*argv)
    assert not [path for path in (tmp_path / "out").rglob("*.json") if "lora" in path.name]


def test_reproduce_loads_one_pair_after_the_other_and_none_that_is_not_trained(
    checkpoints, run, tmp_path, monkeypatch
):
    root = shutil.copytree(checkpoints, tmp_path / "copy")
    shutil.copytree(root / "mini/projection-mini-gsm", root / "fixed-4/projection-mini-gsm")
    monkeypatch.setenv("SOFTCOT_CHECKPOINTS", str(root))
    loaded, load_pair = [], pair_module.load_pair

    def load(*args, **options):
        pair = load_pair(*args, **options)
        assert not [earlier for earlier in loaded if earlier()], "another pair is in memory"
        loaded.append(weakref.ref(pair))
        return pair

    monkeypatch.setattr(pair_module, "load_pair", load)
    argv = ["reproduce", "--experiment", "trained-k", "--limit", 1, "--results", tmp_path / "out"]
    assert "12 records" in run(*argv)
    assert {path.parent.name for path in (tmp_path / "out").rglob("*.json")} == {"mini", "fixed-4"}
    assert len(loaded) == 2
