"""The two frozen language models, and rows of prompts as tensors."""

import copy
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from safetensors import SafetensorError
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModelForCausalLM, AutoTokenizer

from softcot.errors import UserError
from softcot.learned import Learned
from softcot.loading import (
    Quantization,
    Source,
    check_compiler,
    check_memory,
    fetch_folder,
    find_model,
    quantization,
    usual_dtype,
    visible_loading,
)
from softcot.presets import PairPreset, get_preset, own_preset
from softcot.projection import Projection
from softcot.prompts import Prompt, PromptBuilder
from softcot.tasks import get_task, training_tasks
from softcot.wording import Templates

T = TypeVar("T", bound=Learned)

LONGEST_CONTEXT = 8192
"""Tokens; models that take more are used up to here, which is far more than any question needs."""

REMEMBERED = 64
"""Prompts whose slot states are remembered."""

SHAPES = 64
"""Most shapes that a model is compiled for."""

GIVEN = "projection"
"""Name of a projection that was named by its path: it serves every task."""


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
    quantize: Quantization | None = None
    """What its weights were made smaller by, if they were."""
    compiled: bool = False
    """Whether tokens are written by a compiled forward pass."""

    @classmethod
    def load(
        cls,
        source: str | Path | Source,
        device: str | torch.device | None = None,
        *,
        templates: Templates | None = None,
        quantize: Quantization | None = None,
    ) -> "LanguageModel":
        """Load a Hugging Face folder or Hub id: frozen, fp32 on a CPU and bf16 on a GPU.

        Args:
            source: A folder, a Hub id, or what `softcot.loading.find_model` found.
            device: The best one by default.
            templates: What the model is told; by default the set `mini`.
            quantize: Whether to make the weights smaller, and how.

        Raises:
            UserError: The model is missing or damaged, or a library for `quantize` is missing.
        """
        source = source if isinstance(source, Source) else find_model(source)
        device = torch.device(device) if device else best_device()
        options = source.options | quantization(quantize, device)
        try:
            tokenizer = AutoTokenizer.from_pretrained(source.place, **source.options)
            model, report = AutoModelForCausalLM.from_pretrained(
                source.place,
                dtype=getattr(torch, usual_dtype(device)),
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # refused below, in better words
                **options,
            )
            _check_whole(model, tokenizer, report)
        except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
            reason = str(error).strip().splitlines()[0].rstrip(" .:")
            raise UserError(
                f"The model in {source.place} cannot be loaded ({reason}); download or train it "
                "again."
            ) from error
        model = model.to(device) if quantize is None else model  # else it is there already
        return cls.of(
            model.eval().requires_grad_(False),
            tokenizer,
            name=Path(source.place).name,
            templates=templates,
            quantize=quantize,
        )

    @classmethod
    def of(
        cls, model: Any, tokenizer: Any, *, templates: Templates | None = None, **options: Any
    ) -> "LanguageModel":
        """A frozen model with the prompts that suit it; the options are its other fields."""
        prompts = PromptBuilder(
            tokenizer,
            context=min(text_config(model).max_position_embeddings, LONGEST_CONTEXT),
            templates=templates,
            stops=declared_ends(model),
        )
        return cls(model, tokenizer, prompts, **options)

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
        """What the model reads for every token, float[V, d]: scaled, where it scales them."""
        layer = self.model.get_input_embeddings()
        return layer.weight if type(layer) is nn.Embedding else self._scaled_embeddings

    @cached_property
    def _scaled_embeddings(self) -> torch.Tensor:
        layer = self.model.get_input_embeddings()
        with torch.no_grad():
            return layer(torch.arange(layer.num_embeddings, device=self.device))

    @property
    def width(self) -> int:
        """Hidden size d."""
        return self.model.get_input_embeddings().weight.shape[1]

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
        return declared_ends(self.model) | {self.prompts.end_of_turn, self.tokenizer.eos_token_id}

    @property
    def revision(self) -> str:
        """The commit it was loaded from; empty for a folder."""
        return getattr(self.model.config, "_commit_hash", None) or ""

    @property
    def notice(self) -> str:
        """What a user should know about how it is asked; empty where nothing is special."""
        if self.prompts.chat:
            return ""
        return (
            f"The model {self.name} has no chat template and reads plain text, so it may not do "
            "as it is told."
        )

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

    @cached_property
    def slot_states(self) -> Callable[[tuple[int, ...], tuple[bool, ...]], torch.Tensor]:
        """Reads one prompt, its ids and slot mask, and remembers the latest: float32[K, d]."""

        @lru_cache(maxsize=REMEMBERED)
        @torch.no_grad()
        def read(ids: tuple[int, ...], slot_mask: tuple[bool, ...]) -> torch.Tensor:
            row = torch.tensor([ids], device=self.device)
            return self.states(row, torch.ones_like(row))[0, torch.tensor(slot_mask)]

        return read

    @cached_property
    def compiled_forward(self) -> Callable[..., Any]:
        """The model's forward pass, compiled for every shape that it is given."""
        torch._dynamo.config.recompile_limit = SHAPES
        return torch.compile(self.model.forward, fullgraph=True, dynamic=False)

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """What the model predicts from last-layer states float[..., d]: float[..., V].

        Scaled and capped as the model itself does behind its head.
        """
        config = text_config(self.model)
        logits = self.model.get_output_embeddings()(states)
        if scale := getattr(config, "logit_scale", None):  # Cohere's
            logits = logits * scale
        if divisor := getattr(config, "logits_scaling", None):  # Granite's
            logits = logits / divisor
        if cap := getattr(config, "final_logit_softcapping", None):  # Gemma's
            logits = cap * (logits / cap).tanh()
        return logits

    def text(self, ids: Sequence[int]) -> str:
        """Generated ids as text, without special tokens."""
        return self.tokenizer.decode(list(ids), skip_special_tokens=True)

    def fingerprint(self, exact: bool = False) -> str:
        """See `softcot.models.fingerprint`; of a quantised model, its name and how it was made."""
        if self.quantize:
            return f"{self.quantize} of {self.name} {self.revision}".strip()
        return fingerprint(self.model, exact)


