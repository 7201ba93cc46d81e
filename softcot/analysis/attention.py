"""How much the tokens of an answer attend to each thought.

Attention says where a head looks, not what it does with what it sees: whether a thought matters is
for the edits and controls to say.
"""

from collections.abc import Sequence

import torch

from softcot.models.batches import PromptEmbeds
from softcot.models.language_model import LanguageModel
from softcot.support.errors import UserError


@torch.no_grad()
def slot_attention(
    lm: LanguageModel, prompt: PromptEmbeds, answer_ids: Sequence[int]
) -> torch.Tensor:
    """The attention weights from each answer token to each thought, after the softmax.

    Row a is that of the position where answer token a is read, which predicts the token after it.
    The whole answer is read at once, as it was written. The weights of one row over all positions
    sum to 1, so those over the slots sum to at most 1.

    Args:
        lm: The base.
        prompt: A single row with K thoughts.
        answer_ids: A token ids, what the base wrote after the prompt.

    Returns:
        float32[L, H, A, K] on the CPU.

    Raises:
        UserError: There is no answer, or the model cannot say where it attends.
    """
    if not len(answer_ids):
        raise UserError("There is no answer to look at; let the base answer first.")
    [slots] = prompt.slot_mask
    answer = torch.tensor([list(answer_ids)], device=lm.device)
    ahead = torch.arange(1, answer.shape[1] + 1, device=lm.device)
    # The one way of attending that keeps the weights, in a twin: others may be using the model.
    eager = lm.twin().model
    eager.set_attn_implementation("eager")
    weights = eager.base_model(
        inputs_embeds=torch.cat([prompt.embeds, lm.embed(answer)], dim=1),
        attention_mask=torch.cat([prompt.attention_mask, torch.ones_like(answer)], dim=1),
        position_ids=torch.cat([prompt.position_ids, prompt.position_ids[:, -1:] + ahead], 1),
        output_attentions=True,
        use_cache=False,
    ).attentions
    places = slots.nonzero()[:, 0]
    if not weights or weights[0] is None:
        raise UserError(f"The model {lm.name} does not give its attention; choose another one.")
    # Layer by layer: only the small part that is asked for leaves the device.
    return torch.stack([layer[0, :, len(slots) :, places].float().cpu() for layer in weights])


def mean_attention(attention: torch.Tensor) -> torch.Tensor:
    """float32[L, H, K]: the mean over the answer tokens of float32[L, H, A, K]."""
    return attention.mean(2)


def slot_share(attention: torch.Tensor) -> torch.Tensor:
    """float32[L, H], 0 to 1: the share that all slots together get of a head's attention.

    Args:
        attention: float32[L, H, A, K]; the share is the mean over the A answer tokens.
    """
    return attention.sum(3).mean(2)
