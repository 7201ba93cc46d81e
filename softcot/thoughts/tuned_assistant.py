"""A trained assistant: low-rank adapters in the assistant, together with the projection."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import torch
from peft import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file

from softcot.models.language_model import LanguageModel
from softcot.models.model_pair import ModelPair
from softcot.support.errors import UserError
from softcot.thoughts.adapter import adapted
from softcot.thoughts.projection import Projection

CARD = """
# Trained assistant: {task}, pair {pair}

Low-rank adapters (rank {rank}) for every linear layer of the assistant, and one linear layer,
{assistant_width} -> {base_width}, that turns its last states into soft thoughts (fp32,
{parameters:,} parameters together). The base is frozen; the assistant is not.
"""

RANK = 8
"""Of the adapters, as LoRA's in the base."""

PREFIX = "adapter."
"""Begins the names of the adapters' weights."""


class TunedAssistant(Projection):
    """A projection of the states of an assistant that learns too.

    Args:
        assistant_width: Hidden size of the assistant.
        base_width: Hidden size of the base.
        rank: Rank of every adapter, whose output is scaled by 2; with 0 there is none.
        origin: Fields of `softcot.thoughts.checkpoint.Origin`.
    """

    folder = "tuned"
    home = __name__
    method = "trained-assistant"
    own = ("assistant_width", "base_width", "rank")
    tags = ("softcot", "soft-thoughts", "trained-assistant")
    card = CARD
    loading = (
        "from pathlib import Path\n\nfrom softcot import load_pair\n"
        "from {home} import {kind}\n\n"
        'weights = {kind}.load_for(load_pair("{pair}"), Path("folder"))'
    )
    lm: LanguageModel
    """The assistant with its adapters; its own weights are those of the pair's."""

    def __init__(self, assistant_width: int, base_width: int, rank: int = RANK, **origin: Any):
        super().__init__(assistant_width, base_width, **origin)
        self.rank = rank
        self.peft: Any = None

    @classmethod
    def for_pair(
        cls,
        models: ModelPair,
        task: str,
        max_thoughts: int | None = None,
        seed: int = 0,
        rank: int = RANK,
        **own: Any,
    ) -> Self:
        """A random projection, and fresh adapters, which change nothing yet."""
        made = super().for_pair(models, task, max_thoughts, seed, rank=rank, **own)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            made._attach(models.assistant)
        return made

    @classmethod
    def load_for(cls, models: ModelPair, path: Path) -> Self:
        """Read the folder `path` for the models of a pair; see `TrainedWeights.load`."""
        with cls.reading(path):
            file = path / "model.safetensors"
            made = cls(**cls.config(path, file)).to(models.base.device)
            made._attach(models.assistant)
            made.load_state_dict(load_file(file))
            cls.check_finite(made.state_dict().values())
        return made.eval().requires_grad_(False)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """The projection and the adapters: the assistant's own weights are not among them."""
        whole = super().state_dict(*args, **kwargs)
        kept = {name: weight for name, weight in whole.items() if not name.startswith("peft.")}
        if self.peft is None:
            return kept
        adapters = get_peft_model_state_dict(self.peft, save_embedding_layers=False)
        return kept | {f"{PREFIX}{name}": weight for name, weight in adapters.items()}

    def load_state_dict(  # type: ignore[override]  # all of them or none, always copied
        self, state_dict: Mapping[str, torch.Tensor]
    ) -> None:
        """Take over a projection and adapters of the same widths and rank.

        Raises:
            RuntimeError: They are of another shape.
        """
        self.check_shapes(state_dict)
        adapters = {
            n.removeprefix(PREFIX): w for n, w in state_dict.items() if n.startswith(PREFIX)
        }
        own = {n: w for n, w in state_dict.items() if not n.startswith(PREFIX)}
        super().load_state_dict(own, strict=False)
        if self.peft is not None:
            set_peft_model_state_dict(self.peft, adapters)

    def _attach(self, assistant: LanguageModel) -> None:
        self.lm = assistant
        if self.rank:
            self.lm, self.peft = adapted(assistant, self.rank)

    @classmethod
    def _from_pretrained(cls, **given: Any) -> Self:
        raise UserError(
            "A trained assistant needs the assistant that it changes: download the folder and use "
            f"{cls.__name__}.load_for(pair, folder)."
        )
