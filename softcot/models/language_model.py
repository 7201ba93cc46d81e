"""A frozen language model: loaded whole, embedded, read, and proven to be unchanged."""

import copy
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from softcot.data.lexicon import Lexicon
from softcot.models.head import own_logits
from softcot.models.loading import (
    ModelSource,
    Quantization,
    find_model,
    quantization,
)
from softcot.models.precision import DType, usual_dtype
from softcot.prompts.builder import PromptBuilder
from softcot.prompts.wording import Templates
from softcot.support.errors import UserError
from softcot.support.reading import reason

LONGEST_CONTEXT = 8192
"""Tokens; models that take more are used up to here, which is far more than any question needs."""

MOST_TOKENS = 10**8
"""No model takes more: a larger limit means that there is none."""

USUAL_CONTEXT = 2048
"""Tokens that a model takes where neither its settings nor its tokenizer say."""

REMEMBERED = 64
"""Prompts whose slot states are remembered."""

SHAPES = 64
"""Most shapes that a model is compiled for."""

NO_TOKENIZER = "the files of its tokenizer are missing, or know no words"


def best_device() -> torch.device:
    """The GPU when there is one, the CPU otherwise."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _choose_attention(device: torch.device) -> None:
    """Have torch leave cuDNN's attention alone, which it prefers on an H100.

    With padded prompts in bf16 a training's loss became NaN there (torch 2.11), at the same step
    whatever the learning rate; with the other kernels it did not.
    """
    if device.type == "cuda":
        torch.backends.cuda.enable_cudnn_sdp(False)


def fingerprint(model: nn.Module, exact: bool = False) -> str:
    """The sha256 over the names and values of all weights, as hexadecimal text.

    The values are rounded to bfloat16 first, so that a model has one fingerprint wherever it
    runs, in fp32 or in bf16. With `exact` not a bit may differ.
    """
    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        weight = weight.detach().cpu().contiguous()
        weight = weight if exact else weight.to(torch.bfloat16)
        digest.update(f"{name} {tuple(weight.shape)} {weight.dtype}\n".encode())
        digest.update(weight.view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


class SlotStates(Protocol):
    """A function of a prompt that remembers what it gave."""

    def __call__(self, ids: tuple[int, ...], slot_mask: tuple[bool, ...]) -> torch.Tensor:
        """The states at the slots of a prompt with these ids, float32[K, d]."""

    def cache_clear(self) -> None:
        """Forget all."""


@dataclass(frozen=True)
class KnownPrefix:
    """Tokens that a model has read, to go on from."""

    ids: tuple[int, ...]
    layers: list[tuple[torch.Tensor, torch.Tensor]]
    """Keys and values of each layer, float[1, H, T, d_head]."""

    def cut(self, length: int) -> "KnownPrefix":
        """Its first tokens."""
        layers = [(keys[..., :length, :], values[..., :length, :]) for keys, values in self.layers]
        return KnownPrefix(self.ids[:length], layers)


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
    lexicon: Lexicon | None = None
    """All that its training questions held; None for a model that reads anything."""
    prefix: KnownPrefix | None = field(default=None, init=False, repr=False, compare=False)
    """What the prompts of a batch began with, for the next one to go on from."""

    @classmethod
    def load(
        cls,
        source: str | Path | ModelSource,
        device: str | torch.device | None = None,
        *,
        templates: Templates | None = None,
        quantize: Quantization | None = None,
        dtype: DType | None = None,
    ) -> "LanguageModel":
        """Load a Hugging Face folder or Hub id, frozen.

        Args:
            source: A folder, a GGUF file, a Hub id, or what `find_model` of
                `softcot.models.loading` found.
            device: The best one by default.
            templates: What the model is told; by default the set `mini`.
            quantize: Whether to make the weights smaller, and how.
            dtype: What its numbers are kept in; by default see `softcot.models.precision`.

        Raises:
            UserError: The model is missing or damaged, or a library for `quantize` is missing.
        """
        if isinstance(source, str) and Path(source).exists():
            source = Path(source)
        source = source if isinstance(source, ModelSource) else find_model(source)
        device = torch.device(device) if device else best_device()
        dtype = dtype or usual_dtype(device, source.billions)
        options = source.options | quantization(quantize, device, dtype)
        with _told(source.place):
            tokenizer = AutoTokenizer.from_pretrained(source.place, **source.options)
            # A model and a report, whatever the library's own annotation says.
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                source.place,
                dtype=getattr(torch, dtype),
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # refused below, in better words
                **options,
            )
            model, report = loaded
            _check_whole(model, tokenizer, report)
            model = model.to(device) if quantize is None else model  # else it is there already
            return cls.of(
                model.eval().requires_grad_(False),
                tokenizer,
                name=Path(source.place).name,
                templates=templates,
                quantize=quantize,
                lexicon=Lexicon.load(source.folder) if source.folder else None,
            )

    @classmethod
    def of(
        cls, model: Any, tokenizer: Any, *, templates: Templates | None = None, **options: Any
    ) -> "LanguageModel":
        """A frozen model with the prompts that suit it; the options are its other fields."""
        _choose_attention(model.device)
        prompts = PromptBuilder(
            tokenizer,
            context=min(_longest(model, tokenizer), LONGEST_CONTEXT),
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
    def numbers(self) -> str:
        """The same in a word: float32 or bfloat16."""
        return str(self.dtype).removeprefix("torch.")

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
    def spread(self) -> float:
        """Standard deviation of the numbers in its embeddings."""
        return self.embeddings.float().std().item()

    @property
    def width(self) -> int:
        """Hidden size d."""
        return self.model.get_input_embeddings().weight.shape[1]

    @property
    def multiplied(self) -> int:
        """Weights that a token is multiplied with: all but a table that is only looked up."""
        table, head = self.model.get_input_embeddings(), self.model.get_output_embeddings()
        whole = sum(weight.numel() for weight in self.model.parameters())
        tied = head is not None and head.weight is table.weight
        return whole if tied else whole - table.weight.numel()

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

    def told(self, templates: Templates) -> "LanguageModel":
        """The same model, told other things about a question."""
        return replace(self, prompts=self.prompts.told(templates))

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
    def slot_states(self) -> SlotStates:
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
        """What the model predicts from last-layer states float[..., d]: float[..., V]."""
        return own_logits(self.model, states)

    @torch.inference_mode()
    def next_logits(
        self,
        embeds: torch.Tensor,
        attention_mask: torch.Tensor,
        position_ids: torch.Tensor,
        cache: DynamicCache,
    ) -> torch.Tensor:
        """Read embeddings float[B, T, d] behind what a cache holds, which grows in place.

        Returns:
            float32[B, V], the logits of the next token of every row.
        """
        output = self.model.base_model(
            inputs_embeds=embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=cache,
            use_cache=True,
        )
        # Not by `logits_to_keep`: of its slice, torch copies the frozen head once for each row.
        return self.logits(output.last_hidden_state[:, -1]).float()

    def text(self, ids: Sequence[int]) -> str:
        """Generated ids as text, without special tokens."""
        return self.tokenizer.decode(list(ids), skip_special_tokens=True)

    def fingerprint(self, exact: bool = False) -> str:
        """See the function of this name; of a quantised model, how it was made, and of what."""
        if self.quantize:
            made_of = self.revision or _digest(Path(self.model.name_or_path))
            return f"{self.quantize} of {self.name} {made_of}".strip()
        return fingerprint(self.model, exact)


def _digest(folder: Path) -> str:
    """SHA-256 over a folder's files of weights, as hexadecimal text; two may have one name."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def text_config(model: Any) -> Any:
    """The config of a model's language part: some models see too, and nest it."""
    return model.config.get_text_config()


