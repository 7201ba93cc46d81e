"""Whole files or none: nothing here leaves half a file under its final name."""

import json
import math
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from softcot.support.errors import UserError
from softcot.support.reading import read_text, reason

FRESH = ".new-"
"""Begins the names of folders whose files take their places one by one."""

_NUMBER = re.compile(r"\(os error (\d+)\)")
"""How libraries written in Rust tell an error of the system."""

_TEMPORARY = re.compile(rf"({re.escape(FRESH)}|\..+\.)[a-z0-9_]{{8}}")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that takes its place when the block succeeds.

    Folders on the way are made. When the block fails, ``path`` is as it was.
    """
    path = Path(path)
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let what the system refuses while a file is written, such as more room, name that file.

    Raises:
        OSError: It refuses, and told so itself or by a library, by its number.
    """
    try:
        yield
    except Exception as error:
        told = _NUMBER.search(str(error))
        number = error.errno if isinstance(error, OSError) else told and int(told[1])
        other = Path(getattr(error, "filename", None) or path)
        if not number or not (path in other.parents or other.parent == path.parent):
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


def _is_left(path: Path) -> bool:
    """Whether something has a temporary name of `replacing`, or of a folder that was saved."""
    return bool(_TEMPORARY.fullmatch(path.name))


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def json_text(value: Any, **options: Any) -> str:
    """Plain types as JSON text; a number that is not finite, which JSON lacks, is null.

    Args:
        value: What to write.
        options: What `json.dumps` takes.
    """
    return json.dumps(_finite(value), allow_nan=False, **options)


def write_json(path: str | Path, value: Any) -> None:
    """Write plain types to ``path`` as JSON that people can read."""
    write_text(path, f"{json_text(value, indent=2)}\n")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(inside) for name, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inside) for inside in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def spare_temporary_files() -> None:
    """Let torch be imported where no temporary file can be written.

    It names a folder for compiled code as it is imported, even if nothing is compiled, and fails
    where there are no temporary files; any folder that is there will do.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", os.path.dirname(__file__))


def with_block(path: str | Path, name: str, block: str) -> str:
    """The text of a file with ``block`` between its lines for ``name``, as `markers` gives them.

    Raises:
        UserError: The file cannot be read, or the lines are not there, once each and in order.
    """
    try:
        text = read_text(path)
    except (OSError, ValueError) as error:
        raise UserError(f"Cannot read {path}: {reason(error)}.") from error
    start, end = markers(name)
    before, found, rest = text.partition(start)
    _, ended, after = rest.partition(end)
    if not (found and ended) or start in rest or end in after:
        raise UserError(f"{path} needs the lines {start} and {end}, once each and in order.")
    return f"{before}{start}\n{block}\n{end}{after}"


def markers(name: str) -> tuple[str, str]:
    """The lines of a Markdown file between which a program writes what is called ``name``."""
    return f"<!-- {name}:start -->", f"<!-- {name}:end -->"


def refuse_used(folder: Path) -> None:
    """Refuse a folder that holds something, but for what a kill left of a file that was written.

    Raises:
        UserError: It does, or it is a file.
    """
    if folder.exists() and (not folder.is_dir() or not all(map(_is_left, folder.iterdir()))):
        raise UserError(f"{folder} is in use; choose another folder or delete it.")
