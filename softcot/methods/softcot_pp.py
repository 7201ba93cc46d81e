"""SoftCoT++ (arXiv 2505.11484): several sets of thoughts about one question, a chain from each."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import torch

from softcot.data.problems import Problem
from softcot.data.tasks import Task, get_task
from softcot.decoding.prompt_cache import PromptCache
from softcot.methods.objective import token_losses
from softcot.methods.slots import number_of
from softcot.methods.softcot import SoftCoT, SoftCoTObjective
from softcot.prompts.builder import Prompt, cut_at_slots
from softcot.support.errors import UserError
from softcot.thoughts.answer_parts import answer_parts
from softcot.thoughts.assistant import read_initial
from softcot.thoughts.many_thoughts import ManyThoughts, contrastive_loss

MEASURED = 256
"""Problems whose states give a training its coordinates."""


class SoftCoTPPObjective(SoftCoTObjective):
    """All sets of a problem are graded, and are to differ from each other.

    The vectors in the assistant's slots move, so that its states are computed anew at every step;
    what stands before the slots is read once.
    """

    weights: ManyThoughts
    contrast: float = 0.0
    """Weight of the contrastive loss."""
    graded_chains: int | None = None
    """Sets that grade each problem at a step; None for all."""

    @cached_property
    def heard(self) -> PromptCache:
        """What the assistant has read and keeps."""
        return PromptCache(self.pair.assistant)

    def precompute(self, task: Task, problems: Sequence[Problem]) -> torch.Tensor:
        """Nothing: every step changes the states."""
        return torch.empty(len(problems), 0)

    def cache_file(self, folder: Path, task: Task, problems: Sequence[Problem]) -> None:
        """There is nothing to keep."""

    def prepare(self, problems: Sequence[Problem], precomputed: torch.Tensor) -> None:
        """As SoftCoT, with the states of every set on some of the problems."""
        some, size = problems[:MEASURED], 32
        with torch.no_grad():
            parts = [some[start : start + size] for start in range(0, len(some), size)]
            states = torch.cat([self.states(part, self.max_thoughts) for part in parts], dim=1)
        base = self.pair.base
        states = states.to(base.device).flatten(0, 1)
        if self.start == "answers":
            said = answer_parts(base, [problem.target for problem in some], self.max_thoughts)
            self.weights.read_out(states, said.repeat(self.weights.chains, 1, 1))
        if self.fair:
            self.weights.condition(states, base.spread)
        self.weights.pace(self.pair.assistant.spread)

    def keep_prefixes(
        self,
        problems: Sequence[Problem],
        batch_size: int,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """Keys and values up to the first slot, of the base and of the assistant."""
        super().keep_prefixes(problems, batch_size, progress)
        starts = [cut_at_slots(prompt)[0].ids for prompt in self._asked(problems, 1)]
        self.heard.keep(starts, batch_size, progress)

    def states(self, problems: Sequence[Problem], k: int) -> torch.Tensor:
        """The assistant's, with every vector in its slots: float32[N, B, K, d_assistant]."""
        prompts = self._asked(problems, k)
        return read_initial(self.pair.assistant, prompts, self.weights.initial, self.heard.cache)

    def _asked(self, problems: Sequence[Problem], k: int) -> list[Prompt]:
        build = self.pair.assistant.prompts.assistant
        return [build(problem.heard, task=get_task(problem.task), k=k) for problem in problems]

    def sets(self, problems: Sequence[Problem], k: int) -> torch.Tensor:
        """All sets of thoughts, float32[N, B, K, d_base]."""
        return self.weights(self.states(problems, k).to(self.pair.base.device))

    def graded(
        self, problems: Sequence[Problem], precomputed: torch.Tensor, k: int
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Losses of the graded tokens, and the weighted contrastive loss of all sets."""
        sets = self.sets(problems, k)
        losses = self._losses(problems, self._drawn(problems, sets))
        return losses, self.contrast * contrastive_loss(sets) if self.contrast else None

    def _drawn(self, problems: Sequence[Problem], sets: torch.Tensor) -> torch.Tensor:
        """Those that grade each problem at this step: they depend on the problem and on K alone."""
        if self.graded_chains is None:
            return sets
        k, rows = sets.shape[2], torch.arange(len(problems))
        first = torch.tensor([number_of(k, problem) % len(sets) for problem in problems])
        numbers = first + torch.arange(min(self.graded_chains, len(sets)))[:, None]
        return sets[numbers % len(sets), rows]

    def losses(
        self, problems: Sequence[Problem], precomputed: torch.Tensor, k: int
    ) -> torch.Tensor:
        """Losses of all graded tokens with every set of thoughts, float32[N]."""
        return self._losses(problems, self.sets(problems, k))

    def _losses(self, problems: Sequence[Problem], sets: torch.Tensor) -> torch.Tensor:
        asked = self.prompts(problems, [problem.target for problem in problems], sets.shape[2])
        vectors = sets.flatten(0, 1)
        return token_losses(self.pair.base, asked * len(sets), vectors, self.prompt_cache)


class SoftCoTPP(SoftCoT):
    """N sets of thoughts from one batch of the assistant, which several samples take turns with.

    Sample i is written with set i, and begins again behind the last set.
    """

    name = "softcot-pp"
    title = "SoftCoT++"
    about = "With {k} thoughts, and other ones for each of several samples"
    hatch = "xx"
    trains = "the projection and a vector for each set of thoughts"
    settings = ("chains", "graded_chains", "contrast")
    many = True
    kind = ManyThoughts
    objective = SoftCoTPPObjective
    weights: ManyThoughts

    def passes(self, k: int) -> int:
        """The assistant's: what stands before its slots, then the slots of all sets."""
        return 2 if k else 0

    def sets(self, samples: int) -> int:
        """As many as there are samples, or all.

        Raises:
            UserError: All of them cannot share the samples evenly.
        """
        chains = self.weights.chains
        if samples > chains and samples % chains:
            raise UserError(
                f"{chains} sets of thoughts cannot share {samples} samples evenly; ask for at most "
                f"{chains}, or for a multiple of that."
            )
        return min(samples, chains)

    def own(self, problems: Sequence[Problem], k: int) -> torch.Tensor:
        """Those of the first set, float32[B, K, d_base]."""
        return self.own_sets(problems, k, [0])[0]

    def own_sets(self, problems: Sequence[Problem], k: int, numbers: Sequence[int]) -> torch.Tensor:
        """Some sets of thoughts, float32[N, B, K, d_base]."""
        assistant = self.pair.assistant
        prompts = [assistant.prompts.assistant(p.heard, task=self.task, k=k) for p in problems]
        states = read_initial(assistant, prompts, self.weights.initial[list(numbers)])
        return self.weights(states.to(self.pair.base.device))
