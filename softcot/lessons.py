"""A projection trained while somebody watches."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from softcot.analysis import Exploration, explore
from softcot.background import streamed
from softcot.methods import Method, SoftCoT, get_method
from softcot.models import Pair
from softcot.presets import DEFAULT_THOUGHTS
from softcot.problems import Problem
from softcot.tasks import Task
from softcot.training import TrainingConfig, TrainingResult, Update, train
from softcot.trials import Variant, try_variants
from softcot.vocabulary import Vocabulary

JUDGED = 40
"""Validation problems that are answered at each look."""

LOOKS = 8
"""How often a training stops to be looked at."""


@dataclass
class Lesson:
    """What a training has come to; the same object all the way, and read between two steps."""

    total: int
    """Steps."""
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
    accuracies: list[tuple[int, float]] = field(default_factory=list)
    """(step, share of the judged problems that is answered right)"""
    seen: Exploration | None = None
    """The thoughts of the question with the present weights."""
    result: TrainingResult | None = None

    @property
    def share(self) -> float | None:
        """How much of the shipped projection's gain over zero-shot CoT the last look shows."""
        if not self.accuracies or self.shipped is None or self.shipped <= self.alone:
            return None
        return (self.accuracies[-1][1] - self.alone) / (self.shipped - self.alone)


def config_for(steps: int) -> TrainingConfig:
    """What a training of so many steps in the page is made with."""
    return TrainingConfig(
        steps=steps,
        warmup=min(20, steps // 4),
        train_problems=min(6400, 32 * steps),
        validation_problems=64,
        validate_every=max(1, steps // LOOKS),
    )


def learn(
    pair: Pair,
    task: Task,
    question: str,
    vocabulary: Vocabulary,
    steps: int,
    folder: Path,
    stop: threading.Event,
) -> Iterator[Lesson]:
    """Train a projection for a task and look at it on the way.

    Args:
        pair: The two frozen models.
        task: One with a training split.
        question: Whose thoughts are watched.
        vocabulary: That of the base.
        steps: At most so many.
        folder: Where the weights go; a new one.
        stop: Set to end the training, which keeps the best weights so far.

    Yields:
        The lesson after everything that happens in it.

    Raises:
        UserError: There is nothing to train on, or it was stopped before the first step.
    """
    config, lesson = config_for(steps), Lesson(steps)
    judged = task.problems("validation", JUDGED)

    def look(method: Method) -> float:
        [trial] = list(try_variants([Variant(method.title, method)], judged))[-1]
        return trial.accuracy

    def work(tell) -> TrainingResult:
        lesson.alone = look(get_method("zero-shot-cot", pair, task))
        if f"projection-{task.name}" in pair.trained:
            lesson.shipped = look(get_method(SoftCoT.name, pair, task))
        tell(None)

        def watch(update: Update) -> None:
            _follow(lesson, update)
            if update.weights and update.done % config.validate_every == 0:
                method = SoftCoT(pair, update.weights, task)
                lesson.accuracies.append((update.done, look(method)))
                vectors = method.thoughts([Problem(task.name, question)], DEFAULT_THOUGHTS)[0]
                lesson.seen = explore(question, vectors, pair.base, vocabulary)
            tell(update)

        return train(
            pair, SoftCoT.name, task.name, config, folder, progress=watch, should_stop=stop.is_set
        )

    yield lesson
    for finished, news in streamed(work, stop):
        if finished:
            lesson.phase, lesson.result = "finished", news
        yield lesson


def _follow(lesson: Lesson, update: Update) -> None:
    lesson.phase = update.phase
    if update.phase != "training":
        return
    lesson.done = update.done
    lesson.losses.append((update.done, update.loss))
    if not lesson.validation or lesson.validation[-1][1] != update.validation_loss:
        lesson.validation.append((update.done, update.validation_loss))
