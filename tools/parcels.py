"""A folder as pieces of bounded size with their hashes, and the folder made of them again.

The pieces may come one at a time: `unpack` keeps what came beside the folder, and makes the folder
once it has everything. Nothing is taken that does not have the hash it should have.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

PIECE_BYTES = 60_000_000
"""Largest piece."""

BLOCK = 1 << 20
MANIFEST = "manifest.json"
SCHEMA = "softcot-parcel-1"


class ParcelError(Exception):
    """What is wrong with a parcel and what to do, in one sentence."""


def pack(folder: Path, pieces: Path, size: int = PIECE_BYTES, files: Iterable[Path] = ()) -> int:
    """Write a folder's files as pieces of at most `size` bytes.

    Args:
        folder: What is packed.
        pieces: A new or empty folder, or one that holds an earlier parcel, which goes.
        size: Largest piece in bytes.
        files: Those of the folder to pack; all of them by default.

    Returns:
        How many pieces there are.

    Raises:
        ParcelError: There is no such folder, or `pieces` is in use for something else.
    """
    if not folder.is_dir():
        raise ParcelError(f"There is no folder {folder}; name one that is there.")
    _make_room(pieces)
    found = sorted(files) or sorted(path for path in folder.rglob("*") if path.is_file())
    listed: list[dict[str, Any]] = []
    written = _write_pieces(pieces, size, _contents(folder, found, listed))
    manifest = {"schema": SCHEMA, "pieces": written, "files": listed}
    _write(pieces / MANIFEST, json.dumps(manifest, indent=1).encode())
    return len(written)


def unpack(pieces: Path, folder: Path) -> list[str]:
    """Take the pieces that are there, and make the folder once all of them came.

    Returns:
        Names of the pieces that are still missing; the folder is there if there are none.

    Raises:
        ParcelError: A piece or the list of them is damaged, or the folder is in use.
    """
    manifest = _read_manifest(pieces)
    kept = folder.with_name(f"{folder.name}.parcel")
    if _is_unpacked(folder, manifest):
        return []
    if folder.exists() and any(folder.iterdir()):
        raise ParcelError(f"The folder {folder} is in use; name a new one.")
    kept.mkdir(parents=True, exist_ok=True)
    for piece in manifest["pieces"]:
        _take(piece, pieces / piece["name"], kept / piece["name"])
    missing = [p["name"] for p in manifest["pieces"] if not (kept / p["name"]).is_file()]
    if not missing:
        _join(manifest, kept, folder)
        shutil.rmtree(kept)
    return missing


def _make_room(pieces: Path) -> None:
    pieces.mkdir(parents=True, exist_ok=True)
    old = list(pieces.iterdir())
    strange = [path for path in old if path.name != MANIFEST and path.suffix != ".piece"]
    if strange:
        raise ParcelError(f"The folder {pieces} holds {strange[0].name}; name a new one.")
    for path in old:
        path.unlink()


def _contents(folder: Path, files: list[Path], listed: list[dict[str, Any]]) -> Iterator[bytes]:
    """The bytes of all files, one after the other; what each was is added to `listed`."""
    for path in files:
        digest, count = hashlib.sha256(), 0
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
                count += len(block)
                yield block
        name = path.relative_to(folder).as_posix()
        listed.append({"path": name, "bytes": count, "sha256": digest.hexdigest()})


def _write_pieces(pieces: Path, size: int, contents: Iterator[bytes]) -> list[dict[str, Any]]:
    written: list[dict[str, Any]] = []
    rest = b""
    while True:
        path = pieces / f"{len(written):04d}.piece"
        digest, count = hashlib.sha256(), 0
        with path.open("wb") as file:
            while count < size and (block := rest or next(contents, b"")):
                block, rest = block[: size - count], block[size - count :]
                file.write(block)
                digest.update(block)
                count += len(block)
        if not count:
            path.unlink()
            return written
        written.append({"name": path.name, "bytes": count, "sha256": digest.hexdigest()})


def _read_manifest(pieces: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((pieces / MANIFEST).read_text("utf-8"))
        if manifest["schema"] != SCHEMA:
            raise ValueError("another schema")
        names = [piece["name"] for piece in manifest["pieces"]]
        names += [file["path"] for file in manifest["files"]]
        if any(PurePosixPath(n).is_absolute() or ".." in PurePosixPath(n).parts for n in names):
            raise ValueError("a path that leads out of the folder")
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ParcelError(
            f"{pieces / MANIFEST} is no list of pieces ({error}); bring it along with them."
        ) from error
    return manifest


def _take(piece: dict[str, Any], came: Path, kept: Path) -> None:
    """Keep a piece that came, if it is what it should be."""
    if not came.is_file() or kept.is_file():
        return
    if _digest(came) != piece["sha256"]:
        raise ParcelError(f"The piece {came} is damaged; bring it again.")
    temporary = kept.with_suffix(".part")
    shutil.copyfile(came, temporary)
    os.replace(temporary, kept)


def _join(manifest: dict[str, Any], kept: Path, folder: Path) -> None:
    """Write the files beside the folder, check them, and only then give them its name."""
    made = kept / "joined"
    shutil.rmtree(made, ignore_errors=True)
    contents = _blocks(kept / piece["name"] for piece in manifest["pieces"])
    rest = b""
    for listed in manifest["files"]:
        path, left = made / listed["path"], listed["bytes"]
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            while left and (block := rest or next(contents, b"")):
                block, rest = block[:left], block[left:]
                file.write(block)
                left -= len(block)
        if _digest(path) != listed["sha256"]:
            raise ParcelError(f"{listed['path']} came out wrong; pack the folder again.")
    made.mkdir(exist_ok=True)
    if folder.exists():
        folder.rmdir()  # empty, as was seen
    os.replace(made, folder)


def _blocks(paths: Iterable[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block


def _is_unpacked(folder: Path, manifest: dict[str, Any]) -> bool:
    files = {folder / file["path"]: file for file in manifest["files"]}
    return folder.is_dir() and all(
        path.is_file() and path.stat().st_size == file["bytes"] and _digest(path) == file["sha256"]
        for path, file in files.items()
    )


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for block in _blocks([path]):
        digest.update(block)
    return digest.hexdigest()


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(content)
    os.replace(temporary, path)
