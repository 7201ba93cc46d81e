"""How a method that trains something is graded on some problems, and what need not be redone.

Nothing here knows about optimisers, steps or files: that is the trainer's part.
"""

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch.nn.functional import cross_entropy

from softcot.data.problems import Problem
from softcot.data.tasks import Task, get_task
from softcot.decoding.prompt_cache import PromptCache
from softcot.methods.splice import splice
from softcot.models.batches import collate
from softcot.models.language_model import LanguageModel
from softcot.prompts.builder import Prompt, cut_at_slots
from softcot.thoughts.checkpoint import TrainedWeights
from softcot.thoughts.pair import Pair


def token_losses(
    base: LanguageModel,
    prompts: Sequence[Prompt],
    thoughts: torch.Tensor,
    prefixes: PromptCache | None = None,
) -> torch.Tensor:
    """Negative log-likelihood of every graded token, with gradients to the thoughts alone.

    Args:
        base: The frozen model.
        prompts: B prompts with K slots each and a target.
        thoughts: float[B, K, d_base].
        prefixes: What the base has read already; what is not among it is read again.

    Returns:
        float32[N] for the N graded tokens of all rows.
    """
    starts, rests = zip(*map(cut_at_slots, prompts), strict=True)
    before = collate(starts, base.pad_id, "left", base.device)
    after = collate(rests, base.pad_id, "right", base.device)
    cache = None if prefixes is None else prefixes.cache([start.ids for start in starts])
    if cache is None:
        # No token before the slots can see a thought: that part of the prompt needs no gradient.
        with torch.no_grad():
            cache = base.model.base_model(
                input_ids=before.input_ids,
                attention_mask=before.attention_mask,
                position_ids=before.position_ids,
                use_cache=True,
            ).past_key_values
    states = base.model.base_model(
        inputs_embeds=splice(base.embed(after.input_ids), after.slot_mask, thoughts),
        attention_mask=torch.cat([before.attention_mask, after.attention_mask], dim=1),
        position_ids=before.attention_mask.sum(1, keepdim=True) + after.position_ids,
        past_key_values=cache,
    ).last_hidden_state
    return _graded(base, states, after.labels)


def tuned_losses(
    lm: LanguageModel, prompts: Sequence[Prompt], thoughts: torch.Tensor
) -> torch.Tensor:
    """Like `token_losses`, for a model whose own weights are trained; there may be no slot."""
    batch = collate(prompts, lm.pad_id, "right", lm.device)
    states = lm.model.base_model(
        inputs_embeds=splice(lm.embed(batch.input_ids), batch.slot_mask, thoughts),
        attention_mask=batch.attention_mask,
        use_cache=False,
    ).last_hidden_state
    return _graded(lm, states, batch.labels)


