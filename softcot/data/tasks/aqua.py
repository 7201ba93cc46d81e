"""``aqua``: AQuA, algebra problems with five options and worked answers."""

import re

from softcot.data.rows import LETTERS, RawRow, ReadRow, json_rows, multiple_choice
from softcot.data.stored import Hub, StoredProblems
from softcot.data.task import Task

_STORED_LETTER = re.compile(r"\s*([A-H])\s*\)(?:\s*\1\s*\))*")
"""``A)`` before an option; the test split has a row where it stands twice: ``A)A)59``."""

HUB = Hub(
    "deepmind/aqua_rat",
    {"train": "train", "validation": "validation", "test": "test"},
    config="raw",
    revision="33301c6a050c96af81f63cad5562cb5363e88971",
)


def read(row: RawRow) -> ReadRow:
    """A question and its options, without the letters that they are stored with."""
    found = [(option, _STORED_LETTER.match(option)) for option in row["options"]]
    options = [option[letter.end() if letter else 0 :].strip() for option, letter in found]
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
        hub=HUB,
    ),
    projection="aqua",
    place=3,
)
