"""Rows in buffers with room: whatever joins, leaves and grows, every row keeps what was read."""

import random

import pytest
import torch

from softcot.models import cache
from softcot.models.cache import RoomyLayer

HEADS, WIDTH = 2, 3


class Rows:
    """The same rows one by one, float[T, H, d], and the layer that holds them together."""

    def __init__(self, rng: random.Random):
        self.rng, self.count = rng, 0.0
        self.layer, self.rows = self.prompts()

    def drawn(self, tokens: int) -> torch.Tensor:
        """Tokens that no other row has."""
        self.count += 1.0
        return self.count + torch.rand(tokens, HEADS, WIDTH) / 2

    def prompts(self) -> tuple[RoomyLayer, list[torch.Tensor]]:
        """Prompts that were read together, left padded."""
        rows = [self.drawn(self.rng.randint(1, 9)) for _ in range(self.rng.randint(1, 3))]
        longest = max(map(len, rows))
        held = torch.full((len(rows), HEADS, longest, WIDTH), 777.0)  # padding is anything
        for place, row in zip(held, rows, strict=True):
            place[:, longest - len(row) :] = row.transpose(0, 1)
        layer = RoomyLayer()
        layer.update(held, -held)
        return layer, rows

    def join(self) -> None:
        found = [self.prompts() for _ in range(self.rng.randint(1, 2))]
        self.rows += [row for _, rows in found for row in rows]
        longest = max(map(len, self.rows))
        length = self.layer.join([layer for layer, _ in found], longest)
        assert length == self.layer.get_seq_length() >= longest

    def leave(self) -> None:
        kept = self.rng.sample(range(len(self.rows)), self.rng.randint(1, len(self.rows)))
        self.rows = [self.rows[row] for row in kept]
        self.layer.batch_select_indices(torch.tensor(kept))

    def write(self) -> None:
        new = [self.drawn(1) for _ in self.rows]
        self.rows = [torch.cat(both) for both in zip(self.rows, new, strict=True)]
        states = torch.stack(new).transpose(1, 2)
        self.layer.update(states, -states)

    def check(self) -> None:
        for held, sign in ((self.layer.keys, 1), (self.layer.values, -1)):
            assert len(held) == len(self.rows) and held.isfinite().all()
            for found, row in zip(held, self.rows, strict=True):
                assert torch.equal(found[:, -len(row) :], sign * row.transpose(0, 1))


@pytest.mark.parametrize("room", [0, 1, 6, 64])
@torch.inference_mode()
def test_every_row_keeps_what_was_read(monkeypatch, room):
    monkeypatch.setattr(cache, "ROOM", room)
    for seed in range(40):
        rng = random.Random(seed)
        held = Rows(rng)
        for _ in range(30):
            rng.choice([held.write, held.write, held.join, held.leave])()
            held.check()


@torch.inference_mode()
def test_rows_join_and_leave_without_a_copy_of_the_others():
    held = Rows(random.Random(1))
    for _ in range(12):
        held.join()
    place = held.layer.keys.data_ptr()
    for _ in range(20):
        held.write()
        gone = held.rows.pop(0)
        held.layer.batch_select_indices(torch.arange(1, len(held.rows) + 1))
        other, [row] = RoomyLayer(), [held.drawn(len(gone))]
        other.update(*2 * [row.transpose(0, 1)[None]])
        other.values = -other.values
        held.rows.append(row)
        held.layer.join([other], max(map(len, held.rows)))
        held.check()
    assert held.layer.keys.data_ptr() == place
