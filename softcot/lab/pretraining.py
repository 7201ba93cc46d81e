"""Pre-training: makes the two models of the mini pair again from nothing."""

from __future__ import annotations

import hashlib
import json
import math
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset
from tqdm import tqdm
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from softcot.data.families import FAMILIES
from softcot.data.families.reading import EVERYTHING, SHIPPED_FRACTION
from softcot.data.lexicon import Lexicon
from softcot.lab.cards import write_model_card
from softcot.lab.corpus import (
    ASSISTANT_WEIGHTS,
    BASE_WEIGHTS,
    AssistantAuthor,
    BaseAuthor,
    Document,
    plain_texts,
)
from softcot.lab.lexicon import Gatherer
from softcot.lab.tokenizer import train_tokenizer
from softcot.prompts.builder import PromptBuilder
from softcot.support.errors import UserError
from softcot.support.files import replacing, write_json
from softcot.support.reading import as_object, read_object, reason

Role = Literal["base", "assistant"]

SETTINGS = "pretraining.json"
"""The file of a model's folder that says how it was made."""

POOL = 32
"""Batches drawn together and sorted by length, so that a batch holds documents of one length."""


@dataclass(frozen=True)
class PretrainingConfig:
    """How one model of the pair is made."""

    role: Role
    steps: int
    """Optimiser steps."""
    width: int
    layers: int
    heads: int
    batch_size: int = 48
    """Documents a step."""
    learning_rate: float = 2e-3
    """Peak; linear warm-up, then cosine decay to a fiftieth."""
    warmup: int = 100
    """Steps."""
    fraction: float = SHIPPED_FRACTION
    """How much of the situations and facts the base has read."""
    families: tuple[str, ...] = tuple(family.name for family in FAMILIES)
    """What it is taught."""
    vocabulary: int = 3000
    """Tokens; words that are seldom, such as names, are written in pieces."""
    context: int = 512
    """Tokens."""
    seed: int = 1


ASSISTANT = PretrainingConfig(
    "assistant", 3600, width=128, layers=4, heads=4, batch_size=128, fraction=EVERYTHING, seed=2
)
SMALL_BASE = PretrainingConfig(
    "base", 1200, width=128, layers=4, heads=4, batch_size=64, families=("mini-gsm", "mini-asdiv")
)
"""For the experiment on reading, which asks for a base at each of several settings."""

CONFIGS: dict[str, tuple[PretrainingConfig, ...]] = {
    "mini": (
        ASSISTANT,
        PretrainingConfig(
            "base", 3600, width=256, layers=6, heads=8, batch_size=128, learning_rate=3e-3
        ),
    ),
    "assistant-64": (replace(ASSISTANT, width=64, layers=2, heads=2),),
    "assistant-96": (replace(ASSISTANT, width=96, layers=3, heads=3),),
} | {
    f"reading-{percent}": (replace(SMALL_BASE, fraction=percent / 100),)
    for percent in (30, 60, 80, 100)
}
"""Pair -> the models that are its own; the others it shares with `mini`."""


