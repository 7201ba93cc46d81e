"""Two frozen models that are asked about the same questions, and what both are told."""

from dataclasses import dataclass
from functools import cached_property

from softcot.data.tasks import get_task, training_tasks
from softcot.models.language_model import LanguageModel
from softcot.support.errors import UserError


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

    def prompting(self, task_name: str) -> dict[str, str]:
        """What the models read in a training for a task, as trained weights keep it."""
        return {
            "template_hash": self._template_hash(task_name),
            "placeholder": self.assistant.prompts.placeholder,
        }

    def _template_hash(self, name: str) -> str:
        """Of the prompts of a task, or of all that "all" is trained on; empty for no task."""
        try:
            tasks = training_tasks(name) if name == "all" else [get_task(name)]
        except UserError:
            return ""
        return self.base.prompts.templates.fingerprint(tasks)
