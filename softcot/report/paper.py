"""What the paper reports, for comparison: figures that were not measured here."""

from softcot.methods import METHODS
from softcot.report.parts import MISSING, Cell, Table

SOURCE = (
    "From the paper (Xu et al. 2025, SoftCoT, arXiv 2502.12134), not measured here: other models, "
    "other problems. Means over the seeds 41 to 45 at temperature 1."
)
COLUMNS = ["GSM8K", "ASDiv-Aug", "AQuA", "StrategyQA", "Date Understanding", "Average"]

Rows = dict[str, tuple[float | None, ...]]
"""Method -> its figures, in the order of `COLUMNS`."""

LLAMA: Rows = {
    "zero-shot-cot": (79.61, 86.78, 54.65, 65.63, 54.40, 68.21),
    "cot-unk": (79.95, 86.90, 55.28, 66.16, 54.16, 68.49),
    "assist-cot": (80.76, 86.96, 55.83, 66.55, 58.24, 69.67),
    "lora": (75.66, 86.67, 52.36, None, None, None),
    "coconut": (76.12, 86.80, 53.15, None, None, None),
    "softcot": (81.03, 87.19, 56.30, 69.04, 59.04, 70.52),
}
"""LLaMA-3.1-8B-Instruct with LLaMA-3.2-1B-Instruct as its assistant."""

QWEN: Rows = {
    # Its zero-shot CoT on ASDiv-Aug and Date Understanding we could not verify.
    "zero-shot-cot": (83.70, None, 64.53, 49.65, None, 70.29),
    "softcot": (85.81, 88.90, 72.44, 60.61, 67.52, 75.06),
}
"""Qwen2.5-7B-Instruct with Qwen2.5-1.5B-Instruct as its assistant."""

SIZES = {"0.5B": 85.76, "1.5B": 85.81, "7B": 85.84}
"""Qwen2.5-7B-Instruct on GSM8K, by the size of its assistant."""

VOTES = {1: 81.03, 10: 90.63}
"""SoftCoT with LLaMA-3.1-8B-Instruct on GSM8K, by the number of samples."""


def main_tables() -> list[Table]:
    """Accuracy by method and data set, one table for each base model."""
    tables = {
        "LLaMA-3.1-8B-Instruct, assistant LLaMA-3.2-1B-Instruct": LLAMA,
        "Qwen2.5-7B-Instruct, assistant Qwen2.5-1.5B-Instruct": QWEN,
    }
    return [
        Table(
            f"The paper's accuracy in %: {models}",
            ["Method", *COLUMNS],
            [[Cell(METHODS[name].title), *map(_cell, row)] for name, row in rows.items()],
            SOURCE,
        )
        for models, rows in tables.items()
    ]


def size_table() -> Table:
    """GSM8K by the size of the assistant."""
    return Table(
        "The paper's accuracy in % on GSM8K: Qwen2.5-7B-Instruct, by its assistant",
        ["Assistant", "SoftCoT"],
        [[Cell(f"Qwen2.5-{size}-Instruct"), _cell(value)] for size, value in SIZES.items()],
        SOURCE,
    )


def votes_table() -> Table:
    """GSM8K by the number of samples that vote."""
    return Table(
        "The paper's accuracy in % on GSM8K: LLaMA-3.1-8B-Instruct, N samples voting",
        ["N", "SoftCoT"],
        [[Cell(str(count)), _cell(value)] for count, value in VOTES.items()],
        SOURCE,
    )


def _cell(value: float | None) -> Cell:
    return MISSING if value is None else Cell(f"{value:.2f}", value, source="paper")
