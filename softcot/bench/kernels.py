"""Which products would be quicker: all linear layers of a step, in every way that torch has.

Some of the ways are exact up to rounding (`packed`); the others round the weights to 8 or 4 bits,
and are measured to know what exactness costs. One core is used, and the best of several tries
counts, so that a machine that does other things too gives nearly the same figures.
"""

import time
from collections import Counter
from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import linear

from softcot.bench.measuring import Side
from softcot.bench.setting import Found, Setting
from softcot.models.language_model import LanguageModel
from softcot.support.errors import UserError
from softcot.support.text import counted
from softcot.thoughts.pair import Pair

ROWS = (1, 2, 16)
TRIES, LARGE_TRIES = 30, 6
"""Tries of a layer, and of one that takes too long for so many."""
LARGE = 10**8
"""Weights of a layer that takes long: a language head of a large vocabulary."""
GROUP = 32
"""Weights that share a scale where they have 4 bits."""

Product = Callable[[], torch.Tensor]


def measure(pair: Pair, setting: Setting) -> Found:
    """Time the products of the base's layers with random weights of their shapes.

    Raises:
        UserError: The base is on a GPU, for which these ways are not.
    """
    if pair.base.device.type != "cpu":
        raise UserError("`bench kernels` tries what a CPU can do; measure it on one.")
    shapes = layers(pair.base)
    tried: dict[str, list[float]] = {}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for done, (shape, count) in enumerate(shapes.items()):
            setting.progress("kernels", done, len(shapes))
            for name, seconds in _timed(shape, setting.quick).items():
                tried.setdefault(name, []).append(count * seconds)
    finally:
        torch.set_num_threads(threads)
    setting.progress("kernels", len(shapes), len(shapes))
    # A way that cannot do one of the shapes is left out.
    sides = {n: Side([sum(parts)]) for n, parts in tried.items() if len(parts) == len(shapes)}
    ratios = [
        {
            "what": f"Products of a step of {counted(rows, 'row')} on one core, bfloat16's "
            f"time against that of {way}",
            "value": sides[_name("bfloat16", rows)].median / sides[_name(way, rows)].median,
            "goal": None,
            "better": "more",
        }
        for rows in ROWS
        for way in WAYS
        if way != "bfloat16" and _name(way, rows) in sides
    ]
    return Found(sides, ratios, {"cores": 1})


def layers(lm: LanguageModel) -> Counter[tuple[int, int]]:
    """How many linear layers of each shape, (out, in), a model has."""
    found = (m for m in lm.model.modules() if isinstance(m, nn.Linear))
    return Counter((m.out_features, m.in_features) for m in found)


@torch.inference_mode()
def _timed(shape: tuple[int, int], quick: bool) -> dict[str, float]:
    """Seconds of one layer by way and rows."""
    weight, found = 0.02 * torch.randn(shape), {}
    tries = 1 if quick else LARGE_TRIES if weight.numel() > LARGE else TRIES
    for way, prepare in WAYS.items():
        try:
            product = prepare(weight)
            for rows in ROWS:
                given = torch.randn(rows, shape[1])
                found[_name(way, rows)] = _best(product(given), tries)
        except (RuntimeError, NotImplementedError, AttributeError):
            continue  # this build of torch, or this CPU, has no such product
    return found


def _best(run: Product, tries: int) -> float:
    run()  # the first one also makes the kernel
    best = float("inf")
    for _ in range(tries):
        started = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - started)
    return best


def _name(way: str, rows: int) -> str:
    return f"{way}, {counted(rows, 'row')}"


def _float32(weight: torch.Tensor) -> Callable[[torch.Tensor], Product]:
    return lambda given: lambda: linear(given, weight)


def _bfloat16(weight: torch.Tensor) -> Callable[[torch.Tensor], Product]:
    weight = weight.bfloat16()

    def product(given: torch.Tensor) -> Product:
        given = given.bfloat16()
        return lambda: linear(given, weight)

    return product


def _packed(weight: torch.Tensor) -> Callable[[torch.Tensor], Product]:
    """Laid out once as oneDNN reads it fastest; the weights are in memory twice."""
    ops = torch.ops.mkldnn
    laid = ops._reorder_linear_weight(weight.bfloat16(), max(ROWS))

    def product(given: torch.Tensor) -> Product:
        given = given.bfloat16()
        return lambda: ops._linear_pointwise(given, laid, None, "none", [], "")

    return product


def _int8(weight: torch.Tensor) -> Callable[[torch.Tensor], Product]:
    scale = weight.abs().amax(1) / 127
    rounded, scale = (weight / scale[:, None]).round().to(torch.int8), scale.bfloat16()

    def product(given: torch.Tensor) -> Product:
        given = given.bfloat16()
        return lambda: torch.ops.aten._weight_int8pack_mm(given, rounded, scale)

    return product


def _int4(weight: torch.Tensor) -> Callable[[torch.Tensor], Product]:
    ops, (out, width) = torch.ops.aten, weight.shape
    numbers = torch.randint(0, 16, (out, width), dtype=torch.int32)
    laid = ops._convert_weight_to_int4pack_for_cpu(numbers, 1)
    scales = torch.rand(width // GROUP, out, 2).bfloat16()

    def product(given: torch.Tensor) -> Product:
        given = given.bfloat16()
        return lambda: ops._weight_int4pack_mm_for_cpu(given, laid, GROUP, scales)

    return product


WAYS = {
    "float32": _float32,
    "bfloat16": _bfloat16,
    "packed bfloat16": _packed,
    "8-bit weights": _int8,
    "4-bit weights": _int4,
}
"""What is tried: a function that prepares a weight, float32[out, in], and gives its product."""
