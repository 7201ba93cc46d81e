"""Methods that put K vectors into slots after the question, and the controls on them."""

import hashlib
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import torch
from torch.nn.functional import normalize

from softcot.data.problems import Problem
from softcot.data.tasks import FREE, Task
from softcot.methods.base import Method
from softcot.methods.splice import splice
from softcot.models.batches import PromptEmbeds
from softcot.models.language_model import fingerprint
from softcot.support.errors import UserError
from softcot.support.presets import DEFAULT_THOUGHTS, MAX_THOUGHTS
from softcot.thoughts.checkpoint import TrainedWeights
from softcot.thoughts.controls import check_control
from softcot.thoughts.edits import BORROWING, Edit, apply_edit, kept_slots
from softcot.thoughts.pair import Pair

TURNS = 1000
"""Edits that have random numbers of their own in each set."""

DONORS = 256
"""Validation problems that `mean` averages over and `swap` draws from."""


class SlotMethod(Method):
    """K vectors in slots after the question; where they come from is the method.

    Args:
        pair: The two frozen models.
        task: Says what both models are told to do.
        control: What replaces the question's own vectors (see `softcot.thoughts.controls`).
        seed: Decides donors, orders and noise.
        donors: Other problems of the same task, needed by `swap` and `mean`.
        edits: What is done to single slots after that (see `softcot.thoughts.edits`).
    """

    default_k = DEFAULT_THOUGHTS

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
        self._means: dict[int, torch.Tensor] = {}
        """Of each set of vectors that was asked for."""

    @classmethod
    def build(
        cls, pair: Pair, task: Task, *, trained_on: str | None = None, **options: Any
    ) -> Self:
        """The method with its control; as nothing was trained, nothing can be untrained.

        Raises:
            UserError: The untrained control is asked for.
        """
        if options.get("control") == "untrained":
            raise UserError(f"{cls.title} trains nothing; drop the control 'untrained'.")
        return cls(pair, task, **options)

    def own(self, problems: Sequence[Problem], k: int) -> torch.Tensor:
        """The questions' own K vectors, float32[B, K, d_base]."""
        raise NotImplementedError

    @property
    def max_thoughts(self) -> int:
        """Largest K."""
        return MAX_THOUGHTS

    @torch.no_grad()
    def prepare(self, problems: Sequence[Problem], k: int = 0) -> PromptEmbeds:
        """The prompts with K vectors spliced in; K = 0 is exactly zero-shot CoT."""
        return self.prepare_sets(problems, k, 1)

    @torch.no_grad()
    def prepare_sets(self, problems: Sequence[Problem], k: int, sets: int) -> PromptEmbeds:
        """The prompts of each problem one after another, every one with a set of thoughts."""
        vectors = self.thought_sets(problems, k, sets).transpose(0, 1).flatten(0, 1)
        repeated = [problem for problem in problems for _ in range(sets)]
        return self.filled(repeated, vectors, [self.passes(k)] * len(repeated))

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

    def passes(self, k: int) -> int:
        """Forward passes one after another that K vectors take."""
        return 0

    @torch.no_grad()
    def thoughts(self, problems: Sequence[Problem], k: int) -> torch.Tensor:
        """The vectors of every problem after control and edits, float32[B, K, d_base].

        An edit may drop some of the K.

        Raises:
            UserError: K is negative or beyond what the method was made for, an edit makes no
                sense for it, or a thought is too large for the base.
        """
        return self.thought_sets(problems, k, 1)[0]

    @torch.no_grad()
    def thought_sets(self, problems: Sequence[Problem], k: int, sets: int) -> torch.Tensor:
        """The same for the first few sets of thoughts, float32[N, B, K, d_base]; see `sets`."""
        if not self.checked_k(k):
            return torch.empty(sets, len(problems), 0, self.lm.width, device=self.lm.device)
        own = self.own_sets(problems, k, range(sets))
        return torch.stack(
            [self._edited(vectors, problems, k, number) for number, vectors in enumerate(own)]
        )

    def own_sets(self, problems: Sequence[Problem], k: int, numbers: Sequence[int]) -> torch.Tensor:
        """The questions' own vectors in the sets of these numbers, float32[N, B, K, d_base]."""
        assert list(numbers) == [0], f"{self.title} has one set of vectors"
        return self.own(problems, k)[None]

    def _edited(
        self, vectors: torch.Tensor, problems: Sequence[Problem], k: int, number: int
    ) -> torch.Tensor:
        """One set of vectors, float32[B, K, d_base], after control and edits."""
        for turn, edit in enumerate(self.edits):
            vectors = apply_edit(
                edit,
                vectors,
                generators=[self._generator(problem, turn, number) for problem in problems],
                donor=self._borrowed(edit, problems, k, number),
                mean=self._mean_vectors(number)[:k] if edit.kind == "mean" else None,
                embeddings=self.lm.embeddings[: len(self.lm.tokenizer)],
                direction=self._direction(edit),
            )
        vectors = vectors[:, kept_slots(self.edits, k)]
        # As the base reads them: what float32 holds can be too large for another precision.
        if not vectors.to(self.lm.dtype).isfinite().all():
            raise UserError(
                f"The thoughts of {self.title} are no finite numbers, or too large for the base; "
                "use other weights, or a smaller edit."
            )
        return vectors

    def _borrowed(
        self, edit: Edit, problems: Sequence[Problem], k: int, number: int
    ) -> torch.Tensor | None:
        """Other questions' vectors for an edit that needs them, float32[B, K, d_base]."""
        if edit.kind not in BORROWING:
            return None
        if edit.question:
            other = self.own_sets([Problem(self.task.name, edit.question)], k, [number])[0]
            return other.expand(len(problems), -1, -1)
        donors = [self._donor(problem) for problem in problems]
        return self.own_sets(donors, k, [number])[0]

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

    def _mean_vectors(self, number: int) -> torch.Tensor:
        """Mean over the donors, float32[K max, d_base]; its first K rows serve every K."""
        if number not in self._means:
            found = self.own_sets(self.donors, self.max_thoughts, [number])[0]
            self._means[number] = found.mean(0)
        return self._means[number]

    def _donor(self, problem: Problem) -> Problem:
        others = [donor for donor in self.donors if donor.heard != problem.heard]
        if not others:
            raise UserError("Thoughts can only be swapped with those of a different question.")
        return others[number_of(self.seed, problem) % len(others)]

    def _generator(self, problem: Problem, turn: int, number: int) -> torch.Generator:
        """Random numbers for the edit that is made at this turn in this set."""
        seed = number_of(self.seed, problem) + turn + TURNS * number
        return torch.Generator().manual_seed(seed)


