"""Pause tokens (Goyal et al. 2024, arXiv 2310.02226), the base staying as it is."""

from softcot.methods.prompt_tuning import PromptTuning, PromptTuningObjective
from softcot.thoughts.soft_prompt import PauseToken


class PauseTokensObjective(PromptTuningObjective):
    """One vector, as often as there are slots."""

    weights: PauseToken


class PauseTokens(PromptTuning):
    """One trained vector in every slot: is it only more places to compute in?

    Prompt tuning has a vector for each slot, which can also say something; this one cannot.
    """

    name = "pause-tokens"
    title = "Pause tokens"
    about = "With one trained vector, {k} times"
    hatch = ".."
    trains = "one vector for all slots"
    kind = PauseToken
    objective = PauseTokensObjective
    weights: PauseToken
