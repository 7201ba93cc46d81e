"""Answers written by a vLLM engine of this process, which is sent thoughts and token ids mixed.

The engine's own processes are children of this one and end with it. It reads the base from where
the copy here was loaded, and embeds tokens itself: only at the slots are vectors sent to it. What
two prompts have in common before their slots is then read once.
"""

from __future__ import annotations

import asyncio
import atexit
import importlib.util
import itertools
import os
import queue
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import torch

from softcot.decoding.backend import Backend
from softcot.decoding.elsewhere import Asked, Elsewhere, Piece
from softcot.models.language_model import LanguageModel
from softcot.support.errors import UserError
from softcot.support.reading import reason

SETTINGS = {
    # Models have run here: a forked child would inherit their threads' locks without the threads.
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",  # standard output is for answers
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_CPU_KVCACHE_SPACE": "2",  # GiB; by default it takes half of the machine
}
"""The engine's variables, where the user decided nothing."""

SHARE = 0.85
"""Of a GPU's memory that is free when the engine starts: this process goes on using the rest."""

MISSING = (
    "vLLM is not installed in this Python; install it here as docs/serving.md says, or start it as "
    "a server and name that with --base-url, such as http://localhost:8000/v1."
)


def check_installed() -> None:
    """Refuse an engine that is not there, before anything is loaded.

    Raises:
        UserError: vLLM is not installed.
    """
    found = importlib.util.find_spec("vllm")
    if found is None or found.origin is None:  # a mere folder of that name is a package, too
        raise UserError(MISSING)


class VllmInside(Elsewhere):
    """A backend whose rows are written by an engine of this process.

    Args:
        base: The model that it shall have.
        options: What vLLM's `AsyncEngineArgs` takes, such as `tensor_parallel_size`.
        local: What runs the models here: the assistant, above all.

    Raises:
        UserError: vLLM is not installed, or cannot have the base.
    """

    where = "The engine in this process"
    advice = "give it more by --engine '{\"max_model_len\": ...}'"

    def __init__(
        self,
        base: LanguageModel,
        options: Mapping[str, Any] | None = None,
        local: Backend | None = None,
    ):
        super().__init__(base, local)
        check_installed()
        if base.quantize is not None:
            raise UserError("vLLM reads the base as it is in its files; leave out --quantize.")
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        self._numbers = itertools.count()
        self._loop = asyncio.new_event_loop()
        threading.Thread(
            target=self._loop.run_forever, name="softcot-vllm-loop", daemon=True
        ).start()
        self._engine = self._started(usual_options(base) | dict(options or {}))
        atexit.register(self.close)
        self.context = min(self._engine.model_config.max_model_len, base.context)
        import vllm

        self.versions = {"vllm": vllm.__version__}
        if not self.has_base(self._likeliest):
            self.close()
            raise UserError(
                f"vLLM goes on from a few texts otherwise than the base {base.name} does here; "
                "use --backend local for it."
            )

    def _started(self, options: dict[str, Any]) -> Any:
        """The engine with these options; it takes a minute."""

        async def start() -> Any:
            from vllm.engine.arg_utils import AsyncEngineArgs
            from vllm.v1.engine.async_llm import AsyncLLM

            return AsyncLLM.from_engine_args(AsyncEngineArgs(**options))

        try:
            return self._awaited(start())
        except Exception as error:  # of many kinds, from its libraries and its children
            raise UserError(
                f"vLLM cannot start with {options['model']} ({reason(error)}); change it with "
                "--engine, or use --backend local."
            ) from error

    def close(self) -> None:
        """End the engine and its processes; whoever waits for an answer is told."""
        atexit.unregister(self.close)
        self._engine.shutdown()
        self._engine = None  # its own last words need modules that are gone at the very end
        self._loop.call_soon_threadsafe(self._loop.stop)

    def pieces(self, asked: Asked, stopped: threading.Event) -> Iterator[Piece]:
        """What the engine writes; see `Elsewhere.pieces`."""
        news: queue.SimpleQueue[Piece | Exception | None] = queue.SimpleQueue()

        async def read() -> None:
            try:
                async for piece in self._written(asked):
                    news.put(piece)
                news.put(None)
            except Exception as error:
                news.put(error)

        reading = asyncio.run_coroutine_threadsafe(read(), self._loop)
        try:
            while not stopped.is_set():
                try:
                    piece = news.get(timeout=0.1)  # whoever stops it waits no longer than that
                except queue.Empty:
                    continue
                if piece is None:
                    return
                if isinstance(piece, Exception):
                    raise UserError(
                        f"{self.where} cannot go on ({reason(piece)}); start this program again "
                        "if it was ended, or use --backend local."
                    ) from piece
                yield piece
        finally:
            reading.cancel()  # which is how the engine learns that nobody wants any more

    async def _written(self, asked: Asked) -> AsyncIterator[Piece]:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        rules = SamplingParams(
            **asked.rules(sorted(self.base.end_ids)),
            output_kind=RequestOutputKind.DELTA,
            detokenize=False,
        )
        name = f"softcot-{next(self._numbers)}"
        async for output in self._engine.generate(mixed(asked), rules, name):
            for sample in output.outputs:
                yield sample.index, list(sample.token_ids), sample.finish_reason or ""

    def _likeliest(self, ids: list[int]) -> tuple[int, float] | None:
        async def ask() -> tuple[int, float]:
            from vllm import SamplingParams

            rules = SamplingParams(max_tokens=1, temperature=0.0, logprobs=1, detokenize=False)
            name = f"softcot-{next(self._numbers)}"
            async for output in self._engine.generate({"prompt_token_ids": ids}, rules, name):
                sample = output.outputs[0]
            token = sample.token_ids[0]
            return token, sample.logprobs[0][token].logprob

        return self._awaited(ask())

    def _awaited(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def usual_options(base: LanguageModel) -> dict[str, Any]:
    """What `AsyncEngineArgs` is told where the user decided nothing."""
    options = {
        "model": base.model.name_or_path,
        "revision": base.revision or None,
        "dtype": base.numbers,
        "max_model_len": base.context,
        "enable_prompt_embeds": True,
        "disable_log_stats": True,
    }
    if base.device.type != "cuda":
        return options | {"enforce_eager": True}  # compiled code wants a compiler, and minutes
    free, whole = torch.cuda.mem_get_info(base.device)
    return options | {"gpu_memory_utilization": round(SHARE * free / whole, 3)}


def mixed(asked: Asked) -> dict[str, Any]:
    """A prompt as vLLM reads it: token ids, and vectors at the slots alone.

    The other rows of the vectors are zeros, so that prompts with the same beginning have the same
    hashes there, and it is read once.
    """
    if asked.ids is None:
        return {"prompt_embeds": asked.embeds}
    if asked.plain:
        return {"prompt_token_ids": list(asked.ids)}
    return {
        "prompt_token_ids": list(asked.ids),
        "prompt_embeds": asked.embeds.masked_fill(~asked.slots[:, None], 0),
        "prompt_is_token_ids": (~asked.slots).tolist(),
    }
