"""Records with chosen answers, so that every figure of a report can be worked out by hand."""

from softcot.data.tasks import get_task
from softcot.evaluation.experiments import Run
from softcot.evaluation.records import SCHEMA, Record, Row, figures
from softcot.methods import METHODS

GOLD = {"number": "7", "letter": "B", "yesno": "yes", "date": "05/01/2020", "any": "farm"}
WRONG = {"number": "8", "letter": "C", "yesno": "no", "date": "05/02/2020", "any": "shop"}


def weights_of(task, method, control):
    """The task whose weights serve a task."""
    untrained = METHODS[method].trains == "nothing" or control == "untrained"
    return None if untrained else get_task(task).projection or "all"


def build_record(correct, method="softcot", control="none", task="mini-gsm", **changes):
    """A record over ten problems, or `n`; `correct` says how many were solved, or which.

    `correct` may also be a string for each problem: `+` right, `-` wrong, `?` unreadable, in the
    order of rows. `gold` is the gold log-probability of every row.
    """
    n, seeds = changes.pop("n", 10), changes.pop("seeds", [41])
    samples, gold = changes.pop("samples", 1), changes.pop("gold", None)
    kind = get_task(task).answer_kind
    marks = correct
    if isinstance(correct, int):
        marks = "".join("+" if i < correct else "-" for i in range(n) for _ in range(samples))
    marks = marks * (len(seeds) * n * samples // len(marks))
    places = [(s, i, k) for s in seeds for i in range(n) for k in range(samples)]
    parsed = {"+": GOLD[kind], "-": WRONG[kind], "?": None}
    rows = [
        Row(
            id=f"{i:016x}",
            prompt="0" * 16,
            seed=seed,
            sample=sample,
            text="text",
            parsed=parsed[mark],
            gold=GOLD[kind],
            correct=mark == "+",
            tokens=20,
            passes=21,
            gold_logprob=gold,
        )
        for (seed, i, sample), mark in zip(places, marks, strict=True)
    ]
    pair = changes.get("pair", "mini")
    trained_on = changes.setdefault("trained_on", weights_of(task, method, control))
    fields = {
        "schema": SCHEMA,
        "command": f"python -m softcot evaluate --task {task} --method {method} # {control}",
        "created": "2026-01-01",
        "pair": pair,
        "fingerprints": {
            "base": f"base of {pair}",
            "assistant": f"assistant of {pair}" if METHODS[method].asks_assistant else None,
            "trained": f"{method} {trained_on or task}"
            if trained_on or control != "none"
            else None,
        },
        "task": task,
        "split": "test",
        "answer_kind": kind,
        "method": method,
        "control": control,
        "k": METHODS[method].default_k,
        "sampling": {"temperature": 0.0, "top_p": 1.0, "top_k": 0, "max_new_tokens": 160},
        "seeds": list(seeds),
        "samples": samples,
        "n": n,
        **figures(kind, rows, len(seeds), samples),
        "seconds": 1.0,
        "subsets": {},
        "versions": {"python": "3"},
        "commit": "c",
        "dirty": False,
        "device": "cpu",
        "rows": rows,
    }
    return Record(**fields | changes)


def sampled(correct, method="softcot", task="mini-gsm", **changes):
    """A record of the main comparison."""
    changes.setdefault("seeds", [41, 42])
    temperature = {"temperature": 1.0, "top_p": 1.0, "max_new_tokens": 160}
    temperature["top_k"] = changes.pop("top_k", 0)
    return build_record(correct, method, task=task, sampling=temperature, **changes)


def record_of(run: Run, correct=5, n=10, **changes):
    """The record that a run of an experiment would make."""
    asked = run.protocol
    changes |= {"pair": run.pair, "seeds": list(asked.seeds), "samples": asked.samples, "n": n}
    if asked.k is not None:
        changes["k"] = asked.k
    if asked.trained_on is not None:
        changes["trained_on"] = asked.trained_on
    if asked.gold_logprob:
        changes["gold"] = -1.0
    command = " ".join(["python -m softcot evaluate", *run.arguments])
    make = sampled if asked.sampling.temperature else build_record
    if make is build_record:
        changes["control"] = asked.control
    else:
        changes["top_k"] = asked.sampling.top_k
    return make(correct, asked.method, task=run.task, command=command, **changes)
