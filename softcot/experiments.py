"""The experiments behind the tables: which evaluations each is made of, and making what is missing.

Everything is greedy, so one seed says all there is; it decides the controls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from softcot.controls import CONTROLS
from softcot.errors import UserError
from softcot.evaluation import evaluate, write_record
from softcot.methods import METHODS, SoftCoT
from softcot.models import Pair
from softcot.tasks import FREE, TASKS, get_task

FAMILIES = [name for name in TASKS if name != FREE.name]
TRAINED = [name for name in FAMILIES if "train" in TASKS[name].splits]

CURVE = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16)
"""K of the curve."""

SEED = 41


@dataclass(frozen=True)
class Run:
    """One evaluation of an experiment."""

    task: str
    method: str
    control: str = "none"
    thoughts: int | None = None
    """K; None is the method's own choice."""

    @property
    def arguments(self) -> list[str]:
        """What `python -m softcot evaluate` takes for it, apart from pair and file."""
        given = ["--task", self.task, "--method", self.method, "--control", self.control]
        return given + ([] if self.thoughts is None else ["--thoughts", str(self.thoughts)])

    @property
    def file(self) -> str:
        """Name of its record."""
        count = METHODS[self.method].default_thoughts if self.thoughts is None else self.thoughts
        return f"{self.task}.{self.method}.{self.control}.k{count}.json"


def main() -> Iterator[Run]:
    """Every method on every task."""
    for method in METHODS:
        for task in FAMILIES:
            yield Run(task, method)


def controls() -> Iterator[Run]:
    """SoftCoT under every control on every task."""
    for control in CONTROLS:
        for task in FAMILIES:
            yield Run(task, SoftCoT.name, control)


def thoughts() -> Iterator[Run]:
    """SoftCoT's accuracy against K."""
    for count in CURVE:
        for task in TRAINED:
            own = count == SoftCoT.default_thoughts
            yield Run(task, SoftCoT.name, thoughts=None if own else count)


EXPERIMENTS: dict[str, Callable[[], Iterator[Run]]] = {
    "main": main,
    "controls": controls,
    "thoughts": thoughts,
}


def plan(experiment: str) -> list[Run]:
    """The evaluations of an experiment, or of "all", each once.

    Raises:
        UserError: There is no such experiment.
    """
    if experiment not in (*EXPERIMENTS, "all"):
        raise UserError(
            f"There is no experiment called {experiment!r}; choose one of: "
            f"{', '.join(EXPERIMENTS)}, all."
        )
    chosen = EXPERIMENTS.values() if experiment == "all" else [EXPERIMENTS[experiment]]
    return list(dict.fromkeys(run for make in chosen for run in make()))


def can_run(pair: Pair, run: Run) -> bool:
    """Whether the pair has the weights that a run needs."""
    try:
        METHODS[run.method].build(pair, get_task(run.task))
    except UserError:
        return False
    return True


def reproduce(
    pair: Pair,
    run: Run,
    folder: Path,
    *,
    count: int,
    split: str = "test",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Make the record of a run unless it is there; an interrupted one goes on where it was.

    Args:
        pair: The two frozen models.
        run: What to evaluate.
        folder: Where the records are.
        count: Problems.
        split: Where the problems are from.
        progress: Called with (rows done, rows in all).
    """
    out = folder / run.file
    if out.exists():
        return out
    task = get_task(run.task)
    partial = out.with_name(f"{out.name}.partial")
    arguments = [*run.arguments, "--split", split, "--limit", str(count), "--out", str(out)]
    record = evaluate(
        pair,
        task,
        run.method,
        problems=task.problems(split, count),
        split=split,
        control=run.control,
        thoughts=run.thoughts,
        seeds=[SEED],
        partial=partial,
        command=" ".join(["python -m softcot evaluate --pair", pair.name, *arguments]),
        progress=progress,
    )
    write_record(record, out)
    partial.unlink(missing_ok=True)
    return out
