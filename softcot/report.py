"""The README's results, from records alone: no figure in them is typed by hand."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from softcot.controls import CONTROLS as ALL_CONTROLS
from softcot.errors import UserError
from softcot.evaluation import Record, interval, load_record
from softcot.files import write_text
from softcot.methods import METHODS
from softcot.presets import DEFAULT_THOUGHTS
from softcot.tasks import TASKS

START, END = "<!-- results:start -->", "<!-- results:end -->"
BASELINE, SOFT = "zero-shot-cot", "softcot"
SUBSETS = ("read", "unread")
CONTROLS = ALL_CONTROLS[1:]

Cell = tuple[str, str, str, int]
"""Task, method, control and K: what a record is the result of."""


def update_readme(results: str | Path, readme: str | Path) -> None:
    """Rewrite the part of a README between the two markers from a folder of records.

    Raises:
        UserError: A record is unusable, there is none, or the README lacks the markers.
    """
    block = render(load_records(results))
    try:
        text = Path(readme).read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"Cannot read {readme}: {error}.") from error
    write_text(readme, inserted(text, block))


def inserted(text: str, block: str) -> str:
    """`text` with `block` between its two markers.

    Raises:
        UserError: The markers are not there, once each and in order.
    """
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end) or START in rest or END in after:
        raise UserError(f"The README needs the lines {START} and {END}, once each and in order.")
    return f"{before}{start}\n{block}\n{end}{after}"


def load_records(folder: str | Path) -> dict[Cell, Record]:
    """The greedy test-split records of a folder, checked to be comparable with each other.

    Raises:
        UserError: One is unusable, two are of the same thing or of different models, or there
            is none.
    """
    found: dict[Cell, tuple[Path, Record]] = {}
    for path in sorted(Path(folder).glob("*.json")):
        record = load_record(path)
        if record.split != "test" or record.sampling["temperature"] > 0:
            continue
        cell = (record.task, record.method, record.control, record.thoughts)
        if cell in found:
            raise UserError(f"{found[cell][0]} and {path} are of the same thing; delete one.")
        found[cell] = (path, record)
    if not found:
        raise UserError(f"There is no record in {folder}; make one with `evaluate --out FILE`.")
    _check_comparable(list(found.values()))
    return {cell: record for cell, (_, record) in found.items()}


def _check_comparable(found: Sequence[tuple[Path, Record]]) -> None:
    """Refuse records of different models under one heading."""
    seen: dict[tuple, tuple[str, Path]] = {}
    for path, record in found:
        for part, value in record.fingerprints.items():
            if value is None:
                continue
            fresh = record.control == "untrained"
            own = (record.task, record.method, fresh) if part == "trained" else ()
            key = (part, *own)
            known, where = seen.setdefault(key, (value, path))
            if known != value:
                raise UserError(
                    f"{where} and {path} are of different models ({part}); evaluate one again."
                )


def render(records: dict[Cell, Record]) -> str:
    """The four tables and their small print as Markdown."""
    tables = (_main_table, _controls_table, _reading_table, _thoughts_table)
    parts = [table(records) for table in tables]
    return "\n\n".join(part for part in [*parts, _small_print(records)] if part)


def _groups(records: dict[Cell, Record]) -> list[tuple[str, list[str]]]:
    """The rows of a table of accuracies: a label and its tasks, then the averages."""
    tasks = _tasks(records)
    groups = [(f"`{task}`", [task]) for task in tasks]
    trained = [task for task in tasks if "train" in TASKS[task].splits]
    if len(trained) > 1:
        groups.append((f"Average of the {len(trained)} trained", trained))
    if len(tasks) > len(trained):
        groups.append((f"Average of all {len(tasks)}", tasks))
    return groups


def _main_table(records: dict[Cell, Record]) -> str:
    rows = []
    for label, tasks in _groups(records):
        found = {name: _over(tasks, records, name) for name in _methods(records)}
        gain = _gain(found.get(BASELINE), found.get(SOFT))
        rows.append([label, *map(_percent, found.values()), gain])
    titles = [METHODS[name].title for name in _methods(records)]
    head = ["Task", *titles, "SoftCoT over zero-shot CoT"]
    return f"Accuracy in %:\n\n{_table(head, rows)}"


def _over(
    tasks: Sequence[str], records: dict[Cell, Record], method: str, control: str = "none"
) -> list[Record] | None:
    """The records of a method at its default K, one a task, or None if one is missing."""
    thoughts = METHODS[method].default_thoughts
    found = [records.get((task, method, control, thoughts)) for task in tasks]
    return None if None in found else found


def _controls_table(records: dict[Cell, Record]) -> str:
    """What is left of SoftCoT's accuracy under each control."""
    rows = []
    for label, tasks in _groups(records):
        found = [_over(tasks, records, SOFT, control) for control in ("none", *CONTROLS)]
        if any(found[1:]):
            rows.append([label, *map(_percent, [_over(tasks, records, BASELINE), *found])])
    head = ["Task", "Zero-shot CoT", "SoftCoT", *(f"*{name}*" for name in CONTROLS)]
    title = "SoftCoT with something else in the place of a question's own thoughts:"
    return f"{title}\n\n{_table(head, rows)}" if rows else ""


