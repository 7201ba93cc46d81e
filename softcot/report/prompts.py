"""Which prompts the pairs of ready-made models get."""

from __future__ import annotations

from collections.abc import Sequence

from softcot.data.tasks import get_task
from softcot.evaluation.experiments import PROMPTED, PROMPTS
from softcot.evaluation.records import Record
from softcot.methods import ZeroShotCoT
from softcot.report.cells import COUNT, PERCENT, TOKENS, recorded, span
from softcot.report.parts import MISSING, Cell, Section, Table
from softcot.report.results import Results
from softcot.support.presets import PRESETS

COLUMNS = [
    "Task and prompts",
    "Problems",
    "Accuracy,\u00a0%",
    "Cut off at the token limit,\u00a0%",
    "No readable answer,\u00a0%",
    "New tokens an answer",
]


def section(results: Results) -> Section | None:
    """Zero-shot CoT with every set of templates, a table for each pair."""
    tried = [record for record in results.tried if record.method == ZeroShotCoT.name]
    if not tried:
        return None
    pairs = dict.fromkeys(record.pair for record in tried)
    return Section(
        "prompts",
        "Which prompts do ready-made models get?",
        "Zero-shot chain-of-thought, asked in several ways. `chat` asks for steps, `chat-brief` "
        "for short ones in plain text; `chat-one` and `chat-two` ask as `chat` does and show one "
        "or two worked examples, written for this project, as earlier turns of the chat. What is "
        "chosen here, on validation problems, is what every method of the pair is asked with.",
        [_table(pair, [one for one in tried if one.pair == pair]) for pair in pairs],
    )


def _table(pair: str, records: Sequence[Record]) -> Table:
    limits = span(record.sampling["max_new_tokens"] for record in records)
    return Table(
        f"Prompts tried, on validation problems, by {pair}",
        COLUMNS,
        [_row(record) for record in sorted(records, key=_place)],
        f"Greedy, with at most {limits} new tokens; with each accuracy its 95 % interval.",
        brief=True,
    )


def _place(record: Record) -> tuple[int, int]:
    return PROMPTED.index(record.task), PROMPTS.index(record.prompts or "")


def _row(record: Record) -> list[Cell]:
    preset = PRESETS.get(record.pair)
    kind = get_task(record.task).answer_kind
    chosen = preset is not None and record.prompts == preset.prompts_for(record.task, kind)
    return [
        Cell(f"{record.task}, {record.prompts}{' (chosen)' * chosen}"),
        COUNT.number(record.n, record.command),
        recorded(record),
        MISSING if record.cut is None else PERCENT.number(record.cut, record.command),
        PERCENT.number(record.parse_failures, record.command),
        TOKENS.number(record.mean_new_tokens, record.command),
    ]
