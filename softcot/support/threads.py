"""How a program's threads share the cores with whatever else runs on the machine."""

import os

WAITING = "OMP_WAIT_POLICY"
"""OpenMP's own variable; the library reads it once, when torch is loaded."""


def share_cores() -> None:
    """Let threads that wait for one another sleep, unless the user decided it.

    By default they spin, which on an idle machine saves a little of each step. Beside a single
    busy process on the same cores, though, a spinning thread keeps from its core the one that it
    waits for, and a step takes many times as long.
    """
    os.environ.setdefault(WAITING, "PASSIVE")
