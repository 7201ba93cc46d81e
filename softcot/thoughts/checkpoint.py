"""Trained weights on disk: a folder with safetensors, what they belong to, and a card."""

import html
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import torch
from huggingface_hub import ModelCard, ModelCardData, PyTorchModelHubMixin
from pydantic import Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from softcot.data.stored import StoredProblems
from softcot.data.tasks import BENCHMARK_TASKS, training_tasks
from softcot.models.language_model import LanguageModel
from softcot.models.model_pair import ModelPair
from softcot.support.errors import UserError
from softcot.support.files import FRESH, json_text, naming
from softcot.support.presets import MAX_THOUGHTS
from softcot.support.reading import read_object, reason
from softcot.support.schema import STRICT, from_json

PAPER = "2502.12134"
"""SoftCoT on arXiv."""

LARGEST = 2**17
"""Largest width, rank or K that a config may name: no model is as wide, and no context as long."""

CARD = """---
{front}
---
{what}
## Made for

{origin}

Fingerprints are the SHA-256 over all weights of a model, rounded to bfloat16.

## Training

{training}

## Use

```python
{loading}
```

SoftCoT is described in [arXiv {paper}](https://arxiv.org/abs/{paper}).
"""


@dataclass(frozen=True)
class Origin:
    """What some weights were trained for and how; a text is empty where nobody knows."""

    __pydantic_config__ = STRICT

    pair: str = ""
    """Name of the pair."""
    task: str = ""
    """What they were trained on: a task, or "all"."""
    max_thoughts: Annotated[int, Field(ge=0, le=LARGEST)] = MAX_THOUGHTS
    """Every K from 1 to this was trained; 0 where nobody knows, and for what has no thoughts."""
    base_model: str = ""
    """Hub id of the base, or the last two names of its folder's path."""
    assistant_model: str = ""
    """The same of the assistant; empty where none takes part, as in all of its fields."""
    base_revision: str = ""
    """Commit of the base on the Hub."""
    assistant_revision: str = ""
    base_fingerprint: str = ""
    """Fingerprint of the base: over all of its weights, those of its embeddings among them."""
    assistant_fingerprint: str = ""
    template_hash: str = ""
    """Of the prompts' template."""
    placeholder: str = ""
    """The token that stands in the slots."""
    training_record: dict[str, Any] = field(default_factory=dict)
    """A short record of the training: steps, validation loss, seed, date, version."""

    @classmethod
    def between(
        cls, models: ModelPair, task: str, max_thoughts: int, sides: Iterable[str] = ("base",)
    ) -> dict[str, Any]:
        """What is known of weights for the models on some sides of a pair, before training."""
        known: dict[str, Any] = {"pair": models.name, "task": task, "max_thoughts": max_thoughts}
        known |= models.prompting(task)
        for side in sides:
            lm = getattr(models, side)
            known[f"{side}_model"] = _model_name(lm)
            known[f"{side}_revision"] = lm.revision
            known[f"{side}_fingerprint"] = models.fingerprints[side]
        return known

    def facts(self) -> dict[str, Any]:
        """What a model card says beside the training: all that is known."""
        known = {name: value for name, value in asdict(self).items() if value}
        known.pop("training_record", None)
        most = known.pop("max_thoughts", 0)
        return known | ({"trained K": f"1 to {most}"} if most else {})


ORIGIN = frozenset(field.name for field in fields(Origin))
"""What can be asked of weights that is their origin's."""


