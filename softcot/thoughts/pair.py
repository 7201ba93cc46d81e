"""The pair that everything works on: two frozen models, and what was trained between them."""

import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import torch

from softcot.data.kinds import likely_kind
from softcot.data.tasks import FREE, Task, get_task
from softcot.models.language_model import LanguageModel, best_device
from softcot.models.loading import (
    ModelSource,
    Quantization,
    check_compiler,
    check_memory,
    find_model,
    gpu_is_lent,
    known_billions,
    quantization,
    visible_loading,
)
from softcot.models.model_pair import ModelPair
from softcot.models.precision import DType, usual_dtype
from softcot.models.probe import check_model
from softcot.prompts.wording import Templates
from softcot.support.errors import UserError
from softcot.support.presets import PRESETS, PairPreset, choose_preset, is_laboratory
from softcot.thoughts.archive import find_projection
from softcot.thoughts.checkpoint import TrainedWeights
from softcot.thoughts.projection import Projection

T = TypeVar("T", bound=TrainedWeights)

GIVEN = "projection"
"""Name of a projection that was named by its path: it serves every task."""


@dataclass
class Pair(ModelPair):
    """A base model, its assistant, and where what was trained between them is."""

    trained: dict[str, Path]
    """Folders of trained weights by name, such as `projection-mini-gsm`; one that is called just
    `projection` serves every task."""
    _loaded: dict[str, TrainedWeights] = field(default_factory=dict, init=False, repr=False)

    def weights(self, kind: type[T], task_name: str) -> T:
        """The weights of a kind that serve a task, loaded once and checked against this pair.

        Raises:
            UserError: They are absent, damaged, or were trained between other models.
        """
        name = self._name(kind, task_name)
        if name not in self._loaded:
            if name not in self.trained:
                raise UserError(self._missing(kind, name.removeprefix(f"{kind.folder}-")))
            self._loaded[name] = self.read(kind, self.trained[name])
        found = self._loaded[name]
        assert isinstance(found, kind), "the name begins with the kind's own folder"
        return found

    def read(self, kind: type[T], folder: Path) -> T:
        """The weights in a folder, checked against this pair.

        Raises:
            UserError: They are damaged, or were trained between other models.
        """
        weights = kind.load_for(self, folder)
        self._check_fits(weights, folder)
        return weights

    def is_trained(self, kind: type[TrainedWeights], task_name: str) -> bool:
        """Whether there are weights of a kind that serve a task."""
        return self._name(kind, task_name) in {**self.trained, **self._loaded}

    def likely_task(self, question: str) -> Task:
        """What a question is asked as where nobody said it.

        The laboratory's pairs take it for the kind that it reads like; for others it is free text.
        """
        task = get_task(likely_kind(question))
        served = is_laboratory(self.name) and self.is_trained(Projection, task.name)
        return task if served else FREE

    def _name(self, kind: type[TrainedWeights], task_name: str) -> str:
        """The name of the weights of a kind that serve a task, whether they are there or not."""
        known, own = {**self.trained, **self._loaded}, f"{kind.folder}-{task_name}"
        if own in known:
            return own
        if kind.folder == GIVEN and GIVEN in known:
            return GIVEN
        return f"{kind.folder}-{get_task(task_name).projection}"

    def mismatches(self, weights: TrainedWeights) -> list[str]:
        """One sentence for each way in which the models read something else than in training."""
        found, now = [], self.prompting(weights.task, weights.reader)
        if weights.template_hash not in ("", now["template_hash"]):
            found.append(
                f"The {weights.folder} for {weights.task!r} was trained with other prompts "
                f"({weights.template_hash}, not {now['template_hash']}); train it again, or use "
                "--prompts as in its training."
            )
        if weights.placeholder not in ("", now["placeholder"]):
            found.append(
                f"The {weights.folder} for {weights.task!r} was trained with the placeholder "
                f"{weights.placeholder}, not {now['placeholder']}; train it again."
            )
        return found

    def warnings(self, task_name: str, kind: type[TrainedWeights] | None = Projection) -> list[str]:
        """What a user should know before an answer is believed, one sentence each.

        Args:
            task_name: Who is asked for.
            kind: What kind of weights is to be used, if there are any for the task; None for none.

        Raises:
            UserError: The weights are damaged, or were trained between other models.
        """
        found = [self.base.notice, self.assistant.notice]
        if kind is not None and self.is_trained(kind, task_name):
            weights = self.weights(kind, task_name)
            found += [*self.mismatches(weights), *weights.remarks()]
        return [sentence for sentence in found if sentence]

    @property
    def option(self) -> str:
        """How a command line names it; two models of one's own have no name that it would take."""
        known = self.name in PRESETS
        return f"--pair {self.name}" if known else "--base BASE --assistant ASSISTANT"

    def projection(self, task_name: str) -> Projection:
        """The projection that serves a task; see `weights`."""
        return self.weights(Projection, task_name)

    def using(self, weights: TrainedWeights, everywhere: bool = False) -> "Pair":
        """The same pair, with other weights for the task they were trained on.

        Args:
            weights: What is used.
            everywhere: Whether they serve all other tasks that have none of their own, too.
        """
        pair, name = copy.copy(self), f"{weights.folder}-{weights.task}"
        others = {weights.folder: weights} if everywhere else {}
        pair._loaded = {**self._loaded, **others, name: weights}
        return pair

    def with_only(self, weights: TrainedWeights) -> "Pair":
        """The same pair, with these weights for every task in the place of all of their kind."""
        pair, own = copy.copy(self), (weights.folder, f"{weights.folder}-")
        pair.trained = {n: p for n, p in self.trained.items() if not n.startswith(own[1])}
        others = {n: w for n, w in self._loaded.items() if not n.startswith(own[1])}
        pair._loaded = {**others, own[0]: weights}
        return pair

    def with_untrained(self) -> "Pair":
        """The same pair, where a projection that nobody trained serves all tasks without one.

        It starts where a training starts, and belongs to no task.
        """
        pair, projection = copy.copy(self), Projection.for_pair(self, "")
        projection.align(self)
        pair._loaded = {**self._loaded, GIVEN: projection.eval().requires_grad_(False)}
        return pair

    def told(self, templates: Templates) -> "Pair":
        """The same pair, both of whose models are told other things about a question."""
        pair = copy.copy(self)
        pair.base, pair.assistant = (lm.told(templates) for lm in (self.base, self.assistant))
        return pair

    def _missing(self, kind: type[TrainedWeights], served: str) -> str:
        prefix = f"{kind.folder}-"
        known = [name.removeprefix(prefix) for name in self.trained if name.startswith(prefix)]
        return (
            f"Pair {self.name!r} has no {kind.folder} for {served!r} (it has: "
            f"{', '.join(known) or 'none'}); train it with "
            f"`python -m softcot train {self.option} --method {kind.method} --task {served}`."
        )

    def _check_fits(self, weights: TrainedWeights, path: Path) -> None:
        for side, width in weights.widths().items():
            trained_on = getattr(weights, f"{side}_fingerprint")
            model = getattr(self, side)
            # Rounded weights have no fingerprint to compare: it is known where they come from.
            same = model.quantize or trained_on in ("", self.fingerprints[side])
            if width != model.width or not same:
                raise UserError(
                    f"The {weights.folder} in {path} was trained for another {side} model than "
                    f"the one of pair {self.name!r}; train it again for this pair."
                )


