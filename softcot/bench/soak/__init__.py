"""Whether the app and `serve` stand many clients for long: asked, counted, compared, recorded."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

import psutil

from softcot.bench.servers import Address, started
from softcot.bench.soak import record
from softcot.bench.soak.fairness import Waits, waited
from softcot.bench.soak.load import LEAVING, TARGETS, Found, Load, Progress, soaked
from softcot.fetching import pair_state
from softcot.models.language_model import best_device
from softcot.models.precision import usual_dtype
from softcot.support.presets import is_laboratory
from softcot.support.provenance import provenance


def soak(
    load: Load,
    pair: str = "mini",
    targets: Sequence[str] = TARGETS,
    url: str | None = None,
    command: str = "",
    progress: Progress = lambda title, done, total: None,
) -> dict[str, Any]:
    """Let many clients ask servers, one server after the other, and return the record.

    Args:
        load: How many, and for how long.
        pair: What the servers are started with.
        targets: Which of them.
        url: Of a server that runs already, the only target; its memory is not seen.
        command: The command line, for the record.
        progress: Called with (what is done, how far it is, where it ends).

    Raises:
        UserError: A server cannot be started, or does not answer even alone.
    """
    busy = psutil.getloadavg()[0]  # before there is any work of ours
    found: dict[str, Found] = {}
    waits: Waits | None = None
    for name in targets:
        running = contextlib.nullcontext(Address(url)) if url else started(name, pair)
        with running as server:
            found[name] = soaked(name, server, load, progress)
            if name == "app":
                progress("app, newcomers", 0, 1)
                waits = waited(server)
                progress("app, newcomers", 1, 1)
    settings: dict[str, Any] = {"clients": load.clients, "seconds": load.seconds}
    settings |= {"seed": load.seed}
    settings |= {"pair": pair, "leaving": LEAVING, "cores": os.cpu_count(), "load": round(busy, 1)}
    return _record(found, waits, settings, command)


def _record(
    found: Mapping[str, Found], waits: Waits | None, settings: dict[str, Any], command: str
) -> dict[str, Any]:
    device, pair = best_device(), settings["pair"]
    billions = 0.0 if is_laboratory(pair) else pair_state(pair).parameters
    made = provenance(device, usual_dtype(device, billions), command)
    made["versions"] |= {name: metadata.version(name) for name in ("gradio", "fastapi", "uvicorn")}
    return {
        "schema": record.SCHEMA,
        "name": "soak",
        **made,
        "settings": settings,
        "sides": {name: record.side(one) for name, one in found.items()},
        "fairness": record.fair(waits) if waits else None,
        "ratios": record.checks(found, waits),
    }
