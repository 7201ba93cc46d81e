"""Where a figure comes from: the command, the code, the versions, the device and the day."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from softcot.support.version import __version__

PACKAGE = Path(__file__).resolve().parents[1]

COMMIT = "SOFTCOT_COMMIT"
"""Environment variable that names the commit of a copy, as in a container."""


def provenance(device: torch.device, numbers: str, command: str = "") -> dict[str, Any]:
    """Everything about a run that its settings do not say.

    Args:
        device: What the models ran on.
        numbers: What those of the base were kept in, as in "float32".
        command: The command line that repeats the run; empty for a run started from Python.
    """
    named = os.environ.get(COMMIT, "")
    return {
        "command": command,
        "created": datetime.now(UTC).date().isoformat(),
        "versions": versions(),
        "commit": named or _git("rev-parse", "HEAD"),
        # Records and checkpoints that are being written do not change a figure; the code does.
        "dirty": not named and bool(_git("status", "--porcelain", "--", str(PACKAGE))),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "dtype": numbers,
    }


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that compute."""
    return {
        "python": platform.python_version(),
        "torch": metadata.version("torch"),
        "transformers": metadata.version("transformers"),
        "softcot": __version__,
    }


def _git(*arguments: str) -> str:
    """What git prints, or nothing where there is no git or no repository."""
    try:
        run = subprocess.run(
            ["git", "-C", str(PACKAGE), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return run.stdout.strip()
