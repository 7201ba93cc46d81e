"""``date-understanding``: BIG-bench's dates with options; it has no training split."""

import re

from softcot.data.problems import question_hash
from softcot.data.rows import RawRow, ReadRow, multiple_choice
from softcot.data.stored import Hub, StoredProblems
from softcot.data.task import Task
from softcot.support.reading import parse_json


def rows(text: str) -> list[RawRow]:
    """The examples of BIG-bench's file."""
    return parse_json(text)["examples"]


def read(row: RawRow) -> ReadRow:
    """BIG-bench's own format, or the Hub's, where lists stand in for the dictionary.

    The files nearly always have the right date first, so the options are put into an order that
    depends on nothing but the text.
    """
    if "target_scores" in row:
        question, scores = row["input"], row["target_scores"]
    else:
        targets, marks = row["multiple_choice_targets"], row["multiple_choice_scores"]
        question, scores = row["inputs"], dict(zip(targets, marks, strict=True))
    question = re.sub(r"^Q:\s*|\s*A:$", "", question.strip())
    options = sorted(scores, key=lambda option: question_hash(f"{question} {option}"))
    right = [place for place, option in enumerate(options) if scores[option] == 1]
    return multiple_choice(question, options, right)


TASK = Task(
    name="date-understanding",
    title="Date Understanding",
    answer_kind="letter",
    source=StoredProblems(
        files={"test": "date_understanding/bigbench_task.json"},
        rows=rows,
        read=read,
        # Not pinned yet: no commit of it could be looked up where this was written.
        hub=Hub("tasksource/bigbench", {"test": "train+validation"}, config="date_understanding"),
    ),
    projection="gsm8k",
    place=5,
)
