"""``strategyqa``: StrategyQA, yes or no from facts that the question does not name."""

from softcot.data.answers import read_gold
from softcot.data.rows import RawRow, ReadRow, json_rows
from softcot.data.stored import Hub, StoredProblems
from softcot.data.task import Task


def read(row: RawRow) -> ReadRow:
    """A question, its answer, and the facts behind it as sentences."""
    facts = [row["facts"]] if isinstance(row["facts"], str) else row["facts"]
    said = [" ".join(fact.split()) for fact in facts if fact.strip()]
    rationale = " ".join(fact if fact[-1] in ".!?" else f"{fact}." for fact in said)
    answer = read_gold("yesno", str(row["answer"]))
    return ReadRow(row["question"].strip(), answer, rationale, source_id=row["qid"])


TASK = Task(
    name="strategyqa",
    title="StrategyQA",
    answer_kind="yesno",
    # The labels of the official test split are not public. Of the files, the development split
    # is the test split here; the Hub's copy divides the labelled questions differently.
    source=StoredProblems(
        files={"train": "strategyqa/train.json", "test": "strategyqa/dev.json"},
        rows=json_rows,
        read=read,
        hub=Hub(
            "ChilleD/StrategyQA",
            {"train": "train", "test": "test"},
            revision="705562638fe1d8ca6bb98c66fc8f94d45fda8c83",
        ),
    ),
    projection="strategyqa",
    place=4,
)
