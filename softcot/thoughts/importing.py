"""A projection trained elsewhere, as plain tensors in a file, made one of ours."""

import hashlib
import pickle
from datetime import UTC, datetime
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from softcot.data.tasks import get_task
from softcot.support.errors import UserError
from softcot.support.version import __version__
from softcot.thoughts.checkpoint import Origin
from softcot.thoughts.pair import Pair
from softcot.thoughts.projection import Projection

UNREADABLE = (
    *(OSError, EOFError, RuntimeError, pickle.UnpicklingError),
    *(ValueError, TypeError, LookupError, AttributeError, SafetensorError),
)
"""What is raised for a file that holds no plain tensors."""


def import_projection(
    file: str | Path, pair: Pair, task: str, max_thoughts: int | None = None
) -> tuple[Projection, list[str]]:
    """Read the linear layer of a file as a projection of a pair.

    Args:
        file: A state dict, written by PyTorch or as safetensors, with `weight`,
            float[d_base, d_assistant], and perhaps `bias`, float[d_base], both perhaps below one
            name, such as `linear.weight`.
        pair: The two models that it was trained between.
        task: What it was trained on, or "all".
        max_thoughts: Largest K it was trained for, if that is known.

    Returns:
        The projection in fp32, and what had to be assumed, a sentence each. Prompts and
        placeholder of its training are unknown, and its origin leaves them empty.

    Raises:
        UserError: No such task, no plain tensors, other tensors than those, wrong shapes, or
            numbers that are not finite.
    """
    if task != "all":
        get_task(task)
    if max_thoughts is not None and max_thoughts < 1:
        raise UserError(f"A projection has at least 1 thought, not {max_thoughts}.")
    file, remarks = Path(file), []
    weight, bias = _layer(file, _tensors(file))
    base, assistant = pair.base.width, pair.assistant.width
    if tuple(weight.shape) != (base, assistant):
        raise UserError(
            f"The weight in {file} is {_shape(weight)}, but pair {pair.name!r} needs "
            f"{base} x {assistant}, base x assistant; choose the pair that it was trained for."
        )
    if bias is None:
        bias = torch.zeros(base)
        remarks.append(f"{file.name} has no bias; zeros take its place.")
    if tuple(bias.shape) != (base,):
        raise UserError(
            f"The bias in {file} is {_shape(bias)}, but a base of width {base} needs {base}."
        )
    origin = Origin.between(pair, task, max_thoughts or 0, Projection.sides)
    origin |= {name: "" for name in pair.prompting(task)}  # ours, and it was trained with others
    projection = Projection(assistant, base, **origin)
    with torch.no_grad():
        projection.linear.weight.copy_(weight)
        projection.linear.bias.copy_(bias)
    if not all(p.isfinite().all() for p in projection.parameters()):
        raise UserError(f"{file} has numbers that are not finite; export it again.")
    projection.describe(
        {
            "imported_from": file.name,
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "date": datetime.now(UTC).date().isoformat(),
            "softcot": __version__,
        }
    )
    return projection.eval().requires_grad_(False), remarks


def _tensors(file: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file, without running anything that it may hold."""
    if not file.is_file():
        raise UserError(f"There is no file {file}.")
    try:
        if file.suffix == ".safetensors":
            found = load_file(file)
        else:
            found = torch.load(file, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        raise UserError(
            f"{file} cannot be read as plain tensors: it is damaged, or holds code, which is "
            "never run; save the layer's state_dict() with torch.save."
        ) from error
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) and value.is_floating_point()
        for name, value in found.items()
    ):
        raise UserError(
            f"{file} is no state dict of numbers; save the layer's state_dict() with torch.save."
        )
    return found


def _layer(
    file: Path, tensors: dict[str, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The weight and, if there is one, the bias of the only layer there is."""
    prefixes = {name.rpartition(".")[0] for name in tensors}
    layer = {name.rpartition(".")[2]: tensor for name, tensor in tensors.items()}
    if len(prefixes) != 1 or not {"weight"} <= layer.keys() <= {"weight", "bias"}:
        raise UserError(
            f"{file} holds {', '.join(sorted(tensors)[:4]) or 'nothing'}, where one layer's weight "
            "and bias belong; save that layer alone."
        )
    return layer["weight"], layer.get("bias")


def _shape(tensor: torch.Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a single number"
