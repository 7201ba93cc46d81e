"""``asdiv-aug``: ASDiv-Aug, what the paper made of ASDiv, in the format of GSM8K."""

from softcot.data.rows import json_rows
from softcot.data.stored import Hub, StoredProblems
from softcot.data.task import Task
from softcot.data.tasks.gsm8k import read

TASK = Task(
    name="asdiv-aug",
    title="ASDiv-Aug",
    answer_kind="number",
    source=StoredProblems(
        files={"train": "asdiv_aug/train.jsonl", "test": "asdiv_aug/test.jsonl"},
        rows=json_rows,
        read=read,
        # Not pinned yet: no commit of it could be looked up where this was written.
        hub=Hub("xuyige/ASDiv-Aug", {"train": "train", "test": "test"}),
    ),
    projection="asdiv-aug",
    place=2,
)
