"""In which numbers a model is kept: what was asked for, or what is quick on this device."""

import time
from functools import cache
from typing import Literal, get_args

import torch
from torch.nn.functional import linear

DType = Literal["float32", "bfloat16"]

DTYPES: tuple[DType, ...] = get_args(DType)
"""What `--dtype` takes beside `auto`."""

SMALL = 0.1
"""Parameters, in units of 10^9, below which a CPU gains nothing from bf16: fp32 is exact there."""

CLEAR = 1.2
"""How many times as fast bf16 must be on a CPU, for it may change a word here and there."""

WIDTHS = (896, 4864)
"""Of the product that is timed: the widest layer of a decoder of half a billion parameters."""

ROWS = (1, 8)
"""Tokens of it: a word that is written, and a prompt that is read."""

TRIES = 4
"""How often each is timed; the best try counts."""


def usual_dtype(device: torch.device, billions: float | None = None) -> DType:
    """What weights are kept in where nobody chose: bf16 on a GPU, on a CPU where that is faster.

    Args:
        device: Where the model will be.
        billions: Parameters in units of 10^9 of all that is loaded; None where nobody knows.
    """
    if device.type == "cuda":
        return "bfloat16"
    if device.type != "cpu" or (billions is not None and billions < SMALL):
        return "float32"
    return "bfloat16" if bf16_gain() >= CLEAR else "float32"


@cache
def bf16_gain() -> float:
    """How many times as fast this CPU multiplies in bf16 as in fp32, tried once for a process.

    What the CPU says of itself is not asked: a library may not use it, and a host may hide it.
    A single core is asked, which is less disturbed by what else the machine does.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _gain()
    finally:
        torch.set_num_threads(threads)


def _gain() -> float:
    weights = {dtype: torch.full(WIDTHS[::-1], 0.01).to(dtype) for dtype in _KINDS}
    taken = dict.fromkeys(_KINDS, 0.0)
    for rows in ROWS:
        given = {dtype: torch.ones(rows, WIDTHS[0], dtype=dtype) for dtype in _KINDS}
        best = dict.fromkeys(_KINDS, float("inf"))
        for turn in range(TRIES + 1):
            for dtype in _KINDS:
                seconds = _seconds(given[dtype], weights[dtype])
                if turn:  # the first one also makes the kernel
                    best[dtype] = min(best[dtype], seconds)
        for dtype in _KINDS:
            taken[dtype] += best[dtype]
    return taken[torch.float32] / taken[torch.bfloat16]


_KINDS = (torch.float32, torch.bfloat16)


@torch.inference_mode()
def _seconds(given: torch.Tensor, weight: torch.Tensor) -> float:
    started = time.perf_counter()
    linear(given, weight)
    return time.perf_counter() - started
