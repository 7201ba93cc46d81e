"""What every method is: a way to turn questions into the input of a base model."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from softcot.data.problems import Problem
from softcot.data.tasks import FREE, Task
from softcot.methods.objective import Objective
from softcot.models.batches import Batch, PromptEmbeds, collate
from softcot.models.language_model import LanguageModel
from softcot.prompts.builder import Prompt
from softcot.support.errors import UserError
from softcot.thoughts.checkpoint import TrainedWeights
from softcot.thoughts.pair import Pair


class Method:
    """A way to ask the base model; this one, the simplest, asks with nothing added.

    Args:
        pair: The two frozen models.
        task: Says what both models are told to do.
    """

    name: str
    """What `--method` takes."""
    title: str
    """What people call it; the name of its row in every table."""
    short: ClassVar[str] = ""
    """What the page's cards call it; the title where empty."""
    about: ClassVar[str] = ""
    """What it gives to the base: a format string over `k`, and `thoughts`, K in words."""
    hatch: ClassVar[str] = ""
    """How its bars are hatched in figures, a Plotly pattern: none needs its colour to be read. One
    that is written twice is twice as wide."""
    trains: str = "nothing"
    """Which weights a training moves, in words."""
    settings: ClassVar[tuple[str, ...]] = ()
    """Fields of a training's config that it alone knows."""
    many: ClassVar[bool] = False
    """Whether several answers to a question may have prompts of their own."""
    noise: float | None = None
    """Length of the noise on its thoughts, as a share of theirs; None where there is none."""
    asks_assistant: bool = False
    """Whether the assistant reads the question."""
    default_k: int = 0
    """K where nobody chose one."""
    counted: ClassVar[str] = "thoughts"
    """What K is a number of."""
    reworded: ClassVar[bool] = False
    """Whether its prompt is not zero-shot CoT's even with K = 0."""
    shares_k: ClassVar[bool] = False
    """Whether one K suits it and SoftCoT: K slots, filled at once. The others choose their own."""
    kind: ClassVar[type[TrainedWeights] | None] = None
    """What is trained for it."""
    objective: ClassVar[type[Objective] | None] = None
    """How that is trained."""

    def __init__(self, pair: Pair, task: Task = FREE):
        self.pair = pair
        self.task = task

    @classmethod
    def build(
        cls, pair: Pair, task: Task, *, trained_on: str | None = None, **options: Any
    ) -> Self:
        """The method with whatever it needs for this task; the options are those of `get_method`.

        Raises:
            UserError: What it needs is not there.
        """
        return cls(pair, task)

    @classmethod
    def objective_for(
        cls,
        pair: Pair,
        name: str,
        max_thoughts: int,
        seed: int,
        start: str = "vocabulary",
        **settings: Any,
    ) -> Objective:
        """The objective of a new training, which holds its fresh weights.

        Args:
            pair: The two frozen models.
            name: The task, or "all".
            max_thoughts: Largest K.
            seed: Decides the fresh weights.
            start: Where they go from there; see `softcot.training.config`.
            settings: The method's own, by name; what its weights take is theirs, and the rest is
                the objective's.
        """
        assert cls.kind and cls.objective, f"{cls.title} trains nothing"
        own = {known: value for known, value in settings.items() if known in cls.kind.own}
        objective = cls.objective(pair, cls.kind.for_pair(pair, name, max_thoughts, seed, **own))
        objective.seed = seed
        for known in settings.keys() - own.keys():
            setattr(objective, known, settings[known])
        objective.begin(start)
        return objective

    @property
    def lm(self) -> LanguageModel:
        """The model that writes the answer."""
        return self.pair.base

    @property
    def thinker(self) -> LanguageModel | None:
        """The model that reads the question first; None where the base alone does."""
        return None

    def heard_tokens(self, problem: Problem, k: int, sets: int = 1) -> int:
        """Tokens that it reads or writes about a problem, once for all sets."""
        return 0

    @property
    def max_thoughts(self) -> int:
        """Largest K; 0 for a method without thoughts."""
        return 0

    def checked_k(self, k: int | None) -> int:
        """K of a request; None means the method's own choice, and a method without thoughts has 0.

        Raises:
            UserError: There cannot be so many, or so few.
        """
        if not self.max_thoughts:
            return 0
        if k is None:
            return min(self.default_k, self.max_thoughts)
        if not 0 <= k <= self.max_thoughts:
            raise UserError(
                f"K = {k} {self.counted} is out of range; choose 0 to {self.max_thoughts}."
            )
        return k

    @property
    def trained_on(self) -> str | None:
        """The task its weights were trained on; None where it trains nothing."""
        return None

    def fingerprint(self) -> str | None:
        """Of the weights that were trained for it, exact; None where there are none."""
        return None

    def further_fingerprints(self) -> dict[str, str]:
        """Of models that are neither base nor assistant as the pair has them, by what they are."""
        return {}

    def prepare(self, problems: Sequence[Problem], k: int = 0) -> PromptEmbeds:
        """Turn problems into left-padded prompts with K."""
        return self.embedded(self.prompts(problems))

    def sets(self, samples: int) -> int:
        """How many prompts of its own a question has where so many answers are asked for.

        Raises:
            UserError: They cannot share the answers evenly.
        """
        return 1

    def prepare_sets(self, problems: Sequence[Problem], k: int, sets: int) -> PromptEmbeds:
        """As `prepare`, with all prompts of each problem one after another."""
        assert sets == 1, f"{self.title} has one prompt for a question"
        return self.prepare(problems, k)

    def prompts(self, problems: Sequence[Problem], k: int = 0) -> list[Prompt]:
        """The base's prompts with K slots."""
        return [self.lm.prompts.base(p.question, task=self.task, k=k) for p in problems]

    def said(self, ids: Sequence[int]) -> str:
        """What an answer of these new tokens says, for a reader and to be judged."""
        return self.lm.text(ids)

    def worked(self, problem: Problem) -> str:
        """The right answer as the base would go on with it behind this method's prompt."""
        return problem.target

    def batch(self, prompts: Sequence[Prompt]) -> Batch:
        """Prompts as a left-padded batch."""
        return collate(prompts, self.lm.pad_id, "left", self.lm.device)

    def embedded(
        self, prompts: Sequence[Prompt], passes: Sequence[int] | None = None
    ) -> PromptEmbeds:
        """Prompts without slots, ready to be decoded; `passes` as in `PromptEmbeds`."""
        batch = self.batch(prompts)
        return PromptEmbeds.of(batch, self.lm.embed(batch.input_ids), passes)