def _graded(lm: LanguageModel, states: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Losses of the labelled tokens of states float[B, T, d] and labels int64[B, T]."""
    targets = labels[:, 1:]
    graded = targets != -100
    # The language head is the widest layer, and only graded positions need it.
    logits = lm.logits(states[:, :-1][graded])
    return cross_entropy(logits.float(), targets[graded], reduction="none")


class Objective:
    """A method in training: its weights, fresh at first, and their loss on some problems.

    Args:
        pair: The two frozen models.
        weights: What is trained.
    """

    swaps: ClassVar[bool] = False
    """Whether what is computed once about a problem is what its thoughts are made of: another
    problem's in its place are then swapped thoughts."""
    seed: int = 0
    """Of the training, for a start of its own."""

    def __init__(self, pair: Pair, weights: TrainedWeights):
        self.pair = pair
        self.weights = weights

    @property
    def max_thoughts(self) -> int:
        """Largest K; 0 without thoughts."""
        return self.weights.max_thoughts

    def begin(self, start: str) -> None:
        """Move the fresh weights to where a training starts, if there is a better place."""

    def prepare(self, problems: Sequence[Problem], precomputed: torch.Tensor) -> None:
        """Make ready for steps on these problems; what is trained is fixed from here on.

        Args:
            problems: Those of the training.
            precomputed: What `precompute` gave for them, float32[N, ...].
        """

    def precompute(self, task: Task, problems: Sequence[Problem]) -> torch.Tensor:
        """What no step changes about the problems, computed once: float32[B, ...]."""
        return torch.empty(len(problems), 0)

    def cache_file(self, folder: Path, task: Task, problems: Sequence[Problem]) -> Path | None:
        """The file in a folder that keeps what `precompute` gives; None where that is nothing."""
        return None

    def keep_prefixes(
        self,
        problems: Sequence[Problem],
        batch_size: int,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """Keep in memory what steps on these problems would compute again, if there is such.

        Args:
            problems: Those that are read more than once.
            batch_size: Problems that are computed at once.
            progress: Called after every batch with the batches done and all batches.
        """

    def size(self, problem: Problem) -> int:
        """Length of the text that gradients pass through: like ones are computed together."""
        return len(problem.question) + len(problem.target)

    def k(self, step: int, steps: int, drawn: int) -> int:
        """K of a step, counted from 0; `drawn` is what the trainer drew from 1 to the largest."""
        return drawn

    def validation_k(self, share: float) -> int:
        """K of a validation batch, where `share` goes from above 0 to 1 over the batches."""
        return math.ceil(self.max_thoughts * share)

    def validated_from(self, steps: int) -> int:
        """The first step whose validation may choose the checkpoint.

        Raises:
            UserError: So few steps are none that this can be trained in.
        """
        return 0

    def losses(
        self, problems: Sequence[Problem], precomputed: torch.Tensor, k: int
    ) -> torch.Tensor:
        """Losses of all graded tokens at K, float32[N]."""
        raise NotImplementedError

    def aftermath(self, problems: Sequence[Problem]) -> dict[str, Any]:
        """What the training's record says beside its losses, by name.

        Args:
            problems: Those of the validation.
        """
        return {}

    def graded(
        self, problems: Sequence[Problem], precomputed: torch.Tensor, k: int
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """What a step goes down: those losses, float32[N], and a number beside their mean."""
        return self.losses(problems, precomputed, k), None

    def prompts(
        self, problems: Sequence[Problem], targets: Sequence[str | None], k: int
    ) -> list[Prompt]:
        """The base's prompts with K slots and the text to learn, if any."""
        return [
            self.pair.base.prompts.base(
                problem.question,
                task=get_task(problem.task),
                k=k,
                target=target,
            )
            for problem, target in zip(problems, targets, strict=True)
        ]


class SlotObjective(Objective):
    """A method that fills the slots of a frozen base."""

    @cached_property
    def prompt_cache(self) -> PromptCache:
        """What the base has read and keeps."""
        return PromptCache(self.pair.base)

    def keep_prefixes(
        self,
        problems: Sequence[Problem],
        batch_size: int,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """The base's keys and values up to the first slot, which are the same for every K."""
        prompts = self.prompts(problems, [None] * len(problems), 1)
        prefixes = [cut_at_slots(prompt)[0].ids for prompt in prompts]
        self.prompt_cache.keep(prefixes, batch_size, progress)

    def size(self, problem: Problem) -> int:
        """What stands before the slots needs no gradient."""
        return len(problem.target)

    def vectors(self, precomputed: torch.Tensor, k: int) -> torch.Tensor:
        """What the weights put into K slots, float32[B, K, d_base]."""
        raise NotImplementedError

    def losses(
        self, problems: Sequence[Problem], precomputed: torch.Tensor, k: int
    ) -> torch.Tensor:
        """Losses of all graded tokens at K, float32[N]."""
        base = self.pair.base
        prompts = self.prompts(problems, [problem.target for problem in problems], k)
        vectors = self.vectors(precomputed.to(base.device), k)
        return token_losses(base, prompts, vectors, self.prompt_cache)
