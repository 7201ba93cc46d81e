"""Tiny random models and tokenizers in the shape of well-known families, in ordinary folders.

Vocabulary, special tokens and chat templates are small and of our own making; what they have in
common with the real ones is what can go wrong: who has a system role, which tokens end a turn,
which are declared special, where spaces and dates are put in.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    MistralConfig,
    Olmo2Config,
    Phi3Config,
    PreTrainedConfig,
    PreTrainedModel,
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


PLAIN = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 1024, "initializer_range": 0.2,
    "num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2,
    "moe_intermediate_size": 32, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}  # fmt: skip
"""What nearly all configs call their sizes; a config keeps names that it does not know."""

HEAD = {"head_dim": 8}
LATENT = HEAD | {
    "num_key_value_heads": 4, "q_lora_rank": 16, "kv_lora_rank": 16, "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8, "v_head_dim": 8, "n_routed_experts": 4, "n_group": 1, "topk_group": 1,
    "first_k_dense_replace": 1,
}  # fmt: skip
INDEXED = LATENT | {"index_n_heads": 2, "index_head_dim": 16, "index_topk": 4}
STATE_SPACE = {
    "mamba_d_state": 8, "mamba_n_heads": 8, "mamba_d_head": 8, "mamba_expand": 2,
    "mamba_n_groups": 1, "mamba_d_conv": 4, "mamba_chunk_size": 8, "shared_intermediate_size": 32,
}  # fmt: skip
LINEAR = HEAD | {
    "layer_types": ["linear_attention", "full_attention"], "linear_num_value_heads": 4,
    "linear_num_key_heads": 2, "linear_key_head_dim": 8, "linear_value_head_dim": 8,
}  # fmt: skip

SERVED: dict[str, dict] = {
    "afmoe": HEAD, "apertus": HEAD, "arcee": HEAD, "aria_text": HEAD, "bitnet": HEAD,
    "bloom": {"seq_length": 1024, "n_head": 4}, "cohere": {"logit_scale": 0.3},
    "cohere2": {"logit_scale": 0.3} | HEAD, "cwm": HEAD, "deepseek_v2": LATENT,
    "deepseek_v3": LATENT, "diffllama": HEAD, "doge": HEAD,
    "dots1": HEAD | {"n_routed_experts": 4, "n_group": 1, "topk_group": 1, "n_shared_experts": 1,
                     "first_k_dense_replace": 1},
    "ernie4_5": HEAD, "ernie4_5_moe": HEAD, "exaone4": HEAD,
    "falcon": {"alibi": True, "new_decoder_architecture": False, "multi_query": False},
    "flex_olmo": HEAD, "gemma": HEAD, "gemma2": HEAD | {"final_logit_softcapping": 2.0},
    "gemma3_text": HEAD | {"final_logit_softcapping": 2.0, "sliding_window": 16},
    "glm": HEAD, "glm4": HEAD, "glm4_moe": HEAD | {"n_routed_experts": 4}, "gpt2": {},
    "gpt_bigcode": {},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]], "num_layers": 2, "window_size": 16},
    "gpt_neox": {}, "gpt_oss": HEAD | {"sliding_window": 16}, "gptj": {"rotary_dim": 4},
    "granite": {"logits_scaling": 4.0}, "granitemoe": {"logits_scaling": 4.0},
    "granitemoeshared": {"logits_scaling": 4.0, "shared_intermediate_size": 32}, "helium": HEAD,
    "hunyuan_v1_dense": HEAD, "hunyuan_v1_moe": HEAD, "hyperclovax": {"logits_scaling": 0.125},
    "jetmoe": {"kv_channels": 8}, "llama": {},
    "longcat_flash": LATENT | {"num_layers": 2, "ffn_hidden_size": 64, "zero_expert_num": 1,
                               "expert_ffn_hidden_size": 32, "moe_topk": 2},
    "minicpm3": LATENT, "minimax_m2": HEAD, "ministral": HEAD, "ministral3": HEAD,
    "mistral": HEAD | {"sliding_window": 16}, "mixtral": {}, "mpt": {"max_seq_len": 1024},
    "nanochat": {}, "nemotron": HEAD, "olmo": {}, "olmo2": {}, "olmo3": {"sliding_window": 16},
    "olmoe": {}, "opt": {"word_embed_proj_dim": 32, "ffn_dim": 64}, "persimmon": {}, "phi": {},
    "phi3": {}, "phimoe": {}, "qwen2": {},
    "qwen2_moe": {"shared_expert_intermediate_size": 32}, "qwen3": HEAD, "qwen3_moe": HEAD,
    "seed_oss": HEAD, "smollm3": {}, "stablelm": {}, "starcoder2": {}, "vaultgemma": HEAD,
    "xglm": {"d_model": 32, "ffn_dim": 64, "attention_heads": 4, "num_layers": 2},
}  # fmt: skip
"""Model types that are served exactly, with the fields of their configs."""

REFUSED: dict[str, dict] = {
    "bamba": STATE_SPACE | {"attn_layer_indices": [1]}, "ctrl": {}, "deepseek_v32": INDEXED,
    "falcon_h1": STATE_SPACE | {"lm_head_multiplier": 0.5, "mamba_d_ssm": 64}, "falcon_mamba": {},
    "gemma3n_text": HEAD | {
        "vocab_size_per_layer_input": 400, "hidden_size_per_layer_input": 8, "laurel_rank": 4,
        "layer_types": ["sliding_attention", "full_attention"], "num_kv_shared_layers": 0,
        "intermediate_size": [64, 64], "activation_sparsity_pattern": [0.0, 0.0]},
    "gemma4_text": HEAD | {
        "global_head_dim": 8, "vocab_size_per_layer_input": 400, "num_kv_shared_layers": 0,
        "hidden_size_per_layer_input": 8, "layer_types": ["sliding_attention", "full_attention"]},
    "glm_moe_dsa": INDEXED,
    "granitemoehybrid": STATE_SPACE | {"layer_types": ["mamba", "attention"]},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1, "expert_layer_period": 2,
              "expert_layer_offset": 1, "use_mamba_kernels": False, "mamba_d_state": 8},
    "lfm2": {"layer_types": ["conv", "full_attention"]},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"], "num_dense_layers": 1},
    "llama4_text": HEAD | {"intermediate_size_mlp": 64, "interleave_moe_layer_step": 2},
    "mamba": {}, "mamba2": {"num_heads": 8, "head_dim": 8, "state_size": 8, "n_groups": 1,
                            "chunk_size": 8},
    "minimax": HEAD, "nemotron_h": STATE_SPACE, "olmo_hybrid": {}, "qwen3_5_text": LINEAR,
    "qwen3_next": LINEAR,
    "recurrent_gemma": HEAD | {"block_types": ["recurrent", "attention"]}, "rwkv": {},
    "xlstm": {"num_heads": 4},
    "zamba2": {"layers_block_type": ["mamba", "hybrid"], "mamba_d_state": 8, "n_mamba_heads": 8,
               "mamba_headdim": 8, "mamba_ngroups": 1, "chunk_size": 8, "num_mem_blocks": 1},
}  # fmt: skip
"""The same for those that are refused."""


@cache
def plain_tokenizer() -> PreTrainedTokenizerFast:
    """One for all the models of `plain_model`."""
    return build_tokenizer(MODEL_FAMILIES["qwen2"])


def plain_model(model_type: str, **options: object) -> PreTrainedModel:
    """A frozen random model of a type, in which no weight stands where it does nothing."""
    rows = len(plain_tokenizer()) + 8
    config = AutoConfig.for_model(model_type, **{**PLAIN, "vocab_size": rows, **options})
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config).eval().requires_grad_(False)
    for weight in model.parameters():
        weight += 0.1 * torch.randn_like(weight)
    return model
