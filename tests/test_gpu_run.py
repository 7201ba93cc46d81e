"""`tools/gpu-run`: pieces that are run once, go on where they were ended, and travel."""

import json
import os
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "tools" / "gpu-run"

COUNTS = """
import pathlib, sys, time
place, last = pathlib.Path(sys.argv[1]), int(sys.argv[2])
count = int(place.read_text()) if place.exists() else 0
while count < last:
    count += 1
    place.write_text(str(count))
    print("at", count, flush=True)
    time.sleep(0.5 if count < last else 0)
pathlib.Path(sys.argv[3]).write_text("made")
"""
"""A program that takes half a second a step and goes on where it was ended."""


@pytest.fixture(scope="module")
def tool():
    loader = SourceFileLoader("gpu_run", str(SCRIPT))
    module = module_from_spec(spec_from_loader("gpu_run", loader))
    sys.modules["gpu_run"] = module
    loader.exec_module(module)
    return module


@pytest.fixture
def quick(tool, monkeypatch):
    """The tool, with hardly any time for a piece to save what it did."""
    monkeypatch.setattr(tool, "GRACE", 0.2)
    monkeypatch.setattr(tool, "link_checkpoints", lambda folder: None)
    return tool


def python(code, *words):
    return (sys.executable, "-c", code, *map(str, words))


def counting(tool, folder, name, last, **changes):
    made = folder / f"{name}.made"
    command = python(COUNTS, folder / f"{name}.count", last, made)
    return tool.Piece(name, "train", command, makes=made, least=0.1, **changes)


def call(*words, **environment):
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, words)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


def test_what_the_budget_ends_goes_on_and_what_is_done_is_not_repeated(quick, tmp_path, capsys):
    pieces = [
        counting(quick, tmp_path, "short", 1),
        counting(quick, tmp_path, "long", 24),
        counting(quick, tmp_path, "last", 1, needs="long"),
    ]
    state, environment = quick.State(tmp_path / "state"), dict(os.environ)
    quick.run(pieces, state, 6, environment)
    first = capsys.readouterr().out
    assert "short: done" in first and "long: ended by the budget" in first
    assert "last: begins" not in first and not state.is_done(pieces[1])
    assert quick.summary(pieces, state) == 3
    reached = int((tmp_path / "long.count").read_text())
    assert 0 < reached < 24
    quick.run(pieces, state, 120, environment)
    second = capsys.readouterr().out
    assert "short" not in second.partition("long: begins")[2] and "last: done" in second
    log = state.log(pieces[1]).read_text()
    assert log.count("$ ") == 2 and f"\nat {reached + 1}\n" in log and log.count("at 1\n") == 1
    assert quick.summary(pieces, state) == 0


def test_what_failed_is_said_and_not_tried_again_by_itself(quick, tmp_path, capsys):
    broken = quick.Piece("broken", "tests", python("import sys; sys.exit('no such thing')"))
    fine = counting(quick, tmp_path, "fine", 1)
    state = quick.State(tmp_path / "state")
    quick.run([broken, fine], state, 100, dict(os.environ))
    assert "broken: failed (no such thing)" in capsys.readouterr().out
    assert state.is_done(fine) and quick.summary([broken, fine], state) == 1
    quick.run([broken, fine], state, 100, dict(os.environ))
    assert "begins" not in capsys.readouterr().out.partition("pieces are done")[2]
    state.forget_failures()
    quick.run([broken, fine], state, 100, dict(os.environ))
    assert "broken: begins" in capsys.readouterr().out


def test_a_piece_that_never_ends_in_time_lets_others_go_first(quick, tmp_path):
    endless = quick.Piece("endless", "bench", python("import time; time.sleep(999)"), least=0.1)
    fine = counting(quick, tmp_path, "fine", 1)
    state = quick.State(tmp_path / "state")
    for _ in range(quick.PATIENCE):
        quick.run([endless, fine], state, 1, dict(os.environ))
    assert not state.is_done(fine)
    quick.run([endless, fine], state, 4, dict(os.environ))
    assert state.is_done(fine)


def test_a_call_that_was_killed_itself_loses_nothing(quick, tmp_path, capsys):
    piece = counting(quick, tmp_path, "made", 1)
    (tmp_path / "made.made").touch()
    state = quick.State(tmp_path / "state")
    quick.run([piece], state, 60, dict(os.environ))
    assert state.is_done(piece) and "begins" not in capsys.readouterr().out
    with pytest.raises(quick.Refusal, match="Another call works"):
        quick.State(tmp_path / "state")


def test_the_list_holds_what_matters_in_its_order(tool, tmp_path):
    args = tool.parse(["--state", str(tmp_path), "--data-dir", str(tmp_path)])
    pieces = tool.plan(args, [tool.Models("some-pair", ("--pair", "some-pair"))])
    names = [piece.name for piece in pieces]
    assert names[:2] == ["tests", "bench.qwen2.5-7b.train"] and len(set(names)) == len(names)
    first = names.index("evaluate.some-pair.gsm8k.zero-shot-cot")
    assert names[first + 1 : first + 4] == [
        "train.some-pair.gsm8k.softcot",
        "evaluate.some-pair.gsm8k.softcot",
        "evaluate.some-pair.gsm8k.softcot.swap",
    ]
    for piece in pieces:
        assert piece.needs in ["", *names[: names.index(piece.name)]]
        assert "tiny" not in piece.command
    assert tool.plan(tool.parse(["--only", "bench"]), [])[-1].name == "bench.qwen2.5-7b.startup"


