"""Assist-CoT: the assistant's help as words (the paper's hard-token baseline)."""

from collections.abc import Sequence

from softcot.data.problems import Problem
from softcot.decoding.decoder import Sampling, decode, finish
from softcot.methods.base import Method
from softcot.models.batches import PromptEmbeds, collate
from softcot.models.language_model import LanguageModel
from softcot.prompts.builder import Prompt
from softcot.support.presets import DEFAULT_HINT_TOKENS, DEFAULT_THOUGHTS, MAX_HINT_TOKENS


class AssistCoT(Method):
    """The assistant writes up to K hard tokens, which the base reads as text."""

    name = "assist-cot"
    title = "Assist-CoT"
    about = "With a hint of up to {k} tokens, written by the assistant"
    hatch = "/"
    asks_assistant = True
    default_k = DEFAULT_HINT_TOKENS
    counted = "hint tokens"
    max_thoughts = MAX_HINT_TOKENS

    @property
    def thinker(self) -> LanguageModel:
        """Who writes the hint."""
        return self.pair.assistant

    def heard_tokens(self, problem: Problem, k: int, sets: int = 1) -> int:
        """Its prompt, and the K tokens that it may write."""
        asked = self.thinker.prompts.assistant(problem.heard, task=self.task)
        return len(asked) + k if k else 0

    def prepare(self, problems: Sequence[Problem], k: int = 0) -> PromptEmbeds:
        """The prompts with a hint in the slots' place; K = 0 is exactly zero-shot CoT."""
        written = self.hints(problems, k)
        hints = [self.pair.assistant.text(ids).strip() for ids in written]
        prompts = [self._prompt(*both) for both in zip(problems, hints, strict=True)]
        return self.embedded(prompts, passes=[len(ids) for ids in written])

    def hints(self, problems: Sequence[Problem], k: int) -> list[list[int]]:
        """The tokens that the assistant writes about each problem, greedily, at most K."""
        if not self.checked_k(k):
            return [[] for _ in problems]
        assistant = self.pair.assistant
        prompts = [assistant.prompts.assistant(p.question, task=self.task) for p in problems]
        batch = collate(prompts, assistant.pad_id, "left", assistant.device)
        asked = PromptEmbeds.of(batch, assistant.embed(batch.input_ids))
        return [row.ids for row in finish(decode(assistant, asked, Sampling(max_new_tokens=k)))]

    def _prompt(self, problem: Problem, hint: str) -> Prompt:
        return self.lm.prompts.base(problem.question, task=self.task, hint=hint or None)


class EqualHint(AssistCoT):
    """A hint of as many tokens as SoftCoT has thoughts: what would words do with that room?"""

    name = "equal-hint"
    title = "Equal hint"
    about = "With {k} tokens of the assistant, as many as there are thoughts"
    hatch = "//"
    default_k = DEFAULT_THOUGHTS
    shares_k = True
