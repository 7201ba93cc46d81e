"""A record: what one evaluation came to, and everything that says how its figures came about.

A record is two files: `NAME.json` with settings, provenance and figures, and `NAME.rows.xz` with
one row for each answer. A figure is only ever shown from a record that was read back and found
consistent with its own rows.
"""

import hashlib
import json
import lzma
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from softcot.data.answers import is_correct, majority
from softcot.data.problems import AnswerKind
from softcot.support.errors import UserError
from softcot.support.files import json_text, replacing, write_json
from softcot.support.reading import read_object, reason
from softcot.support.schema import STRICT, from_json, to_json

SCHEMA = "softcot-record-3"
LATER = ("cut", "left_out", "dtype", "prompts", "collapse", "chains", "work", "noise")
"""Fields that older records do not have."""
RESAMPLES = 2000
"""Bootstrap resamples behind every interval."""


@dataclass(frozen=True)
class Row:
    """One answer."""

    __pydantic_config__ = STRICT

    id: str
    """The problem's."""
    prompt: str
    """First 16 hex digits of the SHA-256 of the base's prompt, slots included, as token ids."""
    seed: int
    sample: int
    """Number of the sample, from 0."""
    text: str
    """The completion."""
    parsed: str | None
    """The answer read from it, None if none could be read."""
    gold: str
    correct: bool
    tokens: int
    """Length of the completion, its end token included."""
    passes: int
    """Forward passes that had to follow one another: one for each token, and those before."""
    gold_logprob: float | None
    """Log-probability (nats) of the worked gold answer after the prompt; None if not asked for."""
    cut: bool | None = None
    """Whether the token limit ended it; None where nobody took it down."""


@dataclass(frozen=True)
class Record:
    """The result of one evaluation."""

    __pydantic_config__ = STRICT

    schema: str
    command: str
    """The command line that makes this record again; empty for a run started from Python."""
    created: str
    """UTC date."""
    pair: str
    fingerprints: dict[str, str | None]
    """Of ``base``, ``assistant`` and ``trained``; None where the method uses none."""
    task: str
    split: str
    """A split of the task, or the name of the file the problems came from."""
    answer_kind: AnswerKind
    """How answers are read; see `softcot.data.answers`."""
    method: str
    control: str
    k: Annotated[int, Field(alias="thoughts")]
    """K, 0 for a method without thoughts."""
    trained_on: str | None
    """The task that the method's weights were trained on; None where it trains nothing."""
    sampling: dict[str, Any]
    """The fields of `Sampling` without the seed."""
    seeds: list[int]
    samples: int
    """Answers to each problem for every seed; with more than one their majority counts."""
    n: int
    """Number of problems."""
    accuracy: float
    """From 0 to 1, over problems and seeds."""
    interval: list[float]
    """95 % bootstrap interval of the accuracy, over problems and seeds."""
    parse_failures: float
    """Share of rows with no readable answer."""
    mean_new_tokens: float
    mean_passes: float
    """Forward passes one after another for an answer, its prompt's included."""
    seconds: float
    """Time spent answering."""
    subsets: dict[str, dict[str, Any]]
    """The same figures over the problems the base can read (``read``) and the others."""
    versions: dict[str, str]
    commit: str
    dirty: bool
    """Whether the package differed from the commit."""
    device: str
    rows: list[Row]
    """Seed after seed, each in the order of the problems, the samples of each together."""
    cut: float | None = None
    """Share of rows that the token limit ended; None where nobody took it down."""
    left_out: dict[str, int] | None = None
    """Reason -> problems of the whole split that cannot be judged; None where that is unknown."""
    dtype: str | None = None
    """What the numbers of the base were kept in; None where nobody took it down."""
    prompts: str | None = None
    """Name of the templates that the models were told by; None where nobody took it down."""
    collapse: dict[str, float] | None = None
    """How much the thoughts depend on the question, see `softcot.thoughts.collapse`; None where
    nobody took it down, and where there are none."""

    chains: dict[str, float] | None = None
    """Of several samples: what `variety` says, and where their thoughts differ, `cosine`, how
    alike these are between two samples; None where nobody took it down, and for a single one."""

    work: dict[str, float] | None = None
    """What an answer takes before its first token, means over the first problems: `prompt_tokens`
    of the base, `heard_tokens` of whoever thinks, and `first_flops` for both; and `token_flops` of
    each token after that. None where nobody took it down."""

    noise: float | None = None
    """Length of the method's own noise, as a share of a thought's; None where it has none, or
    nobody took it down."""

    @property
    def flops(self) -> float | None:
        """Forward floating-point operations for a problem, all of its samples together.

        Two for each weight and token; what attention adds to that is left out.
        """
        return self.flops_of(self.samples)

    def flops_of(self, samples: int) -> float | None:
        """The same with only some of the samples written, behind the prompts of all."""
        if self.work is None:
            return None
        written = self.mean_new_tokens * samples
        return self.work["first_flops"] + self.work["token_flops"] * written

    def scores(self, votes: int | None = None) -> np.ndarray:
        """float[S, n]: whether the majority of the first `votes` samples (of all) is right."""
        return scores(self.answer_kind, self.rows, len(self.seeds), self.samples, votes)

    def problem_ids(self) -> list[str]:
        """The n problems, in order."""
        return [row.id for row in self.rows[: self.n * self.samples : self.samples]]

    def gold_logprobs(self) -> np.ndarray | None:
        """float[S, n], nats; None where they were not asked for or one is missing."""
        found = [row.gold_logprob for row in self.rows[:: self.samples]]
        if None in found:
            return None
        return np.array(found, dtype=float).reshape(len(self.seeds), -1)

    def head(self) -> dict[str, Any]:
        """Everything but the rows, as its file holds it: what is unknown since is left out."""
        unknown = {name for name in LATER if getattr(self, name) is None}
        head = to_json(replace(self, rows=[]))
        return {k: v for k, v in head.items() if k not in {"rows", *unknown}}


