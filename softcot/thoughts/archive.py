"""A projection as one file: its folder in a zip archive, to be sent, kept and named by a path."""

import atexit
import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from softcot.models.loading import fetch_folder
from softcot.support.errors import UserError
from softcot.support.files import replacing
from softcot.support.reading import reason

FILES = ("config.json", "model.safetensors", "README.md", "training.json")
"""What an archive may hold: settings, weights, card and curve. Nothing of it can run."""

NEEDED = FILES[:2]
"""Without these it is no projection."""

LARGEST = 256 * 2**20
"""Bytes of all files of an archive together, unpacked."""

_WASTE = ("__MACOSX", ".DS_Store")
"""What some programs add to every archive that they make."""


def pack(folder: Path, file: Path) -> None:
    """Write a projection's folder into the zip archive `file`, at once.

    Raises:
        OSError: It cannot be written.
    """
    with replacing(file) as temporary:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in FILES:
                if (folder / name).is_file():
                    archive.write(folder / name, f"{folder.name}/{name}")


def unpack(file: Path, into: Path) -> Path:
    """The folder of a projection that an archive holds, written below the folder `into`.

    Only the files of a projection are ever written, under names of our own.

    Raises:
        UserError: It is no such archive, or holds anything else; nothing was written then.
    """
    if not file.is_file():
        raise UserError(f"There is no file {file.name}; name the archive of a projection.")
    if not zipfile.is_zipfile(file):
        raise UserError(_bare(file.name))
    try:
        with zipfile.ZipFile(file) as archive:
            found = _members(archive, file.name)
            folder = into / "projection"
            folder.mkdir(parents=True)
            for name, member in found.items():
                with archive.open(member) as packed, (folder / name).open("wb") as written:
                    shutil.copyfileobj(packed, written)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise UserError(
            f"The archive {file.name} cannot be unpacked ({reason(error)}); download it again."
        ) from error
    return folder


def _members(archive: zipfile.ZipFile, name: str) -> dict[str, zipfile.ZipInfo]:
    """What is to be unpacked, by the names of `FILES`."""
    found: dict[str, zipfile.ZipInfo] = {}
    entries = [one for one in archive.infolist() if not one.is_dir()]
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if not set(_WASTE).isdisjoint(path.parts):
            continue
        if path.suffix == ".pkl":
            raise UserError(_bare(name))
        flat = len(path.parts) <= 2 and ".." not in path.parts and not path.is_absolute()
        linked = stat.S_ISLNK(entry.external_attr >> 16)
        if path.name not in FILES or path.name in found or linked or not flat:
            raise UserError(
                f"The archive {name} holds {entry.filename!r}, which is no part of a projection; "
                f"it may hold {', '.join(FILES)}, once each, in one folder."
            )
        if entry.flag_bits & 1:
            raise UserError(f"The archive {name} has a password; pack it without one.")
        found[path.name] = entry
    if sum(entry.file_size for entry in found.values()) > LARGEST:
        raise UserError(
            f"The archive {name} unpacks to more than {LARGEST // 2**20} MiB, which no projection "
            "has; name another one."
        )
    if missing := [part for part in NEEDED if part not in found]:
        raise UserError(f"The archive {name} lacks {' and '.join(missing)}; download it again.")
    return found


def find_projection(place: str | Path) -> Path:
    """The folder of a projection: itself, unpacked from an archive, or a download of a Hub id.

    What is unpacked goes when the process ends.

    Raises:
        UserError: It is nowhere, or is no projection.
    """
    path = Path(place)
    if path.is_file():
        return unpack(path, _process_folder())
    folder = fetch_folder(place)
    if (folder / NEEDED[1]).is_file() and not (folder / NEEDED[0]).is_file():
        raise UserError(_bare(str(folder / NEEDED[1])))
    return folder


def _process_folder() -> Path:
    """A new folder that goes when the process ends."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="softcot-projection-"))
    except OSError as error:
        raise UserError(
            "No temporary folder can be made to unpack into; set TMPDIR to one that you may write "
            "to, or unpack the archive and name its folder."
        ) from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _bare(name: str) -> str:
    return (
        f"{name} holds weights alone, and a projection also has a config.json that says what it "
        f"was trained for; download it whole, or run `python -m softcot import-projection {name} "
        "--task TASK --out FOLDER` and name that folder."
    )
