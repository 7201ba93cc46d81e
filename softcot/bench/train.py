"""Training: the engine against the reference, over the same problems, steps and Ks."""

import math
import multiprocessing
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import torch

from softcot.bench import reference
from softcot.bench.measuring import count, interleaved, peak_memory, ratio
from softcot.bench.setting import Found, Setting
from softcot.thoughts.pair import Pair
from softcot.training.config import TrainingConfig
from softcot.training.trainer import train

PROBLEMS, EPOCHS, BATCH = 128, 3, 32
QUICK_PROBLEMS, QUICK_BATCH = 8, 4


def measure(pair: Pair, setting: Setting) -> Found:
    """Three epochs each, the engine's one pass through both models beforehand included.

    Both train from the same random weights; neither validates but for one problem, before and
    after, which the engine cannot leave out.
    """
    config = _config(setting)
    work = {name: _work(name, pair, setting.task, config) for name in ("reference", "engine")}
    counts = {name: count(pair, run) for name, run in work.items()}  # this warms up, too
    sides = interleaved(work, setting.rounds, pair.base.device, setting.progress)
    for name in work:
        sides[name].flops, sides[name].bytes = counts[name]
        sides[name].extra["peak_bytes"] = _peak(name, pair, setting, config)
    peaks = [sides[name].extra["peak_bytes"] for name in ("engine", "reference")]
    return Found(
        sides,
        [
            {
                "what": "Training, problems a second, against the reference",
                "value": ratio(sides["reference"], sides["engine"]),
                "goal": 3.0,
                "better": "more",
            },
            {
                "what": "Training, peak memory beyond the models, against the reference",
                "value": peaks[0] / max(peaks[1], 1),
                "goal": 0.7,
                "better": "less",
            },
        ],
        {
            "train_problems": config.train_problems,
            "epochs": EPOCHS,
            "batch_size": config.batch_size,
            "max_thoughts": config.max_thoughts,
        },
    )


def _config(setting: Setting) -> TrainingConfig:
    problems = QUICK_PROBLEMS if setting.quick else PROBLEMS
    batch = QUICK_BATCH if setting.quick else BATCH
    steps = math.ceil(EPOCHS * problems / batch)
    return TrainingConfig(
        max_thoughts=16,
        steps=steps,
        batch_size=batch,
        train_problems=problems,
        validation_problems=1,
        validate_every=steps,
        start="random",
        warmup=1,
    )


def _work(name: str, pair: Pair, task: str, config: TrainingConfig) -> Callable[[], Any]:
    """One whole training."""
    if name == "reference":
        return lambda: reference.train(pair, task, config)

    def engine() -> None:
        with tempfile.TemporaryDirectory() as folder:
            train(pair, "softcot", task, config, Path(folder, "weights"))

    return engine


def _peak(name: str, pair: Pair, setting: Setting, config: TrainingConfig) -> int:
    """Bytes that a training takes at most, beyond the models."""
    device = pair.base.device
    if device.type == "cuda":
        with peak_memory(device) as found:
            _work(name, pair, setting.task, config)()
        return found["peak_bytes"]
    # What a process once had it keeps, so each side has one of its own.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        given = (setting.source(), setting.task, config, torch.get_num_threads())
        return pool.submit(_peak_here, name, *given).result()


def _peak_here(
    name: str,
    source: tuple[dict[str, Any], str | None],
    task: str,
    config: TrainingConfig,
    threads: int,
) -> int:
    from softcot.bench.shapes import get_pair

    torch.set_num_threads(threads)
    pair = get_pair(*source)
    _ = pair.fingerprints
    with peak_memory(pair.base.device) as found:
        _work(name, pair, task, config)()
    return found["peak_bytes"]
