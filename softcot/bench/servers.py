"""The app and `serve`, each in a process of its own, as whoever uses them starts them."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from softcot.support.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
"""Seconds after which a server that does not answer is given up."""

COMMANDS = {"app": ("app.py",), "serve": ("-m", "softcot", "serve")}
"""How each is started."""

WELL = "/healthz"
"""Where each says that it is well."""


@dataclass(frozen=True)
class Address:
    """A server that listens."""

    url: str
    process: int | None = None
    """Its process, where that is one of this machine."""


@contextlib.contextmanager
def started(name: str, pair: str) -> Iterator[Address]:
    """Start one of `COMMANDS` on a free port, and end it with the block.

    Raises:
        UserError: It cannot be started here, or does not come up.
    """
    if name == "app" and not (ROOT / "app.py").exists():
        raise UserError("There is no app.py beside the package; measure in the repository.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, *COMMANDS[name], "--pair", pair, "--port", str(port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"GRADIO_ANALYTICS_ENABLED": "False"},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(process, url + WELL, name)
        yield Address(url, process.pid)
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen[bytes], well: str, name: str) -> None:
    """Wait for a server to come up.

    Raises:
        UserError: It does not.
    """
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(well, timeout=1.0, trust_env=False).is_success:
                return
        time.sleep(0.02)
    command = " ".join(("python", *COMMANDS[name]))
    raise UserError(f"The server does not start; start `{command}` to see why.")
