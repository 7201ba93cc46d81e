"""CoT-Unk: slots that nothing was put into."""

from collections.abc import Sequence

import torch

from softcot.data.problems import Problem
from softcot.methods.slots import SlotMethod


class CotUnk(SlotMethod):
    """The placeholder's own embedding in every slot: room to think, and nothing in it."""

    name = "cot-unk"
    title = "CoT-Unk"
    about = "With {k} empty placeholders"
    hatch = "."
    shares_k = True

    def own(self, problems: Sequence[Problem], k: int) -> torch.Tensor:
        """The same vector everywhere, float32[B, K, d_base]."""
        placeholder = torch.tensor(self.pair.base.prompts.tokens.placeholder)
        vector = self.pair.base.embed(placeholder).float()
        return vector.expand(len(problems), k, -1)
