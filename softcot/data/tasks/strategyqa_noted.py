"""``strategyqa-noted``: StrategyQA, whose facts are told to the assistant and not to the base."""

from dataclasses import replace

from softcot.data.rows import RawRow, ReadRow
from softcot.data.stored import StoredProblems
from softcot.data.tasks import strategyqa


def read(row: RawRow) -> ReadRow:
    """The question, and the facts behind its answer as a note."""
    whole = strategyqa.read(row)
    return replace(whole, note=whole.rationale)


_SOURCE = strategyqa.TASK.source
assert isinstance(_SOURCE, StoredProblems), "StrategyQA is a stored data set"

TASK = replace(
    strategyqa.TASK,
    name="strategyqa-noted",
    title="StrategyQA, its facts as a note",
    source=replace(_SOURCE, read=read),
    projection="strategyqa-noted",
    probe=True,
)
