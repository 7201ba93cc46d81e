"""The mini pair's problem families and their encyclopedia, written by this project.

The regime, in one sentence: the base reasons well but has read less, the assistant has read more
but cannot reason in steps. `softcot.data.families.reading` holds the knob that sets how much the
base has read.
"""

from softcot.data.families import aqua, asdiv, dates, gsm, strategy
from softcot.data.families.family import Family

FAMILIES: tuple[Family, ...] = (
    gsm.FAMILY,
    asdiv.FAMILY,
    aqua.FAMILY,
    strategy.FAMILY,
    dates.FAMILY,
)
"""The five families, in the paper's order of its data sets."""

__all__ = ["FAMILIES", "Family"]
