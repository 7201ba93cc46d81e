"""What tests have tried, on record: `pytest --proof NAME` counts, and writes a record and a table.

A test that proves something under attack has the mark `proof("what it tries")`. With
the option, `assets/reliability/NAME.json` says how often each was tried and how it ended, and the
table of all records goes into `docs/reliability.md`.
"""

import json
import shlex
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import torch

from softcot.support.files import with_block, write_json, write_text
from softcot.support.provenance import provenance

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "assets/reliability"
PAGE = ROOT / "docs/reliability.md"
SCHEMA = "softcot-proof-1"
TABLE = "proofs"
"""Name of the block that the page has the table in."""

MENDED = {
    "test_a_damaged_file_is_refused_in_a_sentence": "Sizes in a config were believed, whatever "
    "memory they took; states of trainings, runs, lexicons and models with wrong parts ended in a "
    "library's error; states of the assistant of another type, or not finite, were used",
    "test_a_killed_training_comes_to_the_same_bits": "A folder with a half-written file was in use "
    "to a new training, and no training to `--resume`",
    "test_a_training_says_so_and_keeps_its_last_good_state": "A library's error, and the name of a "
    "temporary file",
    "test_an_evaluation_says_so_and_the_record_before_stays": "The name of a temporary file, or of "
    "none",
    "test_an_evaluation_goes_on_in_smaller_batches": "It simply failed",
    "test_an_evaluation_of_which_nothing_fits_says_what_to_do": "It simply failed",
    "test_an_engine_whose_memory_ends_answers_the_next": "The visitor read an error of the library",
    "test_an_engine_asks_in_smaller_batches_what_does_not_fit": "All were told to ask again",
    "test_a_training_step_takes_smaller_pieces_and_the_same_gradient": "It simply failed",
    "test_a_training_of_which_nothing_fits_says_what_to_do": "It simply failed",
}
"""Test -> what it found, which is so no more."""

_counted: Counter[str] = Counter()
"""Test -> inputs that it tried so far, where one call tries many."""
_details: dict[str, dict] = {}


def count(test: str, number: int = 1, **details) -> None:
    """Note that a test, by the name of its function, tried something, and what came of it."""
    _counted[test] += number
    _details.setdefault(test, {}).update(details)


def pytest_addoption(parser):
    parser.addoption("--proof", metavar="NAME", help="write a record of what was tried")


def pytest_configure(config):
    config.addinivalue_line("markers", "proof(what): proves that it keeps working")
    if config.getoption("--proof"):
        config.pluginmanager.register(_Recorder(config.getoption("--proof")))


class _Recorder:
    def __init__(self, name: str):
        self.name, self.started = name, time.perf_counter()
        command = shlex.join(["pytest", *sys.argv[1:]])
        # Now: by the end, others may have committed something else.
        self.origin = provenance(torch.device("cpu"), torch.float32, command)
        self.proofs: dict[str, dict] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        mark = item.get_closest_marker("proof")
        ended = call.when == "call" or (call.when == "setup" and report.outcome != "passed")
        if mark and ended:
            self._note(item.originalname, mark, report.outcome, call.duration)
        return report

    def _note(self, test, mark, outcome, seconds):
        nothing = {"what": mark.args[0], "tried": 0, "failed": 0, "skipped": 0, "seconds": 0.0}
        known = self.proofs.setdefault(test, nothing)
        known["tried"] += outcome != "skipped"
        known["failed"] += outcome == "failed"
        known["skipped"] += outcome == "skipped"
        known["seconds"] = round(known["seconds"] + seconds, 1)

    def pytest_sessionfinish(self):
        for test, proof in self.proofs.items():
            proof["tried"] = _counted.get(test, proof["tried"])
            proof |= {"details": _details[test]} if _details.get(test) else {}
        record = {"schema": SCHEMA, "name": self.name, "tests": self.proofs}
        record["seconds"] = round(time.perf_counter() - self.started, 1)
        record |= self.origin
        write_json(RECORDS / f"{self.name}.json", record)
        write_text(PAGE, with_block(PAGE, TABLE, table(load_all())))


def load_all() -> list[dict]:
    """All records, by name."""
    return [json.loads(path.read_text("utf-8")) for path in sorted(RECORDS.glob("*.json"))]


def table(records: list[dict]) -> str:
    """What was tried, how often, what failed, and what was mended since it first was."""
    rows = [
        "| What was tried | How often | Failed | Mended on the way |",
        "| --- | ---: | ---: | --- |",
    ]
    notes = []
    for record in records:
        if record.get("schema") != SCHEMA:
            continue
        for test, proof in record["tests"].items():
            numbers = f"{proof['tried']:,} | {proof['failed']:,}"
            rows.append(f"| {proof['what']} | {numbers} | {MENDED.get(test, 'nothing')} |")
        notes.append(
            f"{record['name']}: {record['created']}, commit {record['commit'][:7]}"
            + ", with changes" * record["dirty"]
            + f", {record['device']}, {record['seconds']:,.0f} s."
        )
    return "\n".join([*rows, "", " ".join(notes)])
