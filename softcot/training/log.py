"""The curves of a training, for those who watch them in a program made for that."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from accelerate import tracking

from softcot.support.errors import UserError
from softcot.training.trainer import Update

LOGS = ("tensorboard", "trackio")
"""What `train --log` takes; each is a library that has to be installed for it."""


@contextmanager
def training_log(kind: str | None, out: Path) -> Iterator[Callable[[Update], None]]:
    """Give what writes down every step of a training, or nothing without a kind.

    `training.json` keeps every validation anyway; a log adds the steps between them.

    Args:
        kind: One of `LOGS`, or None.
        out: The folder of the training. TensorBoard writes below it; trackio takes its name.

    Raises:
        UserError: There is no such log, or its library is not installed.
    """
    if kind is None:
        yield lambda update: None
        return
    if kind not in LOGS:
        raise UserError(f"There is no log called {kind!r}; choose one of: {', '.join(LOGS)}.")
    if kind not in tracking.get_available_trackers():
        raise UserError(f"A log for {kind} needs the library; run `pip install {kind}`.")
    place = {"logging_dir": out} if kind == "tensorboard" else {}
    name = kind if kind == "tensorboard" else out.name
    tracker = tracking.LOGGER_TYPE_TO_CLASS[kind](name, **place)
    started = False

    def log(update: Update) -> None:
        nonlocal started
        if update.phase != "training":
            return
        if not started:  # not before the trainer has looked whether its folder is new
            tracker.start()
            started = True
        values = {
            "loss": update.loss,
            "validation_loss": update.validation_loss,
            "swap_loss": update.swap_loss,
        }
        tracker.log({k: v for k, v in values.items() if v is not None}, step=update.done)

    try:
        yield log
    finally:
        if started:
            tracker.finish()
