"""What a model makes of its backbone's last states: scaled and capped as its own code does it.

There is no rule for that: some families multiply by a setting that others divide by, some scale
before the head and some after it. So the model's own forward pass runs, with the states that are
known in the place of its backbone.
"""

import copy
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPast


def own_logits(model: Any, states: torch.Tensor) -> torch.Tensor:
    """A causal model's logits float[..., V] of last-layer states float[..., d]."""
    rows = states.reshape(1, -1, states.shape[-1])
    head = copy.copy(model)  # the same weights; only what stands in for the backbone is new
    head._modules = {**model._modules, model.base_model_prefix: _Known(model.base_model, rows)}
    logits = type(model).forward(head, inputs_embeds=rows, use_cache=False).logits
    return logits.reshape(*states.shape[:-1], logits.shape[-1])


class _Known:
    """Stands in for a backbone, or for the part of it that is run, and gives known states."""

    def __init__(self, backbone: Any, states: torch.Tensor):
        self._backbone, self._states = backbone, states

    def __call__(self, *args: Any, **options: Any) -> "_Output":
        return _Output(last_hidden_state=self._states)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._backbone, name)
        return self if isinstance(found, PreTrainedModel) else found


class _Output(BaseModelOutputWithPast):
    """An output that has nothing but its states, whatever else is asked of it."""

    def __getattr__(self, name: str) -> None:
        return None
