"""Told CoT: the base reads what only the assistant was to be told."""

from collections.abc import Sequence

from softcot.data.problems import Problem
from softcot.methods.base import Method
from softcot.prompts.builder import Prompt


class ToldCoT(Method):
    """The base alone, with the note before the question: the most that thoughts could tell it."""

    name = "told-cot"
    title = "Told CoT"
    about = "The base alone, which reads the assistant's note"
    hatch = "++"

    def prompts(self, problems: Sequence[Problem], k: int = 0) -> list[Prompt]:
        """The prompts of zero-shot CoT with the note; exactly those where there is none."""
        build = self.lm.prompts.base
        return [build(problem.heard, task=self.task) for problem in problems]
