"""The one place where thoughts enter a prompt."""

import torch


def splice(embeds: torch.Tensor, slot_mask: torch.Tensor, thoughts: torch.Tensor) -> torch.Tensor:
    """Put thoughts into their slots, in a new tensor; gradients reach the thoughts.

    Args:
        embeds: float[B, T, d], the prompt's embeddings.
        slot_mask: bool[B, T], exactly K slots in every row.
        thoughts: float[B, K, d].

    Returns:
        float[B, T, d] in the dtype of `embeds`.
    """
    rows, slots, width = thoughts.shape
    assert embeds.shape == (*slot_mask.shape, width) and len(embeds) == rows
    assert (slot_mask.sum(1) == slots).all(), f"every row must hold exactly {slots} slots"
    return embeds.masked_scatter(slot_mask[..., None], thoughts.to(embeds.dtype))
