"""Methods that put K vectors into slots after the question, and the controls on them."""

import hashlib
from collections.abc import Sequence
from typing import ClassVar

import torch

from softcot.assistant import soft_states
from softcot.controls import apply_control, check_control
from softcot.errors import UserError
from softcot.learned import Learned
from softcot.methods.base import Method
from softcot.models import Pair, PromptEmbeds, fingerprint
from softcot.presets import DEFAULT_THOUGHTS, MAX_THOUGHTS
from softcot.problems import Problem
from softcot.projection import Projection
from softcot.soft_prompt import SoftPrompt
from softcot.tasks import FREE, Task

DONORS = 256
"""Validation problems that `mean` averages over and `swap` draws from."""


def splice(embeds: torch.Tensor, slot_mask: torch.Tensor, thoughts: torch.Tensor) -> torch.Tensor:
    """Put thoughts into their slots, in a new tensor; gradients reach the thoughts.

    Args:
        embeds: float[B, T, d], the prompt's embeddings.
        slot_mask: bool[B, T], exactly K slots in every row.
        thoughts: float[B, K, d].

    Returns:
        float[B, T, d] in the dtype of `embeds`.
    """
    rows, slots, width = thoughts.shape
    assert embeds.shape == (*slot_mask.shape, width) and len(embeds) == rows
    assert (slot_mask.sum(1) == slots).all(), f"every row must hold exactly {slots} slots"
    return embeds.masked_scatter(slot_mask[..., None], thoughts.to(embeds.dtype))


class SlotMethod(Method):
    """K vectors in slots after the question; where they come from is the method.

    Args:
        pair: The two frozen models.
        task: Says what both models are told to do.
        control: What replaces the question's own vectors (see `softcot.controls`).
        seed: Decides donors, orders and noise.
        donors: Other problems of the same task, needed by `swap` and `mean`.
    """

    default_thoughts = DEFAULT_THOUGHTS
    most_thoughts = MAX_THOUGHTS

    def __init__(
        self,
        pair: Pair,
        task: Task = FREE,
        *,
        control: str = "none",
        seed: int = 0,
        donors: Sequence[Problem] | None = None,
    ):
        super().__init__(pair, task)
        check_control(control)
        if control in ("swap", "mean") and not donors:
            raise UserError(
                f"The control {control!r} needs other questions; name a task that has them."
            )
        self.control = control
        self.seed = seed
        self.donors = list(donors or ())
        self._mean: torch.Tensor | None = None

    def own(self, problems: Sequence[Problem], thoughts: int) -> torch.Tensor:
        """The questions' own K vectors, float32[B, K, d_base]."""
        raise NotImplementedError

    def thoughts_for(self, wanted: int | None) -> int:
        """K of a request; None means the method's own choice.

        Raises:
            UserError: There cannot be so many, or so few.
        """
        if wanted is None:
            return min(self.default_thoughts, self.most_thoughts)
        if not 0 <= wanted <= self.most_thoughts:
            raise UserError(
                f"K = {wanted} thoughts is out of range; choose 0 to {self.most_thoughts}."
            )
        return wanted

    @torch.no_grad()
    def prepare(self, problems: Sequence[Problem], thoughts: int) -> PromptEmbeds:
        """The prompts with K vectors spliced in; K = 0 is exactly zero-shot CoT."""
        vectors = self.thoughts(problems, thoughts)
        batch = self.batch(self.prompts(problems, thoughts))
        embeds = self.lm.embed(batch.input_ids)
        passes = [self.passes(thoughts)] * len(problems)
        return PromptEmbeds.of(batch, splice(embeds, batch.slot_mask, vectors), passes)

    def passes(self, thoughts: int) -> int:
        """Forward passes one after another that K vectors take."""
        return 0

    @torch.no_grad()
    def thoughts(self, problems: Sequence[Problem], thoughts: int) -> torch.Tensor:
        """The K vectors of every problem after the control, float32[B, K, d_base].

        Raises:
            UserError: K is negative or beyond what the method was made for.
        """
        if not self.thoughts_for(thoughts):
            return torch.empty(len(problems), 0, self.lm.width, device=self.lm.device)
        own = self.own(problems, thoughts)
        if self.control in ("none", "untrained"):
            return own
        mean = self._mean_vectors()[:thoughts] if self.control == "mean" else None
        donor = [None] * len(own)
        if self.control == "swap":
            chosen = [self._donor(problem) for problem in problems]
            donor = self.own(chosen, thoughts).split(1)
        # Row by row, so that a question's control does not depend on the rows beside it.
        rows = [
            apply_control(
                self.control, row, generator=self._generator(problem), donor=other, mean=mean
            )
            for problem, row, other in zip(problems, own.split(1), donor, strict=True)
        ]
        return torch.cat(rows)

    def _mean_vectors(self) -> torch.Tensor:
        """Mean over the donors, float32[K max, d_base]; its first K rows serve every K."""
        if self._mean is None:
            self._mean = self.own(self.donors, self.most_thoughts).mean(0)
        return self._mean

    def _donor(self, problem: Problem) -> Problem:
        others = [donor for donor in self.donors if donor.question != problem.question]
        if not others:
            raise UserError("Thoughts can only be swapped with those of a different question.")
        return others[_number(self.seed, problem) % len(others)]

    def _generator(self, problem: Problem) -> torch.Generator:
        return torch.Generator().manual_seed(_number(self.seed, problem))