def _percent(records: list[Record] | None) -> str:
    """The mean accuracy, and for a single record its interval."""
    if not records:
        return "–"
    text = f"{100 * np.mean([record.accuracy for record in records]):.1f}"
    if len(records) > 1 or records[0].control != "none":
        return text
    low, high = records[0].interval
    return f"{text} ({100 * low:.1f}–{100 * high:.1f})"


def _gain(base: list[Record] | None, soft: list[Record] | None) -> str:
    """Points that SoftCoT adds, with the paired interval over the problems of all tasks."""
    if not base or not soft:
        return "–"
    gains = [_paired(before, after) for before, after in zip(base, soft, strict=True)]
    gains = 100 * np.concatenate(gains)
    low, high = interval(gains)
    return f"{gains.mean():+.1f} ({low:+.1f} to {high:+.1f})"


def _paired(base: Record, soft: Record) -> np.ndarray:
    """float[n]: what SoftCoT adds on each problem."""
    if base.problem_ids() != soft.problem_ids():
        raise UserError(
            f"The records of {base.task} are not over the same problems; evaluate one again."
        )
    return soft.scores() - base.scores()


def _reading_table(records: dict[Cell, Record]) -> str:
    """Accuracy over the problems the base can read and over the others."""
    rows = []
    for task in _tasks(records):
        base = records.get((task, BASELINE, "none", 0))
        soft = records.get((task, SOFT, "none", DEFAULT_THOUGHTS))
        if not (base and soft and base.subsets.keys() == soft.subsets.keys() == set(SUBSETS)):
            continue
        cells = [f"`{task}`"]
        for name in SUBSETS:
            parts = base.subsets[name], soft.subsets[name]
            cells += [str(parts[0]["n"]), *(f"{100 * part['accuracy']:.1f}" for part in parts)]
        rows.append(cells)
    head = ["Task", *(f"{name}: {what}" for name in SUBSETS for what in ("n", "CoT", "SoftCoT"))]
    title = "The same by what the base has read of a problem's words and facts, all or not all:"
    return f"{title}\n\n{_table(head, rows)}" if rows else ""


def _thoughts_table(records: dict[Cell, Record]) -> str:
    """Accuracy against K, where more than one K was evaluated."""
    counts = sorted({k for _, method, control, k in records if (method, control) == (SOFT, "none")})
    if len(counts) < 2:
        return ""
    rows = []
    for task in _tasks(records):
        found = [records.get((task, SOFT, "none", k)) for k in counts]
        if any(found):
            rows.append([f"`{task}`", *(f"{100 * r.accuracy:.1f}" if r else "–" for r in found)])
    return f"SoftCoT's accuracy against K:\n\n{_table(['Task', *map(str, counts)], rows)}"


def _small_print(records: dict[Cell, Record]) -> str:
    """How the figures were made, as far as the records agree on it."""
    everyone = list(records.values())
    counts = sorted({record.n for record in everyone})
    size = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    worst = max(record.parse_failures for record in everyone)
    dirty = sum(record.dirty for record in everyone)
    text = (
        f"Test split, {size} problems a record, greedy decoding, K = {DEFAULT_THOUGHTS} where no K "
        f"is given; in parentheses the 95 % bootstrap interval over problems, paired for the gain. "
        f"No readable answer in at most {100 * worst:.1f} % of the rows of any record. "
        f"`python -m softcot report` makes these tables from `assets/results/`, where each record "
        f"holds its command, commit, versions, fingerprints and rows."
    )
    return text + (f" {dirty} records come from code that was not committed." if dirty else "")


def _methods(records: dict[Cell, Record]) -> list[str]:
    """The methods that have records at their default K, in the order of the registry."""
    return [
        name
        for name, kind in METHODS.items()
        if any(cell[1:] == (name, "none", kind.default_thoughts) for cell in records)
    ]


def _tasks(records: dict[Cell, Record]) -> list[str]:
    """The tasks that have records, in the order of the registry."""
    return [name for name in TASKS if any(task == name for task, *_ in records)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
