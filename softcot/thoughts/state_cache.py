"""What the assistant thinks of the problems of a training, kept on disk from one to the next.

A file is named by everything that its states depend on, so that a wrong one is never found; one
that is damaged is as good as none.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from softcot.data.problems import Problem
from softcot.data.tasks import Task
from softcot.support.files import replacing
from softcot.thoughts.pair import Pair


def states_file(
    folder: str | Path, pair: Pair, task: Task, problems: Sequence[Problem], k: int
) -> Path:
    """Where the states of some problems for K are, or will be."""
    prompts = pair.assistant.prompts
    known = {
        "assistant": pair.fingerprints["assistant"],
        "dtype": str(pair.assistant.dtype),
        "thoughts": k,
        "read": [prompts.assistant(p.heard, task=task, k=k).ids for p in problems],
    }
    digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
    return Path(folder, f"states-{task.name}-{digest[:32]}.safetensors")


def load_states(path: Path, shape: Sequence[int]) -> torch.Tensor | None:
    """The states float32[N, K, d_assistant] in a file; None where it lacks states of this shape."""
    try:
        states = load_file(path)["states"]
    except (OSError, SafetensorError, KeyError):
        return None
    usable = states.dtype == torch.float32 and bool(states.isfinite().all())
    return states if usable and tuple(states.shape) == tuple(shape) else None


def save_states(path: Path, states: torch.Tensor) -> None:
    """Write states float32[N, K, d_assistant]; a kill leaves what was there before."""
    with replacing(path) as temporary:
        save_file({"states": states.contiguous()}, temporary)
