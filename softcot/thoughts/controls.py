"""What to put in the place of a question's own thoughts, to see whether they matter."""

import torch

from softcot.support.errors import UserError

CONTROLS = ("none", "swap", "shuffle", "mean", "noise", "zero", "untrained")
"""none: the question's own thoughts. swap: another question's. shuffle: in another order.
mean: the average thought of each slot. noise: Gaussian, each slot keeping its norm. zero: zeros.
untrained: what the method gives with random weights; the method sees to that one itself.
"""

SEEDED = ("swap", "shuffle", "noise", "untrained")
"""Those that a seed decides."""


def check_control(name: str) -> None:
    """Raise a `UserError` when no control has this name."""
    if name not in CONTROLS:
        raise UserError(
            f"There is no control called {name!r}; choose one of: {', '.join(CONTROLS)}."
        )


def apply_control(
    name: str,
    thoughts: torch.Tensor,
    *,
    generator: torch.Generator | None = None,
    donor: torch.Tensor | None = None,
    mean: torch.Tensor | None = None,
) -> torch.Tensor:
    """Replace thoughts; the tensor that comes in is never changed.

    Args:
        name: One of `CONTROLS`.
        thoughts: float[B, K, d_base], the questions' own.
        generator: A CPU generator, needed by shuffle and noise.
        donor: float[B, K, d_base], other questions' thoughts, needed by swap.
        mean: float[K, d_base], needed by mean.

    Returns:
        float[B, K, d_base].
    """
    check_control(name)
    assert name != "untrained", "only the method itself can make random weights"
    if name == "none":
        return thoughts
    if name == "swap":
        assert donor is not None and donor.shape == thoughts.shape
        return donor.clone()
    if name == "mean":
        assert mean is not None and mean.shape == thoughts.shape[1:]
        return mean.expand_as(thoughts).clone()
    if name == "zero":
        return torch.zeros_like(thoughts)
    # The draws are made on the CPU: the same seed gives the same control on every device.
    assert generator is not None
    if name == "shuffle":
        order = torch.rand(thoughts.shape[:2], generator=generator).argsort(dim=1)
        return thoughts.gather(1, order.to(thoughts.device)[..., None].expand_as(thoughts))
    noise = torch.randn(thoughts.shape, generator=generator).to(thoughts)
    return noise * (thoughts.norm(dim=-1, keepdim=True) / noise.norm(dim=-1, keepdim=True))
