"""What is printed, on every console: no character may end a command."""

import io
import sys


def accept_any_text() -> None:
    r"""Let stdout and stderr write what they have no character for as an escape, such as `\u2192`.

    To be called first; a console that knows all characters shows them as before.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # there may be none, or one of somebody else
            stream.reconfigure(errors="backslashreplace")
