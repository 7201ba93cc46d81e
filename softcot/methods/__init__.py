"""The methods under one interface: a new one is one class and one line in `METHODS`."""

from collections.abc import Sequence

from softcot.controls import check_control
from softcot.edits import Edit
from softcot.errors import UserError
from softcot.methods.base import Method
from softcot.methods.hard import AssistCoT, ZeroShotCoT
from softcot.methods.slots import DONORS, CotUnk, PromptTuning, SlotMethod, SoftCoT, needs_donors
from softcot.methods.tuned import Coconut, LoRA
from softcot.models import Pair
from softcot.problems import Problem
from softcot.tasks import Task

METHODS: dict[str, type[Method]] = {
    kind.name: kind
    for kind in (ZeroShotCoT, CotUnk, PromptTuning, AssistCoT, LoRA, Coconut, SoftCoT)
}


def get_method(
    name: str,
    pair: Pair,
    task: Task,
    *,
    control: str = "none",
    seed: int = 0,
    donors: Sequence[Problem] | None = None,
    trained_on: str | None = None,
    edits: Sequence[Edit] = (),
) -> Method:
    """Build a method for a task.

    Args:
        name: One of `METHODS`.
        pair: The two frozen models.
        task: What it is to be asked.
        control: What replaces a question's own thoughts.
        seed: Decides donors, orders and noise.
        donors: Other problems, for `swap` and `mean`; by default of the task's validation split.
        trained_on: The task whose weights are used; by default those that serve `task`.
        edits: What is done to single slots after the control.

    Raises:
        UserError: The method or control is unknown, or they do not go together.
    """
    if name not in METHODS:
        raise UserError(f"There is no method called {name!r}; choose one of: {', '.join(METHODS)}.")
    kind = METHODS[name]
    check_control(control)
    if trained_on is not None and kind.trains == "nothing":
        raise UserError(f"{kind.title} trains nothing; name no task that it was trained on.")
    if not issubclass(kind, SlotMethod):
        if control != "none":
            raise UserError(f"{kind.title} has no thoughts; drop the control {control!r}.")
        if edits:
            raise UserError(f"{kind.title} has no thoughts; drop the edit {str(edits[0])!r}.")
        return kind.build(pair, task, trained_on=trained_on)
    needed = control in ("swap", "mean") or any(needs_donors(edit) for edit in edits)
    if donors is None and needed and "validation" in task.splits:
        donors = task.problems("validation", DONORS)
    options = {"control": control, "seed": seed, "donors": donors, "edits": edits}
    return kind.build(pair, task, trained_on=trained_on, **options)
