"""A GGUF file becomes an ordinary bf16 folder, once.

A process of its own does it: the gigabytes that it takes for a moment are free afterwards, whoever
waits can stop it, and nobody who only asks what is here waits for a model library.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from softcot.fetching import store
from softcot.fetching.catalogue import MODELS
from softcot.fetching.reporting import (
    Checking,
    Fetching,
    Progress,
    ShouldStop,
    check_stop,
    digest,
    never,
    silent,
)
from softcot.support.errors import UserError
from softcot.support.presets import PACKAGE


def convert(
    gguf: Path, manifest: store.Manifest, progress: Progress, should_stop: ShouldStop
) -> Path:
    """Convert a file into the folder of its model, whose lock is held.

    Args:
        gguf: The file.
        manifest: What is known of it: all but the files and the versions.
        progress: Is told how far it is.
        should_stop: Says whether to stop.

    Returns:
        The folder.

    Raises:
        UserError: The file is damaged or no model that can be read, or the memory too small.
        Stopped: It was told to stop.
    """
    target = store.model_folder(manifest.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{manifest.name}.*"):  # of one that was killed
        shutil.rmtree(left, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{manifest.name}."))
    try:
        with closing(_run(gguf, temporary)) as steps:
            for done, total in steps:
                progress(Fetching("converting", gguf.name, done, total))
                check_stop(should_stop)
        known = replace(manifest, versions=store.versions())
        return store.publish(temporary, known, progress, should_stop)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def find_gguf(place: Path) -> Path | None:
    """The GGUF file that a path means: itself, or the only one in a folder without other weights.

    Raises:
        UserError: The folder has several.
    """
    if place.is_file():
        return place if place.suffix.lower() == ".gguf" else None
    if (place / "config.json").is_file():
        return None
    found = sorted(place.glob("*.gguf"))
    if len(found) > 1:
        raise UserError(f"{place} holds {len(found)} GGUF files; name one of them.")
    return found[0] if found else None


def converted(gguf: Path, progress: Progress = silent, should_stop: ShouldStop = never) -> Path:
    """The bf16 folder of a GGUF file, converted now if no file with the same hash ever was.

    Raises:
        UserError: It is damaged or no model that can be read, or the disk or memory too small.
        Stopped: It was told to stop.
    """
    size = gguf.stat().st_size
    sha256 = digest(gguf, Checking(gguf.name, size, progress, should_stop))
    known = next((model for model in MODELS.values() if model.sha256 == sha256), None)
    if known:
        manifest = store.Manifest.of(known)
    else:
        name = f"{gguf.stem}-{sha256[:8]}"
        manifest = store.Manifest(name, gguf.name, sha256, "", "", {}, {})
    with store.lock(manifest.name, should_stop):
        folder = store.whole_folder(manifest.name, sha256)
        return folder or convert(gguf, manifest, progress, should_stop)


def _run(gguf: Path, out: Path) -> Generator[tuple[int, int], None, None]:
    """Convert in another process, which ends with this one.

    Yields:
        Tensors that are converted, and how many there are; a few times a second.

    Raises:
        UserError: It failed.
    """
    # In a checkout the package is found by the folder that the program was started in.
    paths = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "softcot.fetching.converter", str(gguf), str(out)]
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert child.stdout is not None
        ended = False
        try:
            for line in child.stdout:
                done, total = json.loads(line)
                yield done, total
            ended = True
        finally:
            if not ended:
                child.kill()
            child.stdout.close()
            child.wait()
        if child.returncode:
            errors.seek(0)
            raise _failure(gguf, child.returncode, errors.read().decode("utf-8", "replace"))


def _failure(gguf: Path, code: int, said: str) -> UserError:
    """Why a conversion ended."""
    if code < 0:  # a signal; nobody but the system sends one
        return UserError(
            f"The conversion of {gguf.name} was ended by the system, most likely for want of "
            "memory; close other programs, or choose a smaller model."
        )
    if "space left" in said:
        return UserError(
            f"The disk of {store.cache_root()} is too full to convert {gguf.name}; free some, or "
            f"set {store.CACHE} to a folder on another disk."
        )
    why = next(iter(said.strip().splitlines()[-1:]), "it says nothing")
    return UserError(
        f"{gguf.name} is damaged or no model that can be read here ({why}); download it again, or "
        "choose another one."
    )
