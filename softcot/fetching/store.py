"""Where fetched models lie, and which of them are whole.

    CACHE/models/NAME     a converted model: an ordinary Hugging Face folder and its manifest
    CACHE/gguf/FILE       a checked GGUF file that was asked to stay
    CACHE/staging/NAME    what was downloaded of a model so far, its GGUF file at last
    CACHE/locks/NAME.lock who works on a model holds it

A folder below `models` has its final name only once everything in it is written and recorded.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from softcot.fetching.catalogue import GgufModel, find
from softcot.fetching.reporting import (
    Checking,
    Progress,
    ShouldStop,
    check_stop,
    digest,
    never,
    silent,
)
from softcot.support.errors import UserError
from softcot.support.files import write_json
from softcot.support.reading import read_text
from softcot.support.schema import STRICT, from_json, to_json
from softcot.support.version import __version__

CACHE = "SOFTCOT_CACHE"
"""The environment variable that names another folder than the user's cache."""

MANIFEST = "softcot.json"
"""The file in a converted folder that is written last."""

TURN = 0.5
"""Seconds between two looks at whether the wait for another process should end."""


@dataclass(frozen=True)
class WrittenFile:
    """A file of a converted model."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a converted folder was made of, and what must be in it."""

    __pydantic_config__ = STRICT

    name: str
    source: str
    """The GGUF file's name."""
    sha256: str
    """The GGUF file's."""
    repo: str
    """Hub id of its repository; empty for a user's own file."""
    licence: str
    """Empty where it is not known."""
    versions: dict[str, str]
    """Of what converted it."""
    files: dict[str, WrittenFile]
    """Name -> every file but this one."""

    @classmethod
    def of(cls, model: GgufModel) -> "Manifest":
        """What is known of a model of the catalogue before it is converted."""
        return cls(model.name, model.file, model.sha256, model.repo, model.licence, {}, {})


def cache_root() -> Path:
    """The folder of everything that is fetched."""
    override = os.environ.get(CACHE)
    return Path(override or platformdirs.user_cache_dir("softcot", appauthor=False)).absolute()


def model_folder(name: str) -> Path:
    """Where a converted model lies, or would."""
    return cache_root() / "models" / name


def gguf_path(model: GgufModel) -> Path:
    """Where a model's checked GGUF file stays, if it was asked to."""
    return cache_root() / "gguf" / model.file


def staging(name: str) -> Path:
    """The folder of what was downloaded of a model so far."""
    return cache_root() / "staging" / name


def fetched_folder(model: GgufModel | str) -> Path | None:
    """The bf16 folder of a model that was fetched and converted; None unless it is whole.

    Args:
        model: The model, its name, or the Hub id of its repository.
    """
    known = find(model) if isinstance(model, str) else model
    return whole_folder(known.name, known.sha256) if known else None


def whole_folder(name: str, sha256: str) -> Path | None:
    """The folder of a model that was converted from a file with this hash; None unless whole."""
    folder = model_folder(name)
    manifest = read_manifest(folder)
    if manifest is None or manifest.sha256 != sha256:
        return None
    whole = all(_has_size(folder / file, facts) for file, facts in manifest.files.items())
    return folder if whole and manifest.files else None


def read_manifest(folder: Path) -> Manifest | None:
    """What a folder says of itself; None where it says nothing that can be read."""
    try:
        return from_json(Manifest, read_text(folder / MANIFEST))
    except (OSError, ValueError):
        return None


def is_undamaged(
    folder: Path, progress: Progress = silent, should_stop: ShouldStop = never
) -> bool:
    """Whether every file of a whole folder still has its recorded SHA-256.

    Raises:
        Stopped: It was told to stop.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        return False
    total = sum(facts.bytes for facts in manifest.files.values())
    read = Checking(manifest.source, total, progress, should_stop)
    return all(
        digest(folder / file, read) == facts.sha256 for file, facts in manifest.files.items()
    )


def publish(
    temporary: Path,
    manifest: Manifest,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
) -> Path:
    """Give a folder of converted files its manifest, then its final name.

    Args:
        temporary: The folder, beside its final place.
        manifest: All but the files.
        progress: Is told how far the hashes are.
        should_stop: Says whether to stop.

    Raises:
        Stopped: It was told to stop.
    """
    files, read = {}, Checking(manifest.source, size_of(temporary), progress, should_stop)
    for path in sorted(temporary.iterdir()):
        with path.open("rb+") as data:
            os.fsync(data.fileno())  # no power cut may leave the manifest and take the weights
        files[path.name] = WrittenFile(path.stat().st_size, digest(path, read))
    facts = {**to_json(manifest), "files": {name: to_json(file) for name, file in files.items()}}
    write_json(temporary / MANIFEST, facts)
    target = model_folder(manifest.name)
    shutil.rmtree(target, ignore_errors=True)  # what is there is not whole: a rename needs room
    os.replace(temporary, target)
    return target


def versions() -> dict[str, str]:
    """Versions of what converts a file."""
    packages = ("torch", "transformers", "gguf", "safetensors")
    return {"softcot": __version__} | {name: metadata.version(name) for name in packages}


@contextmanager
def lock(name: str, should_stop: ShouldStop = never) -> Iterator[None]:
    """Be the only one, of all processes and threads, that works on a model.

    Raises:
        Stopped: It was told to stop while another one worked on it.
    """
    path = cache_root() / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(path)
    while not held.is_locked:
        check_stop(should_stop)
        try:
            held.acquire(timeout=TURN)
        except Timeout:
            continue
    try:
        yield
    finally:
        held.release()


def check_space(what: str, needed: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Args:
        what: What is to be fetched, for the message.
        needed: Bytes.

    Raises:
        UserError: Fewer are free.
    """
    root = cache_root()
    root.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(root).free
    if free < needed:
        raise UserError(
            f"{what} needs {needed / 1e9:.1f} GB in {root} while it is fetched, and "
            f"{free / 1e9:.1f} GB are free; free some, or set {CACHE} to a folder on another disk."
        )


def remove(models: Sequence[GgufModel]) -> int:
    """Delete all that there is of some models, and return how many bytes that was."""
    freed = 0
    for model in models:
        with lock(model.name):
            for place in (model_folder(model.name), gguf_path(model), staging(model.name)):
                freed += size_of(place)
                _delete(place)
    return freed


def clear_staging(name: str) -> None:
    """Delete what was downloaded of a model, which is not needed any more."""
    shutil.rmtree(staging(name), ignore_errors=True)


def size_of(place: Path) -> int:
    """Bytes of a file, or of all files in a folder; 0 where nothing is."""
    inside = (Path(folder, name) for folder, _, names in os.walk(place) for name in names)
    total = 0
    for file in [place] if place.is_file() else inside:
        with suppress(OSError):  # another program is just moving it
            total += file.stat().st_size
    return total


def _delete(place: Path) -> None:
    """Delete a file or a folder; a folder loses its manifest first, so it is never taken as whole.

    Raises:
        OSError: It cannot be deleted.
    """
    if place.is_dir():
        (place / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _has_size(path: Path, facts: WrittenFile) -> bool:
    try:
        return path.stat().st_size == facts.bytes
    except OSError:
        return False
