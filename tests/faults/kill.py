"""A piece of work in a process of its own that kills itself at a given moment, or runs to its end.

A moment is a call of a function, Python's or a library's, counted from the start of the work: so
the same one comes again, and may lie in the middle of anything.
"""

import json
import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HEAVY = ["softcot.cli.main", "softcot.cli.train", "softcot.cli.evaluate", "softcot.fetching"]
HEAVY += ["softcot.training.trainer", "softcot.evaluation.evaluator", "softcot.methods"]

SAVING = {"replacing", "add", "publish", "save", "write_record", "write_json", "write_text"}
"""Functions of the package in which something is being written, by name."""


@dataclass(frozen=True)
class Moment:
    """When to kill."""

    number: int
    """Of the call; 0 for never."""
    writing: bool = False
    """Whether only calls count that are made while something is written."""


@dataclass(frozen=True)
class Work:
    """What is done, and where."""

    argv: tuple[str, ...]
    """Of the command line; ("fetch", "") has the model in `model`."""
    environment: dict[str, str] = field(default_factory=dict)
    model: bytes = b""
    """Pickled, to be fetched."""


class _Clock:
    """Counts calls, and those made while something is written; kills at the moment."""

    def __init__(self, moment: Moment):
        self.moment = moment
        self.calls = self.writes = self.depth = 0

    def __call__(self, frame, event, arg):
        ours = frame.f_code.co_name in SAVING and "/softcot/" in frame.f_code.co_filename
        if event == "call":
            self.depth += ours
            self._tick()
        elif event == "return":
            self.depth -= ours
        elif event == "c_call":
            self._tick()

    def _tick(self):
        self.calls += 1
        self.writes += self.depth > 0
        reached = self.writes if self.moment.writing else self.calls
        if reached == self.moment.number:
            os.kill(os.getpid(), signal.SIGKILL)


def _do(work: Work, moment: Moment, told: Path) -> None:
    os.environ.update(work.environment)
    sys.stdout = sys.stderr = open(os.devnull, "w")
    import torch

    from softcot.cli.main import main

    torch.set_num_threads(1)
    fetch = _fetch(work.model) if work.model else None
    clock = _Clock(moment)
    sys.setprofile(clock)
    try:
        code = fetch() if fetch else main(list(work.argv))
    finally:
        sys.setprofile(None)
    told.write_text(json.dumps({"code": code, "calls": clock.calls, "writes": clock.writes}))


def _fetch(pickled: bytes) -> Callable[[], int]:
    """Fetch a model; what would convert it copies it, which is a matter of a moment."""
    from softcot.fetching import MODELS, fetch_pair, pairs, store

    def convert(gguf, manifest, progress, should_stop):
        temporary = store.model_folder(manifest.name).with_name(f".{manifest.name}.x")
        temporary.mkdir(parents=True, exist_ok=True)
        (temporary / "weights.gguf").write_bytes(gguf.read_bytes())
        return store.publish(temporary, manifest, progress, should_stop)

    model = pickle.loads(pickled)
    MODELS[model.name] = model
    pairs.convert = convert

    def fetch() -> int:
        fetch_pair(model.name)
        return 0

    return fetch


_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(HEAVY)


def run(work: Work, moment: Moment, told: Path) -> dict | None:
    """Do the work; None if it was killed, else its exit code and how many calls it took."""
    told.unlink(missing_ok=True)
    process = _context.Process(target=_do, args=(work, moment, told))
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
    return json.loads(told.read_text()) if process.exitcode == 0 else None
