"""``strategyqa-paper``: StrategyQA divided as the paper did, as far as its figures show."""

from softcot.data.rows import json_rows
from softcot.data.stored import Hub, StoredProblems
from softcot.data.task import Task
from softcot.data.tasks.strategyqa import read

FILE = "strategyqa/strategyqa_train.json"
"""The release's own file of 2,290 labelled questions, in its order."""

TASK = Task(
    name="strategyqa-paper",
    title="StrategyQA, the paper's test set",
    answer_kind="yesno",
    # That the paper has 458 test questions is inferred from its means; it is a fifth of the 2,290.
    # That it is the last fifth is how public code divides them.
    source=StoredProblems(
        files={"train": FILE, "test": FILE},
        parts={"train": (0, 80), "test": (80, 100)},
        rows=json_rows,
        read=read,
        # Not pinned: which commit public projects use is not known to us.
        hub=Hub("wics/strategy-qa", {"train": "test[:80%]", "test": "test[80%:]"}),
    ),
    # Its own: the training questions of `strategyqa` are some of its test questions.
    projection="strategyqa-paper",
    place=4,
)
