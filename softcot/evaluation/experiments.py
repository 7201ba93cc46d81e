"""The experiments behind the tables: which evaluations each is made of.

Main and self-consistency sample as the paper does (temperature 1, seeds 41 to 45); everything else
is greedy, so that a difference between two records is one of inputs and not of luck. What is to be
chosen, such as prompts, is chosen on validation problems.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from softcot.data.families.notes import COUNTS
from softcot.data.tasks import FREE, TASKS, training_tasks
from softcot.decoding.decoder import Sampling
from softcot.evaluation.evaluator import Protocol
from softcot.methods import (
    METHODS,
    AssistCoT,
    Method,
    SelfThoughts,
    SoftCoT,
    SoftCoTP,
    SoftCoTPP,
    ToldCoT,
    ZeroShotCoT,
)
from softcot.support.deviations import DEVIATIONS, REAL_DEVIATIONS, REAL_PAIR, deviating
from softcot.support.errors import UserError
from softcot.support.presets import (
    ASSISTANT_SIZES,
    FIXED,
    READINGS,
    UNCONTRASTED,
    is_laboratory,
)
from softcot.thoughts.controls import CONTROLS

SAMPLED = Sampling(temperature=1.0)
CUT_SAMPLED = Sampling(temperature=1.0, top_k=50)
"""As the released code samples (arXiv 2502.12134's Llama runs)."""

ENOUGH = 300
"""Problems of a table whose rows are drawn several times, or that has very many rows."""

SEEDS = (41, 42, 43, 44, 45)
"""The paper's (arXiv 2502.12134)."""

SIZED = ("mini-gsm", "mini-strategy")
"""Tasks of the experiment on the assistant's size: one needs situations, one needs facts."""

CURVE = tuple(range(1, 17))
"""K of the curve of soft thoughts."""

ASKED_K = (1, 2, 4, 8, 12, 16)
"""K that projections of one K are asked with."""

WORTH = "mini-gsm"
"""Task on which deviations from the paper's protocol are measured."""

HINT_CURVE = (1, 2, 4, 8, 16, 24, 32)
"""K of the curve of hard hint tokens."""

VOTES = 10
"""Most samples that vote in self-consistency."""

NOISES = (0.1, 0.2, 0.5, 1.0)
"""Lengths of SoftCoT-P's noise that are tried, as shares of a thought's."""

VOTING = (ZeroShotCoT.name, SoftCoT.name, SoftCoTP.name, SoftCoTPP.name)
"""Methods whose samples vote."""

PROMPTED = ("gsm8k", "strategyqa", "aqua")
"""Tasks that prompts are chosen on: one for each kind of answer."""

PROMPTS = ("chat", "chat-brief", "chat-one", "chat-two")
"""Sets of templates that are tried."""

UNTAUGHT = ("zero-shot-cot", "no-cot", "concise-cot", "cot-unk", "assist-cot", "equal-hint")
"""Methods that can be told anything: what is trained knows the prompts of its training alone."""

REAL = ("gsm8k", "svamp", "strategyqa", "aqua")
"""Tasks that ready-made models are measured on."""

REAL_CURVE, CURVED = (1, 2, 4, 8, 16), "strategyqa"
"""K of the curve of such a pair, and its task, the one with the shortest answers."""

ASSISTED = ("gsm8k", "strategyqa")
"""Tasks that several assistants of a base, and the costs of methods, are compared on."""

ASSISTANTS = (SoftCoT.name, SelfThoughts.name)
"""What has a pair's assistant make the thoughts, and what has its base make them."""

ASSISTED_CONTROLS = ("none", "swap", "mean", "shuffle", "noise")
"""Those whose outcome depends on the assistant."""

MAKERS = (
    SoftCoT.name,
    SoftCoTPP.name,
    "self-thoughts",
    "self-thoughts-each",
    "trained-assistant",
)
"""Who can make the thoughts."""

JUDGES = ("none", "swap", "mean")
"""What every maker's own thoughts are compared with."""

COSTS: dict[str, tuple[int | None, ...]] = {
    "concise-cot": (10, None, 40, 80),
    AssistCoT.name: (4, 8, 16, None, 32),
    SoftCoT.name: (1, 2, 4, 8, None, 16),
}
"""Several K of methods whose cost depends on it; None is a method's own, and that of the others."""

WHISPERED_K = (1, 2, 4, 8, 16)
"""K of what thoughts carry of a note."""

TOLD = ("svamp-noted", "strategyqa-noted")
"""Data sets that people made of which the assistant alone is told a part."""

NOTED, NOTED_K, NOTED_TOKENS, NOTED_PROBLEMS = "notes", 8, 32, 200
"""The task on what gets through, its K, its longest answer and problems that are enough."""

WHISPERED_PROBLEMS = 100
"""Problems between ready-made models for each number of facts and K."""

REAL_TOKENS = 400
"""Longest answer of ready-made models in an experiment: few of those that end at all are longer,
and those that never end cost time."""


def mini_tasks() -> list[str]:
    """The tasks of the experiments: all that need no data, but free text."""
    return [name for name in TASKS if name != FREE.name]


def trained_tasks() -> list[str]:
    """Those of them that something is trained on."""
    return [task.name for task in training_tasks("all")]


@dataclass(frozen=True)
class Run:
    """One evaluation of an experiment."""

    task: str
    protocol: Protocol
    pair: str = "mini"
    prompts: str | None = None
    """A set of templates that is tried, on validation problems; None for the pair's own."""
    most: int | None = None
    """Problems that are enough for it; None where nothing but the caller says how many."""

    @property
    def chooses(self) -> bool:
        """Whether something is chosen by it, which asks validation problems alone."""
        return self.prompts is not None or self.protocol.noise is not None

    @property
    def arguments(self) -> list[str]:
        """What `python -m softcot evaluate` takes for it, apart from split and file."""
        asked = self.protocol
        words = ["--pair", self.pair, "--task", self.task, "--method", asked.method]
        if asked.control != "none":
            words += ["--control", asked.control]
        if asked.k is not None:
            words += ["--thoughts", str(asked.k)]
        if asked.trained_on is not None:
            words += ["--trained-on", asked.trained_on]
        if asked.sampling.temperature:
            words += ["--temperature", f"{asked.sampling.temperature:g}"]
        if asked.sampling.top_k:
            words += ["--top-k", str(asked.sampling.top_k)]
        if len(asked.seeds) > 1:
            words += ["--seeds", f"{asked.seeds[0]}-{asked.seeds[-1]}"]
        if asked.samples > 1:
            words += ["--samples", str(asked.samples)]
        words += ["--noise", f"{asked.noise:g}"] if asked.noise is not None else []
        words += ["--prompts", self.prompts] if self.prompts else []
        if not is_laboratory(self.pair):  # other pairs write longer answers by default
            words += ["--max-new-tokens", str(asked.sampling.max_new_tokens)]
        return words + (["--gold-logprob"] if asked.gold_logprob else [])

    @property
    def file(self) -> str:
        """Where its record is, below the folder of results."""
        asked = self.protocol
        count = METHODS[asked.method].default_k
        parts = [self.task, asked.method, asked.control]
        parts += [f"k{count if asked.k is None else asked.k}"]
        parts += [f"from-{asked.trained_on}"] if asked.trained_on else []
        parts += ["sampled" if asked.sampling.temperature else "greedy"]
        parts += [f"top{asked.sampling.top_k}"] if asked.sampling.top_k else []
        parts += [f"n{asked.samples}"] if asked.samples > 1 else []
        parts += [f"noise-{asked.noise:g}"] if asked.noise is not None else []
        parts += ["prompts", self.prompts] if self.prompts else []
        return f"{self.pair}/{'.'.join(parts)}.json"


def main() -> Iterator[Run]:
    """Every method on every task, sampled."""
    for method in METHODS:
        for task in mini_tasks():
            yield Run(task, Protocol(method, sampling=SAMPLED, seeds=SEEDS), most=ENOUGH)


def controls() -> Iterator[Run]:
    """SoftCoT under every control on every task, and zero-shot CoT to compare with."""
    for task in mini_tasks():
        yield Run(task, Protocol(ZeroShotCoT.name, gold_logprob=True))
        for control in CONTROLS:
            yield Run(task, Protocol(SoftCoT.name, control, gold_logprob=True))


def thoughts() -> Iterator[Run]:
    """Accuracy against K, of soft thoughts and of hard hint tokens."""
    for kind, curve in ((SoftCoT, CURVE), (AssistCoT, HINT_CURVE)):
        for count in curve:
            for task in trained_tasks():
                own = count == kind.default_k
                # SoftCoT at its own K is among the controls, which are scored.
                scored = own and kind is SoftCoT
                yield Run(
                    task,
                    Protocol(kind.name, k=None if own else count, gold_logprob=scored),
                )


def makers() -> Iterator[Run]:
    """Everybody who can make thoughts, each with another question's and the average ones."""
    for method in MAKERS:
        for control in JUDGES:
            for task in mini_tasks():
                yield Run(task, _made(method, control))


def _made(method: str, control: str = "none") -> Protocol:
    """A maker's thoughts; SoftCoT's are those of the controls, which are scored."""
    return Protocol(method, control, gold_logprob=method == SoftCoT.name)


def whisper() -> Iterator[Run]:
    """How much of a note K thoughts carry, between the base that was told and that was not."""
    for count in COUNTS:
        yield from _carried(f"mini-notes-{count}", Protocol)


def whisper_between() -> Iterator[Run]:
    """The same between ready-made models, whose answers take longer."""
    for run in whisper():
        yield replace(run, most=WHISPERED_PROBLEMS)


def told() -> Iterator[Run]:
    """The same of notes that people wrote, between ready-made models."""
    for task in TOLD:
        yield from _carried(task, _real)


def _carried(task: str, asked: Callable[..., Protocol]) -> Iterator[Run]:
    """K thoughts with the own note and with another's, between both bounds."""
    for alone in (ZeroShotCoT, ToldCoT):
        yield Run(task, asked(alone.name))
    for k in WHISPERED_K:
        for control in ("none", "swap"):
            yield Run(task, asked(SoftCoT.name, control, k=k))


def cost() -> Iterator[Run]:
    """Every method at several settings, on the tasks that something is trained on."""
    for method in METHODS.values():
        for k in COSTS.get(method.name, (None,)):
            for task in trained_tasks():
                asked = _priced(method, k, task)
                # Weights that are named are those of the forgetting's records.
                yield Run(task, asked, most=ENOUGH if asked.trained_on else None)


def _priced(method: type[Method], k: int | None, task: str) -> Protocol:
    """A setting as the other experiments have it, where one of them does."""
    if k is None and method in (ZeroShotCoT, SoftCoT):
        return Protocol(method.name, gold_logprob=True)
    own = method.kind is None or method.many or method.name in MAKERS
    return Protocol(method.name, k=k, trained_on=None if own else task)


def self_consistency() -> Iterator[Run]:
    """The vote of several samples, of one prompt or of sets of thoughts that take turns."""
    for method in VOTING:
        for task in trained_tasks():
            yield Run(task, _voted(method), most=ENOUGH)
    yield Run(WORTH, _voted(SoftCoTPP.name), UNCONTRASTED, most=ENOUGH)


def _voted(method: str, noise: float | None = None) -> Protocol:
    return Protocol(method, sampling=SAMPLED, samples=VOTES, noise=noise)


def noise() -> Iterator[Run]:
    """SoftCoT-P's votes with noise of several lengths, one of which it then has everywhere."""
    for length in NOISES:
        for task in trained_tasks():
            yield Run(task, _voted(SoftCoTP.name, length), most=ENOUGH)


def forgetting() -> Iterator[Run]:
    """After training on one task, accuracy on every task; with K = 0 SoftCoT is the base."""
    for task in mini_tasks():
        yield Run(task, Protocol(SoftCoT.name, k=0))
    for method in filter(lambda method: method.kind, METHODS.values()):
        for trained_on in trained_tasks():
            for task in mini_tasks():
                asked_by_others = method.many or method.name in MAKERS
                if asked_by_others and trained_on == TASKS[task].projection:
                    yield Run(task, _made(method.name))  # as in controls, makers and cost
                else:
                    yield Run(task, Protocol(method.name, trained_on=trained_on), most=ENOUGH)


def assistant_size() -> Iterator[Run]:
    """SoftCoT with narrower assistants, on situations and on facts; the own is in the controls."""
    for pair in ASSISTANT_SIZES:
        for task in SIZED:
            yield Run(task, Protocol(SoftCoT.name), pair)


def regime() -> Iterator[Run]:
    """What soft thoughts add to bases that have read more or less."""
    for pair in READINGS:
        for task in ("mini-gsm", "mini-asdiv"):
            yield Run(task, Protocol(ZeroShotCoT.name), pair)
            for control in ("none", "swap"):
                yield Run(task, Protocol(SoftCoT.name, control), pair)


def trained_k() -> Iterator[Run]:
    """K of the question against K of the training: one for all steps, or a new one for each."""
    for pair in ("mini", *FIXED):
        for k in ASKED_K:
            own = k == SoftCoT.default_k and pair == "mini"  # among the controls, scored
            asked = Protocol(SoftCoT.name, k=None if own else k, gold_logprob=own)
            yield Run("mini-gsm", asked, pair)


def worth() -> Iterator[Run]:
    """What each thing that the released code does otherwise is worth, one at a time."""
    for name, done in DEVIATIONS.items():
        for control in ("none", "swap"):
            yield Run(WORTH, Protocol(SoftCoT.name, control, k=done.k), deviating(name))
        if done.prompts:
            yield Run(WORTH, Protocol(ZeroShotCoT.name), deviating(name))
        if done.k is not None:
            yield Run(WORTH, Protocol(SoftCoT.name, k=done.k), done.beside)
    for method in (ZeroShotCoT, SoftCoT):
        for sampling in (SAMPLED, CUT_SAMPLED):
            yield Run(WORTH, Protocol(method.name, sampling=sampling, seeds=SEEDS), most=ENOUGH)


def grid() -> Iterator[Run]:
    """Methods against prompts: mini's own, and those after the released code."""
    other = DEVIATIONS["slots"]
    for pair in ("mini", deviating("slots")):
        for method in UNTAUGHT:
            # Mini's zero-shot CoT is among the controls, which are scored.
            scored = (method, pair) == (ZeroShotCoT.name, "mini")
            yield Run(WORTH, Protocol(method, gold_logprob=scored), pair)
        for control in ("none", "swap"):
            yield Run(WORTH, Protocol(SoftCoT.name, control, k=other.k), pair)


def reworded() -> Iterator[Run]:
    """Problems in words that no training had, with their own thoughts and with another's."""
    yield Run("mini-reworded", Protocol(ZeroShotCoT.name))
    for control in ("none", "swap"):
        yield Run("mini-reworded", Protocol(SoftCoT.name, control))


def prompts() -> Iterator[Run]:
    """Zero-shot CoT, told and shown in several ways what to do."""
    for task in PROMPTED:
        for name in PROMPTS:
            yield Run(task, _real(ZeroShotCoT.name), prompts=name)


def told_otherwise() -> Iterator[Run]:
    """Methods against prompts, of ready-made models."""
    for name in PROMPTS:
        for method in UNTAUGHT:
            yield Run(CURVED, _real(method), prompts=name)


def _real(method: str, control: str = "none", **options: Any) -> Protocol:
    return Protocol(method, control, sampling=Sampling(max_new_tokens=REAL_TOKENS), **options)


def real() -> Iterator[Run]:
    """SoftCoT under every control, then every other method, on data sets that people made."""
    for task in REAL:
        yield Run(task, _real(ZeroShotCoT.name, gold_logprob=True))
        for control in CONTROLS:
            yield Run(task, _real(SoftCoT.name, control, gold_logprob=True))
        for method in METHODS:
            if method not in (ZeroShotCoT.name, SoftCoT.name):
                for control in JUDGES if method in MAKERS else JUDGES[:1]:
                    yield Run(task, _real(method, control))


def curve() -> Iterator[Run]:
    """Accuracy against K between ready-made models."""
    for k in REAL_CURVE:
        yield Run(CURVED, _real(SoftCoT.name, k=k))


def assistants() -> Iterator[Run]:
    """Whether it matters who assists a base, itself among them: one pair's part in it."""
    for task in ASSISTED:
        for method in ASSISTANTS:
            for control in ASSISTED_CONTROLS:
                yield Run(task, _real(method, control, gold_logprob=method == SoftCoT.name))


def notes() -> Iterator[Run]:
    """Whether a number that only the assistant has read gets through."""
    for control in CONTROLS:
        yield _noted(control)


def _noted(control: str, k: int = NOTED_K, pair: str = "mini") -> Run:
    short = Sampling(max_new_tokens=NOTED_TOKENS)
    asked = Protocol(SoftCoT.name, control, k=k, sampling=short)
    return Run(NOTED, asked, pair, most=NOTED_PROBLEMS)


def cost_between() -> Iterator[Run]:
    """Every method at several settings, between ready-made models."""
    for task in ASSISTED:
        for method in METHODS:
            for k in COSTS.get(method, (None,)):
                scored = k is None and method in (ZeroShotCoT.name, SoftCoT.name)  # as in `real`
                yield Run(task, _real(method, k=k, gold_logprob=scored))


def worth_between() -> Iterator[Run]:
    """What deviations are worth between ready-made models, each beside what it differs from."""
    asked = {deviating(name, REAL_PAIR): d.k or NOTED_K for name, d in REAL_DEVIATIONS.items()}
    own = [("mini", k) for k in dict.fromkeys(asked.values())]
    for control in ("none", "swap"):
        for pair, k in own + list(asked.items()):
            yield _noted(control, k, pair)


EXPERIMENTS: dict[str, Callable[[], Iterator[Run]]] = {
    "main": main,
    "controls": controls,
    "thoughts": thoughts,
    "assistant-size": assistant_size,
    "self-consistency": self_consistency,
    "forgetting": forgetting,
    "regime": regime,
    "makers": makers,
    "whisper": whisper,
    "cost": cost,
    "trained-k": trained_k,
    "worth": worth,
    "grid": grid,
    "reworded": reworded,
}
"""Those of the tables of the mini pair."""

READY_MADE: dict[str, Callable[[], Iterator[Run]]] = {
    "notes": notes,
    "real": real,
    "curve": curve,
    "assistants": assistants,
    "whisper": whisper_between,
    "told": told,
    "cost": cost_between,
    "worth": worth_between,
}
"""Those of the tables of pairs of ready-made models."""

CHOICES: dict[str, Callable[[], Iterator[Run]]] = {"noise": noise}
"""Those of the mini pair that choose something, on validation problems; no part of "all"."""

READY_MADE_CHOICES: dict[str, Callable[[], Iterator[Run]]] = {
    "prompts": prompts,
    "grid": told_otherwise,
}
"""The same of pairs of ready-made models."""


def plan(experiment: str, pair: str = "mini") -> list[Run]:
    """The evaluations of an experiment, or of "all", each once.

    Args:
        experiment: One of those of the pair's kind, or "all", which leaves out what chooses.
        pair: Takes the place of mini; further pairs are left out unless they are of its models.

    Raises:
        UserError: There is no such experiment, or it is about pairs of another kind.
    """
    laboratory = is_laboratory(pair)
    between = READY_MADE | READY_MADE_CHOICES
    known = EXPERIMENTS | CHOICES | ({} if laboratory else between)
    if experiment not in (*known, "all"):
        if experiment in between:
            raise UserError(
                f"The experiment {experiment!r} is about ready-made models; name a pair of them "
                "with --pair."
            )
        raise UserError(
            f"There is no experiment called {experiment!r}; choose one of: {', '.join(known)}, all."
        )
    whole = EXPERIMENTS if laboratory else READY_MADE
    chosen = whole.values() if experiment == "all" else [known[experiment]]
    runs = dict.fromkeys(run for make in chosen for run in make())
    if pair == "mini":
        return list(runs)
    own = [replace(run, pair=pair) for run in runs if run.pair == "mini"]
    return own + [run for run in runs if run.pair.startswith(deviating("", pair))]
