"""Where a model's files are, whether they can be had, and whether the memory will hold them.

Everything that can go wrong before a weight is read ends here, in one sentence. A model that was
downloaded before is used without asking the Hub; nothing is asked twice, for the libraries' own
retries take minutes where there is no network.
"""

import math
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import psutil
import torch
from huggingface_hub import (
    get_hf_file_metadata,
    get_safetensors_metadata,
    hf_hub_url,
    snapshot_download,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from safetensors import SafetensorError, safe_open
from transformers.utils import logging

from softcot.fetching.catalogue import GgufModel, find
from softcot.fetching.conversion import converted, find_gguf
from softcot.fetching.hub import PATIENCE
from softcot.fetching.store import fetched_folder
from softcot.models.precision import DType, usual_dtype
from softcot.support.errors import UserError
from softcot.support.presets import CHECKPOINTS, HUB, PRESETS, PairPreset, checkpoint_root
from softcot.support.reading import as_object, read_object

Quantization = Literal["int8", "nf4"]

LIBRARIES: dict[Quantization, str] = {"int8": "torchao", "nf4": "bitsandbytes"}
"""What makes the weights smaller, and the library that each needs."""

BYTES = {"float32": 4.0, "bfloat16": 2.0, "int8": 1.1, "nf4": 0.7}
"""Memory of a parameter; embeddings and scales of a quantised model stay larger."""

QUICK = 0.1
"""Parameters, in units of 10^9, of a pair that is loaded before anybody looks for a bar."""

MARGIN = 1.2
"""What a model needs at work beyond its weights: caches and activations."""


@dataclass(frozen=True)
class ModelSource:
    """A model that can be loaded."""

    place: str | Path
    """Folder or Hub id."""
    revision: str | None = None
    """Commit, branch or tag on the Hub."""
    folder: Path | None = None
    """Where its files already are; None where they must be downloaded first."""
    billions: float | None = None
    """Parameters in units of 10^9, where known."""

    @property
    def options(self) -> dict[str, Any]:
        """What `from_pretrained` must be told besides the place."""
        chosen = {} if self.revision is None else {"revision": self.revision}
        return chosen | ({} if self.folder is None else {"local_files_only": True})


def find_model(
    place: str | Path,
    revision: str | None = None,
    billions: float | None = None,
    licence: str | None = None,
    pair: str | None = None,
) -> ModelSource:
    """Look for a model in a folder, among what was fetched or downloaded, then on the Hub.

    Args:
        place: Folder, GGUF file, Hub id, or the name of a model that `fetch` brings.
        revision: Commit, branch or tag on the Hub.
        billions: Parameters in units of 10^9, if known; else they are counted where files say.
        licence: Page on which its licence must be accepted.
        pair: The pair that it is of, for the message that tells how to fetch it.

    Raises:
        UserError: It is nowhere, or may not be had; the message says what to do.
    """
    if isinstance(place, Path):
        if place.exists() and (gguf := find_gguf(place)):
            return _in_folder(converted(gguf))
        if place.is_file():
            raise UserError(f"{place} is no folder and no GGUF file; name one of them.")
        if not checkpoint_root().is_dir() and not os.environ.get(CHECKPOINTS):
            raise UserError(
                f"There is no model in {place}: the models are in the repository and not in the "
                f"installed package; work in a checkout, or set {CHECKPOINTS} to the folder "
                "checkpoints of one."
            )
        if not place.is_dir():
            raise UserError(
                f"There is no model in {place}; run `python -m softcot pretrain --pair "
                f"{place.parent.name}`, or set "
                f"{CHECKPOINTS} to the folder that holds the checkpoints."
            )
        return _in_folder(place)
    if model := find(place):
        return _fetched(model, pair or model.name)
    folder = _downloaded(place, revision)
    if folder is not None:
        return ModelSource(place, revision, folder, count_billions(folder) or billions)
    try:
        url = hf_hub_url(place, "config.json", revision=revision)
        get_hf_file_metadata(url, timeout=PATIENCE)
        return ModelSource(place, revision, None, billions or _billions_on_hub(place, revision))
    except Exception as error:  # the library that it asks with has been changed before
        raise hub_error(error, place, revision, licence) from error


def _in_folder(folder: Path) -> ModelSource:
    return ModelSource(folder, None, folder, count_billions(folder))


def _fetched(model: GgufModel, asked: str) -> ModelSource:
    """A model of the catalogue, which is only ever used with its hash checked.

    Raises:
        UserError: It was not fetched.
    """
    folder = fetched_folder(model)
    if folder is None:
        raise UserError(
            f"{model.title} is not on this computer yet; run `python -m softcot fetch {asked}`."
        )
    return _in_folder(folder)


def fetch_folder(place: str | Path) -> Path:
    """The folder of a small thing such as a projection: itself, or a download of a Hub id.

    Raises:
        UserError: It is nowhere, or may not be had.
    """
    if Path(place).is_dir():
        return Path(place)
    folder = _downloaded(str(place), None)
    if folder is not None:
        return folder
    try:
        get_hf_file_metadata(hf_hub_url(str(place), "config.json"), timeout=PATIENCE)
        return Path(snapshot_download(str(place)))
    except Exception as error:  # the library that it asks with has been changed before
        raise hub_error(error, str(place)) from error


def hub_error(
    error: Exception, place: str, revision: str | None = None, licence: str | None = None
) -> UserError:
    """What the Hub's complaint about a model means for who asked for it."""
    if isinstance(error, GatedRepoError):
        page = licence or f"{HUB}/{place}"
        return UserError(
            f"{place} may only be downloaded by those who accepted its licence; accept it at "
            f"{page} and set HF_TOKEN to a token of the same account."
        )
    if isinstance(error, RevisionNotFoundError):
        return UserError(f"{place} has no revision {revision!r} on the Hub; name another one.")
    if isinstance(error, RepositoryNotFoundError):
        return UserError(
            f"There is no folder and no Hub model called {place}; correct the name, or set "
            "HF_TOKEN if it is private."
        )
    if isinstance(error, HFValidationError):
        return UserError(
            f"{place!r} is neither a folder nor a Hub id; write it as owner/name, or name a "
            "folder that is there."
        )
    if isinstance(error, OfflineModeIsEnabled):
        return UserError(
            f"{place} was not downloaded yet and HF_HUB_OFFLINE forbids it; unset that variable, "
            "or name a folder."
        )
    if isinstance(error, EntryNotFoundError) and not isinstance(error, LocalEntryNotFoundError):
        return UserError(f"{place} on the Hub has no config.json, so it is no model for this.")
    if isinstance(error, HfHubHTTPError) and error.response is not None:
        return UserError(
            f"The Hub refuses {place} (status {error.response.status_code}); try again later."
        )
    if isinstance(error, (ImportError, ValueError)):  # of a proxy that nothing can be asked through
        return UserError(
            f"{place} was not downloaded yet and the Hub cannot be asked ({_line(error)}); correct "
            "the variables of your proxy, or name a folder."
        )
    return UserError(
        f"{place} was not downloaded yet and the Hub cannot be reached; connect to the network, "
        "or name a folder."
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def count_billions(folder: Path) -> float | None:
    """Parameters in a folder's safetensors in units of 10^9; None where they cannot be read."""
    count = 0
    try:
        for file in folder.glob("*.safetensors"):
            with safe_open(file, framework="pt") as weights:
                shapes = (weights.get_slice(name).get_shape() for name in weights.keys())
                count += sum(math.prod(shape) for shape in shapes)
    except (OSError, SafetensorError):
        return None  # loading will say what is wrong with it
    return count / 1e9 or None


def check_compiler(device: torch.device) -> None:
    """Refuse to compile where nothing can.

    Raises:
        UserError: It is a CPU and there is no C++ compiler.
    """
    if device.type == "cpu" and not any(map(shutil.which, ("g++", "clang++"))):
        raise UserError("--compile needs a C++ compiler on a CPU; install g++ or leave it out.")


def check_memory(
    pair: str,
    sources: Sequence[ModelSource],
    device: torch.device,
    quantize: Quantization | None = None,
    dtype: DType | None = None,
) -> None:
    """Refuse models that the memory cannot hold, before any of them is loaded.

    Models whose size nobody knows are let through.

    Raises:
        UserError: They are too large; the message names a pair that is not.
    """
    kind = quantize or dtype or usual_dtype(device, known_billions(sources))
    needed = sum(source.billions or 0.0 for source in sources) * BYTES[kind] * MARGIN
    free = free_gigabytes(device)
    if needed <= free:
        return
    where = "GPU" if device.type == "cuda" else "computer"
    raise UserError(
        f"Pair {pair!r} needs about {needed:.1f} GB in {kind} and this {where} has {free:.1f} GB "
        f"free; choose a smaller one, such as --pair {_largest_fitting(free, kind)}."
    )


def known_billions(sources: Sequence[ModelSource]) -> float | None:
    """Parameters of some models together in units of 10^9; None where one's are unknown."""
    sizes = [source.billions for source in sources]
    return None if None in sizes else sum(size or 0.0 for size in sizes)


@contextmanager
def visible_loading(sources: Sequence[ModelSource]) -> Iterator[None]:
    """Show how far the libraries are with models that take longer than a moment."""
    unknown = any(source.billions is None and source.folder is None for source in sources)
    if not unknown and sum(source.billions or 0.0 for source in sources) < QUICK:
        logging.disable_progress_bar()
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        logging.enable_progress_bar()


def gpu_is_lent() -> bool:
    """Whether this is a Space that has a GPU for one call at a time (ZeroGPU), none while it loads.

    The variable is its own.
    """
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def free_gigabytes(device: torch.device) -> float:
    """Memory of a device that nobody uses, in units of 10^9 bytes."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] / 1e9
    return psutil.virtual_memory().available / 1e9


def quantization(
    kind: Quantization | None, device: torch.device, dtype: DType | None = None
) -> dict[str, Any]:
    """What `from_pretrained` must be told to make weights smaller; nothing for None.

    Raises:
        UserError: There is no such kind, or its library is not installed.
    """
    if kind is None:
        return {}
    if kind not in LIBRARIES:
        raise UserError(
            f"There is no quantisation {kind!r}; choose one of: {', '.join(LIBRARIES)}."
        )
    if find_spec(LIBRARIES[kind]) is None:
        raise UserError(
            f"--quantize {kind} needs the library {LIBRARIES[kind]}; install it with "
            f"`pip install {LIBRARIES[kind]}`, or drop the option."
        )
    from transformers import BitsAndBytesConfig, TorchAoConfig

    if kind == "nf4":
        config: Any = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_compute_dtype=getattr(torch, dtype or usual_dtype(device)),
        )
    else:
        from torchao.quantization import Int8WeightOnlyConfig

        config = TorchAoConfig(Int8WeightOnlyConfig())
    return {"quantization_config": config, "device_map": {"": device}}


def _downloaded(place: str, revision: str | None) -> Path | None:
    """The folder of an earlier, whole download of a Hub id."""
    try:
        config = try_to_load_from_cache(place, "config.json", revision=revision)
    except HFValidationError:
        return None
    folder = Path(config).parent if isinstance(config, str) else None
    return folder if folder and _is_whole(folder) else None


def _is_whole(folder: Path) -> bool:
    """Whether a folder has every file of weights that its index names, in the format that counts.

    Where there are safetensors, the library reads nothing else.
    """
    for name in ("model.safetensors", "pytorch_model.bin"):
        index = folder / f"{name}.index.json"
        if index.is_file():
            try:
                named = as_object(read_object(index)["weight_map"], "it").values()
            except (OSError, ValueError, KeyError):  # a download that broke off
                return False
            return all((folder / str(part)).is_file() for part in set(named))
        if (folder / name).is_file():
            return True
    return False


def _billions_on_hub(place: str, revision: str | None) -> float | None:
    """Parameters as the Hub's files say; None where they do not."""
    try:
        found = get_safetensors_metadata(place, revision=revision)
    except Exception:
        return None  # the estimate is a courtesy: a model without one may load all the same
    return sum(found.parameter_count.values()) / 1e9


def _largest_fitting(free: float, kind: str) -> str:
    """The name of the largest pair that fits; the smallest there is always does."""

    def size(preset: PairPreset) -> float:
        return (preset.base_billions or 0.0) + (preset.assistant_billions or 0.0)

    fitting = [p for p in PRESETS.values() if size(p) * BYTES[kind] * MARGIN <= free]
    return max(fitting, key=size).name
