"""A vLLM server against this process: the same words, and how many answers a second."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from softcot.bench.evaluate import projection_of
from softcot.bench.measuring import Side, interleaved
from softcot.bench.setting import Found, Setting
from softcot.data.tasks import get_task
from softcot.decoding.backend import Alone, Backend
from softcot.decoding.decoder import Sampling
from softcot.decoding.vllm import Vllm
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.methods import METHODS
from softcot.support.errors import UserError
from softcot.support.presets import CHAT_NEW_TOKENS, MAX_NEW_TOKENS, is_laboratory
from softcot.thoughts.pair import Pair

ASKED = ("zero-shot-cot", "softcot")
"""Methods: one whose prompts are token ids, and one with thoughts among them."""

PROBLEMS, REAL_PROBLEMS, QUICK_PROBLEMS, QUICK_TOKENS = 1000, 200, 3, 4
"""Problems of the laboratory's pairs and of others, each answered by both; and as a test."""


def measure(pair: Pair, setting: Setting) -> Found:
    """Answer the same problems in turns here and by the server.

    Raises:
        UserError: No server is named, or it cannot be used.
    """
    if setting.base_url is None:
        raise UserError("Name the server with --base-url, such as http://localhost:8000/v1.")
    own = is_laboratory(pair.name)
    pair = pair.using(projection_of(pair, setting.task))
    many = QUICK_PROBLEMS if setting.quick else PROBLEMS if own else REAL_PROBLEMS
    longest = QUICK_TOKENS if setting.quick else MAX_NEW_TOKENS if own else CHAT_NEW_TOKENS
    task = get_task(setting.task)
    problems = task.problems("test", many)
    server = Vllm(pair.base, setting.base_url)
    ways: dict[str, Backend] = {"here": Alone(), "vLLM": server}
    said: dict[str, list[tuple[str, int]]] = {}

    def answer(way: str, method: str) -> None:
        asked = Protocol(method, sampling=Sampling(max_new_tokens=longest))
        record = evaluate(pair, task, asked, problems, backend=ways[way])
        said[f"{way}, {method}"] = [(row.text, row.tokens) for row in record.rows]

    work = {f"{way}, {name}": partial(answer, way, name) for name in ASKED for way in ways}
    sides = interleaved(work, setting.rounds, pair.base.device, setting.progress)
    for name, side in sides.items():
        side.extra = {"answers": many, "tokens": sum(tokens for _, tokens in said[name])}
    settings = {"problems": many, "longest": longest, "vllm": server.versions["vllm"]}
    ratios = [one for name in ASKED for one in _ratios(pair.name, name, sides, said)]
    return Found(sides, ratios, settings)


def _ratios(
    pair: str, name: str, sides: dict[str, Side], said: dict[str, list[tuple[str, int]]]
) -> Iterator[dict[str, Any]]:
    """Of one method: answers with the same words, and the time of the one against the other."""
    here, there = f"here, {name}", f"vLLM, {name}"
    pairs = list(zip(said[here], said[there], strict=True))
    same, many = sum(ours == theirs for ours, theirs in pairs), len(pairs)
    faster = sides[here].median / sides[there].median
    title = f"{METHODS[name].title} of {pair}"
    for what, value, goal in (
        (f"{title}: of {many} answers by vLLM, those with the words of here", same, many),
        (f"{title}: answers a second by vLLM, against here", faster, None),
    ):
        yield {"what": what, "value": value, "goal": goal, "better": "more"}
