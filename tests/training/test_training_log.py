"""Curves for a program that shows them: what is written, and when nothing can be."""

import pytest
from accelerate import tracking

from softcot.support.errors import UserError
from softcot.training.log import LOGS, training_log
from softcot.training.trainer import Update

STEPS = [
    Update("thinking", 1, 1),
    Update("training", 1, 2, loss=3.0, validation_loss=4.0),
    Update("training", 2, 2, loss=2.0, validation_loss=2.5),
]


class Tracker:
    """Takes down what accelerate's trackers are told."""

    made = None

    def __init__(self, name, **place):
        self.name, self.place, self.told = name, place, []
        Tracker.made = self

    def start(self):
        self.told.append("start")

    def log(self, values, step):
        self.told.append((step, values))

    def finish(self):
        self.told.append("finish")


@pytest.fixture
def libraries(monkeypatch):
    """Both libraries, as far as anybody can tell."""
    monkeypatch.setattr(tracking, "get_available_trackers", lambda: list(LOGS))
    for kind in LOGS:
        monkeypatch.setitem(tracking.LOGGER_TYPE_TO_CLASS, kind, Tracker)


@pytest.mark.parametrize("kind", LOGS)
def test_every_step_is_logged_and_nothing_before_the_first(libraries, tmp_path, kind):
    with training_log(kind, tmp_path / "run") as log:
        log(STEPS[0])
        assert not Tracker.made.told
        for update in STEPS[1:]:
            log(update)
    assert Tracker.made.told == [
        "start",
        (1, {"loss": 3.0, "validation_loss": 4.0}),
        (2, {"loss": 2.0, "validation_loss": 2.5}),
        "finish",
    ]
    place = {"logging_dir": tmp_path / "run"} if kind == "tensorboard" else {}
    name = "tensorboard" if kind == "tensorboard" else "run"
    assert (Tracker.made.name, Tracker.made.place) == (name, place)


def test_a_log_ends_with_a_training_that_fails(libraries, tmp_path):
    with pytest.raises(RuntimeError), training_log("trackio", tmp_path) as log:
        log(STEPS[1])
        raise RuntimeError
    assert Tracker.made.told[-1] == "finish"


def test_without_a_log_nothing_is_written(tmp_path):
    with training_log(None, tmp_path / "run") as log:
        log(STEPS[1])
    assert not list(tmp_path.iterdir())


def test_logs_that_cannot_be_are_refused(monkeypatch, tmp_path):
    with pytest.raises(UserError, match="no log called 'paper'; choose one of: tensorboard"):
        training_log("paper", tmp_path).__enter__()
    monkeypatch.setattr(tracking, "get_available_trackers", list)
    with pytest.raises(UserError, match="pip install trackio"):
        training_log("trackio", tmp_path).__enter__()
