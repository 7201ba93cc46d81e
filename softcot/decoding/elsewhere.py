"""Rows that are written elsewhere: by an engine that has the base, from prompts that it is sent.

Soft thoughts need nothing of an engine but that it takes embeddings: the assistant, the projection
and the splice stay here, and so does a copy of the base. An engine shares its steps between all
requests by itself. `softcot.decoding.vllm` asks one that is a server, and
`softcot.decoding.vllm_inside` one that this process has.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import torch

from softcot.decoding.backend import Alone, Backend, Place, Session
from softcot.decoding.decoder import Completion, Sampling, number_of
from softcot.models.batches import PromptEmbeds
from softcot.models.cache import empty_cache
from softcot.models.language_model import LanguageModel
from softcot.support.errors import UserError
from softcot.support.reading import reason

T = TypeVar("T")

PROBES = ("The capital of France is", "2 + 3 =", "Anna has 12 apples. She buys", "def main(")
"""Texts whose next token, and how likely it is, tells one model from another."""

NEAR = 0.25
"""Nats by which two engines may differ on one model's next token; bf16 costs most of it."""

OWN_WEIGHTS = (
    "{where} has the base as it is, and {name} is written with other weights; use --backend "
    "local for that."
)


class BrokeOffError(Exception):
    """An answer ended before its end; to ask for it again may help."""


@dataclass(frozen=True)
class Asked:
    """A prompt as an engine is sent it, and how it is to be gone on from."""

    embeds: torch.Tensor
    """float[T, d], in the dtype of the base."""
    slots: torch.Tensor
    """bool[T], True where a vector stands that is no token's."""
    ids: tuple[int, ...] | None
    """The token ids, as in `PromptEmbeds.ids`."""
    sampling: Sampling
    longest: int
    """Most tokens of an answer."""
    seed: int
    """31 bits, which is what engines take."""
    samples: int

    @property
    def plain(self) -> bool:
        """Whether token ids say all of it."""
        return self.ids is not None and not self.slots.any()

    def rules(self, ends: Sequence[int]) -> dict[str, float | int | list[int]]:
        """All that decides the words but the prompt: engines have defaults of their own.

        The samples of a prompt are one request, read once: an engine's `n` gives them the seeds
        that follow on this one, so each has its own. Where a caller names several seeds, which
        need not follow on one another, each is a request.
        """
        return {
            "max_tokens": self.longest,
            "n": self.samples,
            "seed": self.seed,
            "temperature": self.sampling.temperature,
            "top_p": self.sampling.top_p,
            "top_k": self.sampling.top_k or -1,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "stop_token_ids": sorted(ends),
            "skip_special_tokens": False,
        }


Piece = tuple[int, list[int], str]
"""A sample's number, its new tokens, and why it ended (as engines say it), if it did."""


class Elsewhere:
    """A backend whose rows are written by an engine; all else is done by another backend.

    Args:
        base: The model that the engine has.
        local: What runs the models here: the assistant, above all.
    """

    where: str
    """The engine, as the beginning of a sentence."""
    advice: str
    """What to do where its context is too short."""
    context: int
    """Tokens that it takes."""
    versions: Mapping[str, str]

    def __init__(self, base: LanguageModel, local: Backend | None = None):
        self.base, self.local = base, local or Alone()

    def pieces(self, asked: Asked, stopped: threading.Event) -> Iterator[Piece]:
        """What comes for a prompt, until it has ended or the event is set.

        Raises:
            BrokeOffError: It ended too early.
            UserError: The engine refuses it.
        """
        raise NotImplementedError

    @contextmanager
    def session(
        self, rows: int = 1, visitor: str = "", ended: threading.Event | None = None
    ) -> Iterator[Session]:
        """A request; the engine has its own queue."""
        session = _Session(self, ended)
        try:
            yield session
        finally:
            session.close()

    def run(self, work: Callable[[], T], long: bool = False) -> T:
        """Do what runs a model here."""
        return self.local.run(work, long)

    def steps(self, work: Generator[T]) -> Generator[T]:
        """Do long work here, piece by piece."""
        return self.local.steps(work)

    def turn(self) -> AbstractContextManager[Callable[[], None]]:
        """Have the models here alone."""
        return self.local.turn()

    def refusal(self, lm: LanguageModel) -> str:
        """Why the engine cannot write with a model; empty where it can."""
        if lm.model is self.base.model:
            return ""
        return OWN_WEIGHTS.format(where=self.where, name=lm.name)

    def has_base(self, likeliest: Callable[[list[int]], tuple[int, float] | None]) -> bool:
        """Whether the engine has the base: what another model is sent means nothing to it.

        Args:
            likeliest: Asks it for the likeliest next token after some, and for its
                log-probability (nats); None where it does not know those tokens.
        """
        for text in PROBES:
            ids = self.base.prompts.text(text)
            found = likeliest(ids)
            known = self.local.run(partial(next_logprobs, self.base, ids))
            if found is None or found[0] >= len(known):
                return False
            if abs(known[found[0]].item() - found[1]) > NEAR:
                return False
        return True


