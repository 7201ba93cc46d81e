"""What bf16 changes: the same problems answered greedily in both, texts and answers compared."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from softcot.bench.measuring import Side
from softcot.bench.setting import Found, Setting
from softcot.bench.shapes import get_pair
from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.evaluation.records import Record
from softcot.models.precision import DTYPES
from softcot.thoughts.pair import Pair

PROBLEMS, QUICK_PROBLEMS = 200, 2
TOKENS, QUICK_TOKENS = 128, 6
BATCH = 16


def measure(pair: Pair, setting: Setting) -> Found:
    """Evaluate zero-shot chain-of-thought in fp32 and in bf16; a kill loses at most a batch."""
    task = get_task(setting.task)
    problems = task.problems("test", QUICK_PROBLEMS if setting.quick else PROBLEMS)
    longest = QUICK_TOKENS if setting.quick else TOKENS
    protocol = Protocol("zero-shot-cot", k=0, sampling=Sampling(max_new_tokens=longest))
    made: dict[str, Record] = {}
    for dtype in DTYPES:
        loaded = get_pair(setting.pair | {"dtype": dtype}, setting.shape)
        made[dtype] = evaluate(
            loaded,
            task,
            protocol,
            problems,
            batch_size=BATCH,
            partial=_partial(setting, dtype),
            progress=_named(setting.progress, dtype),
        )
        del loaded
    for dtype in DTYPES:  # not sooner: a kill must not lose the first one
        if file := _partial(setting, dtype):
            file.unlink(missing_ok=True)
    full, rounded = (made[dtype].rows for dtype in DTYPES)
    both = list(zip(full, rounded, strict=True))
    equal = {
        "Texts": sum(one.text == other.text for one, other in both),
        "Answers": sum(one.parsed == other.parsed for one, other in both),
        "Right or wrong": sum(one.correct == other.correct for one, other in both),
    }
    sides = {
        dtype: Side(
            [record.seconds],
            extra={
                "tokens": sum(row.tokens for row in record.rows),
                "accuracy": record.accuracy,
                "unread": record.parse_failures,
                "cut": record.cut,
            },
        )
        for dtype, record in made.items()
    }
    ratios = [
        {
            "what": f"{what} of {len(problems)} greedy answers that are equal in bf16 and fp32",
            "value": count,
            "goal": None,
            "better": "more",
        }
        for what, count in equal.items()
    ]
    return Found(sides, ratios, {"problems": len(problems), "longest": longest, "batch": BATCH})


def _partial(setting: Setting, dtype: str) -> Path | None:
    """Where the rows of an evaluation are kept until both are done."""
    place = setting.partial
    return place and place.with_name(f"{place.name}.{dtype}.partial")


def _named(progress: Callable[[str, int, int], None], name: str) -> Callable[[int, int], None]:
    return partial(progress, name)
