"""A projection trained while somebody watches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from softcot.analysis.geometry import Exploration, explore
from softcot.analysis.lens import plan_lengths
from softcot.analysis.vocabulary import Vocabulary
from softcot.data.problems import Problem
from softcot.data.tasks import Task
from softcot.decoding.backend import Alone, Backend
from softcot.evaluation.variants import Variant, try_variants
from softcot.methods import Method, SoftCoT, ZeroShotCoT, get_method
from softcot.support.background import streamed
from softcot.support.presets import DEFAULT_THOUGHTS, MAX_NEW_TOKENS
from softcot.thoughts.collapse import collapse, is_static
from softcot.thoughts.pair import Pair
from softcot.training.config import TrainingConfig
from softcot.training.trainer import TrainingResult, Update, train


@dataclass(frozen=True)
class Sizes:
    """How much is done in a training that somebody watches."""

    judged: int
    """Validation problems that are answered at each look."""
    looks: int
    """How often it stops to be looked at."""
    batch_size: int
    start: str
    """See `softcot.training.config`."""
    train_problems: int
    """At most."""
    validation_problems: int
    max_new_tokens: int
    """Where an answer is cut off."""


PAGE = Sizes(40, 8, 32, "vocabulary", 6400, 64, MAX_NEW_TOKENS)
"""For models of the laboratory."""

LARGE = Sizes(4, 2, 4, "answers", 256, 8, MAX_NEW_TOKENS)
"""For models of which a step takes seconds."""


@dataclass
class LiveTraining:
    """What a training has come to; the same object all the way, and read between two steps."""

    total: int
    """Steps."""
    judged: int = PAGE.judged
    """Validation problems that are answered at each look."""
    alone: float = 0.0
    """Accuracy of zero-shot CoT on the judged problems."""
    shipped: float | None = None
    """That of the projection that comes with the pair, if one does."""
    done: int = 0
    phase: str = "judging"
    """judging (what there is), thinking (the assistant, once), training or finished."""
    losses: list[tuple[int, float]] = field(default_factory=list)
    """(step, training loss)"""
    validation: list[tuple[int, float]] = field(default_factory=list)
    """(step, validation loss)"""
    swapped: list[tuple[int, float]] = field(default_factory=list)
    """(step, validation loss with another problem's thoughts)"""
    accuracies: list[tuple[int, float]] = field(default_factory=list)
    """(step, share of the judged problems that is answered right)"""
    collapses: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    """(step, how much the judged problems' thoughts depend on the question; see
    `softcot.thoughts.collapse`)"""
    seen: Exploration | None = None
    """The thoughts of the question with the present weights."""
    result: TrainingResult | None = None

    @property
    def share(self) -> float | None:
        """How much of the shipped projection's gain over zero-shot CoT the last look shows."""
        if not self.accuracies or self.shipped is None or self.shipped <= self.alone:
            return None
        return (self.accuracies[-1][1] - self.alone) / (self.shipped - self.alone)

    @property
    def gap(self) -> float | None:
        """The latest validation loss with another problem's thoughts, minus that with the own."""
        if not self.swapped or self.swapped[-1][0] != self.validation[-1][0]:
            return None
        return self.swapped[-1][1] - self.validation[-1][1]

    @property
    def is_static(self) -> bool:
        """Whether the projection has become a static prompt, as far as it was looked at."""
        return bool(self.collapses) and is_static(self.collapses[-1][1], self.gap)


def config_for(steps: int, sizes: Sizes = PAGE) -> TrainingConfig:
    """What a training of so many steps in the page is made with."""
    return TrainingConfig(
        steps=steps,
        warmup=min(20, steps // 4),
        batch_size=sizes.batch_size,
        start=sizes.start,
        train_problems=min(sizes.train_problems, sizes.batch_size * steps),
        validation_problems=sizes.validation_problems,
        validate_every=max(1, steps // sizes.looks),
    )


def train_live(
    pair: Pair,
    task: Task,
    question: str,
    vocabulary: Vocabulary,
    steps: int,
    folder: Path,
    stop: threading.Event,
    sizes: Sizes = PAGE,
    backend: Backend | None = None,
) -> Iterator[LiveTraining]:
    """Train a projection for a task and look at it on the way.

    Args:
        pair: The two frozen models.
        task: One with a training split.
        question: Whose thoughts are watched.
        vocabulary: That of the base.
        steps: At most so many.
        folder: Where the weights go; a new one.
        stop: Set to end the training, which keeps the best weights so far.
        sizes: How much is done.
        backend: What runs the models for others, too, to whom the training gives way between two
            pieces of a step; by default there are none.

    Yields:
        The live after everything that happens in it.

    Raises:
        UserError: There is nothing to train on, or it was stopped before the first step.
    """
    config, live = config_for(steps, sizes), LiveTraining(steps, sizes.judged)
    judged = task.problems("validation", sizes.judged)

    def work(tell: Callable[[Any], None]) -> TrainingResult:
        with (backend or Alone()).turn() as give_way:
            return teach(tell, give_way)

    def teach(tell: Callable[[Any], None], give_way: Callable[[], None]) -> TrainingResult:
        def look(method: Method) -> float:
            """Share of the judged problems that a method answers right; 0 where it is stopped."""
            variants = [Variant(method.title, method)]
            for [trial] in try_variants(variants, judged, max_new_tokens=sizes.max_new_tokens):
                if stop.is_set():  # nobody waits for the rest of the answers
                    return 0.0
                give_way()
            return trial.accuracy

        live.alone = look(get_method(ZeroShotCoT.name, pair, task))
        if f"projection-{task.name}" in pair.trained and not stop.is_set():
            live.shipped = look(get_method(SoftCoT.name, pair, task))
        tell(None)

        def watch(update: Update) -> None:
            if update.phase == "validating":  # between two steps, which are what is shown
                return
            _follow(live, update)
            if update.weights and update.done % config.validate_every == 0:
                method = SoftCoT(pair, update.weights, task)
                accuracy = look(method)
                if stop.is_set():
                    return
                live.accuracies.append((update.done, accuracy))
                vectors = method.thoughts([Problem(task.name, question)], DEFAULT_THOUGHTS)[0]
                if len(judged) > 1:
                    live.collapses.append((update.done, _collapse(method, judged)))
                live.seen = explore(question, vectors, pair.base, vocabulary)
            tell(update)
            give_way()

        return train(
            pair,
            SoftCoT.name,
            task.name,
            config,
            folder,
            progress=watch,
            should_stop=stop.is_set,
            between=give_way,
        )

    yield live
    for finished, news in streamed(work, stop):
        if finished:
            live.phase, live.result = "finished", news
        yield live


def _collapse(method: SoftCoT, problems: Sequence[Problem]) -> dict[str, float]:
    """How much the thoughts of some problems depend on the question, without their padding."""
    vectors = method.thoughts(problems, DEFAULT_THOUGHTS).cpu().numpy()
    heard = [problem.heard for problem in problems]
    return collapse(vectors, plan_lengths(method.pair, heard, DEFAULT_THOUGHTS, method.task))


def _follow(live: LiveTraining, update: Update) -> None:
    live.phase = update.phase
    if update.loss is None or update.validation_loss is None:  # before the first step
        return
    live.done = update.done
    live.losses.append((update.done, update.loss))
    if not live.validation or live.validation[-1][1] != update.validation_loss:
        live.validation.append((update.done, update.validation_loss))
        if update.swap_loss is not None:
            live.swapped.append((update.done, update.swap_loss))