def needs_donors(edit: Edit) -> bool:
    """Whether an edit needs other problems of the same task."""
    return edit.kind == "mean" or (edit.kind in BORROWING and not edit.question)


def number_of(seed: int, problem: Problem) -> int:
    """A number below 2**63 that depends on the seed and what is heard alone."""
    digest = hashlib.sha256(f"{seed}\n{problem.heard}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


class TrainedSlots(SlotMethod):
    """A slot method whose vectors come from trained weights.

    Args:
        pair: The two frozen models.
        weights: What was trained.
        task: Says what both models are told to do.
        options: As for `SlotMethod`.
    """

    kind: ClassVar[type[TrainedWeights]]

    def __init__(self, pair: Pair, weights: TrainedWeights, task: Task = FREE, **options: Any):
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
        **options: Any,
    ) -> Self:
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
            weights = pair.weights(cls.kind, trained_on or task.name)
        return cls(pair, weights, task, control=control, seed=seed, **options)

    @property
    def max_thoughts(self) -> int:
        """Largest K it was trained for, or the usual one where nobody knows."""
        return self.weights.max_thoughts or MAX_THOUGHTS

    @property
    def trained_on(self) -> str | None:
        """The task of the trained weights; None where nobody trained them."""
        return None if self.control == "untrained" else self.weights.task or None

    def fingerprint(self) -> str:
        """Of the trained weights, exact."""
        return fingerprint(self.weights, exact=True)
