"""Damaged and hostile files through everything that reads one: a sentence, and nothing else."""

import json
import random
import resource
import shutil
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from conftest import KINDS, build_problems
from damage import bytes_of, inside_of
from hostile import tried
from hypothesis import strategies as st
from safetensors.torch import save_file

from softcot.bench import records as measurements
from softcot.data import stored
from softcot.data.lexicon import Lexicon
from softcot.data.problems import Problem, read_problems
from softcot.data.stored import DATA_VARIABLE
from softcot.data.tasks import BENCHMARK_TASKS, FREE, get_task
from softcot.decoding.decoder import Sampling
from softcot.evaluation.answering import ColumnRequest
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.evaluation.partial import PartialRecord
from softcot.evaluation.records import load_record, write_record
from softcot.evaluation.run_file import RunRequest, load_run, replay, save_run
from softcot.fetching import converter, store
from softcot.models.language_model import LanguageModel
from softcot.report.learning import load_trainings
from softcot.support.errors import UserError
from softcot.support.schema import to_json
from softcot.thoughts.archive import pack, unpack
from softcot.thoughts.importing import import_projection
from softcot.thoughts.projection import Projection
from softcot.thoughts.state_cache import load_states, save_states
from softcot.training import trainer
from softcot.training.config import TrainingConfig

ROOM = 6 * 2**30
"""Bytes of address space beyond what the process has when a test begins."""

ASKED = RunRequest(
    Problem("mini-gsm", "Anna has 12 apples and buys 30 more. How many?", "42"),
    (ColumnRequest("zero-shot-cot"), ColumnRequest("softcot")),
    k=2,
    sampling=Sampling(max_new_tokens=2),
)
CONFIG = TrainingConfig(
    max_thoughts=2, steps=2, batch_size=2, train_problems=2, validation_problems=2,
    validate_every=1,
)  # fmt: skip
STORED_TASK = "gsm8k"
MEASURED = {
    "schema": measurements.SCHEMA,
    "name": "train",
    "ratios": [{"what": "x", "value": 2.0, "goal": 1.0, "better": "more"}],
    "commit": "c",
    "dirty": False,
    "settings": {"rounds": 1},
}


@dataclass(frozen=True)
class Reader:
    """Something that reads files."""

    make: Callable
    """(pair, folder): write good ones into the folder."""
    read: Callable
    """(pair, folder): read them, and use what came out as the program does."""
    quiet: bool = False
    """Whether what is damaged is taken for nothing, and so says nothing."""
    share: float = 1.0
    """Of the inputs: some are slow to read."""


def _projection(pair, folder, kind=Projection):
    kind.for_pair(pair, "all", 6, seed=3).save(folder / "weights")


def _use(kind):
    def read(pair, folder):
        weights = pair.read(kind, folder / "weights")
        weights.generate_model_card()
        weights.remarks(), pair.mismatches(weights)

    return read


def _pickled(pair, folder):
    layer = Projection.for_pair(pair, "all").linear
    torch.save(dict(layer.state_dict()), folder / "layer.bin")


def _plain(pair, folder):
    layer = Projection.for_pair(pair, "all").linear
    save_file(dict(layer.state_dict()), folder / "layer.safetensors")


def _import(name):
    return lambda pair, folder: import_projection(folder / name, pair, "all")


def _packed(pair, folder):
    _projection(pair, folder)
    pack(folder / "weights", folder / "mine.zip")
    shutil.rmtree(folder / "weights")


def _unpack(pair, folder):
    pair.read(Projection, unpack(folder / "mine.zip", folder / "new"))


def _run(pair, folder):
    *_, columns = ASKED.stream(pair)
    save_run(folder / "one.safetensors", pair, ASKED, columns)


def _record(pair, folder, **options):
    protocol = Protocol("softcot", k=2, sampling=Sampling(max_new_tokens=2))
    problems = build_problems(3)
    return evaluate(pair, get_task("mini-gsm"), protocol, problems, **options)


def _written(pair, folder):
    write_record(_record(pair, folder), folder / "one.json")


