"""Prompts as the rows of a batch: padded tensors, before and after thoughts are spliced in."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch.nn.utils.rnn import pad_sequence

from softcot.prompts.builder import Prompt


@dataclass
class Batch:
    """Prompts of one model as rows of equal length; every tensor is [B, T]."""

    input_ids: torch.Tensor
    """int64 token ids."""
    attention_mask: torch.Tensor
    """int64, 1 on tokens and 0 on padding."""
    slot_mask: torch.Tensor
    """bool, True where a thought is read or spliced in."""
    labels: torch.Tensor
    """int64 ids that training grades, -100 elsewhere."""
    position_ids: torch.Tensor
    """int64 positions that start at 0 on each row's first token."""


def collate(
    prompts: Sequence[Prompt],
    pad_id: int,
    side: Literal["left", "right"],
    device: str | torch.device = "cpu",
) -> Batch:
    """Pad prompts on one side into a batch."""

    def pad(rows: Sequence[Sequence[int]], value: int) -> torch.Tensor:
        tensors = [torch.tensor(row) for row in rows]
        padded = pad_sequence(tensors, True, value, padding_side=side)
        return padded.to(device)

    ids = [prompt.ids for prompt in prompts]
    mask = pad([[1] * len(prompt) for prompt in prompts], 0)
    graded = [
        [i if on else -100 for i, on in zip(prompt.ids, prompt.loss_mask, strict=True)]
        for prompt in prompts
    ]
    return Batch(
        input_ids=pad(ids, pad_id),
        attention_mask=mask,
        slot_mask=pad([prompt.slot_mask for prompt in prompts], False),
        labels=pad(graded, -100),
        position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
    )


@dataclass
class PromptEmbeds:
    """Prompts of the base model, left padded, ready to be decoded."""

    embeds: torch.Tensor
    """float[B, T, d_base], in the dtype of the base."""
    attention_mask: torch.Tensor
    """int64[B, T], 1 on tokens and 0 on padding."""
    position_ids: torch.Tensor
    """int64[B, T], starting at 0 on each row's first token."""
    slot_mask: torch.Tensor
    """bool[B, T], True where a thought stands."""
    prompt_tokens: list[int]
    """Length of each row without padding."""
    hashes: list[str]
    """First 16 hex digits of the SHA-256 of each row's token ids, slots included."""
    passes: list[int]
    """Forward passes one after another that it took to make each row."""
    shared: tuple[int, ...] = ()
    """Token ids that every row begins with and goes on after, no slot among them."""
    ids: list[tuple[int, ...]] | None = None
    """Each row's token ids without padding; what stands at a slot means nothing. None where a row's
    vectors are not those of tokens."""

    @classmethod
    def of(
        cls, batch: Batch, embeds: torch.Tensor, passes: Sequence[int] | None = None
    ) -> "PromptEmbeds":
        """A left-padded batch with its embeddings, float[B, T, d]."""
        kept = list(zip(batch.input_ids, batch.attention_mask.bool(), strict=True))
        rows = [tuple(ids[mask].tolist()) for ids, mask in kept]
        slots = [mask[own].tolist() for mask, (_, own) in zip(batch.slot_mask, kept, strict=True)]
        starts = [row.index(True) if True in row else len(row) - 1 for row in slots]
        texts = [json.dumps(row).encode() for row in rows]
        return cls(
            embeds=embeds,
            attention_mask=batch.attention_mask,
            position_ids=batch.position_ids,
            slot_mask=batch.slot_mask,
            prompt_tokens=batch.attention_mask.sum(1).tolist(),
            hashes=[hashlib.sha256(text).hexdigest()[:16] for text in texts],
            passes=[0] * len(embeds) if passes is None else list(passes),
            shared=rows[0][: min(common_length(rows), *starts)],
            ids=rows,
        )


def common_length(rows: Sequence[tuple[int, ...]]) -> int:
    """How many tokens all rows begin with."""
    first, last = min(rows), max(rows)  # in this order the extremes part the earliest
    same = (a == b for a, b in zip(first, last, strict=False))
    return next((i for i, equal in enumerate(same) if not equal), min(len(first), len(last)))


def join(prompts: Sequence[PromptEmbeds]) -> PromptEmbeds:
    """Stack the rows of several `PromptEmbeds` into one, left padded to the longest."""

    def stack(tensors: list[torch.Tensor]) -> torch.Tensor:
        rows = [row.flip(0) for tensor in tensors for row in tensor]
        return pad_sequence(rows, batch_first=True).flip(1)

    known = [prompt.ids for prompt in prompts if prompt.ids is not None]
    return PromptEmbeds(
        embeds=stack([prompt.embeds for prompt in prompts]),
        attention_mask=stack([prompt.attention_mask for prompt in prompts]),
        position_ids=stack([prompt.position_ids for prompt in prompts]),
        slot_mask=stack([prompt.slot_mask for prompt in prompts]),
        prompt_tokens=[n for prompt in prompts for n in prompt.prompt_tokens],
        hashes=[digest for prompt in prompts for digest in prompt.hashes],
        passes=[n for prompt in prompts for n in prompt.passes],
        shared=prompts[0].shared[: common_length([prompt.shared for prompt in prompts])],
        ids=[row for rows in known for row in rows] if len(known) == len(prompts) else None,
    )