def new_model(config: PretrainingConfig, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """An untrained Llama of the configured size."""
    torch.manual_seed(config.seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=config.width,
            intermediate_size=config.width * 8 // 3 // 16 * 16,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.heads,
            max_position_embeddings=config.context,
            tie_word_embeddings=True,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def author_for(
    config: PretrainingConfig, tokenizer: PreTrainedTokenizerFast
) -> BaseAuthor | AssistantAuthor:
    """Who writes the documents for this role."""
    prompts = PromptBuilder(tokenizer, context=config.context)
    families = tuple(family for family in FAMILIES if family.name in config.families)
    if config.role == "base":
        return BaseAuthor(prompts, families, BASE_WEIGHTS, config.fraction)
    return AssistantAuthor(prompts, families, ASSISTANT_WEIGHTS)


def batches(
    write: Callable[[random.Random, float], Document], config: PretrainingConfig, first: int
) -> Iterator[list[Document]]:
    """Batches of documents from step ``first`` on, the same ones however often one resumes."""
    for pool in range(first // POOL, math.ceil(config.steps / POOL)):
        rng, progress = _start(config, pool)
        documents = [write(rng, progress) for _ in range(POOL * config.batch_size)]
        documents.sort(key=lambda document: len(document.ids))
        order = list(range(POOL))
        rng.shuffle(order)
        for place, chosen in enumerate(order):
            if first <= pool * POOL + place < config.steps:
                yield documents[chosen * config.batch_size : (chosen + 1) * config.batch_size]


class Drawn(IterableDataset[list[Document]]):
    """Batches from a step on, for a loader: on a GPU, drawing takes about as long as a step."""

    def __init__(
        self,
        write: Callable[[random.Random, float], Document],
        config: PretrainingConfig,
        first: int,
    ):
        self.write, self.config, self.first = write, config, first

    def __iter__(self) -> Iterator[list[Document]]:
        """As `batches`."""
        return batches(self.write, self.config, self.first)


def _start(config: PretrainingConfig, pool: int) -> tuple[random.Random, float]:
    """What the documents of a pool are drawn with, and how far the pre-training is then."""
    return random.Random(f"{config.role}:{config.seed}:{pool}"), pool * POOL / config.steps


def loss_of(
    model: LlamaForCausalLM, documents: list[Document], backbone: Callable[..., Any]
) -> torch.Tensor:
    """Mean cross-entropy over the labelled places (nats a token); logits only where needed.

    ``backbone`` is the model without its head, perhaps compiled.
    """
    length = max(len(document.ids) for document in documents)
    ids = torch.zeros(len(documents), length, dtype=torch.long)
    labels = torch.full_like(ids, -100)
    for row, document in enumerate(documents):
        ids[row, : len(document.ids)] = torch.tensor(document.ids)
        labels[row, : len(document.ids)] = torch.tensor(document.labels)
    ids, labels = ids.to(model.device), labels.to(model.device)
    asked = labels != -100
    # Padding stands at the end and attention is causal, so no mask is needed.
    with torch.autocast(model.device.type, dtype=torch.bfloat16):
        states = backbone(input_ids=ids, use_cache=False).last_hidden_state
        logits = model.lm_head(states[asked])
    return functional.cross_entropy(logits.float(), labels[asked])


def new_optimizers(
    model: LlamaForCausalLM, config: PretrainingConfig
) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for the embeddings and norms.

    With Muon the loss of 1,000 AdamW steps was reached in about half as many. Scaled to AdamW's
    update size, it takes the same learning rate (Liu et al. 2025, arXiv 2502.16982).
    """
    matrices = [p for p in model.model.layers.parameters() if p.ndim == 2]
    chosen = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in chosen]
    rate, decay = config.learning_rate, 0.05
    return [
        torch.optim.Muon(matrices, rate, decay, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, rate, betas=(0.9, 0.98), weight_decay=decay),
    ]


def learning_rate(config: PretrainingConfig, step: int) -> float:
    """Linear warm-up, then cosine decay to a fiftieth of the peak."""
    rising = min(1.0, (step + 1) / config.warmup)
    falling = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / config.steps))
    return config.learning_rate * rising * falling


def pretrain(
    config: PretrainingConfig, out: Path, *, resume: bool = False, save_every: int = 500
) -> dict[str, float]:
    """Train one model and write it to ``out`` as an ordinary Hugging Face folder.

    Progress is saved beside it every ``save_every`` steps; ``resume`` continues from there with the
    documents that would have come next.

    Returns:
        Final loss (nats a token), documents read and seconds.

    Raises:
        UserError: ``resume`` finds progress that was made with another configuration or other
            documents, or the loss is no finite number.
    """
    tokenizer = train_tokenizer(plain_texts(0, 40_000, FAMILIES), config.vocabulary, config.context)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    # The library wraps `to` in a way that hides from a type checker whose method it is.
    model = new_model(config, tokenizer).to(device)  # type: ignore[arg-type]
    # Compiled, a step takes about three quarters of the time; on a CPU that needs a C++ compiler.
    compiles = device == "cuda" or shutil.which("g++") is not None
    backbone = torch.compile(model.model, dynamic=True) if compiles else model.model
    optimizers = new_optimizers(model, config)
    progress_file = out.with_name(f"{out.name}.progress.pt")
    write = author_for(config, tokenizer).write
    key = {"config": asdict(config), "documents": _digest(next(batches(write, config, 0)))}
    first, mean, before = 0, 0.0, 0.0
    if resume and progress_file.exists():
        first, mean, before = _restore(progress_file, key, model, optimizers)
    started = time.monotonic()
    bar = tqdm(total=config.steps, initial=first, desc=config.role, unit="step", file=sys.stderr)
    # One process, so that the documents come in their order.
    drawn = DataLoader(Drawn(write, config, first), None, num_workers=int(device == "cuda"))
    for step, documents in enumerate(drawn, start=first):
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = learning_rate(config, step)
        loss = loss_of(model, documents, backbone)
        if not math.isfinite(loss.item()):
            raise UserError(
                f"The pre-training diverged: its loss is {loss.item()} at step {step + 1}, so "
                f"{out} was not written."
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        mean = loss.item() if step == 0 else 0.98 * mean + 0.02 * loss.item()
        bar.update()
        bar.set_postfix(loss=f"{mean:.4f}", refresh=False)
        if (step + 1) % save_every == 0:
            spent = before + time.monotonic() - started
            _save_progress(progress_file, key, model, optimizers, step + 1, mean, spent)
    bar.close()
    summary = {
        "loss": mean,
        "documents": config.steps * config.batch_size,
        "seconds": round(before + time.monotonic() - started, 1),
    }
    _write_folder(out, config, model, tokenizer, summary)
    progress_file.unlink(missing_ok=True)
    lexicon_of(config, tokenizer).save(out)
    return summary


def lexicon_of(config: PretrainingConfig, tokenizer: PreTrainedTokenizerFast) -> Lexicon:
    """What the questions of a pre-training hold, from first to last.

    They are drawn for it once more: equal seeds draw equal documents.
    """
    gatherer, author = Gatherer(), author_for(config, tokenizer)
    pools = range(math.ceil(config.steps / POOL))
    for pool in tqdm(pools, desc=f"what the {config.role} has read", file=sys.stderr):
        rng, progress = _start(config, pool)
        for _ in range(POOL * config.batch_size):
            problem = author.draw(rng, progress).problem
            if problem is not None:
                gatherer.add(problem)
    return gatherer.lexicon()


def add_lexicon(folder: Path) -> Lexicon:
    """Write the lexicon of a model that is there already; nothing is trained.

    Raises:
        UserError: There is no model of a pre-training in the folder.
    """
    try:
        settings = as_object(read_object(folder / SETTINGS)["config"], "its configuration")
        if "families" in settings:
            settings["families"] = tuple(settings["families"])
        config = PretrainingConfig(**settings)
        tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"There is no model of `python -m softcot pretrain` in {folder} ({reason(error)}); "
            "name its folder with --out."
        ) from error
    lexicon = lexicon_of(config, tokenizer)
    lexicon.save(folder)
    return lexicon


def _digest(documents: list[Document]) -> str:
    """SHA-256 of what some documents teach: words, tokenizer and authors decide it, in hex."""
    taught = [[document.ids, document.labels] for document in documents]
    return hashlib.sha256(json.dumps(taught).encode()).hexdigest()


def _save_progress(
    path: Path,
    key: dict[str, Any],
    model: LlamaForCausalLM,
    optimizers: list[torch.optim.Optimizer],
    step: int,
    mean: float,
    seconds: float,
) -> None:
    state = {
        **key,
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "step": step,
        "mean": mean,
        "seconds": seconds,
    }
    with replacing(path) as temporary:
        torch.save(state, temporary)


def _restore(
    path: Path,
    key: dict[str, Any],
    model: LlamaForCausalLM,
    optimizers: list[torch.optim.Optimizer],
) -> tuple[int, float, float]:
    state = torch.load(path, map_location=model.device, weights_only=True)
    if any(state.get(name) != value for name, value in key.items()):
        raise UserError(
            f"{path} was made with another configuration or other documents; remove it or start "
            "without --resume."
        )
    model.load_state_dict(state["model"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    return state["step"], state["mean"], state["seconds"]


def _write_folder(
    out: Path,
    config: PretrainingConfig,
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    summary: dict[str, float],
) -> None:
    """Everything goes to a neighbouring folder first, so that ``out`` is never half written."""
    part = out.with_name(f"{out.name}.part")
    model.cpu().save_pretrained(part)
    tokenizer.save_pretrained(part)
    write_json(part / SETTINGS, {"config": asdict(config)} | summary)
    size = model.num_parameters()
    write_model_card(part / "README.md", config.role, config.fraction, config.families, size)
    out.mkdir(parents=True, exist_ok=True)
    for file in part.iterdir():
        file.replace(out / file.name)
    part.rmdir()
