"""One trainer for every method that trains something.

Each step draws its own K, uniformly from 1 to the largest, so that every K is in distribution
later. Everything random in a step is a function of the seed and the step's number, so an
interrupted training that goes on reaches the weights of an uninterrupted one.
"""

import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from softcot.data.problems import Problem, Split, digest
from softcot.data.tasks import Task, training_tasks
from softcot.methods import get_trainable
from softcot.models.language_model import fingerprint
from softcot.models.memory import TOO_SMALL, OutOfMemory, halved, release
from softcot.support.errors import UserError
from softcot.support.files import write_json
from softcot.support.processes import Processes
from softcot.support.provenance import provenance
from softcot.thoughts.checkpoint import TrainedWeights
from softcot.thoughts.pair import Pair
from softcot.training.config import TrainingConfig
from softcot.training.corpus import Corpus, Reader, batches, cut, draw
from softcot.training.state import State, StateFile, Weights

HIGHEST_RATE = 3e37
"""AdamW's first step is ten times the rate, which float32 must hold. What is asked to learn faster
diverges in this way too, and not with an error of the optimiser."""


@dataclass(frozen=True)
class Update:
    """How far a training is."""

    phase: Literal["thinking", "training", "validating"]
    """Both models' one pass over the problems, the steps, or the batches of a validation."""
    done: int
    total: int
    loss: float | None = None
    """Of the last step."""
    validation_loss: float | None = None
    """The latest one."""
    swap_loss: float | None = None
    """The same with another problem's thoughts; None where there are none to swap."""
    weights: TrainedWeights | None = None
    """What is being trained, as it stands; to be looked at, and not to be kept."""


@dataclass(frozen=True)
class TrainingResult:
    """What a training came to; `training.json` beside the weights says the same and more."""

    path: Path
    finished: bool
    """False if it was stopped before its last step."""
    best_step: int
    best_loss: float
    """Validation loss of the weights that were kept."""
    history: list[dict[str, Any]]
    """One entry a validation: step, mean training loss since the last entry, validation loss."""
    seconds: float
    """Wall-clock time, that of interrupted parts included."""


def train(
    pair: Pair,
    method: str,
    name: str,
    config: TrainingConfig,
    out: str | Path,
    *,
    resume: bool = False,
    cache: str | Path | None = None,
    command: str = "",
    progress: Callable[[Update], None] = lambda update: None,
    should_stop: Callable[[], bool] = lambda: False,
    between: Callable[[], None] = lambda: None,
) -> TrainingResult:
    """Train what a method trains on a task and write the best weights into the folder `out`.

    Args:
        pair: The two frozen models.
        method: A method that trains something, such as "softcot".
        name: A task with a training split, or "all" of them.
        config: What decides the weights.
        out: A new folder, or with `resume` one that holds an interrupted training.
        resume: Go on from the last validation.
        cache: Folder that keeps what the assistant thinks of each problem for the next training.
        command: The command line, for `training.json`.
        progress: Called after every batch of every phase.
        should_stop: Asked before every batch; when it says True the best weights so far are
            written, and the training can be resumed.
        between: Called before every piece of a step or a validation, for others who want the
            models.

    Raises:
        UserError: Nothing to train or to resume with these settings, unknown task, folder in use;
            or the training diverged, after the best weights so far were written.
    """
    started = time.perf_counter()
    run = _Run(pair, method, name, config, Path(out), Path(cache) if cache else None, between)
    config = run.config  # where epochs were asked for, it has their steps
    saved = run.state.load() if resume else None
    if not resume:
        run.state.check_unused()

    def thinking(done: int, total: int) -> None:
        progress(Update("thinking", done, total))
        if should_stop():
            raise UserError("The training was stopped before it took a step; nothing changed.")

    def validating(done: int, total: int) -> None:
        progress(Update("validating", done, total))

    train = run.gather("train", thinking)
    held_out = run.gather("validation", thinking)
    run.keep(train, held_out, thinking)
    run.begin(train, saved)
    started -= run.seconds
    order = itertools.islice(batches(train.problems, config), run.step, None)
    losses: list[float] = []
    if not run.history:
        run.validate(held_out, None, validating)
    try:
        while run.step < config.steps and not run.processes.any(should_stop()):
            loss = run.advance(train, next(order))
            losses.append(loss)
            if run.step % config.validate_every == 0 or run.step == config.steps:
                run.validate(held_out, sum(losses) / len(losses), validating)
                run.save(time.perf_counter() - started)
                losses.clear()
            latest = {name: run.history[-1].get(name) for name in ("validation_loss", "swap_loss")}
            progress(
                Update("training", run.step, config.steps, loss, weights=run.weights, **latest)
            )
    except _Diverged as error:
        kept = run.finish(time.perf_counter() - started, command)
        run.drop_state()  # the same steps would end in the same way
        raise UserError(
            f"{str(error).rstrip('.')}; {kept.path} has the weights of step {kept.best_step}, with "
            f"validation loss {kept.best_loss:.4f}: train again, into another folder, with a lower "
            "learning rate."
        ) from error
    return run.finish(time.perf_counter() - started, command)


