"""lm-evaluation-harness asks a method: its model `softcot`, for its own tasks and scorers.

What the harness calls a context is the question here. Both models are told about it what the method
tells them, and the assistant thinks about it anew for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lm_eval.api.model import LM
from lm_eval.api.registry import register_model

from softcot.data.problems import Problem
from softcot.data.tasks import get_task
from softcot.decoding.backend import Alone, Backend
from softcot.decoding.decoder import Sampling, decode, finish, log_probabilities
from softcot.methods import get_method
from softcot.models.batches import PromptEmbeds
from softcot.serving.requests import cut_at
from softcot.support.errors import UserError
from softcot.support.presets import MAX_NEW_TOKENS
from softcot.thoughts.pair import Pair, load_pair

Asked = tuple[str, dict[str, Any]]
"""A context, and how it is to be gone on from."""


@register_model("softcot")
class SoftCoTModel(LM):  # type: ignore[misc]
    """A method of a pair, as the harness asks models.

    Args:
        pair: The two frozen models, or a name of theirs.
        method: Who answers.
        task: Says what both models are told to do, and whose weights are used.
        k: K; None leaves it to the method.
        control: What replaces a question's own thoughts.
        batch_size: Questions that are asked together.
        max_new_tokens: Where an answer is cut off, whatever the harness allows.
        backend: What writes.

    Raises:
        UserError: There is no such pair or method, or K is out of range.
    """

    def __init__(
        self,
        pair: Pair | str = "mini",
        method: str = "softcot",
        task: str = "free",
        k: int | None = None,
        control: str = "none",
        batch_size: int = 16,
        max_new_tokens: int = MAX_NEW_TOKENS,
        backend: Backend | None = None,
        **_: Any,
    ):
        super().__init__()
        pair = load_pair(pair) if isinstance(pair, str) else pair
        self.method = get_method(method, pair, get_task(task), control=control)
        self.k = self.method.checked_k(k)
        self.batch_size, self.max_new_tokens = int(batch_size), int(max_new_tokens)
        self.backend = backend or Alone()

    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[str]:
        """What is written after each context, up to the first of its stops."""
        answers: dict[int, str] = {}
        for numbers in self._together([request.args for request in requests]):
            asked: list[Asked] = [requests[number].args for number in numbers]
            texts = self._written([context for context, _ in asked], asked[0][1])
            for number, request, text in zip(numbers, asked, texts, strict=True):
                answers[number] = text
                self.cache_hook.add_partial("generate_until", request, text)
        return [answers[number] for number in range(len(requests))]

    def loglikelihood(
        self, requests: Sequence[Any], disable_tqdm: bool = False
    ) -> list[tuple[float, bool]]:
        """How likely each continuation is (nats), and whether it is what would be written."""
        found: list[tuple[float, bool]] = []
        lm = self.method.lm
        for start in range(0, len(requests), self.batch_size):
            asked = [request.args for request in requests[start : start + self.batch_size]]
            prompt = self._prompt([context for context, _ in asked])
            targets = [lm.prompts.text(continuation) for _, continuation in asked]
            scores = log_probabilities(lm, prompt, targets)
            greedy = Sampling(max_new_tokens=max(map(len, targets)))
            rows = finish(decode(lm, prompt, greedy))
            found += [
                (score, row.ids[: len(target)] == list(target))
                for score, row, target in zip(scores, rows, targets, strict=True)
            ]
        return found

    def loglikelihood_rolling(
        self, requests: Sequence[Any], disable_tqdm: bool = False
    ) -> list[float]:
        """Not there: a text by itself is no question.

        Raises:
            UserError: Always.
        """
        raise UserError(
            "The likelihood of a whole text is not what a method of this package gives; choose "
            "tasks with questions."
        )

    def _together(self, asked: Sequence[Asked]) -> Iterator[list[int]]:
        """Numbers of requests that are written together: of one kind, and of like length."""
        kinds: dict[str, list[int]] = {}
        for number, (_, options) in enumerate(asked):
            kinds.setdefault(repr(sorted(options.items())), []).append(number)
        for numbers in kinds.values():
            numbers.sort(key=lambda number: len(asked[number][0]))
            for start in range(0, len(numbers), self.batch_size):
                yield numbers[start : start + self.batch_size]

    def _prompt(self, contexts: Sequence[str]) -> PromptEmbeds:
        problems = [Problem(self.method.task.name, context) for context in contexts]
        return self.method.prepare(problems, self.k)

    def _written(self, contexts: Sequence[str], options: dict[str, Any]) -> Iterator[str]:
        until, lm = options.get("until") or [], self.method.lm
        stops = [until] if isinstance(until, str) else [stop for stop in until if stop]
        longest = min(int(options.get("max_gen_toks", self.max_new_tokens)), self.max_new_tokens)
        sampled = options.get("do_sample") or False
        sampling = Sampling(
            temperature=float(options.get("temperature", 1.0)) if sampled else 0.0,
            top_p=float(options.get("top_p", 1.0)),
            max_new_tokens=longest,
        )
        with self.backend.session(len(contexts)) as session:
            rows = session.add(lm, self._prompt(contexts), sampling)
            while session.open:
                session.step()
        for row in rows:
            text = lm.text(row.ids)
            yield text[: cut_at(text, stops)]
