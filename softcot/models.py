"""The two frozen language models, and rows of prompts as tensors."""

import copy
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from safetensors import SafetensorError
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModelForCausalLM, AutoTokenizer

from softcot.errors import UserError
from softcot.learned import Learned
from softcot.presets import get_preset
from softcot.projection import Projection
from softcot.prompts import Prompt, PromptBuilder
from softcot.tasks import get_task

T = TypeVar("T", bound=Learned)


def best_device() -> torch.device:
    """The GPU when there is one, the CPU otherwise."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fingerprint(model: nn.Module, exact: bool = False) -> str:
    """The sha256 over the names and values of all weights, as hexadecimal text.

    The values are rounded to bfloat16 first, so that a model has one fingerprint wherever it
    runs: in fp32 on a CPU, in bf16 on a GPU. With `exact` not a bit may differ.
    """
    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        weight = weight.detach().cpu().contiguous()
        weight = weight if exact else weight.to(torch.bfloat16)
        digest.update(f"{name} {tuple(weight.shape)} {weight.dtype}\n".encode())
        digest.update(weight.view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


@dataclass
class LanguageModel:
    """A frozen causal language model with its tokenizer and its prompts."""

    model: Any
    tokenizer: Any
    prompts: PromptBuilder
    name: str

    @classmethod
    def load(cls, source: str | Path, device: str | torch.device | None = None) -> "LanguageModel":
        """Load a Hugging Face folder or Hub id: frozen, fp32 on a CPU and bf16 on a GPU.

        Raises:
            UserError: The model is missing or damaged.
        """
        device = torch.device(device) if device else best_device()
        if isinstance(source, Path) and not source.is_dir():
            raise UserError(
                f"There is no model in {source}; run `python -m softcot pretrain --pair "
                f"{source.parent.name}`, or set "
                "SOFTCOT_CHECKPOINTS to the folder that holds the checkpoints."
            )
        try:
            tokenizer = AutoTokenizer.from_pretrained(source)
            model, report = AutoModelForCausalLM.from_pretrained(
                source,
                dtype=torch.bfloat16 if device.type == "cuda" else torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # refused below, in better words
            )
            _check_whole(model, tokenizer, report)
        except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
            reason = str(error).strip().splitlines()[0].rstrip(" .:")
            raise UserError(
                f"The model in {source} cannot be loaded ({reason}); download or train it again."
            ) from error
        model = model.to(device).eval().requires_grad_(False)
        prompts = PromptBuilder(tokenizer, context=model.config.max_position_embeddings)
        return cls(model, tokenizer, prompts, name=Path(source).name)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.model.device

    @property
    def dtype(self) -> torch.dtype:
        """What the weights are kept in."""
        return self.model.dtype

    @property
    def embeddings(self) -> torch.Tensor:
        """The input embedding matrix, float[V, d]."""
        return self.model.get_input_embeddings().weight

    @property
    def width(self) -> int:
        """Hidden size d."""
        return self.embeddings.shape[1]

    @property
    def context(self) -> int:
        """The longest sequence it takes, in tokens."""
        return self.prompts.context

    @property
    def pad_id(self) -> int:
        """What fills the rows of a batch; it is masked, so any token will do."""
        pad = self.tokenizer.pad_token_id
        return self.tokenizer.eos_token_id if pad is None else pad

    @property
    def end_ids(self) -> frozenset[int]:
        """Every token that ends an answer."""
        declared = self.model.generation_config.eos_token_id
        declared = declared if isinstance(declared, list) else [declared]
        ends = {self.prompts.end_of_turn, self.tokenizer.eos_token_id, *declared}
        return frozenset(ends - {None})

    def twin(self) -> "LanguageModel":
        """Modules of its own around the same weights: what is done to it leaves this one alone."""
        shared = {id(t): t for t in (*self.model.parameters(), *self.model.buffers())}
        return replace(self, model=copy.deepcopy(self.model, shared))

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """Embed token ids int64[...] as float[..., d]."""
        return self.model.get_input_embeddings()(ids.to(self.device))

    def states(self, ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> torch.Tensor:
        """Last-layer states float32[B, T, d] of ids int64[B, T]; the language head stays idle."""
        output = self.model.base_model(
            input_ids=ids, attention_mask=attention_mask, use_cache=False
        )
        return output.last_hidden_state.float()

    def text(self, ids: Sequence[int]) -> str:
        """Generated ids as text, without special tokens."""
        return self.tokenizer.decode(list(ids), skip_special_tokens=True)

    def fingerprint(self, exact: bool = False) -> str:
        """See `softcot.models.fingerprint`."""
        return fingerprint(self.model, exact)


def _check_whole(model: Any, tokenizer: Any, report: dict) -> None:
    """Refuse what `from_pretrained` lets pass: fresh random weights and empty tokenizers."""
    bad = sorted({*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])})
    if bad:
        raise ValueError(f"{len(bad)} weights are missing or misshapen, the first is {bad[0]}")
    rows = model.get_input_embeddings().weight.shape[0]
    if not 0 < len(tokenizer) <= rows:
        raise ValueError(f"the tokenizer has {len(tokenizer)} tokens, the model {rows}")
    if tokenizer.eos_token_id is None:
        raise ValueError("the tokenizer has no end-of-sequence token")


@dataclass
class Pair:
    """A base model, its assistant, and where what was trained between them is."""

    name: str
    base: LanguageModel
    assistant: LanguageModel
    trained: dict[str, Path]
    """Folders of trained weights by name, such as `projection-mini-gsm`."""
    _loaded: dict[str, Learned] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """Fingerprints of the two models, under "base" and "assistant"."""
        return {"base": self.base.fingerprint(), "assistant": self.assistant.fingerprint()}

    def learned(self, kind: type[T], task_name: str) -> T:
        """The weights of a kind that serve a task, loaded once and checked against this pair.

        Raises:
            UserError: They are absent, damaged, or were trained between other models.
        """
        own = f"{kind.folder}-{task_name}" in {**self.trained, **self._loaded}
        served = task_name if own else get_task(task_name).projection
        name = f"{kind.folder}-{served}"
        if name not in self._loaded:
            if name not in self.trained:
                raise UserError(self._missing(kind, served))
            learned = kind.load_for(self, self.trained[name])
            self._check_fits(learned, self.trained[name])
            self._loaded[name] = learned
        return self._loaded[name]

    def projection(self, task_name: str) -> Projection:
        """The projection that serves a task; see `learned`."""
        return self.learned(Projection, task_name)

    def using(self, learned: Learned) -> "Pair":
        """The same pair, with other weights for the task they were trained on."""
        pair, name = copy.copy(self), f"{learned.folder}-{learned.task}"
        pair._loaded = {**self._loaded, name: learned}
        return pair

    def _missing(self, kind: type[Learned], served: str) -> str:
        prefix = f"{kind.folder}-"
        known = [name.removeprefix(prefix) for name in self.trained if name.startswith(prefix)]
        return (
            f"Pair {self.name!r} has no {kind.folder} for {served!r} (it has: "
            f"{', '.join(known) or 'none'}); train it with "
            f"`python -m softcot train --method {kind.method} --task {served}`."
        )

    def _check_fits(self, learned: Learned, path: Path) -> None:
        for side, width in learned.widths().items():
            trained_on = getattr(learned, f"{side}_fingerprint")
            model = getattr(self, side)
            if width != model.width or trained_on not in ("", self.fingerprints[side]):
                raise UserError(
                    f"The {learned.folder} in {path} was trained for another {side} model than "
                    f"the one of pair {self.name!r}; train it again for this pair."
                )


def load_pair(name: str, device: str | torch.device | None = None) -> Pair:
    """Load both models of a preset, frozen, on `device` (the best one by default).

    Raises:
        UserError: The preset is unknown, or a model is missing or damaged.
    """
    preset = get_preset(name)
    return Pair(
        name=preset.name,
        base=LanguageModel.load(preset.base, device),
        assistant=LanguageModel.load(preset.assistant, device),
        trained=preset.trained_paths(),
    )


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

    def pad(rows: list, value: int | bool) -> torch.Tensor:
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

    @classmethod
    def of(
        cls, batch: Batch, embeds: torch.Tensor, passes: Sequence[int] | None = None
    ) -> "PromptEmbeds":
        """A left-padded batch with its embeddings, float[B, T, d]."""
        kept = zip(batch.input_ids, batch.attention_mask.bool(), strict=True)
        texts = [json.dumps(ids[mask].tolist()).encode() for ids, mask in kept]
        return cls(
            embeds=embeds,
            attention_mask=batch.attention_mask,
            position_ids=batch.position_ids,
            slot_mask=batch.slot_mask,
            prompt_tokens=batch.attention_mask.sum(1).tolist(),
            hashes=[hashlib.sha256(text).hexdigest()[:16] for text in texts],
            passes=[0] * len(embeds) if passes is None else list(passes),
        )


def join(prompts: Sequence[PromptEmbeds]) -> PromptEmbeds:
    """Stack the rows of several `PromptEmbeds` into one, left padded to the longest."""

    def stack(tensors: list[torch.Tensor]) -> torch.Tensor:
        rows = [row.flip(0) for tensor in tensors for row in tensor]
        return pad_sequence(rows, batch_first=True).flip(1)

    return PromptEmbeds(
        embeds=stack([prompt.embeds for prompt in prompts]),
        attention_mask=stack([prompt.attention_mask for prompt in prompts]),
        position_ids=stack([prompt.position_ids for prompt in prompts]),
        slot_mask=stack([prompt.slot_mask for prompt in prompts]),
        prompt_tokens=[n for prompt in prompts for n in prompt.prompt_tokens],
        hashes=[digest for prompt in prompts for digest in prompt.hashes],
        passes=[n for prompt in prompts for n in prompt.passes],
    )