SETTINGS = {"a": 1}


def _partial(pair, folder):
    rows = _record(pair, folder).rows
    ledger = PartialRecord(folder / "one.partial", SETTINGS)
    for number, row in enumerate(rows):
        ledger.add([number], [row], 0.5)


def _problems(pair, folder):
    rows = [{"question": "Why?", "answer": 4, "note": "x"}, {"question": "How?", "answer": True}]
    (folder / "some.jsonl").write_text("\n".join(map(json.dumps, rows)))


def _interrupted(pair, folder):
    def stop(update):
        if update.phase == "training":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer.train(pair, "softcot", "mini-gsm", CONFIG, folder / "out", progress=stop)


def _resume(pair, folder):
    trainer.train(pair, "softcot", "mini-gsm", CONFIG, folder / "out", resume=True)


def _trained(pair, folder):
    trainer.train(pair, "softcot", "mini-gsm", CONFIG, folder / "out")
    shutil.copy(folder / "out" / "training.json", folder)
    shutil.rmtree(folder / "out")


STATES = torch.randn(3, 2, 16, generator=torch.Generator().manual_seed(0))


def _cached(pair, folder):
    save_states(folder / "states.safetensors", STATES)


def _states(pair, folder):
    found = load_states(folder / "states.safetensors", STATES.shape)
    assert found is None or found.dtype == torch.float32


def _stored(pair, folder):
    source = BENCHMARK_TASKS[STORED_TASK].source
    for name in source.files.values():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        own = Path(__file__).parents[1] / "data" / "stored" / name
        shutil.copy(own, folder / name)


def _read_stored(pair, folder):
    stored._load.cache_clear()
    stored._read_rows.cache_clear()
    BENCHMARK_TASKS[STORED_TASK].problems("test", 2, 0)


def _lexicon(pair, folder):
    spans = {"mini-gsm": [2, 60]}
    file = {
        "members": {"things": ["apples"]},
        "numbers": spans,
        "forms": {"mini-gsm": {"a #": "3-60"}},
    }
    (folder / "lexicon.json").write_text(json.dumps(file))


def _read_lexicon(pair, folder):
    found = Lexicon.load(folder)
    if found is not None:
        found.unread("Anna has 12 apples.", "mini-gsm", False)


def _measured(pair, folder):
    (folder / "train.json").write_text(json.dumps(MEASURED))


def _tell_measured(pair, folder):
    measurements.load(folder / "train.json")


def _manifest(pair, folder):
    files = {"model": store.WrittenFile(1, "0")}
    made = store.Manifest("x", "x.gguf", "0" * 64, "", "", {}, files)
    (folder / store.MANIFEST).write_text(json.dumps(to_json(made)))


def _whole(pair, folder):
    store.read_manifest(folder)


def _model(pair, folder):
    root = Path(pair.base.model.name_or_path)
    shutil.copytree(root, folder / "base")


def _load_model(pair, folder):
    lm = LanguageModel.load(folder / "base", "cpu")
    lm.prompts.base("How many?", task=FREE, k=2)


def _gguf(pair, folder):
    from fetching.conftest import write_gguf

    write_gguf(folder / "own.gguf")


def _convert(pair, folder):
    out = folder / "converted"
    out.mkdir()
    with suppress(Exception):  # its process says of any that the file is damaged
        converter.convert(folder / "own.gguf", out)


