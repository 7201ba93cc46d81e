"""LoRA's trained weights: low-rank adapters in a base whose own weights are shared and frozen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file

from softcot.models.language_model import LanguageModel
from softcot.models.model_pair import ModelPair
from softcot.support.errors import UserError
from softcot.thoughts.checkpoint import Origin, TrainedWeights

CARD = """
# LoRA adapters: {task}, pair {pair}

Low-rank adapters (rank {rank}, fp32, {parameters:,} parameters) for every linear layer of the base
model, made with `peft`: a baseline of SoftCoT.
"""

COCONUT_CARD = """
# Coconut adapters: {task}, pair {pair}

Low-rank adapters (rank {rank}, fp32, {parameters:,} parameters) for every linear layer of the base
model, made with `peft`: a baseline of SoftCoT. {max_thoughts} of the model's own last states, fed
back one after the other, stand for the rationale's first sentences.
"""


def adapted(lm: LanguageModel, rank: int) -> tuple[LanguageModel, Any]:
    """A twin of a model with fresh adapters in every linear layer, and what `peft` made of it."""
    twin = lm.twin()  # the model itself stays untouched
    config = LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    found: Any = get_peft_model(twin.model, config)
    twin.model = found.get_base_model()
    return twin, found


class Adapter(TrainedWeights):
    """Adapters for every linear layer of a base (Hu et al. 2021, arXiv 2106.09685).

    Args:
        base_width: Hidden size of the base.
        rank: Rank of every adapter; its output is scaled by 2, that is alpha = 2 rank.
        origin: Fields of `softcot.thoughts.checkpoint.Origin`.
    """

    folder = "lora"
    method = "lora"
    own = ("base_width", "rank")
    tags: ClassVar[tuple[str, ...]] = ("lora",)
    card = CARD
    loading = (
        "from pathlib import Path\n\nfrom softcot import {kind}, load_pair\n\n"
        'weights = {kind}.load_for(load_pair("{pair}"), Path("folder"))'
    )

    def __init__(self, base_width: int, rank: int = 8, **origin: Any):
        super().__init__(**origin)
        self.base_width = base_width
        self.rank = rank

    @classmethod
    def for_pair(
        cls,
        models: ModelPair,
        task: str,
        max_thoughts: int | None = None,
        seed: int = 0,
        **own: Any,
    ) -> Self:
        """Fresh adapters, which change nothing yet."""
        k = cls.largest_k(max_thoughts or cls.default_max_thoughts)
        adapter = cls(models.base.width, **Origin.between(models, task, k))
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            adapter._attach(models.base)
        return adapter

    @classmethod
    def largest_k(cls, allowed: int) -> int:
        """Largest K of a training that allows so many: LoRA has no thoughts."""
        return 0

    @classmethod
    def load_for(cls, models: ModelPair, path: Path) -> Self:
        """Read the folder `path` for the models of a pair; see `TrainedWeights.load`."""
        with cls.reading(path):
            file = path / "adapter_model.safetensors"
            adapter = cls(**cls.config(path, file))
            adapter._attach(models.base)
            adapter.load_state_dict(load_file(file))
            cls.check_finite(adapter.state_dict().values())
        return adapter.eval().requires_grad_(False)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """The adapters alone: the base's weights are not its own."""
        return get_peft_model_state_dict(self.peft, save_embedding_layers=False)

    def load_state_dict(  # type: ignore[override]  # all of them or none, always copied
        self, state_dict: Mapping[str, torch.Tensor]
    ) -> None:
        """Take over adapters of the same base and rank.

        Raises:
            RuntimeError: They are of another shape.
        """
        self.check_shapes(state_dict)
        set_peft_model_state_dict(self.peft, dict(state_dict))

    def _attach(self, base: "LanguageModel") -> None:
        self.lm, self.peft = adapted(base, self.rank)
        self.peft.peft_config["default"].base_model_name_or_path = self.pair

    def _save_pretrained(self, save_directory: Path) -> None:
        """The files that `peft` itself would write, so that it can load them too."""
        weights = {name: weight.contiguous() for name, weight in self.state_dict().items()}
        save_file(weights, save_directory / "adapter_model.safetensors", {"format": "pt"})
        self.peft.peft_config["default"].save_pretrained(save_directory)
        self._save_config(save_directory)

    @classmethod
    def _from_pretrained(cls, **given: Any) -> Self:
        raise UserError(
            "Adapters need the base they change: download the folder and use "
            f"{cls.__name__}.load_for(pair, folder)."
        )


class CoconutAdapter(Adapter):
    """The same adapters, trained for Coconut's continuous thoughts."""

    card = COCONUT_CARD
    folder = "coconut"
    method = "coconut"
    tags = ("coconut", "latent-reasoning")
    stages = 3
    """Sentences of the rationale that thoughts may take the place of, at most."""
    per_sentence = 2
    """Thoughts for each of them; 2, as in the paper's arithmetic (arXiv 2412.06769)."""
    default_max_thoughts = per_sentence
    """One sentence: what validation chose on the mini pair."""

    @classmethod
    def largest_k(cls, allowed: int) -> int:
        """Largest K: that of as many whole sentences as that many thoughts are worth.

        Raises:
            UserError: They are not worth one.
        """
        stages = min(cls.stages, allowed // cls.per_sentence)
        if not stages:
            raise UserError(
                f"Coconut takes {cls.per_sentence} thoughts for a sentence; allow it as many."
            )
        return stages * cls.per_sentence
