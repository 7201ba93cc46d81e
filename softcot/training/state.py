"""What an interrupted training goes on from, in one file beside its weights."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from softcot.support.errors import UserError
from softcot.support.files import json_text, refuse_used, replacing
from softcot.support.reading import parse_json, reason

Weights = dict[str, torch.Tensor]
Moments = dict[int, dict[str, torch.Tensor]]
"""What AdamW keeps of each weight, by its number."""


@dataclass(frozen=True)
class State:
    """A training between two of its steps."""

    weights: Weights
    best: Weights
    """Those of the best validation so far."""
    moments: Moments
    step: int
    history: list[dict[str, Any]]
    """One entry a validation."""
    seconds: float
    """Wall-clock time so far."""

    def fits(self, weights: Weights, trained: Sequence[torch.Tensor]) -> bool:
        """Whether it is one of a training of these weights, of which some are trained."""
        own = _shapes(weights)
        wanted = {
            number: {"step": (), "exp_avg": tuple(one.shape), "exp_avg_sq": tuple(one.shape)}
            for number, one in enumerate(trained)
        }
        found = {number: _shapes(values) for number, values in self.moments.items()}
        finite = all(
            one.is_floating_point() and bool(one.isfinite().all())
            for part in (self.weights, self.best, *self.moments.values())
            for one in part.values()
        )
        # A part that no prompt has reached yet has no moments.
        same = [_shapes(self.weights), _shapes(self.best)] == [own, own]
        return same and found.items() <= wanted.items() and finite


class StateFile:
    """Where a training leaves its state.

    Args:
        folder: Of the training's weights.
        settings: Everything that decides the weights; a training only goes on with the same.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]):
        self.folder, self.settings = folder, settings
        self.path = folder / "state.safetensors"

    def check_unused(self) -> None:
        """Refuse to start in a folder that holds a training.

        Raises:
            UserError: There is one; the message says how to go on.
        """
        if self.path.exists():
            raise UserError(
                f"{self.folder} holds an interrupted training; add --resume to go on with it, "
                "or delete the folder."
            )
        refuse_used(self.folder)

    def save(self, state: State) -> None:
        """Write a state, so that a kill costs no more than the steps since.

        Raises:
            UserError: It cannot be written; the one before stays.
        """
        parts = {"weights": state.weights, "best": state.best}
        parts |= {f"optimizer.{number}": values for number, values in state.moments.items()}
        tensors = {
            f"{part}.{name}": value
            for part, values in parts.items()
            for name, value in values.items()
        }
        counters = {"step": state.step, "history": state.history, "seconds": state.seconds}
        metadata = {"settings": json_text(self.settings), "counters": json_text(counters)}
        try:
            with replacing(self.path) as temporary:
                save_file(tensors, temporary, metadata)
        except OSError as error:
            kept = self.path.exists()
            raise UserError(
                f"The training cannot be kept in {self.folder} ({reason(error)}); make room there "
                "and "
                + ("go on with --resume." if kept else "start it again, or choose another folder.")
            ) from error

    def load(self) -> State:
        """The state that an interrupted training goes on from.

        Raises:
            UserError: There is none, it is damaged, or it belongs to other settings.
        """
        if not self.path.exists():
            raise UserError(
                f"There is no interrupted training in {self.folder}; leave out --resume to start "
                "one."
            )
        try:
            with safe_open(self.path, "pt") as file:
                metadata = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.keys()}
            settings, counters = (parse_json(metadata[k]) for k in ("settings", "counters"))
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise self.damaged(reason(error)) from error
        self._check_settings(settings)
        try:
            state = _parsed(tensors, counters)
            reached = state.history[-1]["step"]
            losses = [entry["validation_loss"] for entry in state.history]
        except (LookupError, TypeError, ValueError) as error:
            raise self.damaged(reason(error)) from error
        if reached != state.step:
            raise self.damaged("it holds another step than it says")
        if not all(isinstance(number, int | float) for number in (reached, *losses)):
            raise self.damaged("a loss is no number")
        return state

    def _check_settings(self, settings: Mapping[str, Any]) -> None:
        for name, value in json.loads(json_text(self.settings)).items():
            if settings.get(name) != value:  # an earlier version did not write all of them
                raise UserError(
                    f"The training in {self.folder} was started with other settings ({name}); "
                    "go on with the same ones or choose another folder."
                )

    def damaged(self, why: str) -> UserError:
        """The error that says so."""
        return UserError(
            f"The state in {self.folder} is damaged ({why}); delete the folder and start again."
        )

    def drop(self) -> None:
        """Leave nothing to go on from."""
        self.path.unlink(missing_ok=True)


def _parsed(tensors: Weights, counters: Mapping[str, Any]) -> State:
    moments: Moments = {}
    for key, value in _part(tensors, "optimizer.").items():
        number, _, name = key.partition(".")
        moments.setdefault(int(number), {})[name] = value
    return State(
        _part(tensors, "weights."),
        _part(tensors, "best."),
        moments,
        counters["step"],
        counters["history"],
        float(counters["seconds"]),
    )


def _shapes(tensors: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _part(tensors: Weights, prefix: str) -> Weights:
    """The tensors whose name starts with `prefix`, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
