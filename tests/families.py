"""Tiny random models and tokenizers in the shape of well-known families, in ordinary folders.

Vocabulary, special tokens and chat templates are small and of our own making; what they have in
common with the real ones is what can go wrong: who has a system role, which tokens end a turn,
which are declared special, where spaces and dates are put in.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    MistralConfig,
    Olmo2Config,
    Phi3Config,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
    SmolLM3Config,
)

WORDS = (
    "Answer the question below. Think it through step by step in a few short sentences. Anna has "
    "12 apples and buys 30 more, then she gives 7 pears to Tom. How many are left? user assistant "
    "system The answer is 35. Key facts and steps. "
)

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CHATML_SYSTEM = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nBe of help.<|im_end|>\n{% endif %}"
)
NO_THINKING = (
    "{% if add_generation_prompt and enable_thinking is defined and not enable_thinking %}"
    "<think>\n\n</think>\n\n{% endif %}"
)


@dataclass(frozen=True)
class Family:
    """How one family's models and tokenizers are made."""

    config: type[PreTrainedConfig]
    special: tuple[str, ...]
    """Tokens that are declared special; `<pad>`-like ones too."""
    template: str
    roles: dict[str, str]
    """`bos_token` and the like."""
    ends: tuple[str, ...]
    """What the model's own settings say ends an answer."""
    added: tuple[str, ...] = ()
    """Tokens that are added, but not declared special."""
    strips: tuple[str, ...] = ()
    """Special tokens that swallow the white space behind them."""
    spaces: Callable[[], pre_tokenizers.PreTokenizer] = field(
        default=lambda: pre_tokenizers.ByteLevel(add_prefix_space=False)
    )
    """How words are parted from each other."""
    options: dict = field(default_factory=dict)
    """Further fields of the config."""


def metaspace() -> pre_tokenizers.PreTokenizer:
    """Spaces as in SentencePiece: the first word of a text gets one too."""
    return pre_tokenizers.Metaspace(prepend_scheme="first", split=True)


MODEL_FAMILIES = {
    "llama3": Family(
        LlamaConfig,
        ("<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>",
         "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>"),
        "{{ bos_token }}{% if not date_string is defined %}{% set date_string = "
        "strftime_now('%d %b %Y') %}{% endif %}<|start_header_id|>system<|end_header_id|>\n\n"
        "Today Date: {{ date_string }}\n\n<|eot_id|>{% for m in messages %}<|start_header_id|>"
        "{{ m.role }}<|end_header_id|>\n\n{{ m.content | trim }}<|eot_id|>{% endfor %}"
        "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n"
        "{% endif %}",
        {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"},
        ("<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"),
    ),
    "qwen2": Family(
        Qwen2Config,
        ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>"),
        CHATML_SYSTEM + CHATML,
        {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
        ("<|im_end|>", "<|endoftext|>"),
        added=("<tool_call>", "<|fim_prefix|>"),
    ),
    "qwen3": Family(
        Qwen3Config,
        ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>"),
        CHATML + NO_THINKING,
        {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
        ("<|im_end|>", "<|endoftext|>"),
        added=("<think>", "</think>"),
        options={"head_dim": 8},
    ),
    "gemma3": Family(
        Gemma3TextConfig,
        ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"),
        "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}"
        "{% endif %}{% for m in messages %}<start_of_turn>"
        "{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content | trim }}"
        "<end_of_turn>\n{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n"
        "{% endif %}",
        {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>"},
        ("<eos>", "<end_of_turn>"),
        added=("\n\n", "  "),
        options={"head_dim": 8, "sliding_window": 16, "query_pre_attn_scalar": 8,
                 "layer_types": ["sliding_attention", "full_attention"],
                 "final_logit_softcapping": 5.0},
    ),
    "mistral": Family(
        MistralConfig,
        ("<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]"),
        "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} "
        "[/INST]{% elif m.role == 'assistant' %} {{ m.content }}{{ eos_token }}{% else %}"
        "{{ raise_exception('user and assistant only') }}{% endif %}{% endfor %}",
        {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"},
        ("</s>",),
        spaces=metaspace,
        options={"sliding_window": 16},
    ),
    "phi3": Family(
        Phi3Config,
        ("<unk>", "<s>", "</s>", "<|endoftext|>", "<|assistant|>", "<|system|>", "<|end|>",
         "<|user|>"),
        "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>\n{% else %}{{ eos_token }}{% endif %}",
        {"bos_token": "<s>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>",
         "unk_token": "<unk>"},
        ("<|endoftext|>", "<|end|>"),
        strips=("<|user|>", "<|assistant|>", "<|end|>"),
        spaces=metaspace,
    ),
    "smollm3": Family(
        SmolLM3Config,
        ("<|begin_of_text|>", "<|end_of_text|>", "<|im_start|>", "<|im_end|>",
         "<|reserved_special_token_1|>"),
        "<|im_start|>system\nToday: {{ strftime_now('%d %B %Y') }}\nReasoning: "
        "{{ 'on' if enable_thinking is not defined or enable_thinking else 'off' }}<|im_end|>\n"
        + CHATML + NO_THINKING,
        {"bos_token": "<|begin_of_text|>", "eos_token": "<|im_end|>",
         "pad_token": "<|end_of_text|>"},
        ("<|im_end|>",),
        added=("<think>", "</think>"),
    ),
    "olmo2": Family(
        Olmo2Config,
        ("<|endoftext|>", "<|pad|>"),
        "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}"
        "{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}\n{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>\n{% endif %}",
        {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|pad|>",
         "unk_token": "<|endoftext|>"},
        ("<|endoftext|>",),
        added=("|||EMAIL|||", "<|fim_middle|>"),
    ),
}  # fmt: skip


def build_tokenizer(family: Family) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with a family's special tokens and chat template."""
    tokenizer = Tokenizer(models.BPE())
    digits, spaces = pre_tokenizers.Digits(individual_digits=True), family.spaces()
    plain = isinstance(spaces, pre_tokenizers.ByteLevel)
    steps = [digits, spaces] if plain else [spaces, digits]
    if not plain:  # bytes behind the spaces, so that every text has a reading
        steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Replace("▁", " ")])
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=list(family.special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([WORDS] * 3, trainer)
    tokenizer.add_special_tokens(
        [AddedToken(t, special=True, rstrip=t in family.strips) for t in family.special]
    )
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in family.added])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        chat_template=family.template,
        clean_up_tokenization_spaces=False,
        **family.roles,
    )


def save_model(name: str, folder: Path, width: int, seed: int) -> None:
    """Write a random model of a family and its tokenizer into a folder."""
    family = MODEL_FAMILIES[name]
    tokenizer = build_tokenizer(family)
    ids = tokenizer.convert_tokens_to_ids
    config = family.config(
        vocab_size=len(tokenizer) + 8,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        initializer_range=0.2,
        bos_token_id=ids(family.roles.get("bos_token")) if "bos_token" in family.roles else None,
        eos_token_id=[ids(token) for token in family.ends],
        pad_token_id=ids(family.roles.get("pad_token", family.ends[0])),
        **family.options,
    )
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config)
    model.generation_config.eos_token_id = [ids(token) for token in family.ends]
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
