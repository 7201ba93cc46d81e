"""What each thing that the released code does otherwise is worth."""

from __future__ import annotations

from softcot.evaluation.experiments import SEEDS, WORTH
from softcot.methods import METHODS, SoftCoT, ZeroShotCoT
from softcot.report.cells import PERCENT, POINTS, Line, difference
from softcot.report.parts import MISSING, Cell, Section, Table
from softcot.report.results import Results
from softcot.support.deviations import DEVIATIONS, deviating

OURS = "As here"
SAMPLED = {"sampled": "T = 1", "top-50": "T = 1, the 50 likeliest tokens alone"}
"""Ways to sample, by what the results call them."""


def section(results: Results) -> Section | None:
    """Accuracy with one deviation at a time, beside our own way."""
    if not results.has_own("worth", beside="grid"):
        return None
    tables = [_trainings(results), _samplings(results)]
    return Section(
        "worth",
        "What is each difference from the released code worth?",
        "The paper's code trains and asks otherwise than this project, in ways that the paper does "
        "not weigh. Mini's projection is trained with one of them at a time, all else as here.",
        [table for table in tables if table.rows],
    )


def _trainings(results: Results) -> Table:
    """SoftCoT of each training, beside that which it differs from, and with swapped thoughts."""
    rows = [_row(results, [Cell(OURS), Cell("–")], "mini", None)]
    for name, done in DEVIATIONS.items():
        labels = [Cell(done.what), Cell(f"`{done.options}`")]
        rows.append(_row(results, labels, deviating(name), done.k, done.beside))
    hard, soft = METHODS[ZeroShotCoT.name].title, METHODS[SoftCoT.name].title
    return Table(
        f"{soft} on {WORTH} where one thing is as in the released code, greedy",
        [
            "What differs",
            "Option",
            "K",
            f"{hard},\u00a0%",
            f"{soft} without it,\u00a0%",
            f"{soft} with it,\u00a0%",
            "Another question's thoughts (swap),\u00a0%",
            "Difference, points",
            "Own minus swap, points",
        ],
        [row for row in rows if any(cell.value is not None for cell in (row[3], *row[5:]))],
        "Without it: trained as here and asked with as many thoughts, but prompts that name K need "
        "one K in all steps and are set against that, and bf16 is set against the same start in "
        "fp32. Paired over problems, with 95 % intervals.",
        brief=True,
    )


def _row(
    results: Results, labels: list[Cell], pair: str, k: int | None, beside: str | None = None
) -> list[Cell]:
    """A row of one training, and of the one that it differs from."""
    own, swapped = _line(results, pair, k), _line(results, pair, k, "swap")
    other = _line(results, beside, k) if beside else {}
    hard = results.line(ZeroShotCoT.name, pair=pair)
    hard = results.line(ZeroShotCoT.name) if own and not hard else hard
    asked = Cell(str(SoftCoT.default_k if k is None else k))
    means = [_mean(line) for line in (hard, other, own, swapped)]
    return [*labels, asked, *means, _gain(own, other), _gain(own, swapped)]


def _line(results: Results, pair: str, k: int | None, control: str = "none") -> Line:
    return results.line(SoftCoT.name, control, k=k, pair=pair)


def _mean(line: Line) -> Cell:
    if WORTH not in line:
        return MISSING
    return PERCENT.cell(line[WORTH].scores(), line[WORTH].command)


def _gain(after: Line, before: Line) -> Cell:
    if WORTH not in after or WORTH not in before:
        return MISSING
    gained = difference(after[WORTH].scores(), before[WORTH].scores())
    return POINTS.cell(gained, after[WORTH].command)


def _samplings(results: Results) -> Table:
    """Both methods by how a token is chosen."""
    methods = (ZeroShotCoT.name, SoftCoT.name)
    rows = []
    for decoding, label in SAMPLED.items():
        hard, soft = (results.line(name, decoding=decoding) for name in methods)
        rows.append([Cell(label), _mean(hard), _mean(soft), _gain(soft, hard)])
    cut = any(cell.value is not None for cell in rows[-1])
    return Table(
        f"How a token is chosen, on {WORTH}",
        [
            "Choice",
            f"{METHODS[ZeroShotCoT.name].title},\u00a0%",
            "SoftCoT,\u00a0%",
            "Difference, points",
        ],
        rows if cut else [],
        f"{len(SEEDS)} seeds; paired over problems and seeds, with 95 % intervals.",
    )
