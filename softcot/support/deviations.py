"""How the code that the paper released trains otherwise than we do, one difference at a time."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Deviation:
    """One thing that is done as the released code does it; all else is as here."""

    what: str
    options: str
    """Of `train`, added to what trains the pair's own projection."""
    k: int | None = None
    """Thoughts that are asked; None for the usual number."""
    beside: str = "mini"
    """The pair that it differs from in nothing else."""
    prompts: bool = False
    """Whether the models are told other things."""


def deviating(name: str) -> str:
    """The name of the pair of mini's models whose projection was trained with a deviation."""
    return f"mini-paper-{name}"


DEVIATIONS = {
    "slots": Deviation(
        "Prompts: marks around the slots, K named, header graded, another placeholder",
        "--prompts mini-paper --least-thoughts 16",
        k=16,
        beside="fixed-16",
        prompts=True,
    ),
    "k": Deviation("K = 32 in training, 4 in use", "--max-thoughts 32 --least-thoughts 32", k=4),
    "rate": Deviation(
        "Learning rate 2e-5, falling in a line",
        "--learning-rate 2e-5 --warmup 0 --decay linear",
    ),
    "batches": Deviation("Batches of 4, as many problems read", "--batch-size 4 --steps 4800"),
    "last": Deviation("The last weights are kept", "--keep last"),
    "start": Deviation("Start of `nn.Linear`", "--start torch"),
    "numbers": Deviation(
        "bf16 projection, behind the start of `nn.Linear`",
        "--start torch --numbers bfloat16",
        beside=deviating("start"),
    ),
    "all": Deviation(
        "All of it, as many problems read",
        "--protocol paper --train-problems 1920",
        k=4,
        prompts=True,
    ),
}
"""By what the names of their pairs end with; the options are those of mini's projection."""