class _Diverged(UserError):
    """A loss is no finite number, so that no step can follow."""

    def __init__(self, kind: str, loss: float, step: int):
        super().__init__(f"The training diverged: its {kind} loss is {loss} at step {step}.")


class _Run:
    """Everything about a training that changes with its steps."""

    def __init__(
        self,
        pair: Pair,
        method: str,
        name: str,
        config: TrainingConfig,
        out: Path,
        cache: Path | None = None,
        between: Callable[[], None] = lambda: None,
    ):
        trainable = get_trainable(method)
        assert trainable.kind, "what can be trained says what its weights are"
        largest = config.max_thoughts or trainable.kind.default_max_thoughts
        config = replace(config, max_thoughts=largest)
        self.pair, self.config, self.out, self.cache = pair, config, out, cache
        self.between = between
        self.processes = Processes.of(pair.base.device)
        self.tasks = training_tasks(name)
        self.problems: dict[Split, list[list[Problem]]] = {
            "train": draw(self.tasks, "train", config.train_problems, config.seed),
            "validation": draw(self.tasks, "validation", config.validation_problems, config.seed),
        }
        if config.epochs:
            each = math.ceil(sum(map(len, self.problems["train"])) / config.batch_size)
            self.config = config = replace(config, steps=each * config.epochs)
        _check_counted(pair, self.tasks, config)
        self.settings = _settings(pair, method, name, config, self.problems)
        self.state = StateFile(out, self.settings)
        own = {known: getattr(config, known) for known in trainable.settings}
        self.objective = trainable.objective_for(
            pair, name, largest, config.seed, config.start, **own
        )
        self.judged_from = self.objective.validated_from(config.steps)
        self.weights = self.objective.weights
        self.history: list[dict[str, Any]] = []
        self.step = 0
        self.seconds = 0.0
        self.most: int | None = None
        """Problems that are computed at once at most, if the memory ended at more."""

    @property
    def best(self) -> dict[str, Any]:
        """The entry of the history with the lowest validation loss among those that count."""
        judged = [entry for entry in self.history if entry["step"] >= self.judged_from]
        if self.config.keep == "last":
            judged = self.history[-1:]
        judged = judged or self.history[-1:]
        return min(judged, key=lambda entry: entry["validation_loss"])

    def gather(self, split: Split, progress: Callable[[int, int], None]) -> Corpus:
        """Let the objective compute once what no step changes about the problems of a split."""
        size = self.config.batch_size
        reader = Reader(self.objective, self.processes, size, progress, self.cache)
        return Corpus.gather(reader, self.tasks, self.problems[split])

    def keep(self, train: Corpus, held_out: Corpus, progress: Callable[[int, int], None]) -> None:
        """Let the objective keep what this process would otherwise compute more than once."""
        mine = [i for _, numbers in self.processes.share(self._chunks(held_out)) for i in numbers]
        kept = [[held_out.problems[i] for i in mine]]
        # Any problem may come to any process: each keeps all, if it reads as many twice.
        read = len(self.processes.share(range(self.config.steps * self.config.batch_size)))
        if read >= 2 * len(train.problems):
            kept.append(train.problems)
        for problems in kept:
            self.objective.keep_prefixes(problems, self.config.batch_size, progress)

    def begin(self, train: Corpus, saved: State | None) -> None:
        """Start from fresh weights that are ready for these problems, or from a saved state."""
        self.objective.prepare(train.problems, train.precomputed)
        self.weights.to(getattr(torch, self.config.numbers))
        self.trained = [p for p in self.weights.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self.trained,
            self.config.learning_rate,
            weight_decay=self.config.weight_decay,
        )
        self.best_weights = self._weights()
        if saved:
            self._restore(saved)

    def advance(self, corpus: Corpus, numbers: list[int]) -> float:
        """Make one optimiser step and return its loss, that of the whole batch.

        Each process takes its share of the problems, piece by piece. The loss is a mean over
        tokens, so that pieces and shares count by their tokens and not by their problems.

        Raises:
            _Diverged: The loss is not finite; the weights stay as they are.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = min(self.config.rate(self.step), HIGHEST_RATE)
        drawn = self.config.drawn_k(self.step)
        k = self.objective.k(self.step, self.config.steps, drawn)
        found = self._graded(corpus, self.processes.share(numbers), k)
        losses = torch.cat(found) if found else torch.zeros(0)  # fewer problems than processes
        graded = self.processes.total(losses.numel())
        loss = self.processes.total(losses.sum().item()) / graded
        if not math.isfinite(loss):
            raise _Diverged("training", loss, self.step + 1)
        self.processes.sum_gradients(self.trained)
        for weight in self.trained:
            if weight.grad is not None:  # an adapter of a part that these prompts do not reach
                weight.grad /= graded
        torch.nn.utils.clip_grad_norm_(self.weights.parameters(), self.config.clip)
        self.optimizer.step()
        self.step += 1
        return loss

    def _graded(self, corpus: Corpus, numbers: list[int], k: int) -> list[torch.Tensor]:
        """Sum the gradients of a step, piece by piece; where the memory ends, of smaller pieces.

        The gradient is that of the whole batch however small they are.

        Raises:
            OutOfMemory: Not even one problem fits.
        """
        while True:
            self.optimizer.zero_grad()  # what a piece that failed has added goes, too
            try:
                return [
                    self._add_gradient(corpus, piece, k)
                    for piece in corpus.pieces(self.objective, numbers, self.most)
                ]
            except TOO_SMALL:
                largest = len(max(corpus.pieces(self.objective, numbers, self.most), key=len))
                if largest == 1:
                    raise OutOfMemory("choose a smaller pair, or --dtype bfloat16") from None
            self.most = largest // 2
            release()

    def _add_gradient(self, corpus: Corpus, piece: list[int], k: int) -> torch.Tensor:
        self.between()
        losses, beside = corpus.graded(self.objective, piece, k)
        whole = losses.sum()
        if beside is not None:  # it counts as the mean loss does, whatever the piece's size
            whole = whole + beside * losses.numel()
        whole.backward()
        return losses.detach()

    @torch.no_grad()
    def validate(
        self, corpus: Corpus, train_loss: float | None, progress: Callable[[int, int], None]
    ) -> None:
        """Add an entry to the history; the batches spread over all K, the same ones each time.

        Raises:
            _Diverged: The loss is not finite; the history and the best weights stay as they are.
        """
        total = len(self.processes.share(self._chunks(corpus))) * (1 + self.objective.swaps)
        done = itertools.count(1)

        def tell() -> None:
            progress(next(done), total)

        loss = self._mean_loss(corpus, tell)
        if not math.isfinite(loss):
            raise _Diverged("validation", loss, self.step)
        entry = {"step": self.step, "train_loss": train_loss, "validation_loss": loss}
        if self.objective.swaps:
            entry["swap_loss"] = self._mean_loss(corpus.swapped(), tell)
        self.history.append(entry)
        if self.best is entry:
            self.best_weights = self._weights()

    def _mean_loss(self, corpus: Corpus, tell: Callable[[], None]) -> float:
        """Mean loss of the graded tokens of problems, their batches spread over all K.

        Args:
            corpus: The problems.
            tell: Called after every batch.
        """
        chunks = self._chunks(corpus)
        losses = []
        for n, numbers in self.processes.share(chunks):
            losses.append((n, self._judged(corpus, numbers, n / len(chunks))))
            tell()
        return torch.cat(self.processes.gathered(losses)).mean().item()

    def _chunks(self, corpus: Corpus) -> list[tuple[int, list[int]]]:
        """The numbered batches of a validation."""
        numbers = list(range(len(corpus.problems)))
        return list(enumerate(cut(numbers, self.config.batch_size), start=1))

    def _judged(self, corpus: Corpus, numbers: list[int], share: float) -> torch.Tensor:
        """Losses of the graded tokens of a validation batch, float32[N] on the CPU."""
        k = self.objective.validation_k(share)
        if k:  # what is never trained is not judged either
            k = max(k, min(self.config.least_thoughts, self.objective.max_thoughts))
        found: list[torch.Tensor] = []
        for piece in corpus.pieces(self.objective, numbers, self.most):
            self.between()
            found += halved(lambda part: corpus.losses(self.objective, part, k).cpu(), piece)
        return torch.cat(found)

    def save(self, seconds: float) -> None:
        """Leave a state to go on from.

        Raises:
            UserError: It cannot be written; the one before stays.
        """
        if self.processes.main:
            moments = self.optimizer.state_dict()["state"]
            kept = self._weights(), self.best_weights, moments
            self.state.save(State(*kept, self.step, self.history, seconds))

    def _restore(self, saved: State) -> None:
        """Take over a saved state.

        Raises:
            UserError: It is not what a training of these weights leaves.
        """
        if not saved.fits(self.weights.state_dict(), self.trained):
            raise self.state.damaged("it holds other weights than it says")
        self.weights.load_state_dict(saved.weights)
        self.best_weights = saved.best
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": saved.moments, "param_groups": groups})
        self.step, self.history, self.seconds = saved.step, saved.history, saved.seconds

    def finish(self, seconds: float, command: str) -> TrainingResult:
        """Write the best weights and the training record; a finished training drops its state."""
        self.weights.float().load_state_dict(self.best_weights)
        self.weights.fold()
        result = TrainingResult(
            path=self.out,
            finished=self.step == self.config.steps,
            best_step=self.best["step"],
            best_loss=self.best["validation_loss"],
            history=self.history,
            seconds=round(seconds, 1),
        )
        made = provenance(self.pair.base.device, self.pair.base.numbers, command)
        self.weights.describe(self._summary(result, made))
        prints = self.pair.fingerprints | {"trained": fingerprint(self.weights, exact=True)}
        outcome = {k: v for k, v in asdict(result).items() if k != "path"}
        record = self.settings | {"fingerprints": prints} | outcome
        record |= self.objective.aftermath([*itertools.chain(*self.problems["validation"])])
        record |= made
        if self.processes.main:
            self.weights.save(self.out)
            write_json(self.out / "training.json", record)
        if result.finished:
            self.drop_state()
        self.processes.wait()
        return result

    def drop_state(self) -> None:
        """Leave nothing to go on from."""
        if self.processes.main:
            self.state.drop()

    def _summary(self, result: TrainingResult, made: dict[str, Any]) -> dict[str, Any]:
        """What the weights' own config says of their training."""
        return {
            "method": self.settings["method"],
            "steps": self.step,
            "batch_size": self.config.batch_size,
            "learning_rate": self.config.learning_rate,
            "seed": self.config.seed,
            **({"start": self.weights.start} if self.weights.start else {}),
            **(
                {"least_thoughts": self.config.least_thoughts}
                if self.config.least_thoughts > 1
                else {}
            ),
            "train_problems": self.config.train_problems,
            "best_step": result.best_step,
            "validation_loss": result.best_loss,
            "date": made["created"],
            "softcot": made["versions"]["softcot"],
        }

    def _weights(self) -> Weights:
        return {name: value.clone() for name, value in self.weights.state_dict().items()}


def _check_counted(pair: Pair, tasks: Sequence[Task], config: TrainingConfig) -> None:
    """Refuse to draw K where the assistant is told it: its states would be for another K."""
    fixed = config.least_thoughts >= (config.max_thoughts or 0)
    if not fixed and any(pair.assistant.prompts.counts(task) for task in tasks):
        raise UserError(
            "These templates tell the assistant how many thoughts there are, so K must be the same "
            f"in every step; add --least-thoughts {config.max_thoughts}."
        )


def _settings(
    pair: Pair,
    method: str,
    name: str,
    config: TrainingConfig,
    problems: Mapping[Split, Sequence[Sequence[Problem]]],
) -> dict[str, Any]:
    """Everything that decides the weights; a training only goes on with the same."""
    return {
        "pair": pair.name,
        "method": method,
        "task": name,
        "config": config.deciding(get_trainable(method).settings),
        "fingerprints": pair.fingerprints,
        "dtype": pair.base.numbers,
        "prompts": {task.name: pair.reading(task) for task in training_tasks(name)},
        "problems": {
            split: digest([*itertools.chain.from_iterable(drawn)])
            for split, drawn in problems.items()
        },
    }
