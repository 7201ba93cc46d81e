"""Self-thoughts: the base is its own assistant, and no second model is needed.

After Self-SoftCoT (ACL 2026, long paper 1496), whose base makes its thoughts in one pass as an
assistant would; trained here as SoftCoT is, by likelihood and not by rewards.
"""

from typing import Any, ClassVar

from softcot.data.tasks import FREE, Task
from softcot.methods.softcot import SoftCoT, SoftCoTObjective
from softcot.thoughts.checkpoint import TrainedWeights
from softcot.thoughts.pair import Pair
from softcot.thoughts.self_projection import PlaceProjections, SelfProjection


class SelfThoughtsObjective(SoftCoTObjective):
    """The base is frozen, so its states for the largest K serve every step."""

    def __init__(self, pair: Pair, weights: TrainedWeights):
        super().__init__(pair.alone(), weights)


class SelfThoughts(SoftCoT):
    """The base reads the question as an assistant; its own states, projected, are its thoughts."""

    name = "self-thoughts"
    title = "Self-thoughts"
    about = "With {k} thoughts that the base makes itself"
    hatch = "--"
    asks_assistant = False
    trains = "a projection of the base's own states"
    kind: ClassVar[type[TrainedWeights]] = SelfProjection
    objective = SelfThoughtsObjective

    def __init__(self, pair: Pair, weights: Any, task: Task = FREE, **options: Any):
        super().__init__(pair.alone(), weights, task, **options)


class SelfThoughtsEach(SelfThoughts):
    """The same with a projection for each place: need thoughts that differ other weights?"""

    name = "self-thoughts-each"
    title = "Self-thoughts, each place"
    about = "With {k} thoughts that the base makes itself, each by a projection of its own"
    hatch = "||"
    trains = "a projection of the base's own states for each place"
    kind = PlaceProjections
