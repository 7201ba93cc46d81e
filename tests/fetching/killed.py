"""Fetches the model whose pickle it reads, and kills itself: `killed.py STAGE COUNT`."""

import os
import pickle
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from softcot.fetching import MODELS, Fetching, fetch_pair  # noqa: E402


def main(stage: str, count: int) -> None:
    model = pickle.load(sys.stdin.buffer)
    MODELS[model.name] = model
    seen = 0

    def watch(state: Fetching) -> None:
        nonlocal seen
        seen += state.stage == stage
        if seen == count:
            os.kill(os.getpid(), signal.SIGKILL)

    fetch_pair(model.name, watch)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