def text_config(model: Any) -> Any:
    """The config of a model's language part: some models see too, and nest it."""
    return model.config.get_text_config()


def declared_ends(model: Any) -> frozenset[int]:
    """The tokens that a model's own settings call ends."""
    declared = model.generation_config.eos_token_id
    return frozenset(declared if isinstance(declared, list) else [declared]) - {None}


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
    """Folders of trained weights by name, such as `projection-mini-gsm`; one that is called just
    `projection` serves every task."""
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
        name = self._name(kind, task_name)
        if name not in self._loaded:
            if name not in self.trained:
                raise UserError(self._missing(kind, name.removeprefix(f"{kind.folder}-")))
            learned = kind.load_for(self, self.trained[name])
            self._check_fits(learned, self.trained[name])
            self._loaded[name] = learned
        return self._loaded[name]

    def is_trained(self, kind: type[Learned], task_name: str) -> bool:
        """Whether there are weights of a kind that serve a task."""
        return self._name(kind, task_name) in {**self.trained, **self._loaded}

    def _name(self, kind: type[Learned], task_name: str) -> str:
        """The name of the weights of a kind that serve a task, whether they are there or not."""
        known, own = {**self.trained, **self._loaded}, f"{kind.folder}-{task_name}"
        if own in known:
            return own
        if kind.folder == GIVEN and GIVEN in known:
            return GIVEN
        return f"{kind.folder}-{get_task(task_name).projection}"

    def prompting(self, task_name: str) -> dict[str, str]:
        """What the models read in a training for a task, as trained weights keep it."""
        return {
            "template_hash": self._template_hash(task_name),
            "placeholder": self.assistant.prompts.placeholder,
        }

    def mismatches(self, learned: Learned) -> list[str]:
        """One sentence for each way in which the models read something else than in training."""
        found, now = [], self.prompting(learned.task)
        if learned.template_hash not in ("", now["template_hash"]):
            found.append(
                f"The {learned.folder} for {learned.task!r} was trained with other prompts "
                f"({learned.template_hash}, not {now['template_hash']}); train it again, or use "
                "--prompts as in its training."
            )
        if learned.placeholder not in ("", now["placeholder"]):
            found.append(
                f"The {learned.folder} for {learned.task!r} was trained with the placeholder "
                f"{learned.placeholder}, not {now['placeholder']}; train it again."
            )
        return found

    def warnings(self, task_name: str, kind: type[Learned] | None = Projection) -> list[str]:
        """What a user should know before an answer is believed, one sentence each.

        Args:
            task_name: Who is asked for.
            kind: What kind of weights is to be used, if there are any for the task; None for none.

        Raises:
            UserError: The weights are damaged, or were trained between other models.
        """
        found = [self.base.notice, self.assistant.notice]
        if kind is not None and self.is_trained(kind, task_name):
            found += self.mismatches(self.learned(kind, task_name))
        return [sentence for sentence in found if sentence]

    def _template_hash(self, name: str) -> str:
        """Of the prompts of a task, or of all that "all" is trained on; empty for no task."""
        try:
            tasks = training_tasks(name) if name == "all" else [get_task(name)]
        except UserError:
            return ""
        return self.base.prompts.templates.fingerprint(tasks)

    def projection(self, task_name: str) -> Projection:
        """The projection that serves a task; see `learned`."""
        return self.learned(Projection, task_name)

    def using(self, learned: Learned) -> "Pair":
        """The same pair, with other weights for the task they were trained on."""
        pair, name = copy.copy(self), f"{learned.folder}-{learned.task}"
        pair._loaded = {**self._loaded, name: learned}
        return pair

    def with_untrained(self) -> "Pair":
        """The same pair, where a projection that nobody trained serves all tasks without one.

        It starts where a training starts, and belongs to no task.
        """
        pair, projection = copy.copy(self), Projection.for_pair(self, "")
        projection.align(self)
        pair._loaded = {**self._loaded, GIVEN: projection.eval().requires_grad_(False)}
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
            # Rounded weights have no fingerprint to compare: it is known where they come from.
            same = model.quantize or trained_on in ("", self.fingerprints[side])
            if width != model.width or not same:
                raise UserError(
                    f"The {learned.folder} in {path} was trained for another {side} model than "
                    f"the one of pair {self.name!r}; train it again for this pair."
                )


