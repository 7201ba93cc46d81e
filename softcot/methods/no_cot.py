"""No CoT: the answer at once."""

import re
from collections.abc import Sequence

from softcot.data.problems import Problem
from softcot.methods.base import Method
from softcot.prompts.builder import Prompt

OPENING = "The answer is"
"""How every answer ends; here it begins so, and no step can come before it."""

ENDING = re.compile(r"(?<=[.!?])\s|\n")
"""Where that sentence ends. What is written after it still counts as tokens."""


class NoCoT(Method):
    """The base's answer is begun for it at its last sentence: how much is the reasoning worth?"""

    name = "no-cot"
    title = "No CoT"
    about = "The base alone, made to answer at once"
    hatch = "+"
    reworded = True

    def prompts(self, problems: Sequence[Problem], k: int = 0) -> list[Prompt]:
        """The prompts of zero-shot CoT, and the beginning of the last sentence of an answer."""
        build = self.lm.prompts.base
        return [build(p.question, task=self.task, opening=OPENING) for p in problems]

    def said(self, ids: Sequence[int]) -> str:
        """The whole sentence, read as everybody's, without the steps that a base may go on with."""
        return ENDING.split(f"{OPENING}{super().said(ids)}", maxsplit=1)[0]

    def worked(self, problem: Problem) -> str:
        """The rest of that sentence."""
        return f" {problem.answer}."
