"""The server: OpenAI's routes, health, readiness and metrics around a `Serving`."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import threading
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from softcot.decoding.engine import Engine, Full
from softcot.serving.answering import NoSuchModel, Piece, Serving, Step
from softcot.serving.metrics import Metrics
from softcot.serving.requests import AnswerRequest, read_request
from softcot.support.errors import UserError

T = TypeVar("T")

LOG = logging.getLogger(__name__)

MOST_BYTES = 256 * 1024
"""Size of a request: far more than any question, and far less than a tensor."""

KEPT = 75
"""Seconds that an idle connection is kept: longer than load balancers, which use it again, do."""

THREAD = "softcot-serving"
"""Name of the threads that are started here."""

JSON = "application/json"
EVENTS = "text/event-stream"


class TooLarge(UserError):
    """A request of more than `MOST_BYTES`."""


class Forbidden(UserError):
    """A request without the key."""


STATUSES: tuple[tuple[type[Exception], int, str, str | None], ...] = (
    (Forbidden, 401, "authentication_error", "invalid_api_key"),
    (NoSuchModel, 404, "invalid_request_error", "model_not_found"),
    (TooLarge, 413, "invalid_request_error", "request_too_large"),
    (Full, 429, "rate_limit_error", "queue_full"),
    (UserError, 400, "invalid_request_error", None),
)
"""What became wrong -> status, and type and code in OpenAI's words; the first that fits."""


def refusal(error: Exception) -> JSONResponse:
    """An error as OpenAI's clients read it."""
    for kind, status, name, code in STATUSES:
        if isinstance(error, kind):
            later = {}
            if isinstance(error, Full):
                later = {"Retry-After": str(max(1, round(error.seconds)))}
            return JSONResponse(_error(str(error), name, code), status, headers=later)
    if isinstance(error, HTTPException):
        said = _error(str(error.detail), "invalid_request_error", None)
        return JSONResponse(said, error.status_code)
    said = _error("The server failed; its log says more.", "server_error", None)
    return JSONResponse(said, 500)


