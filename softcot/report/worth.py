"""What each thing that the released code does otherwise is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from softcot.evaluation.experiments import NOTED, NOTED_K, SEEDS, WORTH
from softcot.evaluation.records import Record
from softcot.methods import METHODS, SoftCoT, ZeroShotCoT
from softcot.report.cells import PERCENT, POINTS, difference
from softcot.report.parts import MISSING, Cell, Section, Table
from softcot.report.results import Results, key_of
from softcot.support.deviations import DEVIATIONS, REAL_DEVIATIONS, REAL_PAIR, Deviation, deviating

OURS = "As here"
SAMPLED = {"sampled": "T = 1", "top-50": "T = 1, the 50 likeliest tokens alone"}
"""Ways to sample, by what the results call them."""

Found = Mapping[tuple[str, str, str, int], Record]
"""Greedy records of one task, by pair, method, control and K."""


def section(results: Results) -> Section | None:
    """Accuracy with one deviation at a time, beside our own way."""
    tables = [_between(results)]
    if results.has_own("worth", beside="grid"):
        tables[:0] = [_of_mini(results), _samplings(results)]
    tables = [table for table in tables if table.rows]
    if not tables:
        return None
    return Section(
        "worth",
        "What is each difference from the released code worth?",
        "The paper's code trains and asks otherwise than this project, in ways that the paper does "
        "not weigh. A projection is trained with one of them at a time, all else as here.",
        tables,
    )


def _of_mini(results: Results) -> Table:
    found = _by_way(results, WORTH)
    return _trainings(f"on {WORTH}", found, DEVIATIONS, "mini", SoftCoT.default_k)


def _between(results: Results) -> Table:
    """The same between ready-made models, whose base has to say what it has not read."""
    found = _by_way([*results.ready_made, *results.deviating], NOTED) if results.deviating else {}
    return _trainings(f"on {NOTED} with {REAL_PAIR}", found, REAL_DEVIATIONS, REAL_PAIR, NOTED_K)


def _by_way(records: Iterable[Record], task: str) -> Found:
    keys = ((key_of(record), record) for record in records if record.task == task)
    return {
        (key.pair, key.method, key.control, key.k): record
        for key, record in keys
        if key.decoding == "greedy" and key.trained_on in (None, task)
    }


def _trainings(
    where: str, found: Found, deviations: Mapping[str, Deviation], ours: str, usual: int
) -> Table:
    """SoftCoT of each training, beside that which it differs from, and with swapped thoughts."""
    hard, soft = METHODS[ZeroShotCoT.name].title, METHODS[SoftCoT.name].title
    rows = [[Cell(OURS), Cell("–"), *_row(found, ours, usual, ours)]]
    for name, done in deviations.items():
        pair, k = deviating(name, ours), done.k or usual
        told = pair if done.prompts else ours
        rows.append(
            [Cell(done.what), Cell(f"`{done.options}`"), *_row(found, pair, k, told, done.beside)]
        )
    rows = [row for row in rows if any(cell.value is not None for cell in (row[3], *row[5:]))]
    columns = [
        "What differs",
        "Option",
        "K",
        f"{hard},\u00a0%",
        f"{soft} without it,\u00a0%",
        f"{soft} with it,\u00a0%",
        "Another question's thoughts (swap),\u00a0%",
        "Difference, points",
        "Own minus swap, points",
    ]
    # A base that cannot know is not asked alone.
    if all(row[3] == MISSING for row in rows):
        columns, rows = [*columns[:3], *columns[4:]], [[*row[:3], *row[4:]] for row in rows]
    return Table(
        f"{soft} {where} where one thing is as in the released code, greedy",
        columns,
        rows,
        "Without it: trained as here and asked with as many thoughts, but prompts that name K need "
        "one K in all steps and are set against that, and bf16 is set against the same start in "
        "fp32. All read about as many problems; what learns slowly may need more. Paired over "
        "problems, with 95 % intervals.",
        brief=True,
    )


def _row(found: Found, pair: str, k: int, told: str, beside: str | None = None) -> list[Cell]:
    """K and the figures of a training: `told` has its prompts, `beside` is what it differs from."""
    own, swapped = (found.get((pair, SoftCoT.name, way, k)) for way in ("none", "swap"))
    other = found.get((beside, SoftCoT.name, "none", k)) if beside else None
    hard = found.get((told, ZeroShotCoT.name, "none", 0)) if own or told == pair else None
    means = map(_mean, (hard, other, own, swapped))
    return [Cell(str(k)), *means, _gain(own, other), _gain(own, swapped)]


def _mean(record: Record | None) -> Cell:
    return PERCENT.cell(record.scores(), record.command) if record else MISSING


def _gain(after: Record | None, before: Record | None) -> Cell:
    if after is None or before is None:
        return MISSING
    return POINTS.cell(difference(after.scores(), before.scores()), after.command)


def _samplings(results: Results) -> Table:
    """Both methods by how a token is chosen."""
    methods = (ZeroShotCoT.name, SoftCoT.name)
    rows = []
    for decoding, label in SAMPLED.items():
        hard, soft = (results.line(name, decoding=decoding).get(WORTH) for name in methods)
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
