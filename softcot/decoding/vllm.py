"""Answers written by a vLLM server: prompts go out as embeddings, and tokens come back.

Soft thoughts need nothing of an engine but that: the assistant, the projection and the splice stay
here, and so does a copy of the base, whose embeddings the prompts are made of. The server shares
its steps between all requests by itself.

Start one with `--enable-prompt-embeds`. It trusts whoever may send embeddings, so it belongs behind
this program and not on the open net.
"""

from __future__ import annotations

import base64
import io
import json
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import httpx
import torch

from softcot.decoding.backend import Alone, Backend, Place, Session
from softcot.decoding.decoder import Completion, Sampling, number_of
from softcot.models.batches import PromptEmbeds
from softcot.models.cache import empty_cache
from softcot.models.language_model import LanguageModel
from softcot.support.errors import UserError
from softcot.support.network import direct
from softcot.support.reading import reason

T = TypeVar("T")

KEY_VARIABLE = "VLLM_API_KEY"
"""The server's own name for the key that it asks for."""

PROBES = ("The capital of France is", "2 + 3 =", "Anna has 12 apples. She buys", "def main(")
"""Texts whose next token, and how likely it is, tells one model from another."""

NEAR = 0.25
"""Nats by which two engines may differ on one model's next token; bf16 costs most of it."""

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between tries while a server does not answer, or is full."""

BUSY = (429, 503)
"""Statuses of a server that is full, or still starting."""

SILENCE = 120.0
"""Seconds without a word after which a server is given up."""

OWN_WEIGHTS = (
    "The server has the base as it is, and {name} is written with other weights; use --backend "
    "local for that."
)


@dataclass
class _Answer:
    """What a reader has received for one row."""

    ids: list[int] = field(default_factory=list)
    finish: str = ""


class Vllm:
    """A backend whose rows are written by a server; all else is done by another backend.

    Args:
        base: The model that the server has.
        url: Of its OpenAI interface, such as `http://host:8000/v1`.
        key: What it asks for, if anything; by default the variable `VLLM_API_KEY`.
        local: What runs the models here: the assistant, above all.

    Raises:
        UserError: The server is not reached, or has no such base, or takes no embeddings.
    """

    def __init__(
        self, base: LanguageModel, url: str, key: str | None = None, local: Backend | None = None
    ):
        self.base, self.url = base, url.rstrip("/")
        self.local = local or Alone()
        key = key or os.environ.get(KEY_VARIABLE)
        address = _checked(self.url)
        if address.host in ("localhost", "127.0.0.1", "::1"):
            direct(address.host)
        self.client = httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(SILENCE, connect=5.0),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
        )
        self.model, self.context = self._served()
        self.versions = {"vllm": self._version()}
        self._check_base()
        self._check_embeddings()

    # What every backend can.

    @contextmanager
    def session(
        self, rows: int = 1, visitor: str = "", ended: threading.Event | None = None
    ) -> Iterator[Session]:
        """A request; the server has its own queue."""
        session = _RemoteSession(self)
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
        """Why the server cannot write with a model; empty where it can."""
        return "" if lm.model is self.base.model else OWN_WEIGHTS.format(name=lm.name)

    # What is said to the server.

    def posted(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request, as a whole.

        Raises:
            UserError: The server refuses it, or cannot be reached.
        """
        response = self._tried(lambda: self.client.post(f"{self.url}/completions", json=payload))
        return self._read(response)

    def streamed(
        self, payload: dict[str, Any], stopped: threading.Event
    ) -> Iterator[dict[str, Any]]:
        """The events of a request, until it ends or the event is set.

        Raises:
            UserError: The server refuses it, or cannot be reached.
            httpx.TransportError: The connection broke on the way.
        """
        request = self.client.build_request("POST", f"{self.url}/completions", json=payload)
        response = self._tried(lambda: self.client.send(request, stream=True), stopped)
        try:
            if response.status_code != 200:
                response.read()
                self._read(response)
            for line in response.iter_lines():
                if stopped.is_set() or line == "data: [DONE]":
                    return
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))
        finally:
            response.close()  # which is how the server learns that nobody wants any more

    def _tried(
        self, send: Callable[[], httpx.Response], stopped: threading.Event | None = None
    ) -> httpx.Response:
        """Send something, again after a while where the server is full or not there yet."""
        stopped = stopped or threading.Event()
        for pause in (*PAUSES, None):
            try:
                response, failure = send(), None
            except httpx.TransportError as error:
                response, failure = None, error
            if response is not None and response.status_code not in BUSY:
                return response
            if pause is None or stopped.is_set():
                break
            if response is not None:
                asked = response.headers.get("retry-after", "")
                pause = max(pause, float(asked)) if asked.isdigit() else pause
                response.close()
            stopped.wait(pause)
        why = reason(failure) if failure else "it is full"
        raise UserError(
            f"The server at {self.url} cannot be asked ({why}); start it, wait for it, or use "
            "--backend local."
        ) from failure

    def _read(self, response: httpx.Response) -> dict[str, Any]:
        if response.status_code in (401, 403):
            raise UserError(
                f"The server at {self.url} asks for a key; put it into the variable {KEY_VARIABLE}."
            )
        try:
            found = response.json()
            if response.status_code == 200 and isinstance(found, dict):
                return found
            said = found["error"]["message"] if "error" in found else found["message"]
        except (ValueError, KeyError, TypeError):
            said = f"status {response.status_code}"
        raise UserError(f"The server at {self.url} refuses: {' '.join(str(said).split())[:300]}")

    def _served(self) -> tuple[str, int]:
        """Name and context of the server's model."""
        found = self._read(self._tried(lambda: self.client.get(f"{self.url}/models")))
        models = found.get("data") or []
        if not models:
            raise UserError(f"The server at {self.url} has no model; start it with the base.")
        context = models[0].get("max_model_len") or self.base.context
        return str(models[0]["id"]), min(int(context), self.base.context)

    def _version(self) -> str:
        """The server's own, where it says."""
        try:
            return str(self.client.get(f"{self.url.removesuffix('/v1')}/version").json()["version"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return "unknown"

    def _check_base(self) -> None:
        """Refuse another model than the base: what it would be sent means nothing to it."""
        for text in PROBES:
            ids = self.base.prompts.text(text)
            asked = {"prompt": ids, "max_tokens": 1, "temperature": 0.0, "logprobs": 1}
            try:
                choice = self._next(asked)
                token, said = choice["token_ids"][0], choice["logprobs"]["token_logprobs"][0]
            except UserError as error:
                if "refuses" not in str(error):
                    raise
                token, said = 0, 0.0  # such as for tokens that it does not have
            known = self.local.run(partial(_next_logprobs, self.base, ids))
            if token >= len(known) or abs(known[token].item() - said) > NEAR:
                raise UserError(
                    f"The server at {self.url} has the model {self.model}, which is another one "
                    f"than the base {self.base.name} here; start it with that, or choose its pair."
                )

    def _check_embeddings(self) -> None:
        """Refuse a server that takes no embeddings."""
        ids = torch.tensor(self.base.prompts.text(PROBES[0]))
        asked = {"prompt_embeds": packed(self.base.embed(ids)), "max_tokens": 1, "temperature": 0.0}
        try:
            self._next(asked)
        except UserError as error:
            raise UserError(
                f"The server at {self.url} takes no prompt embeddings ({error}); start it with "
                "--enable-prompt-embeds."
            ) from error

    def _next(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The first choice for a request of one token."""
        found = self.posted({"model": self.model, "return_token_ids": True} | asked)
        choice = found["choices"][0]
        if not choice.get("token_ids"):
            raise UserError(
                f"The server at {self.url} does not say which tokens it wrote; use a newer vLLM."
            )
        return dict(choice)


def _checked(url: str) -> httpx.URL:
    """The parts of an address.

    Raises:
        UserError: It is none.
    """
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise UserError(f"{url!r} is no address ({reason(error)}).") from error
    if address.scheme not in ("http", "https") or not address.host:
        raise UserError(f"{url!r} is no address of a server, such as http://localhost:8000/v1.")
    return address


@torch.inference_mode()
def _next_logprobs(lm: LanguageModel, ids: list[int]) -> torch.Tensor:
    """Log-probabilities (nats) of the next token, float32[V]."""
    row = torch.tensor([ids], device=lm.device)
    mask = torch.ones_like(row)
    positions = torch.arange(len(ids), device=lm.device)[None]
    return lm.next_logits(lm.embed(row), mask, positions, empty_cache(lm))[0].log_softmax(-1).cpu()


def packed(embeds: torch.Tensor) -> str:
    """Embeddings float[T, d] as the server reads them: what `torch.save` writes, in base64."""
    buffer = io.BytesIO()
    torch.save(embeds.detach().cpu().contiguous().clone(), buffer)
    return base64.b64encode(buffer.getvalue()).decode()


class _RemoteSession:
    """A request whose rows come from the server; a thread reads those of each prompt and seed."""

    def __init__(self, backend: Vllm):
        self.backend = backend
        self.rows: list[Completion] = []
        self.answers: list[_Answer] = []
        self.stopped, self.news = threading.Event(), threading.Event()
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
        own = range(len(prompt.prompt_tokens)) if row_seeds is None else row_seeds
        added: list[Completion] = []
        for number, (length, row_seed) in enumerate(zip(prompt.prompt_tokens, own, strict=True)):
            embeds = packed(prompt.embeds[number, -length:])
            room = self.backend.context - length
            if room < 1:
                raise UserError(
                    f"The prompt has {length} tokens, and the server takes "
                    f"{self.backend.context}; start it with a larger --max-model-len."
                )
            for seed in seeds or [sampling.seed]:
                asked = self._payload(sampling, min(sampling.max_new_tokens, room), samples)
                asked |= {"prompt_embeds": embeds, "seed": number_of(seed, row_seed) >> 32}
                answers = [_Answer() for _ in range(samples)]
                self.answers += answers
                threading.Thread(
                    target=self._follow, args=(asked, answers), name="softcot-vllm", daemon=True
                ).start()
                added += [Completion() for _ in answers]
        self.rows += added
        return added

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

    def _payload(self, sampling: Sampling, longest: int, samples: int) -> dict[str, Any]:
        """All that decides the words but the prompt; servers have defaults of their own."""
        return {
            "model": self.backend.model,
            "max_tokens": longest,
            "n": samples,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k or -1,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "stop_token_ids": sorted(self.backend.base.end_ids),
            "skip_special_tokens": False,
            "return_token_ids": True,
            "stream": True,
        }

    def _follow(self, asked: dict[str, Any], answers: list[_Answer]) -> None:
        """Read what comes for some rows; where the connection breaks, once more from the start."""
        try:
            for last in (False, True):
                try:
                    self._receive(asked, answers)
                    break
                except httpx.TransportError as error:
                    if last:
                        raise UserError(
                            f"The server at {self.backend.url} went away ({reason(error)}); start "
                            "it again, and ask again."
                        ) from error
        except Exception as error:  # it is told where somebody waits for it
            self.error = error
        self.news.set()

    def _receive(self, asked: dict[str, Any], answers: list[_Answer]) -> None:
        for answer in answers:
            answer.ids.clear()
        for event in self.backend.streamed(asked, self.stopped):
            if "error" in event:
                raise UserError(f"The server at {self.backend.url} failed: {event['error']}")
            for choice in event.get("choices") or []:
                answer = answers[choice["index"]]
                answer.ids += choice.get("token_ids") or []
                answer.finish = choice.get("finish_reason") or answer.finish
            self.news.set()
        if not self.stopped.is_set() and not all(answer.finish for answer in answers):
            raise httpx.ReadError("the answer broke off")