class TrainedWeights(nn.Module, PyTorchModelHubMixin):
    """A small module, in fp32, trained for one task between two frozen models.

    A subclass's constructor takes its `own` arguments, each kept as an attribute of the same
    name, and the fields of `Origin`; the config of a folder holds all of them side by side. The
    origin's fields can be read as attributes too: `weights.task` is `weights.origin.task`.

    Args:
        origin: Fields of `Origin`.
    """

    folder: ClassVar[str]
    """Its checkpoints are `<folder>-<task>`."""
    method: ClassVar[str]
    """What `train --method` takes for it."""
    default_max_thoughts: ClassVar[int] = MAX_THOUGHTS
    """Largest K of a training where nobody chose one."""
    own: ClassVar[tuple[str, ...]] = ("base_width",)
    """What its constructor takes beside the origin."""
    sides: ClassVar[tuple[str, ...]] = ("base",)
    """The models of a pair that it was made for."""
    reader: ClassVar[str] = "assistant"
    """Which of them reads the placeholders."""
    tags: ClassVar[tuple[str, ...]]
    """Of the model card."""
    card: ClassVar[str]
    """What the model card says it is, a format string over the module's settings."""
    loading: ClassVar[str] = (
        'from {home} import {kind}\n\nweights = {kind}.from_pretrained("folder or Hub id")'
    )
    """How the model card says it is loaded, a format string over `home`, `kind` and `pair`."""
    home: ClassVar[str] = "softcot"
    """What it is imported from: the package, or its module where that does not name it."""
    starts: ClassVar[Mapping[str, str]] = {}
    """What the model card says of the ways in which a training can start."""
    start: str = ""
    """Which of `starts` a training of it begins with; empty where it has but one."""

    base_width: int

    def __init__(self, **origin: Any):
        super().__init__()
        self.origin = Origin(**origin)

    def __getattr__(self, name: str) -> Any:
        """Fields of the origin; anything else is `nn.Module`'s."""
        return getattr(self.origin, name) if name in ORIGIN else super().__getattr__(name)

    @classmethod
    def for_pair(
        cls,
        models: ModelPair,
        task: str,
        max_thoughts: int | None = None,
        seed: int = 0,
        **own: Any,
    ) -> Self:
        """Fresh weights for a pair; None for the largest K that is usual.

        `own` are those of its own arguments that no pair decides.
        """
        raise NotImplementedError

    @property
    def size(self) -> int:
        """Number of trained parameters."""
        return sum(weight.numel() for weight in self.state_dict().values())

    def fold(self) -> None:
        """Leave the coordinates of a training, if it had its own, for those that are kept."""

    def describe(self, training_record: dict[str, Any]) -> None:
        """Take down how it was trained, for its config and card."""
        self.origin = replace(self.origin, training_record=training_record)

    def remarks(self) -> list[str]:
        """What a user should know before an answer is believed, a sentence each."""
        origin = self.origin
        facts = {
            "prompts": origin.template_hash,
            "placeholder": origin.placeholder,
            "K": origin.max_thoughts,
        }
        unknown = [name for name, known in facts.items() if not known]
        if not unknown or "imported_from" not in origin.training_record:
            return []
        return [
            f"The {self.folder} for {origin.task!r} was trained elsewhere, and nobody knows with "
            f"which {', '.join(unknown)}: where they are others than here, its answers say little."
        ]

    def widths(self) -> dict[str, int]:
        """The hidden sizes it was made for, by the side they belong to."""
        return {side: getattr(self, f"{side}_width") for side in self.sides}

    @property
    def settings(self) -> dict[str, Any]:
        """The constructor's arguments: what a folder's config holds."""
        return {name: getattr(self, name) for name in self.own} | asdict(self.origin)

    def save(self, path: str | Path) -> None:
        """Write weights, config and model card into the folder `path`, each file at once."""
        path = Path(path)
        with naming(path):
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path, prefix=FRESH) as fresh:
                self.save_pretrained(fresh)
                for file in Path(fresh).iterdir():
                    os.replace(file, path / file.name)

    def generate_model_card(self, *args: Any, **kwargs: Any) -> ModelCard:
        """The card that every saved or pushed folder gets: all of it comes from the settings."""
        origin, kind = self.origin, type(self)
        data = ModelCardData(
            library_name="softcot",
            base_model=[name for name in (origin.base_model, origin.assistant_model) if name],
            datasets=_data_sets(origin.task),
            tags=[*self.tags, f"arxiv:{PAPER}"],
        )
        trained = _table(origin.training_record or {"recorded": "nothing"})
        started = self.starts.get(origin.training_record.get("start", ""), "")
        text = CARD.format(
            front=data.to_yaml(),
            what=self.card.format(parameters=self.size, **self.settings),
            origin=_table(origin.facts()),
            training="\n\n".join(filter(None, [trained, started, *self.remarks()])),
            loading=self.loading.format(
                home=self.home, kind=kind.__name__, pair=origin.pair or "pair"
            ),
            paper=PAPER,
        )
        return ModelCard(text)

    def _save_pretrained(self, save_directory: Path) -> None:
        """Write weights and config; the mixin adds the card."""
        weights = {name: weight.contiguous() for name, weight in self.state_dict().items()}
        save_file(weights, save_directory / "model.safetensors")
        self._save_config(save_directory)

    def _save_config(self, save_directory: Path) -> None:
        config = json_text(self.settings, sort_keys=True, indent=2)
        Path(save_directory, "config.json").write_text(config, encoding="utf-8")

    @classmethod
    def _from_pretrained(cls, *, strict: bool = True, **given: Any) -> Self:
        """Every key must be there and nothing else, which is not the mixin's own choice."""
        if not strict:
            raise UserError(f"A {cls.folder} is loaded whole or not at all; leave out strict.")
        module = super()._from_pretrained(strict=True, **given)
        cls.check_finite(module.parameters())
        return module.requires_grad_(False)

    @classmethod
    def load_for(cls, models: ModelPair, path: Path) -> Self:
        """Read the folder `path` for the models of a pair; see `load`."""
        return cls.load(path, models.base.device)

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> Self:
        """Read the folder `path`; every key and every weight must be there and nothing else.

        Raises:
            UserError: The folder is missing or damaged.
        """
        path = Path(path)
        with cls.reading(path):
            file = path / "model.safetensors"
            module = cls(**cls.config(path, file))
            module.load_state_dict(load_file(file))
            cls.check_finite(module.parameters())
        return module.eval().requires_grad_(False).to(device)

    @classmethod
    def config(cls, path: Path, file: Path) -> dict[str, Any]:
        """The constructor's arguments, as the folder `path` keeps them, for the weights in a file.

        They come from anywhere: what is made of them is as large as the file, and no larger.

        Raises:
            ValueError: Something is missing or of another type, or the file has other weights.
        """
        given = read_object(path / "config.json")
        sizes = {name: given.pop(name) for name in cls.own if name in given}
        for name, value in sizes.items():
            if type(value) is not int or not 0 <= value <= LARGEST:
                raise ValueError(f"the field {name!r} is no size")
        known = sizes | vars(from_json(Origin, json_text(given)))
        cls._check_size(known, file)
        return known

    @classmethod
    def _check_size(cls, config: Mapping[str, Any], file: Path) -> None:
        """Refuse a config whose weights are not those that a file says it has."""
        with safe_open(file, "pt") as weights:
            slices = {name: weights.get_slice(name) for name in weights.keys()}
        shapes = {name: tuple(one.get_shape()) for name, one in slices.items()}
        if not all("F" in one.get_dtype() for one in slices.values()):
            raise ValueError("its weights are not numbers with a fraction")
        with torch.device("meta"):  # nothing is allocated
            made = cls(**config)
        own = {name: tuple(weight.shape) for name, weight in nn.Module.state_dict(made).items()}
        rank = getattr(made, "rank", 0)
        ranks = {shape[0] for name, shape in shapes.items() if "lora_A" in name and shape}
        if not own.items() <= shapes.items() or ranks != ({rank} if rank else set()):
            raise ValueError("its weights are not those of its config")

    def check_shapes(self, given: Mapping[str, torch.Tensor]) -> None:
        """Refuse weights of other names or shapes, of which some would be taken over.

        Raises:
            RuntimeError: They are others.
        """
        shapes, expected = (
            {name: weight.shape for name, weight in weights.items()}
            for weights in (given, self.state_dict())
        )
        if shapes != expected:
            raise RuntimeError("its weights are not those of its config")

    @staticmethod
    def check_finite(weights: Iterable[torch.Tensor]) -> None:
        """Refuse weights with which nothing can be computed."""
        if not all(weight.isfinite().all() for weight in weights):
            raise ValueError("a weight is not a finite number")

    @classmethod
    @contextmanager
    def reading(cls, path: Path) -> Iterator[None]:
        """Turn whatever goes wrong while a folder is read into one sentence."""
        again = f"train it{{}} with `python -m softcot train --method {cls.method}`"
        if not path.is_dir():
            raise UserError(f"There is no {cls.folder} in {path}; {again.format('')}.")
        try:
            yield
        except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
            raise UserError(
                f"The {cls.folder} in {path} is damaged ({reason(error)}); "
                f"{again.format(' again')}."
            ) from error


def _model_name(lm: "LanguageModel") -> str:
    """The Hub id of a model, or the last two names of its folder: a card shows no other path."""
    source = lm.model.name_or_path
    local = bool(source) and Path(source).is_dir()
    return "/".join(Path(source).absolute().parts[-2:]) if local else source


def _data_sets(task: str) -> list[str]:
    """Hub ids of what a task's problems come from; a task that needs no data is its own."""
    if not task:
        return []
    hub = {
        name: found.source.hub.id
        for name, found in BENCHMARK_TASKS.items()
        if isinstance(found.source, StoredProblems)
    }
    names = [found.name for found in training_tasks(task)] if task == "all" else [task]
    return [hub.get(name, name) for name in names]


def _table(rows: dict[str, Any]) -> str:
    """A Markdown table of names and values, whatever characters a special token is made of."""
    cells = {name: html.escape(str(value)).replace("|", "&#124;") for name, value in rows.items()}
    lines = [f"| {name.replace('_', ' ')} | {value} |" for name, value in cells.items()]
    return "\n".join(["| | |", "| --- | --- |", *lines])
