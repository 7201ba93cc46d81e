"""Answers written by a vLLM server, which is sent embeddings, or token ids where they say it all.

Start one with `--enable-prompt-embeds`. It trusts whoever may send embeddings, so it belongs behind
this program and not on the open net.
"""

from __future__ import annotations

import base64
import io
import json
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import torch

from softcot.decoding.backend import Backend
from softcot.decoding.elsewhere import PROBES, Asked, BrokeOffError, Elsewhere, Piece
from softcot.models.language_model import LanguageModel
from softcot.support.errors import UserError
from softcot.support.network import direct
from softcot.support.reading import reason

KEY_VARIABLE = "VLLM_API_KEY"
"""The server's own name for the key that it asks for."""

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between tries while a server does not answer, or is full."""

BUSY = (429, 503)
"""Statuses of a server that is full, or still starting."""

SILENCE = 120.0
"""Seconds without a word after which a server is given up."""


class Vllm(Elsewhere):
    """A backend whose rows are written by a server; all else is done by another backend.

    Args:
        base: The model that the server has.
        url: Of its OpenAI interface, such as `http://host:8000/v1`.
        key: What it asks for, if anything; by default the variable `VLLM_API_KEY`.
        local: What runs the models here: the assistant, above all.

    Raises:
        UserError: The server is not reached, or has no such base, or takes no embeddings.
    """

    advice = "start the server with a larger --max-model-len"

    def __init__(
        self, base: LanguageModel, url: str, key: str | None = None, local: Backend | None = None
    ):
        super().__init__(base, local)
        self.url = url.rstrip("/")
        self.where = f"The server at {self.url}"
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
        if not self.has_base(self._likeliest):
            raise UserError(
                f"The server at {self.url} has the model {self.model}, which is another one "
                f"than the base {base.name} here; start it with that, or choose its pair."
            )
        self._check_embeddings()

    def pieces(self, asked: Asked, stopped: threading.Event) -> Iterator[Piece]:
        """What the server writes; see `Elsewhere.pieces`."""
        payload = asked.rules(sorted(self.base.end_ids)) | {
            "model": self.model,
            "return_token_ids": True,
            "stream": True,
        }
        if asked.plain:
            payload["prompt"] = list(asked.ids or ())
        else:  # over this interface all of a prompt is embeddings, or none
            payload["prompt_embeds"] = packed(asked.embeds)
        try:
            for event in self.streamed(payload, stopped):
                if "error" in event:
                    raise UserError(f"The server at {self.url} failed: {event['error']}")
                for choice in event.get("choices") or []:
                    finish = choice.get("finish_reason") or ""
                    yield choice["index"], choice.get("token_ids") or [], finish
        except httpx.TransportError as error:
            raise BrokeOffError(reason(error)) from error

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

    def _likeliest(self, ids: list[int]) -> tuple[int, float] | None:
        asked = {"prompt": ids, "max_tokens": 1, "temperature": 0.0, "logprobs": 1}
        try:
            choice = self._next(asked)
            return choice["token_ids"][0], choice["logprobs"]["token_logprobs"][0]
        except UserError as error:
            if "refuses" not in str(error):
                raise
            return None  # such as for tokens that it does not have

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


def packed(embeds: torch.Tensor) -> str:
    """Embeddings float[T, d] as the server reads them: what `torch.save` writes, in base64."""
    buffer = io.BytesIO()
    torch.save(embeds.detach().cpu().contiguous().clone(), buffer)
    return base64.b64encode(buffer.getvalue()).decode()
