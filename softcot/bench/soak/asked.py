"""What the clients of a soak ask: some distinct requests, each of which has one right answer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from softcot.data.tasks import get_task
from softcot.support.presets import DEFAULT_THOUGHTS

TASKS = ("mini-gsm", "mini-aqua", "mini-strategy")
QUESTIONS = 4
"""Of each task."""

LONGEST, SHORT = 64, 12
"""Tokens of the longest answer, and of short ones."""

Way = Literal["get", "whole", "stream", "call", "join"]
"""How it is asked. Of `serve`: a page that is read, an answer as one message or as a stream. Of the
app: as any HTTP client calls an endpoint, or as the page and `gradio_client` do."""


@dataclass(frozen=True)
class Ask:
    """One request."""

    kind: str
    """What it is counted as."""
    way: Way
    where: str
    """Path of a route, or name of an endpoint."""
    said: Mapping[str, Any] | Sequence[Any] = ()
    """Fields, or the values of an endpoint's parameters in order."""
    often: int = 1
    """How often it is asked, compared with others."""


def app_requests() -> list[Ask]:
    """Every endpoint of the app."""
    return [*_compared(), *_other()]


def _compared() -> Iterator[Ask]:
    """Comparisons: greedy, sampled, and several samples that vote."""
    methods = "zero-shot-cot softcot"
    for number, (task, question) in enumerate(_questions()):
        usual = [question, task, DEFAULT_THOUGHTS, "", ""]
        way: Way = "join" if number % 2 else "call"
        yield Ask(f"compare, {way}", way, "compare", [*usual, 0.0, 1.0, 41, LONGEST], 4)
        sampled = [*usual, 0.8, 0.95, number, LONGEST]
        yield Ask("compare, sampled", way, "compare", sampled, 2)
        if number < len(TASKS):
            votes = [*usual, 1.0, 1.0, number, SHORT, 3, methods]
            yield Ask("compare, votes", way, "compare", votes)


def _other() -> Iterator[Ask]:
    for number, (task, question) in enumerate(_questions(2)):
        yield Ask("intervene", "call", "intervene", [question, "zero:1-4", task, ""], 1)
        yield Ask("thoughts", "call", "thoughts", [question, task, 4], 2)
        yield Ask("problem", "call", "problem", [task, number], 2)
    yield Ask("sweep", "call", "sweep", ["mini-gsm", 2, 8])


def newcomers() -> list[Ask]:
    """Comparisons with short answers."""
    usual = [DEFAULT_THOUGHTS, "", "", 0.0, 1.0, 41, SHORT]
    return [Ask("newcomer", "call", "compare", [q, task, *usual]) for task, q in _questions()]


def serve_requests(models: Sequence[str]) -> list[Ask]:
    """Every route of `serve`; `models` are those that are asked."""
    asked = [Ask("models", "get", "/v1/models", often=4), Ask("health", "get", "/healthz", often=4)]
    for number, (task, question) in enumerate(_questions()):
        model = models[number % len(models)]
        usual = {"model": model, "task": task, "k": DEFAULT_THOUGHTS, "max_tokens": LONGEST}
        for stream in (False, True):
            way: Way = "stream" if stream else "whole"
            chat = usual | {"messages": [{"role": "user", "content": question}], "stream": stream}
            asked.append(Ask(f"chat, {way}", way, "/v1/chat/completions", chat, 3))
            sampled = chat | {"temperature": 0.8, "top_p": 0.95, "seed": number}
            asked.append(Ask(f"chat, sampled, {way}", way, "/v1/chat/completions", sampled, 2))
            several = usual | {"prompt": question, "n": 2, "seed": number, "max_tokens": SHORT}
            several["stream"] = stream
            asked.append(Ask(f"completions, {way}", way, "/v1/completions", several, 2))
    return asked


def _questions(each: int = QUESTIONS) -> Iterator[tuple[str, str]]:
    """Questions of all tasks, in turns."""
    drawn = {name: get_task(name).problems("test", each) for name in TASKS}
    for number in range(each):
        for task in TASKS:
            yield task, drawn[task][number].question
