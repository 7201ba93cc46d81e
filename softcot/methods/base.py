"""What every method is: a way to turn questions into the input of a base model."""

from collections.abc import Sequence
from typing import ClassVar

from softcot.learned import Learned
from softcot.models import Batch, LanguageModel, Pair, PromptEmbeds, collate
from softcot.problems import Problem
from softcot.prompts import Prompt
from softcot.tasks import FREE, Task


class Method:
    """A way to ask the base model; this one, the simplest, asks with nothing added.

    Args:
        pair: The two frozen models.
        task: Says what both models are told to do.
    """

    name: str
    """What `--method` takes."""
    title: str
    """What people call it."""
    trains: str = "nothing"
    """Which weights a training moves, in words."""
    asks_assistant: bool = False
    """Whether the assistant reads the question."""
    default_thoughts: int = 0
    """K where nobody chose one."""
    kind: ClassVar[type[Learned] | None] = None
    """What is trained for it."""

    def __init__(self, pair: Pair, task: Task = FREE):
        self.pair = pair
        self.task = task

    @classmethod
    def build(cls, pair: Pair, task: Task, *, trained_on: str | None = None, **options) -> "Method":
        """The method with whatever it needs for this task; the options are those of `get_method`.

        Raises:
            UserError: What it needs is not there.
        """
        return cls(pair, task)

    @property
    def lm(self) -> LanguageModel:
        """The model that writes the answer."""
        return self.pair.base

    @property
    def most_thoughts(self) -> int:
        """Largest K; 0 for a method without thoughts."""
        return 0

    def thoughts_for(self, wanted: int | None) -> int:
        """K of a request; None means the method's own choice, and a method without thoughts has 0.

        Raises:
            UserError: There cannot be so many, or so few.
        """
        return 0

    @property
    def trained_on(self) -> str | None:
        """The task its weights were trained on; None where it trains nothing."""
        return None

    def fingerprint(self) -> str | None:
        """Of the weights that were trained for it, exact; None where there are none."""
        return None

    def prepare(self, problems: Sequence[Problem], thoughts: int = 0) -> PromptEmbeds:
        """Turn problems into left-padded prompts with K = `thoughts`."""
        return self.embedded(self.prompts(problems))

    def prompts(self, problems: Sequence[Problem], thoughts: int = 0) -> list[Prompt]:
        """The base's prompts with K slots."""
        return [
            self.lm.prompts.base(p.question, task=self.task, thoughts=thoughts) for p in problems
        ]

    def batch(self, prompts: Sequence[Prompt]) -> Batch:
        """Prompts as a left-padded batch."""
        return collate(prompts, self.lm.pad_id, "left", self.lm.device)

    def embedded(
        self, prompts: Sequence[Prompt], passes: Sequence[int] | None = None
    ) -> PromptEmbeds:
        """Prompts without slots, ready to be decoded; `passes` as in `PromptEmbeds`."""
        batch = self.batch(prompts)
        return PromptEmbeds.of(batch, self.lm.embed(batch.input_ids), passes)
