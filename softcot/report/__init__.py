"""The report: every figure in it comes from a record, none is typed by hand."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from softcot.evaluation.experiments import ENOUGH, SEEDS
from softcot.evaluation.records import Record
from softcot.report import (
    assistants,
    controls,
    cost,
    forgetting,
    grid,
    learning,
    main,
    makers,
    other,
    prompts,
    real,
    regime,
    reworded,
    sizes,
    thoughts,
    trained_k,
    votes,
    whisper,
    worth,
)
from softcot.report.cells import span
from softcot.report.conclusions import conclusions
from softcot.report.learning import Training, load_trainings
from softcot.report.parts import Report
from softcot.report.render import (
    JUDGED,
    SUMMARY,
    TABLES,
    markdown,
    page_block,
    readme_block,
    real_block,
)
from softcot.report.results import REPORT_FILE, Results, load_records
from softcot.support.files import json_text, with_block, write_text
from softcot.support.presets import DEFAULT_THOUGHTS

MANY = 0.1
"""Share of unreadable answers from which on a record is counted as having many."""

SECTIONS = (
    main,
    controls,
    thoughts,
    sizes,
    votes,
    forgetting,
    regime,
    makers,
    whisper,
    cost,
    trained_k,
    worth,
    grid,
    reworded,
    real,
    assistants,
    prompts,
    other,
)


def build(records: Iterable[Record], trainings: Sequence[Training] = ()) -> Report:
    """The report of some records; a section without any is left out.

    Args:
        records: As `load_records` gives them: one of a thing, over the same problems.
        trainings: As `load_trainings` gives them.
    """
    results = Results(records)
    found = [module.section(results) for module in SECTIONS]
    used = {record.fingerprints.get("trained") for record in results.records}
    found.insert(-1, learning.section(trainings, used))  # what belongs nowhere comes last
    sections = [part for part in found if part]
    return Report(_title(results), _note(results), sections, conclusions(results))


def write_report(
    results: str | Path,
    out: str | Path,
    *,
    trainings: Iterable[Path] = (),
    page: str | Path | None = None,
    readme: str | Path | None = None,
    real_page: str | Path | None = None,
) -> None:
    """Write the report of a folder of records, and its short forms into other files.

    Args:
        results: Folder of records.
        out: Folder for `report.md` and `report.json`.
        trainings: The `training.json` of some trainings.
        page: File to rewrite between its markers, with all short tables.
        readme: File to rewrite between its markers, with the main table and few sentences.
        real_page: File to rewrite between its markers, with what is said of ready-made models.

    Raises:
        UserError: A record is unusable, there is none, or a file lacks the markers; nothing is
            written then.
    """
    curves = load_trainings(trainings)
    report = build(load_records(results), curves)
    texts = {Path(out, name): text for name, text in files(report).items()}
    whole = Path(out, "report.md")
    if page is not None:
        block = page_block(report, _link(page, whole))
        texts[Path(page)] = with_block(page, TABLES, block)
    if readme is not None:
        block = readme_block(report, _link(readme, page or whole))
        texts[Path(readme)] = with_block(readme, SUMMARY, block)
    if real_page is not None:
        block = real_block(report, _link(real_page, page or whole))
        texts[Path(real_page)] = with_block(real_page, JUDGED, block)
    for path, text in texts.items():
        write_text(path, text)


def _link(source: str | Path, target: str | Path) -> str:
    """How a file is linked to from another."""
    return Path(os.path.relpath(target, Path(source).parent)).as_posix()


def files(report: Report) -> dict[str, str]:
    """The report's files, by name."""
    return {
        "report.md": markdown(report),
        REPORT_FILE: json_text(report.to_json(), ensure_ascii=False) + "\n",
    }


def _title(results: Results) -> str:
    alone, both = "of the mini pair", "of the mini pair and of ready-made models"
    kind = "QUICK results" if _is_quick(results) else "Results"
    return f"{kind} {both if results.ready_made else alone}"


def _is_quick(results: Results) -> bool:
    return any(record.n < ENOUGH for record in results)


def _note(results: Results) -> str:
    """How the figures were made, as far as the records agree on it."""
    everyone = [*results, *results.ready_made, *results.deviating, *results.others] or results.tried
    size = span(record.n for record in everyone)
    unread = sum(record.parse_failures > MANY for record in everyone)
    dirty = sum(record.dirty for record in everyone)
    sentences = [
        "QUICK: too few problems to draw a conclusion from." if _is_quick(results) else "",
        f"{len(everyone)} records of {size} problems each, of the test split where nothing else "
        "is said.",
        "The main comparison and self-consistency sample at temperature 1, "
        f"the former with the seeds {SEEDS[0]} to {SEEDS[-1]}; all else is greedy.",
        f"K = {DEFAULT_THOUGHTS} where no K is given.",
        "Intervals are 95 % bootstrap intervals over problems and seeds, paired for differences; "
        "an average is over the problems of its tasks together, as many of each.",
        f"In {unread} of them more than {100 * MANY:.0f} % of the answers cannot be read, which "
        "counts as wrong."
        if unread
        else "",
        "`python -m softcot report` makes all this from the records, each of which holds its "
        "command, commit, versions, fingerprints and rows.",
        f"{dirty} of them come from code that was not committed." if dirty else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence)
