"""Zero-shot CoT: the base alone, which everything else is compared with."""

from softcot.methods.base import Method


class ZeroShotCoT(Method):
    """The base alone: the instruction asks for steps, and nothing is added."""

    name = "zero-shot-cot"
    title = "Zero-shot CoT"
    short = "Hard CoT"
    about = "The base alone, thinking in words"