READERS = {
    "a layer written by PyTorch": Reader(_pickled, _import("layer.bin")),
    "a layer in safetensors": Reader(_plain, _import("layer.safetensors")),
    "an archive of a projection": Reader(_packed, _unpack),
    **{
        f"weights of {kind.__name__}": Reader(
            lambda pair, folder, kind=kind: _projection(pair, folder, kind), _use(kind)
        )
        for kind in KINDS
    },
    "a run": Reader(
        _run, lambda pair, folder: replay(pair, load_run(folder / "one.safetensors")), share=0.5
    ),
    "a record": Reader(_written, lambda pair, folder: load_record(folder / "one.json")),
    "an unfinished evaluation": Reader(
        _partial, lambda pair, folder: PartialRecord(folder / "one.partial", SETTINGS)
    ),
    "a file of problems": Reader(
        _problems, lambda pair, folder: read_problems(folder / "some.jsonl", "free")
    ),
    "a data set": Reader(_stored, _read_stored),
    "an interrupted training": Reader(_interrupted, _resume, share=0.3),
    "the record of a training": Reader(
        _trained, lambda pair, folder: load_trainings([folder / "training.json"])
    ),
    "the assistant's states": Reader(_cached, _states, quiet=True),
    "a lexicon": Reader(_lexicon, _read_lexicon),
    "a measurement": Reader(_measured, _tell_measured),
    "the manifest of a fetched model": Reader(_manifest, _whole, quiet=True),
    "a model": Reader(_model, _load_model, share=0.5),
    "a GGUF file": Reader(_gguf, _convert, quiet=True, share=0.3),
}


@pytest.fixture(scope="module")
def good(pair, tmp_path_factory):
    """Reader -> the folder of its whole files, made when it is first asked for."""
    made: dict[str, Path] = {}

    def folder(name):
        if name not in made:
            made[name] = tmp_path_factory.mktemp("good") / "x"
            made[name].mkdir()
            READERS[name].make(pair, made[name])
        return made[name]

    return folder


@pytest.fixture
def little_room():
    """A file that makes somebody ask for hundreds of gigabytes fails here, and ends no machine."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + ROOM, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def damaged(folder: Path, rng: random.Random) -> str:
    """Damage one of the files below a folder, and say which."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    path = rng.choice(files)
    way = rng.random()
    if way < 0.05:
        path.unlink()
    elif way < 0.1:
        path.unlink()
        path.mkdir()
    elif way < 0.15:
        path.unlink()
        path.symlink_to("/etc/hostname" if way < 0.12 else path)
    else:
        raw = path.read_bytes()
        path.write_bytes(inside_of(path.name, raw, rng) if way < 0.75 else bytes_of(raw, rng))
    return path.name


def seen(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.proof("Damaged and hostile files of every kind that is read")
def test_a_damaged_file_is_refused_in_a_sentence(
    name, pair, good, tmp_path, monkeypatch, little_room
):
    reader, whole = READERS[name], good(name)
    place = tmp_path / "deep" / "place"
    monkeypatch.setenv(DATA_VARIABLE, str(place))
    read_whole = shutil.copytree(whole, place)
    reader.read(pair, read_whole)
    outside = seen(tmp_path) - {f"deep/place/{file}" for file in seen(place)}

    @tried("test_a_damaged_file_is_refused_in_a_sentence", reader.share, seed=st.integers(0, 2**32))
    def try_one(seed):
        rng = random.Random(seed)
        shutil.rmtree(place)
        shutil.copytree(whole, place)
        what = damaged(place, rng)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                reader.read(pair, place)
            except UserError as error:
                assert not reader.quiet
                assert "\n" not in str(error) and len(str(error)) < 1000, what
        beside = seen(tmp_path) - {f"deep/place/{file}" for file in seen(place)}
        assert beside == outside and not Path("/tmp/softcot-outside").exists(), what

    try_one()


@pytest.mark.parametrize(
    "sizes",
    [
        {"assistant_width": 100_000, "base_width": 100_000},
        {"base_width": 10**12},
        {"max_thoughts": 10**9},
        {"max_thoughts": -1},
        {"base_width": "32"},
    ],
    ids=str,
)
def test_what_a_config_names_is_not_made_unless_its_file_has_it(pair, tmp_path, sizes, monkeypatch):
    _projection(pair, tmp_path)
    file = tmp_path / "weights" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | sizes))
    made = []
    monkeypatch.setattr(torch.nn.Linear, "reset_parameters", lambda own: made.append(own.weight))
    with pytest.raises(UserError, match="is damaged"):
        pair.read(Projection, tmp_path / "weights")
    assert all(weight.is_meta for weight in made)
