"""Files from the Hub, where it is reached soon."""

import shutil
from pathlib import Path
from typing import Any

from huggingface_hub import (
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from softcot.fetching.catalogue import GgufModel
from softcot.fetching.reporting import (
    Fetching,
    Progress,
    ShouldStop,
    Stopped,
    Unavailable,
    check_stop,
)
from softcot.fetching.store import staging

PATIENCE = 5.0
"""Seconds that the Hub has to answer."""


def download(model: GgufModel, progress: Progress, should_stop: ShouldStop) -> Path:
    """What the Hub has under a model's name, which goes on where it was interrupted.

    What other programs downloaded of it, or a Space before it started, is taken first.

    Raises:
        Unavailable: The Hub cannot be asked, or says itself that it has another file.
        Stopped: It was told to stop.
    """
    check_stop(should_stop)
    if (cached := _cached(model)) is not None:
        return cached
    try:
        # Asked once: the retries of a download take minutes where there is no network.
        there = get_hf_file_metadata(hf_hub_url(model.repo, model.file), timeout=PATIENCE)
        if there.size not in (None, model.bytes):
            raise Unavailable(f"has another {model.file}")
        return Path(
            hf_hub_download(
                model.repo,
                model.file,
                local_dir=staging(model.name) / "hub",
                etag_timeout=PATIENCE,
                tqdm_class=_told(model, progress, should_stop),
            )
        )
    except (Stopped, Unavailable):
        raise
    except OfflineModeIsEnabled as error:
        raise Unavailable("may not be asked, as HF_HUB_OFFLINE is set") from error
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "unknown")
        raise Unavailable(f"refuses {model.repo} (status {status})") from error
    except Exception as error:  # the library that it asks with has been changed before
        raise Unavailable("cannot be reached") from error


def _cached(model: GgufModel) -> Path | None:
    """A copy of the file in the Hub's own cache, which stays as it is; None if it is not there."""
    found = try_to_load_from_cache(model.repo, model.file)
    if not isinstance(found, str) or Path(found).stat().st_size != model.bytes:
        return None
    copy = staging(model.name) / "hub" / "cached.gguf"
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(found, copy)
    return copy


def _told(model: GgufModel, progress: Progress, should_stop: ShouldStop) -> Any:
    """A class of progress bars that draw nothing and tell us instead."""
    from tqdm import tqdm

    class Told(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*args, **options | {"disable": True})
            self.done = int(options.get("initial", 0))

        def update(self, n: float | None = 1) -> None:
            """Tell, and end the download where that is asked for."""
            self.done += int(n or 0)
            progress(Fetching("downloading", model.file, self.done, model.bytes))
            check_stop(should_stop)

    return Told
