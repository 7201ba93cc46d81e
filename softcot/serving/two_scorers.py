"""The harness's reading of answers beside ours: the same problems, and each where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from softcot.data.problems import Problem
from softcot.data.task import Task
from softcot.data.tasks import get_task
from softcot.evaluation.records import Row
from softcot.support.errors import UserError
from softcot.support.files import write_text

SCHEMA = "softcot-two-scorers-1"

LOCAL = {"gsm8k": "gsm8k", "gsm8k_cot": "gsm8k"}
"""Tasks of the harness whose files `--data-dir` has, and the task here that they are."""

OWN = {"gsm8k": "gsm8k/gsm8k.yaml", "gsm8k_cot": "gsm8k/gsm8k-cot.yaml"}
"""Where the harness says what they are; others of its tasks have files of the same names."""

RELOCATED = """include: {own}
task: {name}
dataset_path: json
dataset_name: null
dataset_kwargs:
  data_files: {{train: {train}, test: {test}}}
"""
"""A task of the harness as it is, but for where its problems come from."""

PLAIN = 'doc_to_text: "{{{{question}}}}"\n'
"""The question alone, as `evaluate` asks it: what both models are told is the method's."""


def write_local_tasks(
    names: Sequence[str], harness: Path, data: Path, folder: Path, plain: bool
) -> list[str]:
    """Write tasks of the harness that read files of a folder, and ask the Hub for nothing.

    Args:
        names: Of the harness.
        harness: The folder of its tasks.
        data: The folder of the data sets.
        folder: Where to write them.
        plain: Whether they ask the question alone.

    Returns:
        What they are called.

    Raises:
        UserError: A task's files cannot be there, or are not.
    """
    written = []
    for name in names:
        if name not in LOCAL:
            raise UserError(
                f"The harness's task {name!r} has no files in --data-dir; choose one of "
                f"{', '.join(LOCAL)}, or leave out --data-dir and --plain."
            )
        files = {
            split: data.resolve() / LOCAL[name] / f"{split}.jsonl" for split in ("train", "test")
        }
        if missing := [file for file in files.values() if not file.is_file()]:
            raise UserError(f"There is no {missing[0]}; name the folder that has it.")
        own = harness / OWN[name]
        called = f"{name}_here"
        text = RELOCATED.format(own=own, name=called, **files) + (PLAIN.format() if plain else "")
        write_text(folder / f"{called}.yaml", text)
        written.append(called)
    return written


def asked_problems(task: Task, samples: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """Our problems with the questions of the harness's samples, in its order, each once.

    Raises:
        UserError: One of them is not among ours.
    """
    count = max(sample["doc_id"] for sample in samples) + 1 + sum(task.left_out("test").values())
    ours = {_key(one.question): one for one in task.problems("test", count)}
    found: dict[int, Problem] = {}
    for sample in samples:
        problem = ours.get(_key(sample["doc"]["question"]))
        if problem is None:
            raise UserError(
                f"Problem {sample['doc_id']} of the harness is none of {task.name}'s; compare a "
                f"task with the same problems, such as one of {', '.join(LOCAL)}."
            )
        found[sample["doc_id"]] = problem
    return [found[number] for number in sorted(found)]


def compared(samples: Sequence[Mapping[str, Any]], rows: Sequence[Row]) -> dict[str, Any]:
    """Both readings of every problem, both accuracies, and the problems where they part.

    Args:
        samples: The harness's, one for each problem and filter.
        rows: Ours, of the same problems in their order.
    """
    numbers = sorted({sample["doc_id"] for sample in samples})
    problems: list[dict[str, Any]] = []
    for number, row in zip(numbers, rows, strict=True):
        own = [sample for sample in samples if sample["doc_id"] == number]
        problems.append(
            {
                "number": number,
                "id": row.id,
                "gold": row.gold,
                "same_text": own[0]["resps"][0][0] == row.text,
                "ours": {"read": row.parsed, "correct": row.correct},
                "harness": {
                    sample["filter"]: {
                        "read": sample["filtered_resps"][0],
                        "correct": bool(sample["exact_match"]),
                    }
                    for sample in own
                },
                "texts": {"ours": row.text, "harness": own[0]["resps"][0][0]},
            }
        )
    filters = list(problems[0]["harness"])
    return {
        "schema": SCHEMA,
        "problems": len(problems),
        "same_texts": sum(one["same_text"] for one in problems),
        "accuracy": {"ours": _share(one["ours"]["correct"] for one in problems)}
        | {name: _share(one["harness"][name]["correct"] for one in problems) for name in filters},
        "differing": {
            name: [
                one for one in problems if one["harness"][name]["correct"] != one["ours"]["correct"]
            ]
            for name in filters
        },
        "rows": [{key: one[key] for key in one if key != "texts"} for one in problems],
    }


def said(record: Mapping[str, Any]) -> str:
    """A line for each way of reading."""
    lines = [f"{record['problems']} problems, {record['same_texts']} with the same text"]
    for name, accuracy in record["accuracy"].items():
        differing = record["differing"].get(name)
        beside = "" if differing is None else f", {len(differing)} judged otherwise than by ours"
        lines.append(f"  {name}: {accuracy:.1%} correct{beside}")
    return "\n".join(lines)


def own_task(name: str) -> Task:
    """The task here that a task of the harness is.

    Raises:
        UserError: There is none.
    """
    known = name.removesuffix("_here")
    if known not in LOCAL:
        raise UserError(f"Only {', '.join(LOCAL)} can be compared, not {name!r}.")
    return get_task(LOCAL[known])


def _key(question: str) -> str:
    return " ".join(question.split())


def _share(values: Any) -> float:
    found = list(values)
    return sum(found) / len(found)
