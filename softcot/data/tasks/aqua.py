"""``aqua``: AQuA, algebra problems with five options and worked answers."""

import re

from softcot.data.rows import LETTERS, RawRow, ReadRow, json_rows, multiple_choice
from softcot.data.stored import Hub, StoredProblems
from softcot.data.task import Task


def read(row: RawRow) -> ReadRow:
    """A question and its options, without the letters that they are stored with."""
    options = [re.sub(r"^\s*[A-H]\s*\)", "", option).strip() for option in row["options"]]
    letters = LETTERS[: len(options)]
    right = [place for place, letter in enumerate(letters) if letter == row["correct"]]
    return multiple_choice(row["question"], options, right, row["rationale"].strip())


TASK = Task(
    name="aqua",
    title="AQuA",
    answer_kind="letter",
    source=StoredProblems(
        files={
            "train": "aqua/train.json",
            "validation": "aqua/dev.json",
            "test": "aqua/test.json",
        },
        rows=json_rows,
        read=read,
        hub=Hub(
            "deepmind/aqua_rat",
            {"train": "train", "validation": "validation", "test": "test"},
            config="raw",
            revision="33301c6a050c96af81f63cad5562cb5363e88971",
        ),
    ),
    projection="aqua",
    place=3,
)