def load_pair(
    name: str = "mini",
    device: str | torch.device | None = None,
    *,
    base: str | None = None,
    assistant: str | None = None,
    projection: str | Path | None = None,
    prompts: str | Path | None = None,
    quantize: Quantization | None = None,
    compiled: bool = False,
) -> Pair:
    """Load the two models of a pair, frozen, on `device` (the best one by default).

    Args:
        name: Name of a preset.
        device: Where to.
        base: Folder or Hub id of a base, instead of a preset's.
        assistant: Likewise; both or neither.
        projection: Folder or Hub id of a projection that serves every task.
        prompts: Folder of templates, instead of the set that the preset names.
        quantize: Whether to make the weights smaller, and how.
        compiled: Whether the base writes by a compiled forward pass: it starts slowly, and then
            it is faster.

    Raises:
        UserError: The preset is unknown, or something is missing, damaged or too large.
    """
    preset = own_preset(base, assistant) if base or assistant else get_preset(name)
    templates = Templates(Path(prompts)) if prompts else Templates.named(preset.prompts)
    device = torch.device(device) if device else best_device()
    quantization(quantize, device)  # refuse what cannot be before anything slow
    if compiled:
        check_compiler(device)
    trained = preset.trained_paths()
    if projection:
        trained = {n: p for n, p in trained.items() if not n.startswith(f"{Projection.folder}-")}
        trained[GIVEN] = fetch_folder(projection)
    sources = _find_models(preset)
    check_memory(preset.name, sources, device, quantize)
    with visible_loading(sources):
        models = [
            LanguageModel.load(source, device, templates=templates, quantize=quantize)
            for source in sources
        ]
    models[0].compiled = compiled
    return Pair(preset.name, *models, trained=trained)


def _find_models(preset: PairPreset) -> list[Source]:
    """Where the base and the assistant of a preset are."""
    return [
        find_model(preset.base, preset.base_revision, preset.base_billions, preset.licence),
        find_model(preset.assistant, preset.assistant_revision, preset.assistant_billions),
    ]


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