def test_the_stand_in_trains_and_evaluates_on_a_cpu_and_goes_on(mini_env, tmp_path):
    state, home = tmp_path / "state", tmp_path / "home"
    words = ("--stand-in", "--only", "train", "--methods", "softcot", "--state", state)
    listed = call(*words, "--list")
    assert listed.returncode == 3 and "0 of" in listed.stdout
    record = state / "records" / "mini" / "mini-gsm.softcot.none.json"
    first = call(*words, "--budget", 21, "--out", home)  # a second, which no training takes
    assert first.returncode == 3 and "ended by the budget" in first.stdout
    done = json.loads((state / "summary.json").read_text())["done"]
    second = call(*words, "--budget", 900)
    assert second.returncode == 0, second.stdout + second.stderr
    assert record.is_file() and (state / "trained/mini/projection-mini-gsm/training.json").is_file()
    assert not [name for name in done if f"{name}: begins" in second.stdout]
    assert len(list(home.iterdir())) <= 8
    assert call("--unpack", home, tmp_path / "state-again").returncode == 0
    assert (tmp_path / "state-again" / "summary.json").is_file()
    again = json.loads(record.read_text())
    assert again["task"] == "mini-gsm" and again["method"] == "softcot"


def test_bad_calls_are_refused_in_one_sentence(tmp_path):
    for words, said in (
        (("--only", "everything"), "no group"),
        (("--budget", "5"), "budget must be more"),
        (("--pack", tmp_path / "absent", tmp_path / "pieces"), "no folder"),
        (("--unpack", tmp_path, tmp_path / "new"), "no list of pieces"),
    ):
        done = call(*words, "--state", tmp_path / "state")
        assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "state").exists()


@pytest.fixture
def packed(tool, tmp_path):
    """A folder, and its pieces of at most 1000 bytes."""
    folder = tmp_path / "model"
    (folder / "deep").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "deep" / "empty").touch()
    (folder / "weights.bin").write_bytes(bytes(range(256)) * 10)
    assert tool.parcels.pack(folder, tmp_path / "pieces", size=1000) == 3
    return folder, tmp_path / "pieces"


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_pieces_come_one_at_a_time_and_make_the_same_folder(tool, packed, tmp_path):
    folder, pieces = packed
    assert max(path.stat().st_size for path in pieces.glob("*.piece")) <= 1000
    new = tmp_path / "new" / "model"
    for number in (2, 0, 1):
        came = tmp_path / f"came-{number}"
        came.mkdir()
        for name in ("manifest.json", f"{number:04d}.piece"):
            (came / name).write_bytes((pieces / name).read_bytes())
        missing = tool.parcels.unpack(came, new)
        assert new.exists() == (not missing) == (number == 1)
    assert contents(new) == contents(folder)
    assert tool.parcels.unpack(pieces, new) == [] and [p.name for p in new.parent.iterdir()] == [
        "model"
    ]


def test_a_damaged_piece_and_a_path_that_leads_out_are_refused(tool, packed, tmp_path):
    _, pieces = packed
    piece = pieces / "0001.piece"
    whole = piece.read_bytes()
    piece.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(tool.parcels.ParcelError, match="0001.piece is damaged"):
        tool.parcels.unpack(pieces, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    piece.write_bytes(whole)
    assert tool.parcels.unpack(pieces, tmp_path / "new") == []
    manifest = json.loads((pieces / "manifest.json").read_text())
    manifest["files"][0]["path"] = "../outside"
    (pieces / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(tool.parcels.ParcelError, match="leads out"):
        tool.parcels.unpack(pieces, tmp_path / "other")
    with pytest.raises(tool.parcels.ParcelError, match="name a new one"):
        tool.parcels.pack(pieces, tmp_path / "model")


def test_several_pieces_run_at_once_and_measurements_alone(quick, tmp_path, capsys):
    meets = (
        "import pathlib, sys, time\n"
        "here, other = map(pathlib.Path, sys.argv[1:3])\n"
        "here.touch()\n"
        "while not other.exists(): time.sleep(0.05)\n"
    )
    a, b = tmp_path / "a", tmp_path / "b"
    pieces = [
        quick.Piece("one", "train", python(meets, a, b), least=0.1),
        quick.Piece("two", "train", python(meets, b, a), least=0.1),
        quick.Piece("time", "bench", python("pass"), least=0.1),
    ]
    state = quick.State(tmp_path / "state")
    quick.run(pieces, state, 100, dict(os.environ), jobs=3)
    said = capsys.readouterr().out
    assert all(state.is_done(piece) for piece in pieces)
    assert said.index("time: begins") > max(said.index("one: done"), said.index("two: done"))


def test_what_the_budget_ends_is_ended_together(quick, tmp_path):
    pieces = [counting(quick, tmp_path, f"long{n}", 999) for n in range(3)]
    state = quick.State(tmp_path / "state")
    quick.run(pieces, state, 4, dict(os.environ), jobs=3)
    assert all((tmp_path / f"long{n}.count").exists() for n in range(3))
    counts = [(tmp_path / f"long{n}.count").read_text() for n in range(3)]
    assert not any(map(state.is_done, pieces))
    assert counts == [(tmp_path / f"long{n}.count").read_text() for n in range(3)]
