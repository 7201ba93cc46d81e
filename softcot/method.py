"""How a question becomes the base model's input: zero-shot CoT, and SoftCoT."""

import hashlib
from collections.abc import Sequence
from typing import Protocol

import torch

from softcot.assistant import soft_states
from softcot.controls import apply_control, check_control
from softcot.errors import UserError
from softcot.models import Batch, Pair, PromptEmbeds, collate, join
from softcot.problems import Problem
from softcot.projection import Projection
from softcot.tasks import FREE, Task

__all__ = [
    "METHODS", "Method", "PromptEmbeds", "SoftCoT", "ZeroShotCoT", "get_method", "join", "splice",
]  # fmt: skip

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


class Method(Protocol):
    """A way to ask the base model."""

    name: str
    """What `--method` takes."""
    title: str
    """What people call it."""

    def prepare(self, problems: Sequence[Problem], thoughts: int) -> PromptEmbeds:
        """Turn problems into left-padded prompts with K = `thoughts`."""
        ...


class ZeroShotCoT:
    """The base alone: the instruction asks for steps, and nothing is added."""

    name = "zero-shot-cot"
    title = "Zero-shot CoT"

    def __init__(self, pair: Pair, task: Task = FREE):
        self.pair = pair
        self.task = task

    def batch(self, problems: Sequence[Problem], thoughts: int) -> Batch:
        """The base's prompts with K slots, as a left-padded batch."""
        base = self.pair.base
        prompts = [
            base.prompts.base(p.question, instruction=self.task.instruction, thoughts=thoughts)
            for p in problems
        ]
        return collate(prompts, base.pad_id, "left", base.device)

    def prepare(self, problems: Sequence[Problem], thoughts: int = 0) -> PromptEmbeds:
        """The prompts without any thought, whatever K is."""
        batch = self.batch(problems, 0)
        return _embedded(batch, self.pair.base.embed(batch.input_ids))


class SoftCoT(ZeroShotCoT):
    """The assistant's states, projected, stand in slots after the question.

    Args:
        pair: The two frozen models.
        projection: The trained layer between them.
        control: What replaces the question's own thoughts (see `softcot.controls`).
        seed: Decides donors, orders and noise.
        donors: Other problems of the same task, needed by `swap` and `mean`.
        task: Says what both models are told to do.
    """

    name = "softcot"
    title = "SoftCoT"

    def __init__(
        self,
        pair: Pair,
        projection: Projection,
        control: str = "none",
        seed: int = 0,
        donors: Sequence[Problem] | None = None,
        task: Task = FREE,
    ):
        super().__init__(pair, task)
        check_control(control)
        if control in ("swap", "mean") and not donors:
            raise UserError(
                f"The control {control!r} needs other questions; name a task that has them."
            )
        self.projection = projection
        self.control = control
        self.seed = seed
        self.donors = list(donors or ())
        self._mean: torch.Tensor | None = None

    @torch.no_grad()
    def prepare(self, problems: Sequence[Problem], thoughts: int) -> PromptEmbeds:
        """The prompts with K thoughts spliced in; K = 0 is exactly zero-shot CoT."""
        vectors = self.thoughts(problems, thoughts)
        batch = self.batch(problems, thoughts)
        embeds = self.pair.base.embed(batch.input_ids)
        return _embedded(batch, splice(embeds, batch.slot_mask, vectors))

    @torch.no_grad()
    def thoughts(self, problems: Sequence[Problem], thoughts: int) -> torch.Tensor:
        """The K thoughts of every problem after the control, float32[B, K, d_base].

        Raises:
            UserError: K is negative or beyond what the projection was trained for.
        """
        most = self.projection.max_thoughts
        if not 0 <= thoughts <= most:
            raise UserError(f"K = {thoughts} thoughts is out of range; choose 0 to {most}.")
        own = self._project(problems, thoughts)
        if self.control == "none":
            return own
        mean = self._mean_thoughts()[:thoughts] if self.control == "mean" else None
        donor = [None] * len(own)
        if self.control == "swap":
            chosen = [self._donor(problem) for problem in problems]
            donor = self._project(chosen, thoughts).split(1)
        # Row by row, so that a question's control does not depend on the rows beside it.
        rows = [
            apply_control(
                self.control, row, generator=self._generator(problem), donor=other, mean=mean
            )
            for problem, row, other in zip(problems, own.split(1), donor, strict=True)
        ]
        return torch.cat(rows)

    def _project(self, problems: Sequence[Problem], thoughts: int) -> torch.Tensor:
        questions = [problem.question for problem in problems]
        instruction = self.task.assistant_instruction
        states = soft_states(self.pair.assistant, questions, thoughts, instruction)
        return self.projection(states.to(self.pair.base.device))

    def _mean_thoughts(self) -> torch.Tensor:
        """Mean over the donors, float32[K max, d_base]; its first K rows serve every K."""
        if self._mean is None:
            self._mean = self._project(self.donors, self.projection.max_thoughts).mean(0)
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


def _embedded(batch: Batch, embeds: torch.Tensor) -> PromptEmbeds:
    return PromptEmbeds(
        embeds=embeds,
        attention_mask=batch.attention_mask,
        position_ids=batch.position_ids,
        prompt_tokens=batch.attention_mask.sum(1).tolist(),
    )


METHODS: dict[str, type[ZeroShotCoT]] = {method.name: method for method in (ZeroShotCoT, SoftCoT)}


def get_method(
    name: str,
    pair: Pair,
    task: Task,
    *,
    control: str = "none",
    seed: int = 0,
    donors: Sequence[Problem] | None = None,
) -> Method:
    """Build a method for a task; donors come from the task's validation split by default.

    Raises:
        UserError: The method or control is unknown, or they do not go together.
    """
    if name not in METHODS:
        raise UserError(f"There is no method called {name!r}; choose one of: {', '.join(METHODS)}.")
    check_control(control)
    if name == ZeroShotCoT.name:
        if control != "none":
            raise UserError(f"Zero-shot CoT has no thoughts; drop the control {control!r}.")
        return ZeroShotCoT(pair, task)
    if donors is None and control in ("swap", "mean") and "validation" in task.splits:
        donors = task.problems("validation", DONORS)
    return SoftCoT(pair, pair.projection(task.name), control, seed, donors, task)
