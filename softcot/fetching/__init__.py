"""Real pretrained models: fetched with a checked hash, converted once, and kept in a cache.

Nothing here imports a model library; what has to, to convert a file, is a process of its own.
"""

from softcot.fetching.catalogue import MODELS, GgufModel
from softcot.fetching.pairs import PairState, fetch_pair, pair_state, remove_pair
from softcot.fetching.reporting import Fetching
from softcot.fetching.store import cache_root, fetched_folder

__all__ = [
    "MODELS",
    "Fetching",
    "GgufModel",
    "PairState",
    "cache_root",
    "fetch_pair",
    "fetched_folder",
    "pair_state",
    "remove_pair",
]
"""What the other rooms name."""
