"""Reading files that others wrote: text in the encodings there are, JSON, and rows of JSON.

What is wrong is told as a clause, such as "line 3 is not JSON (Expecting value, column 7)", in an
`OSError` or a `ValueError`; who asked for the file makes a sentence of it with `reason`.
"""

import codecs
import json
from pathlib import Path
from typing import Any, NoReturn

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # Those of UTF-32 first: the little-endian one begins like that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""What a file may begin with to say its encoding; without a mark it is UTF-8."""

_KINDS = {str: "a text", bool: "true or false", list: "a list", dict: "an object"}


def read_text(path: str | Path) -> str:
    """The text of a file, its lines parted by a line feed alone.

    Raises:
        OSError: It is missing, a folder, or not ours to read.
        ValueError: It is no text.
    """
    raw = Path(path).read_bytes()
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        raise ValueError(f"it is not {name} text, see byte {error.start + 1}") from error
    before, found, _ = text.partition("\0")
    if found:
        line = before.count("\n") + 1
        raise ValueError(f"line {line} holds a NUL, which is in no text")
    return text.replace("\r\n", "\n")


def parse_json(text: str, line: int = 1) -> Any:
    """The value that a JSON text stands for; NaN is none, and no key may be there twice.

    Args:
        text: The JSON.
        line: The line of its file that it begins on.

    Raises:
        ValueError: It is not such a text.
    """
    if not text.strip():
        raise ValueError("it is empty")
    try:
        value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at")
        place = f"line {line + error.lineno - 1}"
        raise ValueError(f"{place} is not JSON ({what}, column {error.colno})") from error
    except RecursionError as error:
        raise ValueError(f"line {line} holds too many brackets in each other") from error
    except ValueError as error:  # ours, or a number of thousands of digits
        raise ValueError(f"the JSON from line {line} on is wrong ({reason(error)})") from error
    if "\\ud" in text.lower():
        _check_characters(value, line)
    return value


def read_object(path: str | Path) -> dict[str, Any]:
    """The JSON object that a file holds.

    Raises:
        OSError: As `read_text`.
        ValueError: It holds something else.
    """
    return as_object(parse_json(read_text(path)), "it")


def json_rows(text: str) -> list[tuple[str, dict[str, Any]]]:
    """The objects of JSON lines or of a JSON array, each with its place: "line 3" or "item 3".

    Raises:
        ValueError: It is neither, it is empty, or something in it is no object.
    """
    if not text.strip():
        raise ValueError("it is empty")
    if text.lstrip().startswith("["):
        values = [(f"item {n}", value) for n, value in enumerate(parse_json(text), start=1)]
    else:
        lines = [(n, line) for n, line in enumerate(text.split("\n"), start=1) if line.strip()]
        values = [(f"line {n}", parse_json(line, n)) for n, line in lines]
    return [(place, as_object(value, place)) for place, value in values]


def as_object(value: Any, place: str) -> dict[str, Any]:
    """The value, which must be a JSON object.

    Raises:
        ValueError: It is not; `place` says what "it" is.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{place} is {kind_of(value)}, not a JSON object")
    return value


def kind_of(value: Any) -> str:
    """What a JSON value is, for a reader."""
    return "null" if value is None else _KINDS.get(type(value), "a number")


def reason(error: BaseException) -> str:
    """What went wrong as a clause: an error's first line, or its kind where it says nothing."""
    if isinstance(error, KeyError):
        return f"it lacks {error}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    first = next(iter(str(error).strip().splitlines()), "")
    return first.rstrip(" .:") or type(error).__name__


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has {json.dumps(twice)} twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _check_characters(value: Any, line: int) -> None:
    """Refuse half of a surrogate pair, written as an escape: no text can hold it."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"the JSON from line {line} on holds half a character") from error
