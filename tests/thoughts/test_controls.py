"""Controls: each changes what it says, and nothing in place."""

import pytest
import torch

from softcot.support.errors import UserError
from softcot.thoughts.controls import CONTROLS, apply_control, check_control

THOUGHTS = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(99))


def control(name, seed=0, **given):
    generator = torch.Generator().manual_seed(seed)
    return apply_control(name, THOUGHTS, generator=generator, **given)


@pytest.mark.parametrize("name", CONTROLS[:-1])
def test_no_control_changes_its_input(name):
    before = THOUGHTS.clone()
    changed = control(name, donor=torch.ones(3, 5, 8), mean=torch.ones(5, 8))
    assert torch.equal(THOUGHTS, before)
    assert changed.shape == THOUGHTS.shape and changed.dtype == THOUGHTS.dtype
    if name != "none":
        assert changed.data_ptr() != THOUGHTS.data_ptr()


def test_none_swap_mean_zero():
    donor, mean = torch.randn(3, 5, 8), torch.randn(5, 8)
    assert torch.equal(control("none"), THOUGHTS)
    assert torch.equal(control("swap", donor=donor), donor)
    assert torch.equal(control("mean", mean=mean), torch.stack([mean] * 3))
    assert not control("zero").any()


def test_shuffle_reorders_the_slots_of_each_row():
    shuffled = control("shuffle")
    for row, old in zip(shuffled, THOUGHTS, strict=True):
        order = torch.cdist(row[None], old[None])[0].argmin(1)
        assert sorted(order.tolist()) == list(range(5))
        assert torch.equal(row, old[order])
    assert not torch.equal(shuffled, THOUGHTS)


def test_noise_keeps_every_norm_and_loses_the_direction():
    noise = control("noise")
    torch.testing.assert_close(noise.norm(dim=-1), THOUGHTS.norm(dim=-1))
    assert torch.cosine_similarity(noise, THOUGHTS, dim=-1).abs().mean() < 0.6


@pytest.mark.parametrize("name", ["shuffle", "noise"])
def test_seeds_decide(name):
    assert torch.equal(control(name, seed=1), control(name, seed=1))
    assert not torch.equal(control(name, seed=1), control(name, seed=2))


def test_unknown_control_is_refused_with_the_names():
    with pytest.raises(UserError, match="'swop'.*none, swap, shuffle"):
        check_control("swop")
    with pytest.raises(UserError, match="swop"):
        control("swop")


@pytest.mark.parametrize("given", [{}, {"donor": torch.ones(3, 4, 8)}, {"mean": torch.ones(4, 8)}])
def test_missing_or_misshapen_material_is_a_mistake(given):
    with pytest.raises(AssertionError):
        control("mean" if "mean" in given else "swap", **given)
