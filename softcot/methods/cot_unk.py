"""CoT-Unk: slots that nothing was put into."""

from collections.abc import Sequence
from typing import Any, Self

import torch

from softcot.data.problems import Problem
from softcot.data.tasks import Task
from softcot.methods.slots import SlotMethod
from softcot.support.errors import UserError
from softcot.thoughts.pair import Pair


class CotUnk(SlotMethod):
    """The placeholder's own embedding in every slot: room to think, and nothing in it."""

    name = "cot-unk"
    title = "CoT-Unk"
    about = "With {k} empty placeholders"
    hatch = "."
    shares_k = True

    @classmethod
    def build(
        cls, pair: Pair, task: Task, *, trained_on: str | None = None, **options: Any
    ) -> Self:
        """Nothing to load; as nothing was trained, nothing can be untrained."""
        if options.get("control") == "untrained":
            raise UserError("CoT-Unk trains nothing; drop the control 'untrained'.")
        return cls(pair, task, **options)

    def own(self, problems: Sequence[Problem], k: int) -> torch.Tensor:
        """The same vector everywhere, float32[B, K, d_base]."""
        placeholder = torch.tensor(self.pair.base.prompts.tokens.placeholder)
        vector = self.pair.base.embed(placeholder).float()
        return vector.expand(len(problems), k, -1)
