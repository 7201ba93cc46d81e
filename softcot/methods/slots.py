"""Methods that put K vectors into slots after the question, and the controls on them."""

import hashlib
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch.nn.functional import normalize

from softcot.assistant import soft_states
from softcot.controls import check_control
from softcot.edits import BORROWING, Edit, apply_edit, kept_slots
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
        edits: What is done to single slots after that (see `softcot.edits`).
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
        edits: Sequence[Edit] = (),
    ):
        super().__init__(pair, task)
        check_control(control)
        replaced = control not in ("none", "untrained")
        self.control = control
        self.edits = (*([Edit(control)] if replaced else []), *edits)
        wanting = [edit.kind for edit in self.edits if needs_donors(edit)]
        if wanting and not donors:
            raise UserError(f"{wanting[0]!r} needs other questions; name a task that has them.")
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
        return self.filled(problems, vectors, [self.passes(thoughts)] * len(problems))

    @torch.no_grad()
    def filled(
        self,
        problems: Sequence[Problem],
        vectors: torch.Tensor,
        passes: Sequence[int] | None = None,
    ) -> PromptEmbeds:
        """The prompts with these vectors, float[B, K, d_base]; `passes` as in `PromptEmbeds`."""
        batch = self.batch(self.prompts(problems, vectors.shape[1]))
        embeds = splice(self.lm.embed(batch.input_ids), batch.slot_mask, vectors)
        return PromptEmbeds.of(batch, embeds, passes)

    def passes(self, thoughts: int) -> int:
        """Forward passes one after another that K vectors take."""
        return 0

    @torch.no_grad()
    def thoughts(self, problems: Sequence[Problem], thoughts: int) -> torch.Tensor:
        """The vectors of every problem after control and edits, float32[B, K, d_base].

        An edit may drop some of the K.

        Raises:
            UserError: K is negative or beyond what the method was made for, or an edit makes no
                sense for it.
        """
        if not self.thoughts_for(thoughts):
            return torch.empty(len(problems), 0, self.lm.width, device=self.lm.device)
        vectors = self.own(problems, thoughts)
        for turn, edit in enumerate(self.edits):
            vectors = apply_edit(
                edit,
                vectors,
                generators=[self._generator(problem, turn) for problem in problems],
                donor=self._borrowed(edit, problems, thoughts),
                mean=self._mean_vectors()[:thoughts] if edit.kind == "mean" else None,
                embeddings=self.lm.embeddings[: len(self.lm.tokenizer)],
                direction=self._direction(edit),
            )
        return vectors[:, kept_slots(self.edits, thoughts)]

    def _borrowed(
        self, edit: Edit, problems: Sequence[Problem], thoughts: int
    ) -> torch.Tensor | None:
        """Other questions' vectors for an edit that needs them, float32[B, K, d_base]."""
        if edit.kind not in BORROWING:
            return None
        if edit.question:
            other = self.own([Problem(self.task.name, edit.question)], thoughts)
            return other.expand(len(problems), -1, -1)
        return self.own([self._donor(problem) for problem in problems], thoughts)

    def _direction(self, edit: Edit) -> torch.Tensor | None:
        """The step of `add`: along the embedding of its token, as long as tokens usually are."""
        if edit.kind != "add":
            return None
        ids = self.lm.prompts.text(edit.token.replace("·", " "))  # as the page shows a space
        if len(ids) != 1:
            raise UserError(
                f"{edit.token!r} is {len(ids)} tokens to the base; name a text that is one."
            )
        table = self.lm.embeddings[: len(self.lm.tokenizer)].float()
        return normalize(table[ids[0]], dim=0) * table.norm(dim=1).median()

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

    def _generator(self, problem: Problem, turn: int) -> torch.Generator:
        """Random numbers for the edit that is made at this turn."""
        return torch.Generator().manual_seed(_number(self.seed, problem) + turn)


def needs_donors(edit: Edit) -> bool:
    """Whether an edit needs other problems of the same task."""
    return edit.kind == "mean" or (edit.kind in BORROWING and not edit.question)


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
        """The task of the trained weights; None where nobody trained them."""
        return None if self.control == "untrained" else self.weights.task or None

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
        states = soft_states(self.pair.assistant, questions, thoughts, self.task)
        return self.weights(states.to(self.pair.base.device))
