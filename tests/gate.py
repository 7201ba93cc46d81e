"""Steps of all decoders, one at a time: how much is computed after somebody has gone."""

import threading
import time

from softcot.decoding.decoder import Decoder


class Gate:
    """Lets a model write a token only when it is told to."""

    def __init__(self, monkeypatch):
        self.steps = 0
        self.allowed = threading.Semaphore(0)
        self.opened = False
        step = Decoder.step

        def gated(decoder):
            if decoder.open and not self.opened:
                self.allowed.acquire()
            self.steps += bool(decoder.open)
            step(decoder)

        monkeypatch.setattr(Decoder, "step", gated)

    def let(self, steps: int) -> None:
        """Allow so many, and wait until they have begun."""
        wanted = self.steps + steps
        self.allowed.release(steps)
        until(lambda: self.steps >= wanted)

    def open(self) -> None:
        """Allow all that anybody still wants."""
        self.opened = True
        self.allowed.release(1000)


def until(true, seconds=60.0):
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)