def scores(
    kind: AnswerKind, rows: Sequence[Row], seeds: int, samples: int, votes: int | None = None
) -> np.ndarray:
    """float[S, n]: whether the majority of each problem's first `votes` samples is right."""
    if samples == 1:
        return np.reshape([float(row.correct) for row in rows], (seeds, -1))
    groups = [rows[start : start + samples][:votes] for start in range(0, len(rows), samples)]
    right = [is_correct(kind, majority([row.parsed for row in g]), g[0].gold) for g in groups]
    return np.reshape(np.array(right, dtype=float), (seeds, -1))


def figures(kind: AnswerKind, rows: Sequence[Row], seeds: int, samples: int) -> dict[str, Any]:
    """What the rows of some problems come to."""
    found = scores(kind, rows, seeds, samples)
    cuts = [row.cut for row in rows if row.cut is not None]
    known = {"cut": float(np.mean(cuts))} if len(cuts) == len(rows) else {}
    return {
        "accuracy": float(found.mean()),
        "interval": interval(found),
        "parse_failures": float(np.mean([row.parsed is None for row in rows])),
        "mean_new_tokens": float(np.mean([row.tokens for row in rows])),
        "mean_passes": float(np.mean([row.passes for row in rows])),
        **known,
    }


def variety(rows: Sequence[Row], samples: int) -> dict[str, float]:
    """What the samples of each question have among them.

    Returns:
        pass: share of questions that at least one sample answers rightly. answers: different
        readable answers to a question, on average.
    """
    groups = [rows[start : start + samples] for start in range(0, len(rows), samples)]
    found = [{row.parsed for row in group} - {None} for group in groups]
    return {
        "pass": float(np.mean([any(row.correct for row in group) for group in groups])),
        "answers": float(np.mean([len(answers) for answers in found])),
    }


def interval(values: np.ndarray) -> list[float]:
    """95 % bootstrap interval (percentile) of the mean of float[n] or float[S, n].

    Problems and, where there are several, seeds are resampled independently of each other (Owen
    2007, "The pigeonhole bootstrap", arXiv 0712.1111). The same on every call.
    """
    values = np.atleast_2d(values)
    seeds, problems = _resamples(values.shape)
    means = np.einsum("rn,rn->r", seeds @ values, problems)
    low, high = np.percentile(means, [2.5, 97.5])
    return [float(low), float(high)]


@lru_cache(maxsize=6)
def _resamples(shape: tuple[int, int]) -> list[np.ndarray]:
    """How much of every resample each seed and each problem is: float[R, S] and float[R, n]."""
    rng = np.random.default_rng(0)
    return [rng.multinomial(size, np.full(size, 1 / size), RESAMPLES) / size for size in shape]


