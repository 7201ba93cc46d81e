"""One run of a question in a single file: what was asked, what was written, and the thoughts.

The file is safetensors: a tensor of thoughts for each column that has them, and the rest as JSON in
its metadata, so that it can be read without this package.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from softcot.data.problems import Problem
from softcot.data.tasks import Task, get_task
from softcot.decoding.backend import Backend
from softcot.decoding.decoder import Sampling
from softcot.evaluation.answering import Column, ColumnRequest, answer_stream
from softcot.methods import Method, SlotMethod
from softcot.support.errors import UserError
from softcot.support.files import json_text, replacing
from softcot.support.provenance import provenance
from softcot.support.reading import as_object, parse_json, reason
from softcot.support.schema import STRICT, from_json, to_json
from softcot.thoughts.pair import Pair

SCHEMA = "softcot-run-1"


@dataclass(frozen=True)
class RunRequest:
    """A question and the ways it is put: all that decides what comes out, but for the weights."""

    __pydantic_config__ = STRICT

    problem: Problem
    requests: tuple[ColumnRequest, ...]
    k: Annotated[int | None, Field(alias="thoughts")] = None
    """K; None leaves it to each method."""
    sampling: Sampling = Sampling()
    samples: int = 1

    def stream(
        self, pair: Pair, task: Task | None = None, backend: Backend | None = None
    ) -> Generator[list[Column]]:
        """See `softcot.evaluation.answering.answer_stream`; the task is the problem's own."""
        task = task or get_task(self.problem.task)
        return answer_stream(
            pair, self.problem, task, self.requests, self.k, self.sampling, self.samples, backend
        )

    def vectors(self, pair: Pair) -> dict[str, torch.Tensor]:
        """Column number -> its thoughts after all edits, float32[K, d_base]."""
        found = {}
        asked = zip(self.requests, self._methods(pair), strict=True)
        for number, (request, method) in enumerate(asked):
            if isinstance(method, SlotMethod):
                count = request.count(method, self.k)
                found[str(number)] = method.thoughts([self.problem], count)[0].cpu().contiguous()
        return found

    def fingerprints(self, pair: Pair) -> dict[str, Any]:
        """Of the two models and of each column's trained weights."""
        trained = [method.fingerprint() for method in self._methods(pair)]
        return {**pair.fingerprints, "trained": trained}

    def _methods(self, pair: Pair) -> list[Method]:
        task = get_task(self.problem.task)
        return [request.build(pair, task, self.sampling.seed) for request in self.requests]


@dataclass(frozen=True)
class RunFile:
    """A run as its file holds it."""

    pair: str
    asked: RunRequest
    columns: list[dict[str, Any]]
    """What each column came to, as plain JSON types."""
    fingerprints: dict[str, Any]
    origin: dict[str, Any]
    """Versions, commit, device and day."""
    vectors: dict[str, torch.Tensor]


def save_run(path: Path, pair: Pair, asked: RunRequest, columns: Sequence[Column]) -> None:
    """Write a finished run into the file `path`, at once.

    Raises:
        UserError: It cannot be written there.
    """
    head = {
        "schema": SCHEMA,
        "pair": pair.name,
        "asked": to_json(asked),
        "columns": [to_json(column) for column in columns],
        "fingerprints": asked.fingerprints(pair),
        "origin": provenance(pair.base.device, pair.base.numbers),
    }
    vectors = asked.vectors(pair)
    try:
        with replacing(path) as temporary:
            save_file(vectors, temporary, {"run": json_text(head)})
    except (OSError, SafetensorError) as error:
        raise UserError(f"The run cannot be written to {path}: {error}.") from error


def load_run(path: Path) -> RunFile:
    """Read what `save_run` wrote.

    Raises:
        UserError: The file is missing, or is none of ours.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}; name a run that was saved or downloaded.")
    try:
        with safe_open(path, "pt") as file:
            head = as_object(parse_json((file.metadata() or {})["run"]), "it")
            vectors = {name: file.get_tensor(name) for name in file.keys()}
        if head["schema"] != SCHEMA:
            raise ValueError(f"its schema is {head['schema']}")
        asked = from_json(RunRequest, json.dumps(head["asked"]))
        answers = [(column["text"], column["answer"]) for column in head["columns"]]
        if len(answers) != len(asked.requests):
            raise ValueError("it does not have one column for each way of asking")
        origin = as_object(head["origin"], "its origin")
        _ = origin["device"], origin["versions"]  # what is told of it
        fingerprints = as_object(head["fingerprints"], "what its fingerprints are in")
        return RunFile(str(head["pair"]), asked, head["columns"], fingerprints, origin, vectors)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} is no run of this program ({reason(error)}); save it again."
        ) from error


def replay(pair: Pair, run_file: RunFile) -> list[Column]:
    """Run it again and compare: the same words, answers and thoughts.

    Raises:
        UserError: The models are other ones, or something came out differently.
    """
    asked = run_file.asked
    if asked.fingerprints(pair) != run_file.fingerprints:
        raise UserError(
            f"The run was made with other weights than those of pair {pair.name!r} here; "
            "get the ones that its fingerprints name."
        )
    origin = run_file.origin
    where = f"{origin['device']}{' in ' + origin['dtype'] if 'dtype' in origin else ''}"
    *_, columns = asked.stream(pair)
    for number, (column, before) in enumerate(zip(columns, run_file.columns, strict=True), start=1):
        if (column.text, column.answer) != (before["text"], before["answer"]):
            raise UserError(
                f"Column {number}, {column.title}, came out differently: {column.answer!r} instead "
                f"of {before['answer']!r}; the run was made with "
                f"{origin['versions']} on {where}."
            )
    for name, vectors in asked.vectors(pair).items():
        if not _alike(vectors, run_file.vectors.get(name)):
            raise UserError(f"The thoughts of column {int(name) + 1} came out differently.")
    return columns


def _alike(vectors: torch.Tensor, before: torch.Tensor | None) -> bool:
    if before is None or before.shape != vectors.shape:
        return False
    return torch.allclose(vectors, before.to(vectors.dtype), rtol=1e-3, atol=1e-4)
