"""The methods under one interface: a new one is one file with a class, and a line in `METHODS`.

Whatever is said of a method, in tables, on the page or on the command line, its class says.
"""

from collections.abc import Sequence

from softcot.data.problems import Problem
from softcot.data.tasks import Task, training_tasks
from softcot.methods.assist_cot import AssistCoT, EqualHint
from softcot.methods.base import Method
from softcot.methods.coconut import Coconut
from softcot.methods.concise_cot import ConciseCoT
from softcot.methods.cot_unk import CotUnk
from softcot.methods.lora import LoRA
from softcot.methods.no_cot import NoCoT
from softcot.methods.pause_tokens import PauseTokens
from softcot.methods.prompt_tuning import PromptTuning
from softcot.methods.self_thoughts import SelfThoughts, SelfThoughtsEach
from softcot.methods.slots import DONORS, SlotMethod, needs_donors
from softcot.methods.softcot import SoftCoT
from softcot.methods.softcot_p import SoftCoTP
from softcot.methods.softcot_pp import SoftCoTPP
from softcot.methods.told_cot import ToldCoT
from softcot.methods.trained_assistant import TrainedAssistant
from softcot.methods.zero_shot_cot import ZeroShotCoT
from softcot.support.errors import UserError
from softcot.thoughts.controls import check_control
from softcot.thoughts.edits import Edit
from softcot.thoughts.pair import Pair

__all__ = [
    "METHODS",
    "AssistCoT",
    "Method",
    "SlotMethod",
    "SoftCoT",
    "SoftCoTP",
    "SoftCoTPP",
    "ToldCoT",
    "ZeroShotCoT",
    "askable",
    "get_method",
    "get_trainable",
]
"""What the other rooms name; they find all other methods in `METHODS`."""

METHODS: dict[str, type[Method]] = {
    kind.name: kind
    for kind in (
        ZeroShotCoT,
        NoCoT,
        ConciseCoT,
        ToldCoT,
        CotUnk,
        PauseTokens,
        PromptTuning,
        AssistCoT,
        EqualHint,
        LoRA,
        Coconut,
        SoftCoT,
        SoftCoTP,
        SoftCoTPP,
        SelfThoughts,
        SelfThoughtsEach,
        TrainedAssistant,
    )
}


def askable(pair: Pair) -> list[str]:
    """Names of the methods that a pair has all weights for, on some task at least."""
    return [
        name
        for name, method in METHODS.items()
        if method.kind is None
        or any(trained.startswith(f"{method.kind.folder}-") for trained in pair.trained)
    ]


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
    noise: float | None = None,
) -> Method:
    """Build a method for a task.

    Args:
        name: One of `METHODS`.
        pair: The two frozen models.
        task: What it is to be asked.
        control: What replaces a question's own thoughts.
        seed: Decides donors, orders and noise.
        donors: Other problems, for `swap` and `mean`; by default validation problems of the task,
            or where it has none, of the tasks that its projection learnt.
        trained_on: The task whose weights are used; by default those that serve `task`.
        edits: What is done to single slots after the control.
        noise: Length of a method's own noise, as a share of a thought's; None for the usual one.

    Raises:
        UserError: The method or control is unknown, or they do not go together.
    """
    if name not in METHODS:
        raise UserError(f"There is no method called {name!r}; choose one of: {', '.join(METHODS)}.")
    kind = METHODS[name]
    check_control(control)
    if trained_on is not None and kind.kind is None:
        raise UserError(f"{kind.title} trains nothing; name no task that it was trained on.")
    if noise is not None and kind.noise is None:
        raise UserError(f"{kind.title} has no noise of its own; name no length of it.")
    if not issubclass(kind, SlotMethod):
        if control != "none":
            raise UserError(f"{kind.title} has no thoughts; drop the control {control!r}.")
        if edits:
            raise UserError(f"{kind.title} has no thoughts; drop the edit {str(edits[0])!r}.")
        return kind.build(pair, task, trained_on=trained_on)
    needed = control in ("swap", "mean") or any(needs_donors(edit) for edit in edits)
    if donors is None and needed:
        donors = _usual_donors(task)
    options = {"control": control, "seed": seed, "donors": donors, "edits": edits}
    options |= {} if noise is None else {"noise": noise}
    return kind.build(pair, task, trained_on=trained_on, **options)


def _usual_donors(task: Task) -> list[Problem]:
    """Other problems of a task, or of those that its projection learnt; none for free text."""
    if not task.splits:
        return []
    sources = [task] if "validation" in task.splits else training_tasks(task.projection)
    share = DONORS // len(sources)
    return [problem for source in sources for problem in source.problems("validation", share)]


def get_trainable(name: str) -> type[Method]:
    """The class of a method that trains something.

    Raises:
        UserError: It is unknown, or trains nothing.
    """
    trainable = {known: kind for known, kind in METHODS.items() if kind.objective}
    if name not in trainable:
        raise UserError(
            f"There is nothing to train for the method {name!r}; choose one of: "
            f"{', '.join(trainable)}."
        )
    return trainable[name]
