"""Files that others wrote: every way to write a text is read, and the reason why not is true."""

import json

import pytest

from softcot.support.reading import json_rows, parse_json, read_object, read_text, reason

PLAIN = '{"question": "Größe?\u2028Ja", "answer": 1}\n{"question": "b", "answer": 2}\n'
ROWS = [json.loads(line) for line in PLAIN.split("\n")[:2]]


def rows(text):
    return [row for _, row in json_rows(text)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_text_is_read_in_every_encoding_that_says_its_name(tmp_path, encoding, ending):
    file = tmp_path / "file"
    file.write_bytes(PLAIN.replace("\n", ending).encode(encoding))
    assert read_text(file) == PLAIN
    assert rows(read_text(file)) == ROWS


@pytest.mark.parametrize("mark", ["utf-16-be", "utf-32-be"])
def test_both_orders_of_bytes_are_known(tmp_path, mark):
    (tmp_path / "file").write_bytes(f"\ufeff{PLAIN}".encode(mark))
    assert read_text(tmp_path / "file") == PLAIN


@pytest.mark.parametrize("space", ["\u2028", "\u2029", "\x85", "\u2003"])
def test_a_line_ends_where_it_is_broken_and_nowhere_else(space):
    assert rows(f'{{"a": "x{space}y"}}\n') == [{"a": f"x{space}y"}]


@pytest.mark.parametrize("text", ['[{"a": 1},\n {"a": 2}]', '{"a": 1}\n\n{"a": 2}', "\n[]"])
def test_an_array_is_rows_as_well_as_lines_are(text):
    assert [row["a"] for row in rows(text)] == [1, 2][: 2 * bool("a" in text)]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\xe4hm", "not UTF-8 text, see byte 1"),
        (b"\xff\xfea", "not UTF-16 text"),
        ("a\n{}".encode("utf-16-le"), "line 1 holds a NUL"),
        (b"a\nb\0", "line 2 holds a NUL"),
    ],
)
def test_what_is_no_text_is_said_to_be_none(tmp_path, raw, said):
    (tmp_path / "file").write_bytes(raw)
    with pytest.raises(ValueError, match=said):
        read_text(tmp_path / "file")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "^it is empty$"),
        (" \n\n", "^it is empty$"),
        ('{"a": 1}\n{"a": }', r"^line 2 is not JSON \(Expecting value, column 7\)$"),
        ('{"a": "x', r"^line 1 is not JSON \(Unterminated string starting, column 7\)$"),
        ('{"a": "x\ty"}', "line 1 is not JSON .Invalid control character, column 9"),
        ('{"a": 1}{"a": 2}', "line 1 is not JSON .Extra data, column 9"),
        ('[{"a": 1},\n3]', "^item 2 is a number, not a JSON object$"),
        ('{"a": 1}\nnull', "^line 2 is null, not a JSON object$"),
        ('"text"', "^line 1 is a text, not"),
        ("true", "^line 1 is true or false, not"),
        ("[[]]", "^item 1 is a list, not"),
        ('{"a": NaN}', "NaN is no JSON number"),
        ('{"a": 1, "b": 2, "a": 1}', 'it has "a" twice'),
        ("[" * 100_000, "too many brackets"),
        ('{"a": ' + "1" * 5000 + "}", "integer string conversion"),
        (r'{"a": "\uD83D"}', "half a character"),
    ],
)
def test_the_true_reason_is_given(text, said):
    with pytest.raises(ValueError, match=said) as refused:
        json_rows(text)
    assert "\n" not in str(refused.value)


def test_a_pair_of_surrogate_escapes_is_one_character():
    assert parse_json(r'"\ud83d\ude00"') == "\U0001f600"


def test_a_huge_line_is_a_line(tmp_path):
    (tmp_path / "file").write_text(json.dumps({"a": "x" * 10**7}))
    assert len(read_object(tmp_path / "file")["a"]) == 10**7


def test_errors_are_told_as_a_clause(tmp_path):
    with pytest.raises(OSError) as missing:
        read_text(tmp_path / "none")
    assert reason(missing.value) == "no such file or directory"
    with pytest.raises(OSError) as folder:
        read_text(tmp_path)
    assert reason(folder.value) == "is a directory"
    assert reason(PermissionError(13, "Permission denied", "x")) == "permission denied"
    assert reason(KeyError("a")) == "it lacks 'a'"
    assert reason(ValueError()) == "ValueError" and reason(ValueError("a.\nb")) == "a"
