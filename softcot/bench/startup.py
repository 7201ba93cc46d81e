"""Start-up: the command line's help, the imports, and the app up to its first answer."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import torch

from softcot.bench.measuring import interleaved
from softcot.bench.setting import Found, Setting
from softcot.support.errors import UserError
from softcot.thoughts.pair import Pair

ROOT = Path(__file__).resolve().parents[2]
QUESTION = "Mia has 12 coins. She inherits 5 coins. How many coins does Mia have now?"
PATIENCE = 120.0
"""Seconds after which an app that does not answer is given up."""


def measure(pair: Pair, setting: Setting) -> Found:
    """Time new processes, in turns; the pair is not used, but the app loads the same one.

    Raises:
        UserError: There is no app to start, or it does not answer.
    """
    work = {
        "help": lambda: _python("-m", "softcot", "--help"),
        "import models": lambda: _python("-c", "import softcot.models.language_model"),
    }
    if not setting.quick:
        import gradio_client  # noqa: F401 - what asks the app is not part of its start

        work["import app"] = lambda: _python("-c", "import softcot.web.page")
        work["first answer"] = lambda: first_answer(setting.pair["name"])
    sides = interleaved(work, setting.rounds, torch.device("cpu"), setting.progress)
    goals = {
        "help": ("`python -m softcot --help`, seconds", 1.0),
        "first answer": ("The app from its start to its first whole answer, seconds", 15.0),
    }
    ratios = [
        {"what": what, "value": sides[name].median, "goal": goal, "better": "less"}
        for name, (what, goal) in goals.items()
        if name in sides
    ]
    return Found(sides, ratios)


def first_answer(pair: str) -> None:
    """Start the app on a free port, ask both methods a question, and end it.

    Raises:
        UserError: It does not come up, or does not answer.
    """
    if not (ROOT / "app.py").exists():
        raise UserError("There is no app.py beside the package; measure in the repository.")
    from gradio_client import Client

    with _app(pair) as address:
        _until(lambda: httpx.get(f"{address}/healthz", timeout=1.0).is_success)
        client = Client(address, verbose=False)
        frames = client.predict(QUESTION, task="mini-gsm", api_name="/compare")
        if not all(column["done"] for column in frames["columns"]):
            raise UserError("The app does not answer; start `python app.py` to see why.")


@contextlib.contextmanager
def _app(pair: str) -> Iterator[str]:
    """The app in a process of its own; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "app.py", "--pair", pair, "--port", str(port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"GRADIO_ANALYTICS_ENABLED": "False"},
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            if ready():
                return
        time.sleep(0.02)
    raise UserError("The app does not start; start `python app.py` to see why.")


def _python(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
