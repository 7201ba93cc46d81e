"""Concise CoT: why not simply think in fewer words?"""

from collections.abc import Sequence

from softcot.data.problems import Problem
from softcot.methods.base import Method
from softcot.models.batches import PromptEmbeds
from softcot.prompts.builder import Prompt

INSTRUCTION = "Reason in at most {k} words."


class ConciseCoT(Method):
    """The base is told, where thoughts would stand, in how many words it may reason."""

    name = "concise-cot"
    title = "Concise CoT"
    about = "The base alone, told to reason in at most {k} words"
    hatch = "\\"
    counted = "words"
    default_k = 20
    max_thoughts = 200

    def prompts(self, problems: Sequence[Problem], k: int = 0) -> list[Prompt]:
        """The prompts with the instruction behind the question; K = 0 is zero-shot CoT."""
        told = INSTRUCTION.format(k=k) if k else None
        build = self.lm.prompts.base
        return [build(p.question, task=self.task, hint=told) for p in problems]

    def prepare(self, problems: Sequence[Problem], k: int = 0) -> PromptEmbeds:
        """The prompts with K words allowed."""
        return self.embedded(self.prompts(problems, self.checked_k(k)))
