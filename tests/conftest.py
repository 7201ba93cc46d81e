"""A tiny random pair in ordinary Hugging Face folders: all is real but the answers."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from gate import Gate, until
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from softcot.analysis.vocabulary import Vocabulary
from softcot.data.problems import Problem
from softcot.data.stored import DATA_VARIABLE
from softcot.models.language_model import LanguageModel
from softcot.thoughts.adapter import Adapter, CoconutAdapter
from softcot.thoughts.many_thoughts import ManyThoughts
from softcot.thoughts.pair import Pair, load_pair
from softcot.thoughts.projection import Projection
from softcot.thoughts.self_projection import PlaceProjections, SelfProjection
from softcot.thoughts.soft_prompt import PauseToken, SoftPrompt
from softcot.thoughts.tuned_assistant import TunedAssistant

pytest_plugins = ["proofs"]

torch.set_num_threads(1)

SPECIAL = ["<pad>", "<unk>", "<bos>", "<end>", "<user>", "<assistant>", "<thought>", "</thought>"]
TEMPLATE = (
    "{{ bos_token }}"
    "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}<end>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
WORDS = (
    "Solve the problem step by step and end with the answer. Name the key steps and facts of the "
    "problem. Anna has 12 apples and buys 30 more, then she gives 7 pears to Tom. How many are "
    "left? The answer is 35. "
)
KINDS = (
    Projection,
    ManyThoughts,
    SelfProjection,
    PlaceProjections,
    TunedAssistant,
    SoftPrompt,
    PauseToken,
    Adapter,
    CoconutAdapter,
)
"""All that methods train."""
TRAINED = ("all", "mini-gsm", "mini-asdiv", "mini-aqua", "mini-strategy")


def build_tokenizer(**changes) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer in which digits stand alone, as the mini pair's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=360,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([WORDS] * 3, trainer)
    named = {"thought_start_token": "<thought>", "thought_end_token": "</thought>"}
    options = {
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "bos_token": "<bos>",
        "eos_token": "<end>",
        "extra_special_tokens": named,
        "chat_template": TEMPLATE,
        "clean_up_tokenization_spaces": False,
    }
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **(options | changes))


def build_model(width: int, vocabulary: int, seed: int, tied: bool) -> LlamaForCausalLM:
    """A random Llama; weights this large make it prefer some tokens clearly."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.3,
        tie_word_embeddings=tied,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
    )
    return LlamaForCausalLM(config)


@pytest.fixture(autouse=True)
def same_data_folder():
    """Commands put their --data-dir into the environment, where no later test wants it."""
    known = os.environ.get(DATA_VARIABLE)
    yield
    if known is None:
        os.environ.pop(DATA_VARIABLE, None)
    else:
        os.environ[DATA_VARIABLE] = known


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    """The tiny tokenizer, before it is saved."""
    return build_tokenizer()


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory, tokenizer) -> Path:
    """What SOFTCOT_CHECKPOINTS may point to: `mini/{base,assistant,projection-<task>}`."""
    root = tmp_path_factory.mktemp("checkpoints")
    for name, width, tied in (("base", 32, True), ("assistant", 16, False)):
        model = build_model(width, len(tokenizer), seed=width, tied=tied)
        model.save_pretrained(root / "mini" / name)
        tokenizer.save_pretrained(root / "mini" / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTCOT_CHECKPOINTS", str(root))
        pair = load_pair("mini", "cpu")
    for seed, task in enumerate(TRAINED):
        for kind in KINDS:
            learned = kind.for_pair(pair, task, 6 if kind is CoconutAdapter else 16, seed)
            for name, weight in learned.state_dict().items():
                if "lora_B" in name:  # fresh adapters would do nothing
                    weight.copy_(0.1 * torch.randn(weight.shape))
            learned.save(root / "mini" / f"{kind.folder}-{task}")
    return root


@pytest.fixture
def mini_env(checkpoints, monkeypatch) -> Path:
    """The environment in which pair "mini" is the tiny one, for child processes too."""
    monkeypatch.setenv("SOFTCOT_CHECKPOINTS", str(checkpoints))
    return checkpoints


@pytest.fixture(scope="session")
def pair(checkpoints) -> Iterator[Pair]:
    """The tiny pair, loaded on the CPU; nobody may have changed it in the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTCOT_CHECKPOINTS", str(checkpoints))
        loaded = load_pair("mini", "cpu")
    before = loaded.base.fingerprint(exact=True), loaded.assistant.fingerprint(exact=True)
    yield loaded
    assert before == (loaded.base.fingerprint(exact=True), loaded.assistant.fingerprint(exact=True))


@pytest.fixture(scope="session")
def vocabulary(pair) -> Vocabulary:
    """The tiny base's tokens as a reference."""
    return Vocabulary.of(pair.base)


@pytest.fixture(scope="session")
def thoughts(pair) -> np.ndarray:
    """Six random vectors as wide as the base, float32[6, d_base]."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(6, pair.base.width, generator=generator).numpy()


@contextmanager
def forward_passes(lm: LanguageModel) -> Iterator[list[tuple[int, int]]]:
    """Collect (rows, tokens) of every pass through a model, its language head aside.

    What the model remembers of single questions is forgotten first.
    """
    lm.slot_states.cache_clear()
    seen = []

    def see(_, args, given):
        inputs = given.get("inputs_embeds", given.get("input_ids"))
        seen.append(tuple(inputs.shape[:2]))

    hook = lm.model.base_model.register_forward_pre_hook(see, with_kwargs=True)
    try:
        yield seen
    finally:
        hook.remove()


@pytest.fixture
def gate(monkeypatch, engine) -> Iterator[Gate]:
    """Lets the engine of a test file write only what it is told to, until the test is over."""
    gate = Gate(monkeypatch)
    yield gate
    gate.open()
    until(lambda: engine.load().requests == 0)


def build_problems(count: int, task: str = "mini-gsm", seed: int = 0) -> list[Problem]:
    """Different little word problems of different lengths."""
    rng = random.Random(seed)
    problems = []
    for number in range(count):
        first, second = rng.randint(2, 99), rng.randint(2, 99)
        extra = "Tom gives pears to Anna. " * (number % 3)
        problems.append(
            Problem(
                task=task,
                question=f"{extra}Anna has {first} apples and buys {second} more. How many?",
                answer=str(first + second),
                rationale=f"{first} + {second} = {first + second}.",
                hint="add",
                meta={"operations": ["add"], "steps": 1, "unread": ["pears"] * (number % 2)},
            )
        )
    return problems


@pytest.fixture
def problems() -> list[Problem]:
    """Five little word problems of three lengths."""
    return build_problems(5)
