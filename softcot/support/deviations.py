"""How the code that the paper released trains otherwise than we do, one difference at a time."""

from dataclasses import dataclass

REAL_PAIR = "qwen2.5-coder-0.5b"
"""The pair of ready-made models that deviations are weighed on."""


@dataclass(frozen=True)
class Deviation:
    """One thing that is done as the released code does it; all else is as here."""

    what: str
    options: str
    """Of `train`, added to what trains the pair's own projection."""
    beside: str
    """The pair that it differs from in nothing else."""
    k: int | None = None
    """Thoughts that are asked; None for the usual number."""
    prompts: bool = False
    """Whether the models are told other things."""


def deviating(name: str, pair: str = "mini") -> str:
    """The name of the pair of a pair's models whose projection was trained with a deviation."""
    return f"{pair}-paper-{name}"


def _deviations(
    pair: str, fixed: str, most: int, told: str, steps: int, problems: int
) -> dict[str, Deviation]:
    """What is weighed with a pair.

    Args:
        pair: That whose projection was trained as here.
        fixed: The same, with the largest K in every step.
        most: That K.
        told: The set of templates after the released code.
        steps: Of batches of 4, for as many problems as are read here.
        problems: Of which ten epochs are as many.
    """
    return {
        "slots": Deviation(
            "Prompts: marks around the slots, K named, header graded, another placeholder",
            f"--prompts {told} --least-thoughts {most}",
            k=most,
            beside=fixed,
            prompts=True,
        ),
        "k": Deviation(
            "K = 32 in training, 4 in use",
            "--max-thoughts 32 --least-thoughts 32",
            k=4,
            beside=pair,
        ),
        "rate": Deviation(
            "Learning rate 2e-5, falling in a line",
            "--learning-rate 2e-5 --warmup 0 --decay linear",
            beside=pair,
        ),
        "batches": Deviation(
            "Batches of 4, as many problems read",
            f"--batch-size 4 --steps {steps}",
            beside=pair,
        ),
        "last": Deviation("The last weights are kept", "--keep last", beside=pair),
        "start": Deviation("Start of `nn.Linear`", "--start torch", beside=pair),
        "numbers": Deviation(
            "bf16 projection, behind the start of `nn.Linear`",
            "--start torch --numbers bfloat16",
            beside=deviating("start", pair),
        ),
        "all": Deviation(
            "All of it, as many problems read",
            f"--protocol paper --train-problems {problems}",
            k=4,
            beside=pair,
            prompts=True,
        ),
    }


DEVIATIONS = _deviations("mini", "fixed-16", most=16, told="mini-paper", steps=4800, problems=1920)
"""By what the names of their pairs end with; the options are those of mini's projection."""

_FIXED = "fixed"

REAL_DEVIATIONS = {
    _FIXED: Deviation("One K in every step", "--least-thoughts 8", beside=REAL_PAIR)
} | _deviations(
    REAL_PAIR,
    deviating(_FIXED, REAL_PAIR),
    most=8,
    told="chat-paper",
    steps=480,
    problems=192,
)
"""The same of that pair, whose projection for `notes` has K to 8 and 240 steps of 8."""
