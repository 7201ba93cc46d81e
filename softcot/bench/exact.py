"""Whether the engine writes what transformers' own `generate` writes, on a real model."""

import time

from softcot.bench import reference
from softcot.bench.measuring import Side
from softcot.bench.setting import Found, Setting
from softcot.bench.shapes import get_pair
from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling, decode, finish
from softcot.methods import get_method
from softcot.methods.softcot import SoftCoT
from softcot.thoughts.pair import Pair
from softcot.thoughts.projection import Projection

PROBLEMS, QUICK_PROBLEMS = 20, 2
THOUGHTS = (0, 8)
TOKENS, QUICK_TOKENS = 32, 6
BATCH = 4
"""Problems that the engine answers together; `generate` is asked for one at a time."""


def measure(pair: Pair, setting: Setting) -> Found:
    """Greedy answers in fp32, with K = 0 and K = 8 through a projection that nobody trained."""
    pair = get_pair(setting.pair | {"dtype": "float32"}, setting.shape)
    pair = pair.using(Projection.for_pair(pair, setting.task))
    task, longest = get_task(setting.task), QUICK_TOKENS if setting.quick else TOKENS
    problems = task.problems("test", QUICK_PROBLEMS if setting.quick else PROBLEMS)
    method = get_method("softcot", pair, task)
    assert isinstance(method, SoftCoT)
    sides: dict[str, Side] = {}
    ratios, done = [], 0
    for k in THOUGHTS:
        ours, theirs = Side([0.0]), Side([0.0])
        same = 0
        for start in range(0, len(problems), BATCH):
            setting.progress(f"K = {k}", done, len(THOUGHTS) * len(problems))
            batch = problems[start : start + BATCH]
            started = time.perf_counter()
            prompt = method.prepare(batch, k)
            rows = finish(decode(pair.base, prompt, Sampling(max_new_tokens=longest)))
            ours.seconds[0] += time.perf_counter() - started
            started = time.perf_counter()
            expected = [
                reference.answer(pair, method.weights, problem, k, longest, task)
                for problem in batch
            ]
            theirs.seconds[0] += time.perf_counter() - started
            same += sum(row.ids == ids for row, ids in zip(rows, expected, strict=True))
            done += len(batch)
        sides |= {f"engine, K = {k}": ours, f"generate, K = {k}": theirs}
        what = (
            f"Greedy answers in fp32 of {len(problems)} that are `generate`'s, token by token, "
            f"K = {k}"
        )
        ratios.append({"what": what, "value": same, "goal": len(problems), "better": "more"})
    setting.progress("", done, done)
    return Found(sides, ratios, {"problems": len(problems), "longest": longest, "batch": BATCH})
