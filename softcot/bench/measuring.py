"""How something is measured: in turns, beside what the machine could do at most."""

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil
import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from softcot.thoughts.pair import Pair

MATMUL, COPY = 1024, 2**27
"""Rows of the square matrices, and bytes of the block, that show the machine's ceiling."""

TRIES = 5
"""How often the ceiling is looked for; the best try counts."""

PATIENCE = 0.002
"""Seconds between two looks at a process's memory."""


@dataclass
class Side:
    """One way to do the work, as it was measured."""

    seconds: list[float]
    """Wall-clock time of every round."""
    flops: int = 0
    """Floating-point operations of one round, counted from those that ran."""
    bytes: int = 0
    """Weights that one round reads from memory: all of a model's for each forward pass."""
    extra: dict[str, Any] = field(default_factory=dict)
    """What else is known of it, such as its peak memory."""

    @property
    def median(self) -> float:
        """Median of the seconds."""
        return statistics.median(self.seconds)

    def to_json(self, ceiling: Mapping[str, float]) -> dict[str, Any]:
        """For the record: with the share of the ceiling's operations that it reached."""
        share = self.flops / self.median / ceiling["flops"]
        return {
            "median": self.median,
            "seconds": self.seconds,
            "flops": self.flops,
            "bytes": self.bytes,
            "share_of_ceiling": share,
            **self.extra,
        }


def interleaved(
    work: Mapping[str, Callable[[], Any]],
    rounds: int,
    device: torch.device,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> dict[str, Side]:
    """Time several kinds of work in turns, A B A B, so that a busy machine slows all of them.

    Args:
        work: What to do, by name.
        rounds: Turns of each.
        device: Where it is done; its queue is emptied before a clock is read.
        progress: Called with (name, turns done, turns in all).
    """
    sides = {name: Side([]) for name in work}
    for turn in range(rounds):
        for place, (name, run) in enumerate(work.items()):
            progress(name, turn * len(work) + place, rounds * len(work))
            _settle(device)
            started = time.perf_counter()
            run()
            _settle(device)
            sides[name].seconds.append(time.perf_counter() - started)
    progress("", rounds * len(work), rounds * len(work))
    return sides


def ratio(above: Side, below: Side) -> float:
    """How many times as long the median round of one side takes as that of another."""
    return above.median / below.median


def ceiling(device: torch.device, dtype: torch.dtype) -> dict[str, float]:
    """What the machine does at most.

    Returns:
        "flops" a second in a large matrix product; "bytes" a second, read and written, in a large
        copy.
    """
    matrix = torch.randn(MATMUL, MATMUL, device=device).to(dtype)
    block = torch.zeros(COPY // 4, device=device)
    other = torch.empty_like(block)
    product = min(_seconds(lambda: matrix @ matrix, device) for _ in range(TRIES))
    copy = min(_seconds(lambda: other.copy_(block), device) for _ in range(TRIES))
    return {"flops": 2 * MATMUL**3 / product, "bytes": 2 * COPY / copy}


def count(pair: Pair, run: Callable[[], Any]) -> tuple[int, int]:
    """Floating-point operations of some work, and the bytes of weights it reads.

    Products and attention are counted, forwards and backwards, as they run; what is done to single
    numbers is not. By formula this is 2 x parameters x tokens for a forward pass (embeddings
    aside), as much again for the backward pass of a frozen model, and 4 x width x pairs of
    positions for the attention of each layer.
    """
    read = 0
    models = [pair.base.model, pair.assistant.model]
    sizes = [sum(p.numel() * p.element_size() for p in m.parameters()) for m in models]

    def reader(size: int) -> Callable[..., None]:
        def see(*_: Any) -> None:
            nonlocal read
            read += size

        return see

    hooks = [
        model.base_model.register_forward_pre_hook(reader(size))
        for model, size in zip(models, sizes, strict=True)
    ]
    try:
        with FlopCounterMode(display=False, custom_mapping=_on_a_cpu()) as counted:
            run()
    finally:
        for hook in hooks:
            hook.remove()
    return counted.get_total_flops(), read


@contextmanager
def peak_memory(device: torch.device) -> Iterator[dict[str, int]]:
    """Collect, under "peak_bytes", how much the memory in use rose at most.

    On a GPU that is what its allocator gave out; on a CPU the memory of the process, which a
    process that did something else before may already have had: measure in a new one.
    """
    found = {"peak_bytes": 0}
    if device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        yield found
        found["peak_bytes"] = torch.cuda.max_memory_allocated(device) - before
        return
    process, done = psutil.Process(), threading.Event()
    before = process.memory_info().rss

    def watch() -> None:
        while True:
            rise = process.memory_info().rss - before
            found["peak_bytes"] = max(found["peak_bytes"], rise)
            if done.wait(PATIENCE):
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()


def _seconds(run: Callable[[], Any], device: torch.device) -> float:
    _settle(device)
    started = time.perf_counter()
    run()
    _settle(device)
    return time.perf_counter() - started


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _on_a_cpu() -> dict[Any, Callable[..., int]]:
    """The CPU's own attention kernels, which PyTorch's counter does not know."""

    def forward(query: Any, key: Any, value: Any, *_: Any, **given: Any) -> int:
        return sdpa_flop_count(query, key, value)

    def backward(grad: Any, query: Any, key: Any, value: Any, *_: Any, **given: Any) -> int:
        return 5 * sdpa_flop_count(query, key, value) // 2  # five products against two

    kernels = torch.ops.aten
    return {
        kernels._scaled_dot_product_flash_attention_for_cpu: forward,
        kernels._scaled_dot_product_flash_attention_for_cpu_backward: backward,
    }
