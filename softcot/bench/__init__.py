"""Speed, measured: the engine against straightforward code, in turns on the same machine."""

from typing import Any

import psutil
import torch

from softcot.bench import (
    columns,
    compare,
    evaluate,
    exact,
    kernels,
    llama,
    reading,
    rounding,
    serve,
    startup,
    train,
    vllm,
)
from softcot.bench.measuring import ceiling
from softcot.bench.records import NAMES, REAL, SCHEMA, SINGLE
from softcot.bench.setting import Setting
from softcot.support.provenance import provenance
from softcot.thoughts.pair import Pair

BENCHES = dict(
    zip(
        (*NAMES, *SINGLE, *REAL),
        (
            *(train, evaluate, compare, startup, serve),
            *(reading, columns, exact, rounding, llama, kernels, vllm),
        ),
        strict=True,
    )
)
"""What can be measured."""


def run(name: str, pair: Pair, setting: Setting, command: str = "") -> dict[str, Any]:
    """Measure one thing and return its record.

    Args:
        name: One of `BENCHES`.
        pair: The two models, as `setting` names them.
        setting: How much, and how often.
        command: The command line, for the record.

    Raises:
        UserError: It cannot be measured here.
    """
    base = pair.base
    busy = psutil.getloadavg()[0]  # before there is any work of ours
    limits = ceiling(base.device, base.dtype)
    found = BENCHES[name].measure(pair, setting)
    settings = {name: getattr(setting, name) for name in ("shape", "task", "rounds", "quick")}
    return {
        "schema": SCHEMA,
        "name": name,
        **provenance(base.device, base.numbers, command),
        "settings": settings
        | {"pair": pair.name, "threads": torch.get_num_threads(), "load": round(busy, 1)}
        | found.settings,
        "ceiling": limits,
        "sides": {side: measured.to_json(limits) for side, measured in found.sides.items()},
        "ratios": found.ratios,
    }
