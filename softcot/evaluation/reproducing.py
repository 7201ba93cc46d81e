"""Making the records of an experiment: what is there already must be what would be made."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from softcot.data.problems import Problem, Split
from softcot.data.tasks import get_task
from softcot.decoding.backend import Backend
from softcot.evaluation.evaluator import evaluate, settings_of
from softcot.evaluation.experiments import Run
from softcot.evaluation.records import LATER, Record, load_record, write_record
from softcot.methods import AssistCoT
from softcot.prompts.wording import Templates
from softcot.support.errors import UserError
from softcot.thoughts.pair import Pair


def can_run(pair: Pair, run: Run) -> bool:
    """Whether the pair has the weights that a run needs."""
    try:
        replace(run.protocol, control="none").build(pair, get_task(run.task), seed=0)
    except UserError:
        return False
    return True


def reproduce(
    pair: Pair,
    run: Run,
    folder: Path,
    *,
    count: int,
    split: Split = "test",
    batch_size: int = 128,
    progress: Callable[[int, int], None] = lambda done, total: None,
    backend: Backend | None = None,
) -> Path:
    """Make the record of a run unless it is there; an interrupted one goes on where it was.

    Args:
        pair: The two frozen models.
        run: What to evaluate.
        folder: Where the records are.
        count: Problems, unless fewer are enough for it.
        split: Where the problems are from; what chooses something asks validation problems alone.
        batch_size: Rows decoded together.
        progress: Called with (rows done, rows in all).
        backend: What writes the answers; by default this process.

    Raises:
        UserError: A record in the way is unusable, or is of other problems, settings, weights or
            prompts.
    """
    out = folder / run.file
    task = get_task(run.task)
    if run.chooses:
        split = "validation"
    if run.prompts:
        pair = pair.told(Templates.named(run.prompts))
    count = min(count, run.most or count)
    problems = task.problems(split, count)
    if out.exists():
        _check_same(out, pair, run, problems, split)
        return out
    partial = out.with_name(f"{out.name}.partial")
    arguments = [*run.arguments, "--split", split, "--limit", str(count), "--out", str(out)]
    record = evaluate(
        pair,
        task,
        run.protocol,
        problems,
        split=split,
        left_out=task.left_out(split),
        batch_size=batch_size,
        partial=partial,
        command=shlex.join(["python", "-m", "softcot", "evaluate", *arguments]),
        progress=progress,
        backend=backend,
    )
    write_record(record, out)
    partial.unlink(missing_ok=True)
    return out


def _check_same(path: Path, pair: Pair, run: Run, problems: Sequence[Problem], split: str) -> None:
    """Refuse a record that is not the one this run would make."""
    record, way_out = load_record(path), "choose another folder with --results, or delete it."
    asked = [(problem.id, problem.answer) for problem in problems]
    rows = record.rows[: record.n * record.samples : record.samples]
    if record.split != split or [(row.id, row.gold) for row in rows] != asked:
        raise UserError(f"{path} is of {record.n} problems of the {record.split} split; {way_out}")
    for name, same in _sameness(record, pair, run, problems[0]):
        if not same:
            raise UserError(f"{path} was made with other {name}; {way_out}")


def _sameness(record: Record, pair: Pair, run: Run, problem: Problem) -> Iterator[tuple[str, bool]]:
    """What decides a record beside its problems, and whether it is what this run has."""
    task = get_task(run.task)
    method = run.protocol.build(pair, task, run.protocol.seeds[0])
    k = method.checked_k(run.protocol.k)
    settings = settings_of(pair, task, method, replace(run.protocol, k=k))
    fingerprints = settings.pop("fingerprints")
    if run.protocol.control == "untrained":  # random weights, of a size that rounding decides
        fingerprints["trained"] = record.fingerprints["trained"]
    yield "weights", record.fingerprints == fingerprints
    # What older records do not say they had the usual way.
    said = [name for name in settings if name not in LATER or getattr(record, name) is not None]
    yield "settings", all(getattr(record, name) == settings[name] for name in said)
    yield "scores", not run.protocol.gold_logprob or record.gold_logprobs() is not None
    if not isinstance(method, AssistCoT):  # its prompt holds what the assistant wrote
        read = method.embedded(method.prompts([problem], k)).hashes
        yield "prompts", read == [record.rows[0].prompt]
