"""Where a GPU's memory ends: what does not fit is done in halves, or refused in a sentence."""

import ctypes
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import torch

from softcot.support.errors import UserError

T = TypeVar("T")
R = TypeVar("R")

LARGE = 8 * 2**20
"""Bytes of a block that the system gives and takes itself."""

M_MMAP_THRESHOLD = -3
"""What `malloc.h` calls that setting."""


class OutOfMemory(UserError):
    """The GPU's memory is too small for what was asked."""

    def __init__(self, advice: str = "ask for fewer samples or a shorter answer, or try again"):
        super().__init__(f"The GPU's memory is too small for this; {advice}.")


TOO_SMALL = (torch.OutOfMemoryError, OutOfMemory)
"""What is raised where it ends: by the library, and by those who tell users."""


@contextmanager
def memory_told() -> Iterator[None]:
    """Say in a sentence that the memory is too small.

    Raises:
        OutOfMemory: It is.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise OutOfMemory from error


def release() -> None:
    """Give back what nobody uses; to be called once the error that holds it is gone."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def give_back_large() -> None:
    """Let large blocks go back to the system as soon as they are freed, where glibc has them.

    Otherwise it keeps blocks of up to 32 MB once one has been freed, and batches of ever other
    sizes leave gaps between them. Smaller ones than `LARGE` come too often to be asked for anew.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(M_MMAP_THRESHOLD, LARGE)


def give_back() -> None:
    """Give all that was freed, and that glibc keeps, back to the system."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def halved(work: Callable[[list[T]], R], items: list[T]) -> list[R]:
    """What `work` gives for some items: for all at once, or for halves of them, in order.

    Raises:
        OutOfMemory: Not even one fits.
    """
    try:
        return [work(items)]
    except TOO_SMALL:
        if len(items) == 1:
            raise OutOfMemory("choose a smaller pair, or --dtype bfloat16") from None
    release()
    middle = len(items) // 2
    return [*halved(work, items[:middle]), *halved(work, items[middle:])]
