"""Every loader reads its files through one reader: a mark of the encoding is no damage."""

import json
from pathlib import Path

import pytest

from softcot.bench import records as speed
from softcot.evaluation.partial import PartialRecord
from softcot.evaluation.records import load_record, rows_path
from softcot.support.errors import UserError
from softcot.support.files import with_block
from softcot.thoughts.projection import Projection
from softcot.web.results import read_report

ASSETS = Path(__file__).resolve().parents[1] / "assets"
RECORD = next((ASSETS / "results").rglob("*.rows.xz"))


def copied(source, folder):
    """A copy of a file that a test may change."""
    target = folder / source.name
    target.write_bytes(source.read_bytes())
    return target


@pytest.fixture
def files(tmp_path, checkpoints):
    """A file of each kind, and what reads it."""
    copied(RECORD, tmp_path)
    trained = tmp_path / "projection-all"
    Projection.load(checkpoints / "mini" / "projection-all").save(trained)
    page = tmp_path / "page.md"
    page.write_text("<!-- a:start -->\nold\n<!-- a:end -->\n")
    head = RECORD.with_name(RECORD.name.replace(".rows.xz", ".json"))
    measured = ASSETS / "benchmarks" / "compare.json"
    return {
        "record": (copied(head, tmp_path), load_record),
        "measurement": (copied(measured, tmp_path), speed.load),
        "report": (copied(ASSETS / "report" / "report.json", tmp_path), read_report),
        "checkpoint": (trained / "config.json", lambda file: Projection.load(file.parent)),
        "page": (page, lambda file: with_block(file, "a", "new")),
    }


KINDS = ("record", "measurement", "report", "checkpoint", "page")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_mark_of_the_encoding_is_read_over(files, kind, encoding):
    file, read = files[kind]
    file.write_bytes(file.read_text(encoding="utf-8").replace("\n", "\r\n").encode(encoding))
    assert read(file)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_text_is_refused_for_that_reason(files, kind):
    file, read = files[kind]
    file.write_bytes(b"\xe4" + file.read_bytes())
    with pytest.raises(UserError, match="it is not UTF-8 text, see byte 1"):
        read(file)


@pytest.mark.parametrize("kind", KINDS[:-1])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("[1]", "it is a list, not a JSON object"),
        ('{"a": 1', "line 1 is not JSON .Expecting ',' delimiter"),
        ('{"a": 1, "a": 1}', 'it has "a" twice'),
        ("[" * 100_000, "too many brackets"),
    ],
)
def test_other_json_is_refused_for_the_true_reason(files, kind, text, said):
    file, read = files[kind]
    file.write_text(text)
    with pytest.raises(UserError, match=said) as refused:
        read(file)
    assert "\n" not in str(refused.value)


def test_the_rows_of_a_record_may_not_be_missing(files):
    file, read = files["record"]
    rows_path(file).unlink()
    with pytest.raises(UserError, match=f"{rows_path(file).name} is missing"):
        read(file)


@pytest.mark.parametrize("rest", [b"\xe4\n", b"[1, 2]\n", b"no\n", b'{"a": 1}\n', b"\0\n"])
def test_a_damaged_unfinished_evaluation_is_refused_in_one_sentence(tmp_path, rest):
    file = tmp_path / "record.json.partial"
    file.write_bytes(json.dumps({"n": 1}).encode() + b"\n" + rest)
    with pytest.raises(UserError, match="cannot be gone on with .*; delete it"):
        PartialRecord(file, {"n": 1})
