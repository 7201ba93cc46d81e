"""Two frozen models that are asked about the same questions, and what both are told."""

import copy
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from softcot.data.lexicon import Lexicon
from softcot.data.tasks import Task, get_task, training_tasks
from softcot.models.language_model import LanguageModel
from softcot.support.errors import UserError

PROBE = "Anna has 12 apples; she buys 3.5 more (for $7). How many are left?"
"""A question that stands for all where prompts are compared: no other need be read for it."""


@dataclass
class ModelPair:
    """A base model and its assistant: all that weights between them are made for."""

    name: str
    base: LanguageModel
    assistant: LanguageModel

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """Fingerprints of the two models, under "base" and "assistant"."""
        return {"base": self.base.fingerprint(), "assistant": self.assistant.fingerprint()}

    def alone(self) -> Self:
        """The same base as its own assistant: no second model takes part."""
        pair = copy.copy(self)
        pair.assistant = self.base
        pair.fingerprints = dict.fromkeys(("base", "assistant"), self.fingerprints["base"])
        pair.lexicon = self.base.lexicon
        return pair

    @cached_property
    def lexicon(self) -> Lexicon | None:
        """What at least one of the two has read; None where one of them reads anything."""
        base, assistant = self.base.lexicon, self.assistant.lexicon
        return None if base is None or assistant is None else base | assistant

    def prompting(self, task_name: str, reader: str = "assistant") -> dict[str, str]:
        """What the models read in a training for a task, as trained weights keep it.

        Args:
            task_name: A task, or "all".
            reader: Which of the two reads the placeholders.
        """
        return {
            "template_hash": self._template_hash(task_name),
            "placeholder": getattr(self, reader).prompts.placeholder,
        }

    def reading(self, task: Task) -> str:
        """Hash of the token ids that a question of a task is to both models, 16 hex digits.

        Not only the templates decide them: a model's folder has its tokenizer and chat template,
        of which the fingerprint of its weights says nothing.
        """
        ids = [
            self.base.prompts.base(PROBE, task=task, k=1).ids,
            self.assistant.prompts.assistant(PROBE, task=task, k=1).ids,
        ]
        return hashlib.sha256(json.dumps(ids).encode()).hexdigest()[:16]

    def _template_hash(self, name: str) -> str:
        """Of the prompts of a task, or of all that "all" is trained on; empty for no task."""
        try:
            tasks = training_tasks(name) if name == "all" else [get_task(name)]
        except UserError:
            return ""
        return self.base.prompts.templates.fingerprint(tasks)
