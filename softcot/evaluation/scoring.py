"""How likely the right answer is to a method that has read the question."""

from collections.abc import Sequence

from softcot.data.problems import Problem
from softcot.decoding.decoder import log_probabilities
from softcot.methods import Method
from softcot.models.batches import PromptEmbeds


def gold_logprobs(method: Method, problems: Sequence[Problem], prompt: PromptEmbeds) -> list[float]:
    """Log-probability (nats) of each problem's worked answer, end of turn included.

    Without a rationale it is that of the closing sentence alone.

    Args:
        method: Who answers.
        problems: With gold answers.
        prompt: What `method.prepare` made of them.
    """
    targets = []
    for problem in problems:
        worked = method.worked(problem)
        # Behind which question it stands changes nothing about the answer's own tokens.
        whole = method.lm.prompts.base(problem.question, task=method.task, target=worked)
        graded = zip(whole.ids, whole.loss_mask, strict=True)
        targets.append([token for token, on in graded if on])
    return log_probabilities(method.lm, prompt, targets)
