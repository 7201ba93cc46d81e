"""``gsm8k``: GSM8K, grade-school word problems with worked answers."""

import re

from softcot.data.problems import Split
from softcot.data.rows import RawRow, ReadRow, json_rows, lone_number
from softcot.data.stored import Hub, StoredProblems
from softcot.data.task import Task

_MARK = re.compile(r"<<([^<>]*)>>")
"""A calculator mark: ``<<3*4=12>>``."""

FILES: dict[Split, str] = {"train": "gsm8k/train.jsonl", "test": "gsm8k/test.jsonl"}

HUB = Hub(
    "openai/gsm8k",
    {"train": "train", "test": "test"},
    config="main",
    revision="cc7b047b6e5bb11b4f1af84efc572db110a51b3c",
)


def read(row: RawRow) -> ReadRow:
    """A question, its reasoning without the calculator marks, and the number behind ``####``."""
    reasoning, _, final = row["answer"].rpartition("####")
    # Where nothing but the marks is written, what stands inside them is the reasoning.
    rationale = _MARK.sub("", reasoning).strip() or "\n".join(_MARK.findall(reasoning))
    return ReadRow(row["question"].strip(), lone_number(final), rationale)


TASK = Task(
    name="gsm8k",
    title="GSM8K",
    answer_kind="number",
    source=StoredProblems(files=FILES, rows=json_rows, read=read, hub=HUB),
    projection="gsm8k",
    place=1,
)
