"""Trained weights on disk: a folder with safetensors, what they belong to, and a card."""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from huggingface_hub import PyTorchModelHubMixin
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from softcot.errors import UserError
from softcot.presets import MAX_THOUGHTS

if TYPE_CHECKING:
    from softcot.models import Pair


class Learned(nn.Module, PyTorchModelHubMixin):
    """A small module, in fp32, trained for one task between two frozen models.

    Every argument of a subclass's constructor is kept as an attribute of the same name, so that
    the folder's config rebuilds the module.
    """

    folder: ClassVar[str]
    """Its checkpoints are `<folder>-<task>`."""
    method: ClassVar[str]
    """What `train --method` takes for it."""
    usual_thoughts: ClassVar[int] = MAX_THOUGHTS
    """Largest K of a training where nobody chose one."""
    card: ClassVar[str]
    """Model card, a format string over the module's attributes."""

    base_width: int
    max_thoughts: int
    pair: str
    task: str
    base_fingerprint: str
    assistant_fingerprint: str

    def __init__(
        self,
        template_hash: str = "",
        placeholder: str = "",
        base_revision: str = "",
        assistant_revision: str = "",
    ):
        """Keep what the models read in its training (`Pair.origin`); empty is unknown."""
        super().__init__()
        self.template_hash = template_hash
        self.placeholder = placeholder
        self.base_revision = base_revision
        self.assistant_revision = assistant_revision

    @classmethod
    def for_pair(cls, pair: "Pair", task: str, max_thoughts: int, seed: int = 0) -> Self:
        """Fresh weights for a pair."""
        raise NotImplementedError

    @property
    def size(self) -> int:
        """Number of trained parameters."""
        return sum(weight.numel() for weight in self.state_dict().values())

    def widths(self) -> dict[str, int]:
        """The hidden sizes it was made for, by the side they belong to."""
        return {"base": self.base_width}

    def save(self, path: str | Path) -> None:
        """Write weights, config and model card into the folder `path`, each file at once."""
        path = Path(path)
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path, prefix=".new-") as fresh:
            self.save_pretrained(fresh)
            card = self.card.format(parameters=self.size, **vars(self))
            Path(fresh, "README.md").write_text(card, encoding="utf-8")
            for file in Path(fresh).iterdir():
                os.replace(file, path / file.name)

    @classmethod
    def load_for(cls, pair: "Pair", path: Path) -> Self:
        """Read the folder `path` for the models of a pair; see `load`."""
        return cls.load(path, pair.base.device)

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> Self:
        """Read the folder `path`; every key and every weight must be there and nothing else.

        Raises:
            UserError: The folder is missing or damaged.
        """
        path = Path(path)
        with cls.reading(path):
            module = cls(**cls.config(path))
            module.load_state_dict(load_file(path / "model.safetensors"))
            cls.check_finite(module.parameters())
        return module.eval().requires_grad_(False).to(device)

    @staticmethod
    def config(path: str | Path) -> dict[str, Any]:
        """The constructor's arguments, as a folder keeps them."""
        return json.loads(Path(path, "config.json").read_text(encoding="utf-8"))

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
            reason = str(error).splitlines()[0]
            raise UserError(
                f"The {cls.folder} in {path} is damaged ({reason}); {again.format(' again')}."
            ) from error
