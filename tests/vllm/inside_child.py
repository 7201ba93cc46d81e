"""Run by `test_vllm_own_engine.py` in vLLM's own Python: what its engine does here, as JSON.

A file, since the engine's processes import the program that starts them.
"""

import json
import sys
import time

from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling
from softcot.decoding.vllm_inside import VllmInside
from softcot.evaluation.answering import ColumnRequest, answer_stream
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.thoughts.pair import load_pair


def texts(pair, task, method, backend=None):
    record = evaluate(
        pair, task, Protocol(method, k=None), task.problems("test", 20), backend=backend
    )
    return [row.text for row in record.rows]


def sampled(pair, task, backend):
    [problem], requests = task.problems("test", 1), [ColumnRequest("softcot")]
    how = Sampling(1.0, max_new_tokens=40)
    *_, [column] = answer_stream(pair, problem, task, requests, 8, how, 3, backend)
    return column.text


def unfinished_after_stop(pair, task, backend):
    [problem], requests = task.problems("test", 1), [ColumnRequest("softcot")]
    long = Sampling(1.0, max_new_tokens=400)
    frames = answer_stream(pair, problem, task, requests, 8, long, 8, backend)
    next(frames)
    frames.close()
    deadline = time.monotonic() + 30
    while backend._engine.get_num_unfinished_requests() and time.monotonic() < deadline:
        time.sleep(0.05)
    return backend._engine.get_num_unfinished_requests()


def main():
    pair, task = load_pair("mini", "cpu", dtype="float32"), get_task("mini-gsm")
    backend = VllmInside(pair.base)
    found = {
        method: texts(pair, task, method) == texts(pair, task, method, backend)
        for method in ("zero-shot-cot", "softcot")
    }
    found["sampled"] = [sampled(pair, task, backend) for _ in range(2)]
    found["unfinished"] = unfinished_after_stop(pair, task, backend)
    found["version"] = backend.versions["vllm"]
    backend.close()
    print(json.dumps(found), file=sys.stdout)


if __name__ == "__main__":
    main()