@torch.inference_mode()
def next_logprobs(lm: LanguageModel, ids: list[int]) -> torch.Tensor:
    """Log-probabilities (nats) of the next token, float32[V]."""
    row = torch.tensor([ids], device=lm.device)
    mask = torch.ones_like(row)
    positions = torch.arange(len(ids), device=lm.device)[None]
    return lm.next_logits(lm.embed(row), mask, positions, empty_cache(lm))[0].log_softmax(-1).cpu()


@dataclass
class _Answer:
    """What a reader has received for one row."""

    ids: list[int] = field(default_factory=list)
    finish: str = ""


class _Stopped(threading.Event):
    """Set when a request is closed; set, too, once its visitor wants it no more."""

    def __init__(self, ended: threading.Event | None):
        super().__init__()
        self.ended = ended

    def is_set(self) -> bool:
        """Whether what comes is read by nobody."""
        return super().is_set() or (self.ended is not None and self.ended.is_set())


class _Session:
    """A request whose rows come from an engine; a thread reads those of each prompt and seed."""

    def __init__(self, backend: Elsewhere, ended: threading.Event | None = None):
        self.backend = backend
        self.rows: list[Completion] = []
        self.answers: list[_Answer] = []
        self.stopped, self.news = _Stopped(ended), threading.Event()
        self.error: Exception | None = None
        self.started = time.perf_counter()

    @property
    def open(self) -> int:
        return sum(not row.stop_reason for row in self.rows)

    def waiting(self) -> Iterator[Place]:
        return iter(())

    def run(self, work: Callable[[], T]) -> T:
        return self.backend.run(work)

    def add(
        self,
        lm: LanguageModel,
        prompt: PromptEmbeds,
        sampling: Sampling,
        row_seeds: Sequence[int] | None = None,
        samples: int = 1,
        seeds: Sequence[int] | None = None,
    ) -> list[Completion]:
        if refusal := self.backend.refusal(lm):
            raise UserError(refusal)
        if sampling.repetition_penalty != 1:
            raise UserError(
                "An engine counts the words of the prompt as repeated, too; use --backend local "
                "for a repetition penalty."
            )
        own = range(len(prompt.prompt_tokens)) if row_seeds is None else row_seeds
        added: list[Completion] = []
        for number, row_seed in enumerate(own):
            for seed in seeds or [sampling.seed]:
                asked = self._asked(prompt, number, sampling, number_of(seed, row_seed), samples)
                answers = [_Answer() for _ in range(samples)]
                self.answers += answers
                threading.Thread(
                    target=self._follow, args=(asked, answers), name="softcot-vllm", daemon=True
                ).start()
                added += [Completion() for _ in answers]
        self.rows += added
        return added

    def _asked(
        self, prompt: PromptEmbeds, number: int, sampling: Sampling, seed: int, samples: int
    ) -> Asked:
        length = prompt.prompt_tokens[number]
        room = self.backend.context - length
        if room < 1:
            raise UserError(
                f"The prompt has {length} tokens, and the engine takes {self.backend.context}; "
                f"{self.backend.advice}."
            )
        return Asked(
            embeds=prompt.embeds[number, -length:].detach().cpu().contiguous(),
            slots=prompt.slot_mask[number, -length:].cpu(),
            ids=prompt.ids[number] if prompt.ids else None,
            sampling=sampling,
            longest=min(sampling.max_new_tokens, room),
            seed=seed >> 32,
            samples=samples,
        )

    def step(self) -> None:
        self.news.wait()
        self.news.clear()
        if self.error is not None:
            raise self.error
        for row, answer in zip(self.rows, self.answers, strict=True):
            if row.stop_reason:
                continue
            finish, before = answer.finish, len(row.ids)
            row.ids[:] = answer.ids
            if len(row.ids) != before:
                row.seconds = time.perf_counter() - self.started
            if finish:
                row.finished, row.stop_reason = True, "length" if finish == "length" else "end"

    def close(self) -> None:
        self.stopped.set()
        for row in self.rows:
            if not row.finished:
                row.stop_reason = "stopped"

    def _follow(self, asked: Asked, answers: list[_Answer]) -> None:
        """Read what comes for some rows; where it breaks off, once more from the start."""
        try:
            for last in (False, True):
                try:
                    self._receive(asked, answers)
                    break
                except BrokeOffError as error:
                    if last:
                        raise UserError(
                            f"{self.backend.where} went away ({reason(error)}); start it again, "
                            "and ask again."
                        ) from error
        except Exception as error:  # it is told where somebody waits for it
            self.error = error
        self.news.set()

    def _receive(self, asked: Asked, answers: list[_Answer]) -> None:
        for answer in answers:
            answer.ids.clear()
        for number, ids, finish in self.backend.pieces(asked, self.stopped):
            answers[number].ids += ids
            answers[number].finish = finish or answers[number].finish
            self.news.set()
        if not self.stopped.is_set() and not all(answer.finish for answer in answers):
            raise BrokeOffError("the answer broke off")