def counted(left_out: Mapping[str, int]) -> str:
    """How many problems were left out and why, for a reader."""
    return ", ".join(f"{number} {reason}" for reason, number in left_out.items())


def write_record(record: Record, path: str | Path) -> None:
    """Write a record's two files; the one at `path` names the digest of the other."""
    packed = _packed(record.rows)
    with replacing(rows_path(path)) as temporary:
        temporary.write_bytes(packed)
    head = record.head() | {"rows_sha256": hashlib.sha256(packed).hexdigest()}
    write_json(path, head)


def rows_path(path: str | Path) -> Path:
    """Where the rows of the record at `path` are."""
    path = Path(path)
    return path.with_name(f"{path.name.removesuffix('.json')}.rows.xz")


def _packed(rows: Sequence[Row]) -> bytes:
    # Column by column: like values lie together, and the file is a third of the size.
    columns = {field.name: [getattr(row, field.name) for row in rows] for field in fields(Row)}
    if all(cut is None for cut in columns["cut"]):
        del columns["cut"]
    return lzma.compress(json_text(columns).encode())


def load_record(path: str | Path) -> Record:
    """Read a record and check it: the schema, every type, and the figures against the rows.

    Raises:
        UserError: A file is missing, of another schema, or the figures are not those of the rows.
    """
    try:
        head = read_object(path)
        if head.get("schema") != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA}")
        if not rows_path(path).is_file():
            raise ValueError(f"{rows_path(path).name} is missing")
        packed = rows_path(path).read_bytes()
        if head.pop("rows_sha256", None) != hashlib.sha256(packed).hexdigest():
            raise ValueError(f"{rows_path(path).name} is not the file it was written with")
        columns = json.loads(lzma.decompress(packed))
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return _checked(from_json(Record, json.dumps(head | {"rows": rows})))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, lzma.LZMAError) as error:
        raise UserError(
            f"{path} is not a usable record ({reason(error)}); "
            "make it again with `python -m softcot evaluate`."
        ) from error


def _checked(record: Record) -> Record:
    """The record, if its figures follow from its rows.

    Raises:
        ValueError: They do not; the message names the first that does not.
    """
    order = [
        (seed, sample)
        for seed in record.seeds
        for _ in range(record.n)
        for sample in range(record.samples)
    ]
    if not order or [(row.seed, row.sample) for row in record.rows] != order:
        raise ValueError("its rows are not one for each problem, seed and sample")
    found = figures(record.answer_kind, record.rows, len(record.seeds), record.samples)
    if record.chains is not None:
        for name, value in variety(record.rows, record.samples).items():
            if not np.isclose(record.chains.get(name, -1.0), value, rtol=0, atol=1e-9):
                raise ValueError(f"the field 'chains' does not follow from its rows ({name})")
    if "cut" not in found and record.cut is not None:
        raise ValueError("the field 'cut' does not follow from its rows")
    for name, value in found.items():
        said = getattr(record, name)
        if said is None or not np.allclose(said, value, rtol=0, atol=1e-9):
            raise ValueError(f"the field {name!r} does not follow from its rows")
    return record


@dataclass(frozen=True)
class Comparison:
    """What one record adds to another over the same problems."""

    difference: float
    """Of the accuracies, from -1 to 1."""
    interval: list[float]
    """Its 95 % bootstrap interval, paired."""
    p: float
    """Two-sided p-value of a sign-flip permutation test over problems."""


def compare(befores: Sequence[np.ndarray], afters: Sequence[np.ndarray]) -> Comparison:
    """Compare scores float[S, n] of the same problems and seeds, over one task or several."""
    # Importing scipy takes most of a second, and only the report needs it.
    from scipy.stats import permutation_test

    pairs = zip(afters, befores, strict=True)
    gains = np.concatenate([after - before for after, before in pairs], axis=1)
    found = permutation_test(
        (gains.sum(0),),  # whole numbers: rounding could part sums that are equal
        np.sum,
        permutation_type="samples",
        n_resamples=RESAMPLES,
        vectorized=True,
        batch=200,
        rng=np.random.default_rng(0),
    )
    return Comparison(float(gains.mean()), interval(gains), float(found.pvalue))
