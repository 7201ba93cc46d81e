"""Dataclasses to plain JSON and back: no field may be missing, unknown or of another type."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

T = TypeVar("T")

TYPED = ConfigDict(strict=True)
"""For `__pydantic_config__` of a dataclass that is read from a file: 1 is no text, true no 1."""

STRICT = ConfigDict(strict=True, extra="forbid")
"""The same where nothing else may be in the file."""

_COMPLAINTS = {
    "missing": "is missing",
    "unexpected_keyword_argument": "is unknown",
    "extra_forbidden": "is unknown",
    "literal_error": "has the unknown value {input!r}",
}


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)
"""What writes and reads a kind of dataclass, made once for each."""


def to_json(value: Any) -> dict[str, Any]:
    """A dataclass as plain JSON types, each field by the name that files have for it."""
    return _adapter(type(value)).dump_python(value, mode="json", by_alias=True)


def from_json(kind: type[T], text: str | bytes) -> T:
    """JSON text as a dataclass.

    Raises:
        ValueError: It is not of that kind; the message names the first field that is not.
    """
    try:
        return _adapter(kind).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field, *inside = first["loc"] or ("",)
        if not field:
            raise ValueError(first["msg"]) from error
        complaint = "" if inside else _COMPLAINTS.get(first["type"], "").format(**first)
        raise ValueError(f"the field {field!r} {complaint or 'has a wrong type'}") from error
