"""Temporary files of the app: all in one folder of this process, which ends with it.

Gradio keeps copies of files in the folder `gradio` that all users of a machine share, and that the
first of them owns; a folder of our own is never somebody else's.
"""

import atexit
import os
import shutil
import signal
import sys
import tempfile
import weakref
from functools import cache
from pathlib import Path

from softcot.support.errors import UserError

VARIABLE = "GRADIO_TEMP_DIR"
"""The environment variable from which Gradio learns where to keep its files."""


@cache
def process_folder() -> Path:
    """The folder of this process, made when it is first asked for and removed when it ends.

    It lies where the user wants Gradio's files, or else where temporary files are.

    Raises:
        UserError: No folder can be made there.
    """
    parent = os.environ.get(VARIABLE) or None
    try:
        if parent:
            Path(parent).mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="softcot-", dir=parent)).resolve()
    except (OSError, ValueError) as error:  # of a name that no folder can have
        raise UserError(
            f"No temporary folder can be made in {parent or 'any of the usual places'}; set "
            f"{VARIABLE if parent else 'TMPDIR'} to a folder that you may write to."
        ) from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def give_to_gradio() -> None:
    """Make the folder of this process Gradio's; it must be said before Gradio is imported.

    Raises:
        UserError: No folder can be made.
    """
    os.environ[VARIABLE] = str(process_folder())
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # not every system has both
        # These would end the process without its clearing up; `nohup` has one ignored.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda number, _: sys.exit(128 + number))


class Folder:
    """A folder for a visit's files, removed when nobody holds it any more.

    Raises:
        UserError: No folder can be made.
    """

    def __init__(self) -> None:
        try:
            self.path = Path(tempfile.mkdtemp(dir=process_folder()))
        except OSError as error:
            raise UserError(
                f"No file can be kept for you: {process_folder()} cannot be written to."
            ) from error
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
