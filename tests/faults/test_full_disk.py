"""A disk that is full, and one that is read-only: a sentence, and what was good stays good."""

import subprocess
from pathlib import Path

import pytest
from fetching.conftest import cache, shelf, tiny, tiny_gguf, wheels  # noqa: F401

from softcot.cli.main import main
from softcot.evaluation.records import load_record
from softcot.fetching import store
from softcot.thoughts.projection import Projection

TRAIN = "train --pair mini --task mini-gsm --max-thoughts 2 --batch-size 2".split()
TRAIN += "--validate-every 1 --train-problems 4 --validation-problems 2".split()
EVALUATE = "evaluate --pair mini --task mini-gsm --limit 4 --max-new-tokens 3".split()

pytestmark = pytest.mark.usefixtures("mini_env")


@pytest.fixture
def disk(tmp_path):
    """A small disk of its own: mounted, filled up, or made read-only."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(*options):
        command = ["mount", "-t", "tmpfs", *options, "none", str(place)]
        if subprocess.run(command, capture_output=True).returncode:
            pytest.skip("no disk can be mounted here")

    try:
        mount("-o", "size=1m")
    except FileNotFoundError:
        pytest.skip("there is no command mount here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> None:
    """Leave no room."""
    with (disk / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def freeze(disk: Path) -> None:
    """Let nothing be written."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


BREAK = {"full": fill, "read-only": freeze}


def refused(argv, capsys) -> str:
    """The sentence of a command that cannot do its work."""
    assert main([str(part) for part in argv]) == 2
    said = capsys.readouterr().err.strip()
    [sentence] = [line for line in said.replace("\r", "\n").split("\n") if line.endswith(".")][-1:]
    assert "Traceback" not in said and len(sentence) < 500
    return sentence


@pytest.mark.proof("A training whose disk is full or read-only, from the start or later")
@pytest.mark.parametrize("how", BREAK)
def test_a_training_says_so_and_keeps_its_last_good_state(disk, how, capsys, monkeypatch):
    out = disk / "out"
    from softcot.training import trainer

    save, saved = trainer._Run.save, []

    def once(run, seconds):
        if len(saved) == 2:
            BREAK[how](disk)
        save(run, seconds)
        saved.append((out / "state.safetensors").read_bytes())

    with monkeypatch.context() as patch:
        patch.setattr(trainer._Run, "save", once)
        sentence = refused([*TRAIN, "--steps", 4, "--out", out], capsys)
    assert str(out) in sentence and "--resume" in sentence
    assert (out / "state.safetensors").read_bytes() == saved[-1] and len(saved) == 2
    assert [path.name for path in out.iterdir()] == ["state.safetensors"]
    assert str(disk) in refused([*TRAIN, "--steps", 4, "--out", disk / "new"], capsys)
    if how == "full":
        (disk / "filler").unlink()
    else:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert main([*TRAIN, "--steps", "4", "--out", str(out), "--resume"]) == 0
    assert Projection.load(out).task == "mini-gsm"


@pytest.mark.proof("An evaluation whose disk is full or read-only")
@pytest.mark.parametrize("how", BREAK)
def test_an_evaluation_says_so_and_the_record_before_stays(disk, how, capsys):
    good = disk / "one.json"
    assert main([*EVALUATE, "--out", str(good)]) == 0
    before = good.read_bytes()
    BREAK[how](disk)
    assert str(good) in refused([*EVALUATE, "--out", good], capsys)
    assert good.read_bytes() == before and load_record(good).n == 4
    assert str(disk) in refused([*EVALUATE, "--out", disk / "two.json"], capsys)


@pytest.mark.proof("A fetching whose disk is full or read-only")
@pytest.mark.parametrize("how", BREAK)
def test_a_fetching_says_so_and_nothing_is_taken_for_whole(disk, how, tiny, capsys, monkeypatch):  # noqa: F811
    monkeypatch.setenv(store.CACHE, str(disk / "cache"))
    BREAK[how](disk)
    assert str(disk) in refused(["fetch", "tiny"], capsys)
    assert store.fetched_folder("tiny") is None


@pytest.mark.proof("A run or a report that is written to a disk which is full or read-only")
@pytest.mark.parametrize("how", BREAK)
def test_what_is_written_for_a_reader_says_so(disk, how, capsys, tmp_path):
    record = tmp_path / "records"
    assert main([*EVALUATE, "--out", str(record / "one.json")]) == 0
    BREAK[how](disk)
    few = ["--max-new-tokens", 2]
    assert str(disk) in refused(["ask", "How many?", "--save", disk / "one.run", *few], capsys)
    assert str(disk) in refused(["report", "--results", record, "--out", disk / "report"], capsys)
