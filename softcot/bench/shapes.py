"""Pairs to measure on: one that is there, or one of random weights in the sizes of a real one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen2Config

from softcot.models.language_model import LanguageModel, best_device
from softcot.models.loading import ModelSource, check_memory, known_billions
from softcot.models.precision import DType, usual_dtype
from softcot.support.errors import UserError
from softcot.support.presets import get_preset
from softcot.thoughts.pair import Pair, load_pair

QWEN: dict[str, Any] = {"max_position_embeddings": 4096, "rope_theta": 1e6, "rms_norm_eps": 1e-6}


@dataclass(frozen=True)
class Shape:
    """Sizes of two models; fields of a `Qwen2Config`."""

    base: dict[str, Any]
    assistant: dict[str, Any]
    on_cpu: bool = False
    """Whether it is small enough for a CPU."""


SHAPES = {
    "qwen2.5-7b": Shape(
        base={
            "hidden_size": 3584,
            "intermediate_size": 18944,
            "num_hidden_layers": 28,
            "num_attention_heads": 28,
            "num_key_value_heads": 4,
            "vocab_size": 152064,
        },
        assistant={
            "hidden_size": 1536,
            "intermediate_size": 8960,
            "num_hidden_layers": 28,
            "num_attention_heads": 12,
            "num_key_value_heads": 2,
            "vocab_size": 151936,
            "tie_word_embeddings": True,
        },
    ),
    "tiny": Shape(
        base={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "vocab_size": 4096,
        },
        assistant={
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "vocab_size": 4096,
        },
        on_cpu=True,
    ),
}
"""What `--shape` takes."""


def random_pair(name: str, device: torch.device | None = None, dtype: DType | None = None) -> Pair:
    """A pair of random models of a shape, with the tokenizers of the pair `mini`.

    Args:
        name: One of `SHAPES`.
        device: The best one by default.
        dtype: What their numbers are kept in; by default as `load_pair` chooses it.

    Raises:
        UserError: There is no such shape, it does not fit, or it is too large for a CPU.
    """
    if name not in SHAPES:
        raise UserError(f"There is no shape {name!r}; choose one of: {', '.join(SHAPES)}.")
    shape, device = SHAPES[name], device or best_device()
    if device.type == "cpu" and not shape.on_cpu:
        raise UserError(f"The shape {name} needs a GPU; on a CPU measure with --shape tiny.")
    mini = get_preset("mini")
    sides = {"base": (mini.base, shape.base), "assistant": (mini.assistant, shape.assistant)}
    configs = {side: Qwen2Config(**QWEN, **sizes) for side, (_, sizes) in sides.items()}
    sources = [ModelSource(side, billions=_billions(config)) for side, config in configs.items()]
    dtype = dtype or usual_dtype(device, known_billions(sources))
    check_memory(name, sources, device, dtype=dtype)
    base, assistant = (
        _random_model(configs[side], place, f"{name} {side}", device, dtype)
        for side, (place, _) in sides.items()
    )
    return Pair(f"random {name}", base, assistant, trained={})


def get_pair(options: dict[str, Any], shape: str | None) -> Pair:
    """The pair that `load_pair` loads, or a random one where a shape is named."""
    return load_pair(**options) if shape is None else random_pair(shape, dtype=options.get("dtype"))


def _billions(config: Qwen2Config) -> float:
    """Parameters of a model in units of 10^9, from its sizes alone."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    return sum(p.numel() for p in model.parameters()) / 1e9


def _random_model(
    config: Qwen2Config, tokenizer: str | Path, name: str, device: torch.device, dtype: DType
) -> LanguageModel:
    torch.manual_seed(0)
    with device:
        model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
    found = AutoTokenizer.from_pretrained(tokenizer)
    return LanguageModel.of(model.eval().requires_grad_(False), found, name=name)
