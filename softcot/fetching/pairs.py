"""Pairs: whether they are here, how they are fetched, and how they are removed."""

import os
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from softcot.fetching import download, store
from softcot.fetching.catalogue import GgufModel, models_of
from softcot.fetching.conversion import convert
from softcot.fetching.reporting import Progress, ShouldStop, Stopped, never, silent
from softcot.fetching.store import fetched_folder
from softcot.support.errors import UserError
from softcot.support.presets import get_preset


@dataclass(frozen=True)
class PairState:
    """What a pair is on this computer."""

    here: bool
    """Whether it can be loaded without a network."""
    download_bytes: int
    """What is still to be fetched; 0 when it is here."""
    disk_bytes: int
    """Room that its models take on the disk once they are here."""
    parameters: float | None
    """Of both models in units of 10^9, one that is both counted once; None where only its files
    know."""
    licence: str
    """In one line; empty where it is not known."""
    fetchable: bool
    """Whether `fetch_pair` fetches it."""


def pair_state(name: str) -> PairState:
    """What a pair, or a single model of the catalogue, is on this computer.

    Raises:
        UserError: There is no pair with this name.
    """
    try:
        models = models_of(name)
    except UserError:
        return _other_state(name)
    missing = [model for model in models if fetched_folder(model) is None]
    return PairState(
        here=not missing,
        download_bytes=sum(map(download.bytes_to_go, missing)),
        disk_bytes=sum(model.converted_bytes for model in models),
        parameters=sum(model.parameters for model in models) / 1e9,
        licence="; ".join(dict.fromkeys(model.licence for model in models)),
        fetchable=True,
    )


def _other_state(name: str) -> PairState:
    """The state of a pair that is not in the catalogue: the laboratory's, or one from the Hub."""
    preset = get_preset(name)
    places = list(dict.fromkeys((preset.base, preset.assistant)))
    if preset.laboratory:
        size = sum(store.size_of(Path(place)) for place in places)
        here = all(Path(place).is_dir() for place in places)
        return PairState(here, 0, size, None, "Apache-2.0", False)
    here = all(isinstance(try_to_load_from_cache(str(p), "config.json"), str) for p in places)
    sizes = {preset.base: preset.base_billions, preset.assistant: preset.assistant_billions}
    billions = sum(size or 0.0 for size in sizes.values())
    size = round(2e9 * billions)  # in bf16, as they are published
    return PairState(here, 0 if here else size, size, billions, preset.licence or "", False)


def fetch_pair(
    name: str,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
    *,
    keep_gguf: bool = False,
) -> None:
    """Fetch and convert what is missing of a pair, or of a single model of the catalogue.

    It goes on where an earlier fetch ended, however that ended. What is here already is compared
    with its recorded hashes, and made again if it was damaged. Several processes may do this at
    once: one works, the others wait for it.

    Args:
        name: Name of the pair or model.
        progress: Is told how far it is.
        should_stop: Says whether to stop; the fetch then ends early, without an error, and the
            next one uses what there is.
        keep_gguf: Whether the GGUF files stay after the conversion, for other programs.

    Raises:
        UserError: There is no such pair, a file cannot be had or is not the right one, or the
            disk is too small.
    """
    models = models_of(name)
    _check_space(name, models)
    try:
        for model in models:
            with store.lock(model.name, should_stop):
                _fetch_model(model, progress, should_stop, keep_gguf)
    except Stopped:
        return


def remove_pair(name: str) -> int:
    """Delete the models of a pair, or a single one, and all that was downloaded of them.

    A model that other pairs use is gone for them too.

    Returns:
        How many bytes that was.

    Raises:
        UserError: There is no such pair.
    """
    return store.remove(models_of(name))


def _fetch_model(
    model: GgufModel, progress: Progress, should_stop: ShouldStop, keep_gguf: bool
) -> None:
    """Make a model whole; its lock is held."""
    folder = fetched_folder(model)
    whole = folder is not None and store.is_undamaged(folder, progress, should_stop)
    kept = store.gguf_path(model)
    if not whole or (keep_gguf and not kept.is_file()):
        gguf = download.get_file(model, progress, should_stop)
        if not whole:
            convert(gguf, store.Manifest.of(model), progress, should_stop)
        if keep_gguf and gguf != kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            os.replace(gguf, kept)
    store.clear_staging(model.name)


def _check_space(name: str, models: tuple[GgufModel, ...]) -> None:
    """Refuse to begin what the disk cannot hold; what was downloaded is there already."""
    missing = [model for model in models if fetched_folder(model) is None]
    if missing:
        working = max(model.working_bytes for model in missing)
        held = sum(
            store.size_of(place)
            for model in missing
            for place in (store.gguf_path(model), store.staging(model.name))
        )
        kept = sum(model.converted_bytes for model in missing)
        store.check_space(name, kept + working - min(held, working))
