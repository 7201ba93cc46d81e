"""Tokens a second of llama.cpp, in a process and an environment of its own.

Run by file name with a Python that has llama-cpp-python; it needs nothing else, and prints JSON.
"""

import argparse
import ctypes
import json
import time

import llama_cpp as llama  # type: ignore[import-not-found, unused-ignore]

PROMPT = "Natalia sold clips to 48 of her friends in April, and then half as many in May."


def main() -> None:
    """Write some tokens with each number of rows, and print the seconds that they took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--tokens", type=int, required=True)
    parser.add_argument("--rows", type=int, nargs="+", required=True)
    args = parser.parse_args()
    silent = llama.llama_log_callback(lambda level, text, data: None)
    llama.llama_log_set(silent, ctypes.c_void_p())
    llama.llama_backend_init()
    model = llama.llama_model_load_from_file(
        args.model.encode(), llama.llama_model_default_params()
    )
    if not model:
        raise SystemExit(f"{args.model} is no model for llama.cpp.")
    print(json.dumps({rows: written(model, rows, args) for rows in args.rows}))


def written(model: int, rows: int, args: argparse.Namespace) -> list[float]:
    """Seconds of each step in which every row gets one more token, the likeliest."""
    vocabulary = llama.llama_model_get_vocab(model)
    size = llama.llama_vocab_n_tokens(vocabulary)
    prompt = tokens_of(vocabulary)
    options = llama.llama_context_default_params()
    options.n_ctx = rows * (len(prompt) + args.tokens + 8)
    options.n_seq_max = options.n_outputs_max = rows
    options.n_batch = options.n_ubatch = max(512, rows * len(prompt))
    options.n_threads = options.n_threads_batch = args.threads
    options.kv_unified = True
    context = llama.llama_init_from_model(model, options)
    batch = llama.llama_batch_init(rows * len(prompt), 0, 1)
    fill(batch, [(t, p, r) for r in range(rows) for p, t in enumerate(prompt)], len(prompt))
    seconds, place = [], len(prompt)
    last = [(row + 1) * len(prompt) - 1 for row in range(rows)]
    for _ in range(args.tokens + 1):
        started = time.perf_counter()
        if llama.llama_decode(context, batch):
            raise SystemExit("llama.cpp could not read a batch.")
        chosen = [likeliest(llama.llama_get_logits_ith(context, i), size) for i in last]
        seconds.append(time.perf_counter() - started)
        fill(batch, [(token, place, row) for row, token in enumerate(chosen)], 1)
        last, place = list(range(rows)), place + 1
    llama.llama_batch_free(batch)
    llama.llama_free(context)
    return seconds[1:]  # the first one read the prompts


def tokens_of(vocabulary: int) -> list[int]:
    """The ids of the prompt."""
    text, found = PROMPT.encode(), (llama.llama_token * 256)()
    count = llama.llama_tokenize(vocabulary, text, len(text), found, 256, False, False)
    return list(found[:count])


def fill(batch: llama.llama_batch, entries: list[tuple[int, int, int]], length: int) -> None:
    """Put (token, position, row) into a batch; the last of each `length` asks for logits."""
    batch.n_tokens = len(entries)
    for i, (token, position, row) in enumerate(entries):
        batch.token[i], batch.pos[i] = token, position
        batch.n_seq_id[i], batch.seq_id[i][0] = 1, row
        batch.logits[i] = i % length == length - 1


def likeliest(logits: "ctypes._Pointer[ctypes.c_float]", size: int) -> int:
    """The token with the largest logit."""
    import numpy as np

    return int(np.ctypeslib.as_array(logits, (size,)).argmax())


if __name__ == "__main__":
    main()