def load_pair(
    name: str = "mini",
    device: str | torch.device | None = None,
    *,
    base: str | None = None,
    assistant: str | None = None,
    projection: str | Path | None = None,
    prompts: str | Path | None = None,
    quantize: Quantization | None = None,
    compiled: bool = False,
    dtype: DType | None = None,
) -> Pair:
    """Load the two models of a pair, frozen, on `device` (the best one by default).

    Args:
        name: Name of a preset.
        device: Where to.
        base: Folder or Hub id of a base, instead of a preset's.
        assistant: Likewise; both or neither.
        projection: Folder, archive or Hub id of a projection that serves every task.
        prompts: Folder of templates or name of a set, instead of the set that the preset names.
        quantize: Whether to make the weights smaller, and how.
        compiled: Whether the base writes by a compiled forward pass: it starts slowly, and then
            it is faster.
        dtype: What the numbers of both are kept in: "float32" or "bfloat16". By default bf16 on
            a GPU, and on a CPU that is faster with it than in fp32 if the pair is not small.

    Raises:
        UserError: The preset is unknown, or something is missing, damaged, too large, or of a
            kind that is not served exactly.
    """
    preset = choose_preset(name, base, assistant)
    own = Templates.named(preset.prompts, preset.other_prompts)
    templates = Templates.find(prompts) if prompts else own
    device = torch.device(device) if device else best_device()
    quantization(quantize, device)  # refuse what cannot be before anything slow
    if compiled:
        check_compiler(device)
    trained = preset.trained_paths()
    if projection:
        trained = {n: p for n, p in trained.items() if not n.startswith(f"{Projection.folder}-")}
        trained[GIVEN] = find_projection(projection)
    sources = _find_models(preset)
    dtype = dtype or usual_dtype(device, known_billions(sources))
    check_memory(preset.name, sources, device, quantize, dtype)
    options: dict[str, Any] = {"templates": templates, "quantize": quantize, "dtype": dtype}
    loaded = []
    with visible_loading(sources):
        for source in sources:
            lm = LanguageModel.load(source, device, **options)
            check_model(lm, run=not gpu_is_lent())
            loaded.append(lm)
    # A base that is its own assistant: one model in memory, and two that are asked.
    base_lm, assistant_lm = loaded if len(loaded) > 1 else (loaded[0], replace(loaded[0]))
    base_lm.compiled = compiled
    return Pair(preset.name, base_lm, assistant_lm, trained)


def _find_models(preset: PairPreset) -> list[ModelSource]:
    """Where the base and the assistant of a preset are; one place, if they are the same."""
    base = preset.base, preset.base_revision, preset.base_billions, preset.licence
    assistant = preset.assistant, preset.assistant_revision, preset.assistant_billions, None
    found = [find_model(*base, preset.name), find_model(*assistant, preset.name)]
    return found[:1] if found[0] == found[1] else found
