"""Methods that add nothing to the question, or words: zero-shot CoT and Assist-CoT."""

from collections.abc import Sequence

from softcot.decoding import Sampling, decode, finish
from softcot.errors import UserError
from softcot.methods.base import Method
from softcot.models import PromptEmbeds, collate
from softcot.presets import DEFAULT_HINT_TOKENS, MAX_HINT_TOKENS
from softcot.problems import Problem
from softcot.prompts import Prompt


class ZeroShotCoT(Method):
    """The base alone: the instruction asks for steps, and nothing is added."""

    name = "zero-shot-cot"
    title = "Zero-shot CoT"


class AssistCoT(Method):
    """The assistant writes up to K hard tokens, which the base reads as text."""

    name = "assist-cot"
    title = "Assist-CoT"
    asks_assistant = True
    default_thoughts = DEFAULT_HINT_TOKENS
    most_thoughts = MAX_HINT_TOKENS

    def thoughts_for(self, wanted: int | None) -> int:
        """K of a request: the most tokens that the assistant may write.

        Raises:
            UserError: There cannot be so many, or so few.
        """
        wanted = self.default_thoughts if wanted is None else wanted
        if not 0 <= wanted <= self.most_thoughts:
            raise UserError(
                f"K = {wanted} hint tokens is out of range; choose 0 to {self.most_thoughts}."
            )
        return wanted

    def prepare(self, problems: Sequence[Problem], thoughts: int) -> PromptEmbeds:
        """The prompts with a hint in the slots' place; K = 0 is exactly zero-shot CoT."""
        written = self.hints(problems, thoughts)
        hints = [self.pair.assistant.text(ids).strip() for ids in written]
        prompts = [self._prompt(*both) for both in zip(problems, hints, strict=True)]
        return self.embedded(prompts, passes=[len(ids) for ids in written])

    def hints(self, problems: Sequence[Problem], thoughts: int) -> list[list[int]]:
        """The tokens that the assistant writes about each problem, greedily, at most K."""
        if not self.thoughts_for(thoughts):
            return [[] for _ in problems]
        assistant = self.pair.assistant
        prompts = [assistant.prompts.assistant(p.question, task=self.task) for p in problems]
        batch = collate(prompts, assistant.pad_id, "left", assistant.device)
        asked = PromptEmbeds.of(batch, assistant.embed(batch.input_ids))
        return [
            row.ids for row in finish(decode(assistant, asked, Sampling(max_new_tokens=thoughts)))
        ]

    def _prompt(self, problem: Problem, hint: str) -> Prompt:
        return self.lm.prompts.base(problem.question, task=self.task, hint=hint or None)