@contextmanager
def _told(place: str | Path) -> Iterator[None]:
    """Turn whatever goes wrong while a model is loaded into one sentence."""
    try:
        yield
    except UserError:
        raise
    except torch.OutOfMemoryError as error:
        raise UserError(
            f"The model in {place} does not fit into the GPU's memory; end other programs there, "
            "or choose a smaller pair."
        ) from error
    except Exception as error:  # damaged files fail anywhere in four libraries
        # What follows in the library's own words lists all that could be installed.
        said = NO_TOKENIZER if "backend tokenizer" in str(error) else reason(error)
        raise UserError(
            f"The model in {place} cannot be loaded ({said}); download or train it again."
        ) from error


def _longest(model: Any, tokenizer: Any) -> int:
    """Tokens of the longest sequence that a model takes, under the name that its family uses."""
    config = text_config(model)
    names = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
    said = (getattr(config, name, None) for name in names)
    # A tokenizer without a limit says 10^30.
    limits = [*said, tokenizer.model_max_length]
    sane = (n for n in limits if isinstance(n, int) and 0 < n <= MOST_TOKENS)
    return next(sane, USUAL_CONTEXT)


def declared_ends(model: Any) -> frozenset[int]:
    """The tokens that a model's own settings call ends."""
    settings = model.generation_config or text_config(model)
    declared = settings.eos_token_id
    ends = frozenset(declared if isinstance(declared, list) else [declared]) - {None}
    if not all(isinstance(end, int) for end in ends):
        raise ValueError("an end token is no number")
    return ends


def _check_whole(model: Any, tokenizer: Any, report: dict[str, Any]) -> None:
    """Refuse what `from_pretrained` lets pass: fresh random weights and empty tokenizers."""
    bad = sorted({*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])})
    if bad:
        raise ValueError(f"{len(bad)} weights are missing or misshapen, the first is {bad[0]}")
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) == len(tokenizer.added_tokens_decoder):
        raise ValueError(NO_TOKENIZER)
    if len(tokenizer) > rows:
        raise ValueError(f"the tokenizer has {len(tokenizer)} tokens, the model {rows}")
    if tokenizer.eos_token_id is None:
        raise ValueError("the tokenizer has no end-of-sequence token")
    declared_ends(model)  # they are tokens
