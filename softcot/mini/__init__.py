"""The laboratory: problem families, an encyclopedia and two language models trained from scratch.

The regime, in one sentence: the base reasons well but has read less, the assistant has read more
but cannot reason in steps. :mod:`softcot.mini.reading` holds the knob that sets how much the base
has read.
"""

from softcot.mini import aqua, asdiv, dates, gsm, strategy
from softcot.mini.family import Family

FAMILIES: tuple[Family, ...] = (
    gsm.FAMILY,
    asdiv.FAMILY,
    aqua.FAMILY,
    strategy.FAMILY,
    dates.FAMILY,
)
"""The five families, in the paper's order of its data sets."""

__all__ = ["FAMILIES", "Family"]
