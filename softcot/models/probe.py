"""Whether a model is served exactly: tried once, when it is loaded, on a few tokens.

Two ways of asking a model are compared with a plain forward pass of a single row: the logits of
its last states, and rows that are padded, repeated, joined and dropped. Families differ in what
they do around their layers, and no list of them is ever complete.
"""

from collections.abc import Iterator, Sequence

import torch
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence
from transformers import DynamicCache
from transformers.cache_utils import DummyLayer, DynamicLayer, DynamicSlidingWindowLayer

from softcot.models.cache import empty_cache, join_cache, keeps_all
from softcot.models.language_model import LanguageModel
from softcot.support.errors import UserError
from softcot.support.reading import reason

TEXT = "Anna has 12 apples and gives 7 of them to Tom."
LENGTH = 4
"""Tokens of it that are read: each costs a large model on a CPU 50 milliseconds and more."""

SOFT = 2
"""Place of a vector that is no token's, as a thought is; what comes before cannot see it."""

SHORT, LATE = SOFT, SOFT - 1
"""Tokens of the shorter row, and of the one that joins."""

KNOWN_LAYERS = {DynamicLayer, DynamicSlidingWindowLayer, DummyLayer}
"""Layers of a cache that hold keys and values of single tokens, or nothing."""

EXACT = 1e-3
"""Largest distance in fp32, where other sums of the same numbers differ by 1e-5 or so."""

ROUNDED = 2e-2
"""The same for rounded weights or activations: one row, computed twice in the same way."""

ROUNDED_BATCH = 0.1
"""For rounded rows of a batch beside the row alone: rounding adds up to 1 or 2 percent."""

ADVICE = "choose a model with ordinary attention, such as one of Llama or Qwen2"


def check_model(lm: LanguageModel, run: bool = True) -> None:
    """Refuse a model that would not be served exactly.

    Args:
        lm: The model, which is asked for a few tokens.
        run: Whether it can be run here; else only its settings are looked at.

    Raises:
        UserError: The model answers otherwise than by itself, or cannot be asked at all.
    """
    try:
        odd = {type(layer) for layer in DynamicCache(config=lm.model.config).layers} - KNOWN_LAYERS
        if odd:
            raise UserError(
                f"{_called(lm)} does not keep plain keys and values of every token "
                f"({_names(odd)}), so its rows cannot be padded and joined here; {ADVICE}."
            )
        if run:
            _check_numbers(lm)
    except UserError:
        raise
    except Exception as error:  # whatever its code says about being asked like this
        raise UserError(
            f"{_called(lm)} cannot be asked as it has to be here ({reason(error)}); {ADVICE}."
        ) from error


@torch.no_grad()
def _check_numbers(lm: LanguageModel) -> None:
    ids = torch.tensor([(lm.prompts.text(TEXT) * LENGTH)[:LENGTH]], device=lm.device)
    embeds = lm.embed(ids)
    embeds[:, SOFT] = embeds.mean(1)
    own = lm.model(inputs_embeds=embeds, use_cache=False).logits[0]
    states = lm.model.base_model(input_ids=ids, use_cache=False).last_hidden_state[0]
    rounded = lm.dtype != torch.float32 or lm.quantize is not None
    if not _distance(lm.logits(states[:SOFT]), own[:SOFT]) <= (ROUNDED if rounded else EXACT):
        raise UserError(
            f"{_called(lm)} does something before its first layer or behind its last one that is "
            f"not known here, so its probabilities would be wrong; {ADVICE}."
        )
    for logits, counts in _batches(lm, embeds[0]):
        expected = own[[count - 1 for count in counts]]
        if not _distance(logits, expected) <= (ROUNDED_BATCH if rounded else EXACT):
            raise UserError(
                f"{_called(lm)} predicts something else in a batch than alone, so its answers "
                f"would be wrong; {ADVICE}."
            )


def _batches(lm: LanguageModel, text: torch.Tensor) -> Iterator[tuple[torch.Tensor, list[int]]]:
    """Read rows that begin like a text, float[T, d], as the decoder does it.

    Yields:
        Logits float32[B, V], and how many vectors each row has read.
    """
    counts = [LENGTH - 1, SHORT]
    cache, mask, logits = _read(lm, [text[:count] for count in counts])
    yield logits, counts
    cache.batch_repeat_interleave(2)
    mask, counts = mask.repeat_interleave(2, dim=0), [count for count in counts for _ in range(2)]
    if keeps_all(cache):
        other, added, logits = _read(lm, [text[:LATE]])
        yield logits, [LATE]
        length = join_cache(cache, [other], LENGTH - 1)
        mask, counts = torch.cat([mask, pad(added, (length - LATE, 0))]), [*counts, LATE]
    kept = torch.tensor([row for row in range(len(mask)) if row != 1], device=lm.device)
    cache.batch_select_indices(kept)
    mask, places = pad(mask[kept], (0, 1), value=1), torch.tensor(counts, device=lm.device)[kept]
    logits = lm.next_logits(text[places][:, None], mask, places[:, None], cache)
    yield logits, [place + 1 for place in places.tolist()]


def _read(
    lm: LanguageModel, rows: Sequence[torch.Tensor]
) -> tuple[DynamicCache, torch.Tensor, torch.Tensor]:
    """What is kept of rows float[T, d], their mask int64[B, T], and next logits float32[B, V]."""
    embeds = pad_sequence(list(rows), True, padding_side="left")
    lengths = torch.tensor([len(row) for row in rows], device=lm.device)
    places = torch.arange(embeds.shape[1], device=lm.device)
    mask = (places >= embeds.shape[1] - lengths[:, None]).long()
    cache = empty_cache(lm)
    logits = lm.next_logits(embeds, mask, (mask.cumsum(1) - 1).clamp(min=0), cache)
    return cache, mask, logits


def _distance(found: torch.Tensor, expected: torch.Tensor) -> float:
    """How far rows of logits, float[B, V], are apart, in units of what tells tokens apart."""
    found, expected = found.float(), expected.float()
    spread = (expected - expected.mean(-1, keepdim=True)).norm(dim=-1)
    return ((found - expected).norm(dim=-1) / spread).max().item()


def _called(lm: LanguageModel) -> str:
    return f"The model {lm.name} ({lm.model.config.model_type})"


def _names(layers: set[type]) -> str:
    return ", ".join(sorted(layer.__name__ for layer in layers))
