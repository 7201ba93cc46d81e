"""A projection as one file: it comes back whole, and an archive can do no harm."""

import stat
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from softcot.cli.main import main
from softcot.support.errors import UserError
from softcot.thoughts import archive
from softcot.thoughts.pair import load_pair
from softcot.thoughts.projection import Projection


@pytest.fixture
def folder(pair, tmp_path):
    """The folder of a projection that serves every task."""
    projection = Projection.for_pair(pair, "all", seed=3)
    projection.save(tmp_path / "mine")
    return tmp_path / "mine"


@pytest.fixture
def packed(folder, tmp_path):
    archive.pack(folder, tmp_path / "mine.zip")
    return tmp_path / "mine.zip"


@pytest.fixture
def zipped(tmp_path):
    """Write an archive of some texts by their names."""

    def write(**entries):
        with zipfile.ZipFile(tmp_path / "other.zip", "w") as file:
            for name, text in entries.items():
                file.writestr(name, text)
        return tmp_path / "other.zip"

    return write


WHOLE = {"config.json": "{}", "model.safetensors": "x"}


def test_what_is_packed_comes_back_whole(folder, packed, tmp_path):
    found = archive.unpack(packed, tmp_path / "new")
    names = {"config.json", "model.safetensors", "README.md"}
    assert {file.name for file in found.iterdir()} == names
    for name in names:
        assert (found / name).read_bytes() == (folder / name).read_bytes()


def test_an_archive_serves_a_pair_as_its_folder_does(mini_env, pair, packed, folder):
    one, other = (load_pair("mini", projection=place) for place in (packed, folder))
    weights = [loaded.projection("mini-gsm").linear.weight for loaded in (one, other)]
    torch.testing.assert_close(*weights)


def test_files_without_a_folder_and_what_a_mac_adds_are_fine(zipped, tmp_path):
    names = WHOLE | {"__MACOSX/._config.json": "", ".DS_Store": ""}
    found = archive.unpack(zipped(**names), tmp_path / "new")
    assert {file.name for file in found.iterdir()} == set(WHOLE)


@pytest.mark.parametrize(
    "name",
    ["../config.json", "/config.json", "a/../config.json", "a/b/config.json", "run.py",
     "..\\config.json", "model.safetensors.exe"],
)  # fmt: skip
def test_what_does_not_belong_into_it_is_refused_and_nothing_is_written(name, zipped, tmp_path):
    into = tmp_path / "deep" / "new"
    into.mkdir(parents=True)
    with pytest.raises(UserError, match="no part of a projection"):
        archive.unpack(zipped(**WHOLE, **{name: "x"}), into)
    assert not any(into.iterdir()) and not any(file for file in (tmp_path / "deep").glob("*.json"))


def test_links_doubles_and_bombs_are_refused(zipped, tmp_path, monkeypatch):
    file = tmp_path / "links.zip"
    with zipfile.ZipFile(file, "w") as links:
        entry = zipfile.ZipInfo("config.json")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        links.writestr(entry, "/etc/passwd")
    with pytest.raises(UserError, match="no part of a projection"):
        archive.unpack(file, tmp_path / "new")
    with pytest.raises(UserError, match="no part of a projection"):
        archive.unpack(zipped(**WHOLE, **{"a/config.json": "{}"}), tmp_path / "new")
    monkeypatch.setattr(archive, "LARGEST", 2**20)
    with pytest.raises(UserError, match="more than 1 MiB"):
        archive.unpack(zipped(**WHOLE | {"README.md": "0" * 2**20}), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_half_an_archive_is_refused(packed, zipped, tmp_path):
    with pytest.raises(UserError, match=r"lacks model.safetensors; download it again"):
        archive.unpack(zipped(**{"config.json": "{}"}), tmp_path / "new")
    broken = tmp_path / "broken.zip"
    whole = bytearray(packed.read_bytes())
    whole[200:400] = bytes(200)
    broken.write_bytes(whole)
    with pytest.raises(UserError, match="cannot be unpacked"):
        archive.unpack(broken, tmp_path / "new")


def test_weights_alone_are_told_how_to_become_a_projection(mini_env, folder, tmp_path, capsys):
    bare = folder / "model.safetensors"
    torch.save({"weight": torch.zeros(2)}, tmp_path / "layer.bin")  # a zip archive, too
    lonely = tmp_path / "lonely"
    lonely.mkdir()
    (lonely / "model.safetensors").write_bytes(bare.read_bytes())
    for place in (bare, tmp_path / "layer.bin", lonely):
        with pytest.raises(UserError, match="run `python -m softcot import-projection "):
            load_pair("mini", projection=place)
    out = tmp_path / "made"
    argv = ["import-projection", str(bare), "--pair", "mini", "--task", "all", "--out", str(out)]
    assert main(argv) == 0
    made = load_pair("mini", projection=out).projection("mini-gsm")
    torch.testing.assert_close(made.linear.weight, Projection.load(folder).linear.weight)


def test_safetensors_of_something_else_are_refused(mini_env, tmp_path, capsys):
    save_file({"weight": torch.zeros(2, 2)}, tmp_path / "small.safetensors")
    (tmp_path / "text.safetensors").write_text("no tensors")
    for name, said in (("small", "needs"), ("text", "cannot be read as plain tensors")):
        argv = ["import-projection", str(tmp_path / f"{name}.safetensors"), "--task", "all"]
        assert main([*argv, "--out", str(tmp_path / name)]) == 2
        assert said in capsys.readouterr().err