def _number(seed: int, problem: Problem) -> int:
    """A number below 2**63 that depends on the seed and the question alone."""
    digest = hashlib.sha256(f"{seed}\n{problem.question}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


class CotUnk(SlotMethod):
    """The placeholder's own embedding in every slot: room to think, and nothing in it."""

    name = "cot-unk"
    title = "CoT-Unk"

    @classmethod
    def build(cls, pair: Pair, task: Task, *, trained_on: str | None = None, **options) -> "CotUnk":
        """Nothing to load; as nothing was trained, nothing can be untrained."""
        if options.get("control") == "untrained":
            raise UserError("CoT-Unk trains nothing; drop the control 'untrained'.")
        return cls(pair, task, **options)

    def own(self, problems: Sequence[Problem], thoughts: int) -> torch.Tensor:
        """The same vector everywhere, float32[B, K, d_base]."""
        placeholder = torch.tensor(self.pair.base.prompts.tokens.placeholder)
        vector = self.pair.base.embed(placeholder).float()
        return vector.expand(len(problems), thoughts, -1)


class LearnedSlots(SlotMethod):
    """A slot method whose vectors come from trained weights.

    Args:
        pair: The two frozen models.
        weights: What was trained.
        task: Says what both models are told to do.
        options: As for `SlotMethod`.
    """

    kind: ClassVar[type[Learned]]

    def __init__(self, pair: Pair, weights: Learned, task: Task = FREE, **options):
        super().__init__(pair, task, **options)
        self.weights = weights

    @classmethod
    def build(
        cls,
        pair: Pair,
        task: Task,
        *,
        trained_on: str | None = None,
        control: str = "none",
        seed: int = 0,
        **options,
    ):
        """The method with the weights trained for a task, or with random ones.

        Raises:
            UserError: There are no such weights, or both a training and none are asked for.
        """
        if control == "untrained":
            if trained_on:
                raise UserError(
                    "The control 'untrained' has no training; drop it, or the task trained on."
                )
            weights = cls.kind.for_pair(pair, task.name, seed=seed)
        else:
            weights = pair.learned(cls.kind, trained_on or task.name)
        return cls(pair, weights, task, control=control, seed=seed, **options)

    @property
    def most_thoughts(self) -> int:
        """Largest K it was trained for."""
        return self.weights.max_thoughts

    @property
    def trained_on(self) -> str | None:
        """The task of the trained weights; None for random ones."""
        return None if self.control == "untrained" else self.weights.task

    def fingerprint(self) -> str:
        """Of the trained weights, exact."""
        return fingerprint(self.weights, exact=True)


class PromptTuning(LearnedSlots):
    """K trained vectors, the same for every question: is it only more trainable numbers?"""

    name = "prompt-tuning"
    title = "Prompt tuning"
    trains = "the K slot vectors"
    kind = SoftPrompt

    def own(self, problems: Sequence[Problem], thoughts: int) -> torch.Tensor:
        """The first K trained vectors for everybody, float32[B, K, d_base]."""
        return self.weights(thoughts).expand(len(problems), -1, -1)


class SoftCoT(LearnedSlots):
    """The assistant's states, projected, stand in slots after the question."""

    name = "softcot"
    title = "SoftCoT"
    asks_assistant = True
    trains = "the projection"
    kind = Projection

    def passes(self, thoughts: int) -> int:
        """The assistant's, which gives all K at once."""
        return min(thoughts, 1)

    def own(self, problems: Sequence[Problem], thoughts: int) -> torch.Tensor:
        """The assistant's states at its K placeholders, projected: float32[B, K, d_base]."""
        questions = [problem.question for problem in problems]
        instruction = self.task.assistant_instruction
        states = soft_states(self.pair.assistant, questions, thoughts, instruction)
        return self.weights(states.to(self.pair.base.device))
