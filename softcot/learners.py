"""What each method trains, and how some problems grade it.

Nothing here knows about optimisers, steps or files: that is the trainer's part.
"""

import math
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

from softcot.adapter import Adapter, CoconutAdapter
from softcot.assistant import soft_states
from softcot.errors import UserError
from softcot.learned import Learned
from softcot.methods.slots import splice
from softcot.methods.tuned import continuous_thoughts
from softcot.models import LanguageModel, Pair, collate
from softcot.prefixes import Prefixes
from softcot.problems import Problem
from softcot.projection import Projection
from softcot.prompts import Prompt, cut_at_slots
from softcot.soft_prompt import SoftPrompt
from softcot.states import states_file
from softcot.tasks import Task, get_task


def token_losses(
    base: LanguageModel,
    prompts: Sequence[Prompt],
    thoughts: torch.Tensor,
    prefixes: Prefixes | None = None,
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


STARTS = ("vocabulary", "random")
"""Where a projection's training starts: at the map between both vocabularies, or anywhere."""

SENTENCES = re.compile(r"(?<=[.!?])\s+")
"""Where a rationale is cut into steps."""


class Learner:
    """A method in training: its weights, fresh at first, and their loss on some problems.

    Args:
        pair: The two frozen models.
        name: The task, or "all".
        max_thoughts: Largest K.
        seed: Decides the fresh weights.
        start: One of `STARTS`.
    """

    kind: type[Learned]

    def __init__(
        self, pair: Pair, name: str, max_thoughts: int, seed: int, start: str = "vocabulary"
    ):
        self.pair = pair
        self.max_thoughts = max_thoughts
        self.weights = self.kind.for_pair(pair, name, max_thoughts, seed)

    def study(self, task: Task, problems: Sequence[Problem]) -> torch.Tensor:
        """What no step changes about the problems, computed once: float32[B, ...]."""
        return torch.empty(len(problems), 0)

    def kept(self, folder: Path, task: Task, problems: Sequence[Problem]) -> Path | None:
        """The file below a folder that keeps what `study` gives; None where that is nothing."""
        return None

    def keep(
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

    def thoughts(self, step: int, steps: int, drawn: int) -> int:
        """K of a step, counted from 0; `drawn` is what the trainer drew from 1 to the largest."""
        return drawn

    def judged_thoughts(self, share: float) -> int:
        """K of a validation batch, where `share` goes from above 0 to 1 over the batches."""
        return math.ceil(self.max_thoughts * share)

    def judged_from(self, steps: int) -> int:
        """The first step whose validation may choose the checkpoint."""
        return 0

    def losses(
        self, problems: Sequence[Problem], studied: torch.Tensor, thoughts: int
    ) -> torch.Tensor:
        """Losses of all graded tokens at K = `thoughts`, float32[N]."""
        raise NotImplementedError

    def prompts(
        self, problems: Sequence[Problem], targets: Sequence[str | None], thoughts: int
    ) -> list[Prompt]:
        """The base's prompts with K slots and the text to learn, if any."""
        return [
            self.pair.base.prompts.base(
                problem.question,
                task=get_task(problem.task),
                thoughts=thoughts,
                target=target,
            )
            for problem, target in zip(problems, targets, strict=True)
        ]


class SlotLearner(Learner):
    """A method that fills the slots of a frozen base."""

    @cached_property
    def prefixes(self) -> Prefixes:
        """What the base has read and keeps."""
        return Prefixes(self.pair.base)

    def keep(
        self,
        problems: Sequence[Problem],
        batch_size: int,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """The base's keys and values up to the first slot, which are the same for every K."""
        prompts = self.prompts(problems, [None] * len(problems), 1)
        prefixes = [cut_at_slots(prompt)[0].ids for prompt in prompts]
        self.prefixes.keep(prefixes, batch_size, progress)

    def size(self, problem: Problem) -> int:
        """What stands before the slots needs no gradient."""
        return len(problem.target)

    def vectors(self, studied: torch.Tensor, thoughts: int) -> torch.Tensor:
        """What the weights put into K slots, float32[B, K, d_base]."""
        raise NotImplementedError

    def losses(
        self, problems: Sequence[Problem], studied: torch.Tensor, thoughts: int
    ) -> torch.Tensor:
        """Losses of all graded tokens at K = `thoughts`, float32[N]."""
        base = self.pair.base
        prompts = self.prompts(problems, [problem.target for problem in problems], thoughts)
        vectors = self.vectors(studied.to(base.device), thoughts)
        return token_losses(base, prompts, vectors, self.prefixes)


class ProjectionLearner(SlotLearner):
    """SoftCoT: the assistant is frozen, so its states for the largest K serve every step."""

    kind = Projection

    def __init__(
        self, pair: Pair, name: str, max_thoughts: int, seed: int, start: str = "vocabulary"
    ):
        super().__init__(pair, name, max_thoughts, seed, start)
        if start == "vocabulary":
            self.weights.align(pair)

    def study(self, task: Task, problems: Sequence[Problem]) -> torch.Tensor:
        """The assistant's states, float32[B, K max, d_assistant]."""
        questions = [problem.question for problem in problems]
        return soft_states(self.pair.assistant, questions, self.max_thoughts, task)

    def kept(self, folder: Path, task: Task, problems: Sequence[Problem]) -> Path:
        """The file that keeps the states of these problems."""
        return states_file(folder, self.pair, task, problems, self.max_thoughts)

    def vectors(self, studied: torch.Tensor, thoughts: int) -> torch.Tensor:
        """The first K states of every problem, projected."""
        return self.weights(studied[:, :thoughts])


class SoftPromptLearner(SlotLearner):
    """Prompt tuning: the same K vectors for every problem."""

    kind = SoftPrompt

    def vectors(self, studied: torch.Tensor, thoughts: int) -> torch.Tensor:
        """The first K vectors, once for each problem."""
        return self.weights(thoughts).expand(len(studied), -1, -1)


class LoRALearner(Learner):
    """LoRA: the base learns to write rationale and answer; there are no slots."""

    kind = Adapter

    def thoughts(self, step: int, steps: int, drawn: int) -> int:
        """Never any."""
        return 0

    def judged_thoughts(self, share: float) -> int:
        """Never any."""
        return 0

    def losses(
        self, problems: Sequence[Problem], studied: torch.Tensor, thoughts: int
    ) -> torch.Tensor:
        """Losses of all graded tokens, float32[N]."""
        lm = self.weights.lm
        prompts = self.prompts(problems, [problem.target for problem in problems], 0)
        return tuned_losses(lm, prompts, lm.embed(torch.empty(len(problems), 0, dtype=int)))


class CoconutLearner(Learner):
    """Coconut: stage by stage, continuous thoughts take the place of the rationale's sentences.

    Stage s drops the first s sentences and thinks s times `CoconutAdapter.per_sentence` thoughts
    instead; the stages are equally long, and the last one lasts.
    """

    kind = CoconutAdapter

    @property
    def stages(self) -> int:
        """Sentences that thoughts take the place of in the end."""
        return self.weights.max_thoughts // CoconutAdapter.per_sentence

    def stage(self, step: int, steps: int) -> int:
        """The stage of a step, from 0, which is ordinary fine-tuning."""
        return min(self.stages, step * (self.stages + 1) // steps)

    def thoughts(self, step: int, steps: int, drawn: int) -> int:
        """K grows with the stages."""
        return self.stage(step, steps) * CoconutAdapter.per_sentence

    def judged_thoughts(self, share: float) -> int:
        """K of the last stage, which is the one that is used."""
        return self.weights.max_thoughts

    def judged_from(self, steps: int) -> int:
        """The last stage's losses are over shorter texts than the others' and stand alone."""
        return next(step for step in range(steps) if self.stage(step, steps) == self.stages)

    def losses(
        self, problems: Sequence[Problem], studied: torch.Tensor, thoughts: int
    ) -> torch.Tensor:
        """Losses of the tokens that are still written, float32[N]."""
        lm = self.weights.lm
        dropped = thoughts // CoconutAdapter.per_sentence
        targets = [_without_first(dropped, problem.target) for problem in problems]
        prompts = self.prompts(problems, targets, thoughts)
        return tuned_losses(lm, prompts, continuous_thoughts(lm, prompts, thoughts))


def _without_first(count: int, target: str) -> str:
    """A worked answer without its first sentences; the one that gives the answer stays."""
    *steps, answer = SENTENCES.split(target)
    return " ".join([*steps[count:], answer])


LEARNERS = {
    learner.kind.method: learner
    for learner in (SoftPromptLearner, LoRALearner, CoconutLearner, ProjectionLearner)
}


def get_learner(method: str) -> type[Learner]:
    """What a training of this method trains.

    Raises:
        UserError: The method is unknown, or trains nothing.
    """
    if method not in LEARNERS:
        raise UserError(
            f"There is nothing to train for the method {method!r}; choose one of: "
            f"{', '.join(LEARNERS)}."
        )
    return LEARNERS[method]
