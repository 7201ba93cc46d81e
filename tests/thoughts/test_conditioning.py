"""Training in fair coordinates: the same layer, whatever it is written in."""

import copy

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from softcot.thoughts import conditioning
from softcot.thoughts.projection import Projection


def constant_states(n=400, k=3, width=12):
    """States as real assistants have them: one vector, and little beside it."""
    generator = torch.Generator().manual_seed(5)
    mixed = torch.randn(n, k, width, generator=generator) @ torch.diag(torch.logspace(0, -2, width))
    return 50 * torch.ones(width) + mixed


def test_white_states_are_centred_and_of_variance_one():
    states = constant_states()
    white = conditioning.Statistics.of(states).white(states).flatten(0, 1).double()
    torch.testing.assert_close(white.mean(0), torch.zeros(12).double(), atol=2e-3, rtol=0)
    cov = np.cov(white.numpy().T, bias=True)
    # All but the faintest directions, which the ridge keeps from being blown up.
    assert np.sort(np.diag(cov))[2:].min() > 0.95 and np.diag(cov).max() < 1.01
    assert abs(cov - np.diag(np.diag(cov))).max() < 0.01


def test_few_states_do_not_blow_up_what_they_do_not_show():
    few = constant_states(n=2, k=2)
    statistics = conditioning.Statistics.of(few)
    assert statistics.whiten.isfinite().all()
    assert statistics.white(constant_states()).abs().max() < 1e3


def test_a_conditioned_projection_computes_the_same_and_folds_into_a_plain_layer(tmp_path):
    torch.manual_seed(0)
    states, projection = constant_states(), Projection(12, 20, pair="p", task="t")
    before = projection(states)
    projection.condition(states, 0.02)
    torch.testing.assert_close(projection(states), before, atol=1e-3, rtol=1e-3)
    with torch.no_grad():
        for weight in projection.parameters():
            weight += 0.1 * torch.randn_like(weight)
    trained = projection(states)
    projection.fold()
    torch.testing.assert_close(projection(states), trained, atol=1e-3, rtol=1e-3)
    names = ["linear.weight", "linear.bias"]
    assert list(projection.state_dict()) == names
    projection.save(tmp_path / "projection")
    loaded = Projection.load(tmp_path / "projection")
    torch.testing.assert_close(loaded(states), projection(states))


def test_one_step_moves_the_constant_and_the_rest_alike():
    """Of an optimiser that moves every number alike, as Adam's first step does."""
    states, projection = constant_states(), Projection(12, 20)
    before = copy.deepcopy(projection)
    projection.condition(states, 0.02)
    with torch.no_grad():
        for weight in projection.parameters():
            weight += 1e-2 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
    moved = projection(states) - before(states)
    constant = moved.mean((0, 1))
    own = (moved - constant).square().mean().sqrt()
    assert 0.2 < (own / constant.square().mean().sqrt()).item() < 5
    # In the plain coordinates the same step moves all thoughts together.
    plain = copy.deepcopy(before)
    with torch.no_grad():
        plain.linear.weight += 1e-2 * torch.randn(plain.linear.weight.shape)
    moved = plain(states) - before(states)
    constant = moved.mean((0, 1))
    assert (moved - constant).square().mean().sqrt() < 0.05 * constant.square().mean().sqrt()


@pytest.mark.parametrize("seed", [0, 1])
def test_reading_out_is_a_ridge_regression(seed):
    torch.manual_seed(seed)
    states = constant_states()
    targets = torch.tanh(states[..., :5] - 50) + 0.1 * torch.randn(400, 3, 5)
    projection = Projection(12, 5)
    projection.read_out(states, targets)
    rows, wanted = states.flatten(0, 1).double().numpy(), targets.flatten(0, 1).numpy()
    alpha = len(rows) * conditioning.RIDGE * rows.var(0).mean()
    expected = Ridge(alpha=alpha).fit(rows, wanted)
    np.testing.assert_allclose(
        projection(states).detach().flatten(0, 1).numpy(), expected.predict(rows), atol=2e-3
    )