def _error(message: str, name: str, code: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": name, "param": None, "code": code}}


async def streamed(
    work: Callable[[threading.Event], Iterator[T]], stopped: threading.Event
) -> AsyncGenerator[T]:
    """What a thread computes, as it comes.

    Args:
        work: Gets the event, to look at itself before it computes more.
        stopped: Set to end it; closing what is returned does the same.
    """
    loop, ended = asyncio.get_running_loop(), object()
    told: asyncio.Queue[Any] = asyncio.Queue()

    def tell(news: Any) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(told.put_nowait, news)

    def run() -> None:
        try:
            with closing(work(stopped)) as steps:  # type: ignore[type-var]
                for one in steps:
                    if stopped.is_set():
                        break
                    tell(one)
            tell(ended)
        except Exception as error:
            tell(error)

    threading.Thread(target=run, name=THREAD, daemon=True).start()
    try:
        while (news := await told.get()) is not ended:
            if isinstance(news, Exception):
                raise news
            yield news
    finally:
        stopped.set()


@asynccontextmanager
async def _hung_up(request: Request, left: threading.Event) -> AsyncIterator[None]:
    """Meanwhile a client that hangs up sets the event; nobody else may receive from it."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        left.set()

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()


@dataclass
class _Reply:
    """One answer on its way, in the form that its client reads."""

    request: AnswerRequest
    left: threading.Event = field(default_factory=threading.Event)
    """Set once its client has hung up, or wants no more."""
    begun: float = field(default_factory=time.perf_counter)
    first: float | None = None
    """Seconds until the first token."""
    last: Step = Step()
    finished: int = 0
    """Answers that have ended."""

    def __post_init__(self) -> None:
        kind = "chatcmpl" if self.request.chat else "cmpl"
        self.id = f"{kind}-{uuid.uuid4().hex}"
        self.created = int(time.time())

    def follow(self, step: Step) -> None:
        """Note how far it is."""
        if step.place is None:
            self.last = step
            self.finished += sum(piece.finish is not None for piece in step.pieces)
            if self.first is None:
                self.first = time.perf_counter() - self.begun

    @property
    def is_whole(self) -> bool:
        """Whether all of it was written."""
        return self.finished == self.request.samples

    def head(self, stream: bool) -> dict[str, Any]:
        """What every message begins with."""
        kind = "text_completion"
        if self.request.chat:
            kind = "chat.completion.chunk" if stream else "chat.completion"
        made = {"id": self.id, "object": kind, "created": self.created}
        return made | {"model": self.request.model}

    def usage(self) -> dict[str, int]:
        """Tokens that were read and written."""
        read, written = self.last.prompt_tokens, self.last.written_tokens
        return {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
        }

    def chunk(self, piece: Piece) -> dict[str, Any]:
        """A piece of an answer, as a choice of a stream."""
        choice: dict[str, Any] = {"index": piece.number, "finish_reason": piece.finish}
        if self.request.chat:
            choice |= {"delta": {"content": piece.text}}
        else:
            choice |= {"text": piece.text}
        return choice | {"logprobs": None}

    def choice(self, number: int, text: str, finish: str | None) -> dict[str, Any]:
        """An answer as a whole."""
        choice: dict[str, Any] = {"index": number, "finish_reason": finish, "logprobs": None}
        if self.request.chat:
            return choice | {"message": {"role": "assistant", "content": text, "refusal": None}}
        return choice | {"text": text}


class Server:
    """The routes of one served pair.

    Args:
        serving: What answers.
        key: What clients have to send, if anything.
    """

    def __init__(self, serving: Serving, key: str | None = None):
        self.serving, self.key = serving, key
        self.metrics, self.started = Metrics(), int(time.time())

    def app(self) -> FastAPI:
        """The application, for any ASGI server."""

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            yield
            if isinstance(self.serving.backend, Engine):
                await asyncio.to_thread(self.serving.backend.close)

        app = FastAPI(title="SoftCoT", lifespan=lifespan, openapi_url=None)
        app.add_api_route("/v1/models", self.models, methods=["GET"])
        app.add_api_route("/v1/models/{name:path}", self.model, methods=["GET"])
        app.add_api_route("/v1/chat/completions", self.chat, methods=["POST"])
        app.add_api_route("/v1/completions", self.completions, methods=["POST"])
        app.add_api_route("/healthz", self.health, methods=["GET"])
        app.add_api_route("/readyz", self.ready, methods=["GET"])
        app.add_api_route("/metrics", self.measured, methods=["GET"])
        for kind in (UserError, HTTPException, Exception):
            app.add_exception_handler(kind, _refuse)
        return app

    async def health(self) -> Response:
        """Whether the process is well."""
        return JSONResponse({"status": "ok", "pair": self.serving.pair.name})

    async def ready(self) -> Response:
        """Whether another request would be taken; a load balancer asks this."""
        full = self._is_full()
        return JSONResponse({"status": "full" if full else "ready"}, 503 if full else 200)

    async def measured(self) -> Response:
        """What was counted."""
        return PlainTextResponse(self.metrics.text(self._now()), media_type="text/plain")

    async def models(self, request: Request) -> Response:
        """All models."""
        self._check_key(request)
        listed = [self._about(name) for name in self.serving.models]
        return JSONResponse({"object": "list", "data": listed})

    async def model(self, name: str, request: Request) -> Response:
        """One of them."""
        self._check_key(request)
        if name not in self.serving.models:
            raise NoSuchModel(f"There is no model {name!r} here; /v1/models lists them.")
        return JSONResponse(self._about(name))

    async def chat(self, request: Request) -> Response:
        """Answer a message."""
        return await self._guarded(request, chat=True)

    async def completions(self, request: Request) -> Response:
        """Answer a prompt, which is a question here."""
        return await self._guarded(request, chat=False)

    def _about(self, name: str) -> dict[str, Any]:
        made = {"id": name, "object": "model", "created": self.started}
        return made | {"owned_by": "softcot"}

    def _check_key(self, request: Request) -> None:
        sent = request.headers.get("authorization", "")
        if self.key and not hmac.compare_digest(sent.encode(), f"Bearer {self.key}".encode()):
            raise Forbidden("This server asks for a key; send it as a bearer token.")

    def _is_full(self) -> bool:
        backend = self.serving.backend
        waiting = isinstance(backend, Engine) and backend.load().waiting >= backend.most_waiting
        return waiting or self.serving.running >= self.serving.most

    def _now(self) -> dict[str, int]:
        running, backend = {"requests": self.serving.running}, self.serving.backend
        if isinstance(backend, Engine):
            load = backend.load()
            running |= {"rows": load.rows, "waiting": load.waiting}
        return running

    async def _guarded(self, request: Request, chat: bool) -> Response:
        """Answer, or say that it failed; raised further, it would cost the client's connection."""
        try:
            return await self._answer(request, chat)
        except UserError:
            raise
        except Exception as error:
            LOG.exception("A request failed.")
            return refusal(error)

    async def _answer(self, request: Request, chat: bool) -> Response:
        self._check_key(request)
        asked = read_request(await _body(request), chat)
        # Programs behind one address share what a visitor has.
        visitor = request.client.host if request.client else ""
        reply = _Reply(asked)
        steps = streamed(partial(self.serving.answer, asked, visitor), reply.left)
        async with _hung_up(request, reply.left):
            try:
                first = await anext(steps, None)  # what is refused, before any word is sent
            except Exception as error:
                model = asked.model if asked.model in self.serving.models else "unknown"
                self.metrics.ended(model, "refused" if isinstance(error, UserError) else "failed")
                raise
            if first is None:  # nobody is there to read it
                self.metrics.ended(asked.model, "left")
                return Response()
            if not asked.stream:
                return await self._whole(reply, first, steps)
        return StreamingResponse(self._events(reply, first, steps), media_type=EVENTS)

    async def _followed(
        self, reply: _Reply, first: Step, steps: AsyncGenerator[Step]
    ) -> AsyncGenerator[Step]:
        """The steps of an answer, which is counted in the end, however it ends."""
        outcome = "left"
        try:
            async with aclosing(steps):
                reply.follow(first)
                yield first
                async for step in steps:
                    reply.follow(step)
                    yield step
            outcome = "answered" if reply.is_whole else "left"
        except Exception:
            outcome = "failed"
            raise
        finally:
            whole, last = time.perf_counter() - reply.begun, reply.last
            self.metrics.ended(reply.request.model, outcome)
            self.metrics.took(last.prompt_tokens, last.written_tokens, reply.first, whole)

    async def _events(
        self, reply: _Reply, first: Step, steps: AsyncGenerator[Step]
    ) -> AsyncGenerator[str]:
        """An answer as server-sent events; comments say the place of whoever waits."""
        head = reply.head(stream=True)
        try:
            if reply.request.chat:
                role = {"delta": {"role": "assistant", "content": ""}, "finish_reason": None}
                numbers = range(reply.request.samples)
                yield _event(head | {"choices": [{"index": n} | role for n in numbers]})
            async with aclosing(self._followed(reply, first, steps)) as followed:
                async for step in followed:
                    if step.place is not None:
                        yield f": {step.place}\n\n"
                    for piece in step.pieces:
                        yield _event(head | {"choices": [reply.chunk(piece)]})
        except Exception as error:  # the status is sent already
            if not isinstance(error, UserError):
                LOG.exception("A request failed.")
            yield f"data: {bytes(refusal(error).body).decode()}\n\n"
            return
        if reply.request.usage:
            yield _event(head | {"choices": [], "usage": reply.usage()})
        yield "data: [DONE]\n\n"

    async def _whole(self, reply: _Reply, first: Step, steps: AsyncGenerator[Step]) -> Response:
        """An answer as one message."""
        texts = [""] * reply.request.samples
        ends: list[str | None] = [None] * reply.request.samples
        async with aclosing(self._followed(reply, first, steps)) as followed:
            async for step in followed:
                for piece in step.pieces:
                    texts[piece.number] += piece.text
                    ends[piece.number] = piece.finish
        choices = [reply.choice(n, *both) for n, both in enumerate(zip(texts, ends, strict=True))]
        return JSONResponse(reply.head(stream=False) | {"choices": choices, "usage": reply.usage()})


async def _body(request: Request) -> bytes:
    """The body of a request, as far as it is one.

    Raises:
        TooLarge: It is longer than any question.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise TooLarge(f"A request has at most {MOST_BYTES} bytes.")
    return bytes(body)


def _event(message: dict[str, Any]) -> str:
    return f"data: {json.dumps(message, ensure_ascii=False)}\n\n"


async def _refuse(_: Request, error: Exception) -> Response:
    return refusal(error)


def configuration(server: Server, host: str, port: int) -> uvicorn.Config:
    """How the routes are served."""
    return uvicorn.Config(
        server.app(), host.strip("[]"), port, log_level="warning", timeout_keep_alive=KEPT
    )


def serve(server: Server, host: str, port: int, ready: Callable[[], None]) -> None:
    """Serve until somebody ends it.

    Args:
        server: The routes.
        host: Address to listen on.
        port: And its port.
        ready: Called once it listens.
    """

    class Announced(uvicorn.Server):
        async def startup(self, *args: Any, **options: Any) -> None:
            await super().startup(*args, **options)
            ready()

    Announced(configuration(server, host, port)).run()
