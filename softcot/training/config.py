"""What decides the weights of a training; no model library is needed to name it."""

import math
import random
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from softcot.support.errors import UserError

STARTS = ("answers", "vocabulary", "random", "plain", "torch")
"""Where a projection's training starts: at a regression to worked answers, at the map between both
vocabularies, or anywhere; or at that map without the coordinates in which real pairs learn, or as
torch makes a layer, without them too."""

DECAYS = ("cosine", "linear", "none")
"""How the learning rate falls after the warm-up."""

KEPT = ("best", "last")
"""Which weights a training keeps: those of the lowest validation loss, or of its last step."""

NUMBERS = ("float32", "bfloat16")
"""What the trained weights are stored in between two steps."""

CHOICES = {"start": STARTS, "decay": DECAYS, "numbers": NUMBERS, "keep": KEPT}
"""Settings that are one of a few words."""

OWN = ("chains", "graded_chains", "contrast", "rank")
"""Settings that a single method knows."""

LATER = {
    "least_thoughts": 1,
    "epochs": None,
    "graded_chains": None,
    "decay": "cosine",
    "numbers": "float32",
    "keep": "best",
}
"""Settings that came later, with what every training did before."""


@dataclass(frozen=True)
class TrainingConfig:
    """What decides the weights; the defaults train one mini family in minutes on two CPU cores."""

    max_thoughts: int | None = None
    """Every step draws its K up to this; where none is given, the method decides."""
    least_thoughts: int = 1
    """Smallest K that a step draws: as large as the largest, K is fixed, as in the paper."""
    steps: int = 600
    """Optimiser steps."""
    epochs: int | None = None
    """Passes over the training problems, which then decide the steps."""
    batch_size: int = 32
    """Problems a step."""
    learning_rate: float = 3e-3
    """At its highest, after the warm-up."""
    warmup: int = 40
    """Steps over which the learning rate rises; from then on it falls."""
    decay: str = "cosine"
    """How it falls: "cosine", "linear" or "none"."""
    weight_decay: float = 0.0
    """How strongly AdamW pulls the weights towards 0."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    start: str = "vocabulary"
    """Where a projection starts: "answers", read out of the training problems' worked answers;
    "vocabulary", aligned with both models'; or "random". "plain" is "vocabulary" trained in the
    assistant's own coordinates, as before there were fair ones: to compare with. "torch" is as
    `nn.Linear` starts, trained in those too, as in the code that the paper released."""
    numbers: str = "float32"
    """What the trained weights are stored in: "bfloat16" as in that code, where a small step is
    rounded away."""
    keep: str = "best"
    """The weights that are kept: of the "best" validation, or of the "last" step."""
    chains: int = 10
    """Sets of thoughts of SoftCoT++."""
    graded_chains: int | None = None
    """Sets that grade each problem at a step, others at another K; where none is given all, as in
    the paper. With fewer, as many more problems are read in a time."""
    contrast: float = 0.001
    """Weight of SoftCoT++'s contrastive loss beside that of a token, which falls to 0.02 on mini; 0
    leaves the sets to themselves."""
    rank: int = 8
    """Of the adapters in a trained assistant; 0 leaves it frozen."""
    seed: int = 41
    """Decides the initial weights, the problems, their order and K."""
    train_problems: int = 12_800
    """Problems of the training split, over all tasks together."""
    validation_problems: int = 256
    """Problems of the validation split that choose the checkpoint, over all tasks together."""
    validate_every: int = 50
    """Steps between two validations, each of which also saves the state."""

    def __post_init__(self) -> None:
        """Refuse values with which no step can be made."""
        for name, value in asdict(self).items():
            least = 0 if name in ("warmup", "weight_decay", "rank", "seed") else 1
            if isinstance(value, int) and value < least:
                raise UserError(
                    f"The setting {name} must be a whole number, {least} or more; it is {value}."
                )
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise UserError(
                    f"There is no {name} called {getattr(self, name)!r}; choose one of: "
                    f"{', '.join(known)}."
                )
        if self.numbers != "float32" and self.start not in ("plain", "torch"):
            raise UserError(
                f"The coordinates of the start {self.start!r} need float32; with {self.numbers} "
                "choose the start torch or plain."
            )
        if not (math.isfinite(self.contrast) and self.contrast >= 0):
            raise UserError(
                f"The setting contrast must be a number, 0 or more; it is {self.contrast}."
            )
        for name in ("learning_rate", "clip"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise UserError(f"The setting {name} must be a number above 0; it is {value}.")
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise UserError(
                f"The setting weight_decay must be a number, 0 or more; it is {self.weight_decay}."
            )

    def deciding(self, settings: Collection[str]) -> dict[str, Any]:
        """What decides the weights of a method with these settings of its own, by name."""
        own = {n: v for n, v in asdict(self).items() if n not in OWN or n in settings}
        # As in trainings of before there was another choice.
        return {n: v for n, v in own.items() if n not in LATER or v != LATER[n]}

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        share = (step - self.warmup) / (self.steps - self.warmup)
        left = {"cosine": (1 + math.cos(math.pi * share)) / 2, "linear": 1 - share, "none": 1.0}
        return self.learning_rate * left[self.decay]

    def drawn_k(self, step: int) -> int:
        """K of a step."""
        assert self.max_thoughts, "a trainer puts the method's own in the place of None"
        drawn = random.Random(f"{self.seed}/thoughts/{step}")
        return drawn.randint(min(self.least_thoughts, self.max_thoughts), self.max_thoughts)
