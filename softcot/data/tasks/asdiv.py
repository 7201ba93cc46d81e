"""``asdiv``: ASDiv, word problems of many kinds; it has no training split."""

from xml.etree import ElementTree

from softcot.data.rows import RawRow, ReadRow, joined, lone_number
from softcot.data.stored import Hub, StoredProblems
from softcot.data.task import Task


def rows(text: str) -> list[RawRow]:
    """The problems of ASDiv.xml under the names the Hub has for their parts."""
    problems = ElementTree.fromstring(text).iter("Problem")
    return [
        {"id": problem.get("ID")} | {part.tag.lower(): part.text for part in problem}
        for problem in problems
    ]


def read(row: RawRow) -> ReadRow:
    """A question, told before it is asked, and its answer: several are parted by semicolons."""
    answer = row["answer"]
    return ReadRow(
        joined(row["body"], row["question"]),
        lone_number(answer),
        source_id=row.get("id") or "",
        several=";" in answer,
    )


TASK = Task(
    name="asdiv",
    title="ASDiv",
    answer_kind="number",
    source=StoredProblems(
        files={"test": "asdiv/ASDiv.xml"},
        rows=rows,
        read=read,
        hub=Hub(
            "EleutherAI/asdiv",
            {"test": "validation"},
            revision="8f95807222d87b4c688c3c22a6ba2801e1fa03e2",
        ),
    ),
    # ASDiv-Aug was made from these questions, so its projection has seen them; GSM8K's has not.
    projection="gsm8k",
    place=6,
)
