"""A second pair for tests of the page: two tiny models of a real family, under a real name."""

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from families import save_model

from softcot import fetching
from softcot.fetching import Fetching
from softcot.support import presets
from softcot.web import residents

NAME = "qwen2.5-coder-0.5b"
"""The pair that is here, or can be fetched, as a test wants."""

FAR = "qwen2.5-coder-1.5b"
"""One that is never here."""


class Warehouse:
    """Stands for `softcot.fetching`: what is here, and a fetching that a test lets go on."""

    def __init__(self) -> None:
        self.here = {"mini", NAME}
        self.go_on = threading.Event()
        self.go_on.set()
        self.fetched: list[str] = []
        self.parameters = 0.001

    def pair_state(self, name: str) -> fetching.PairState:
        """Everything is as small as can be, but for what it says of itself."""
        facts = {
            "here": name in self.here,
            "download_bytes": 600_000_000,
            "disk_bytes": 10**9,
            "parameters": self.parameters,
            "licence": "Apache-2.0",
            "fetchable": True,
        }
        names = {field.name for field in dataclasses.fields(fetching.PairState)}
        return fetching.PairState(**{key: facts[key] for key in names & facts.keys()})

    def fetch_pair(self, name, progress, should_stop) -> None:
        """Half of it at once, the rest when the test says so."""
        self.fetched.append(name)
        progress(Fetching("downloading", "model.gguf", 50, 100))
        while not (self.go_on.wait(0.05) or should_stop()):
            pass
        if not should_stop():
            self.here.add(name)


@contextmanager
def second_pair(folder: Path) -> Iterator[Warehouse]:
    """While it is open, the pair `NAME` is two tiny models in a folder, and nothing is fetched."""
    places = []
    for name, width in (("base", 32), ("assistant", 16)):
        places.append(folder / name)
        if not places[-1].is_dir():
            save_model("qwen2", places[-1], width, seed=width)
    made = presets.PairPreset(NAME, *places, trained=folder / "none", source="", prompts="chat")
    warehouse = Warehouse()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(presets.PRESETS, NAME, made)
        patch.setitem(presets.PRESETS, FAR, dataclasses.replace(made, name=FAR))
        patch.setattr(residents.fetching, "pair_state", warehouse.pair_state)
        patch.setattr(residents.fetching, "fetch_pair", warehouse.fetch_pair)
        yield warehouse
