"""Measurements: the reference computes what the engine does, and figures come from records."""

import json
from pathlib import Path

import pytest
import torch
from conftest import build_problems

from softcot.bench import llama, measuring, records, reference, servers, startup
from softcot.bench.shapes import random_pair
from softcot.bench.train import _config
from softcot.cli.main import main
from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling, decode, finish
from softcot.methods import get_method, get_trainable
from softcot.support.errors import UserError
from softcot.support.files import markers
from softcot.thoughts.assistant import soft_states
from softcot.training.trainer import train

TASK = get_task("mini-gsm")
CPU = torch.device("cpu")
ROOT = Path(__file__).resolve().parents[2]
START, END = markers(records.TABLE)


def relative(found, expected):
    return ((found - expected).norm() / expected.norm()).item()


def test_reference_states_are_the_assistants(pair, problems):
    questions = [problem.question for problem in problems]
    ours, theirs = (
        find(pair.assistant, questions, 5, TASK) for find in (soft_states, reference.states)
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("thoughts", [1, 4])
def test_reference_gradients_are_the_engines(pair, problems, thoughts):
    objective = get_trainable("softcot").objective_for(pair, "mini-gsm", 4, seed=3)
    weights = list(objective.weights.parameters())
    precomputed = objective.precompute(TASK, problems)
    ours = torch.autograd.grad(objective.losses(problems, precomputed, thoughts).mean(), weights)
    loss = reference.loss(pair, objective.weights, problems, thoughts)
    theirs = torch.autograd.grad(loss, weights)
    assert all(grad.norm() > 0 for grad in theirs)
    for mine, expected in zip(ours, theirs, strict=True):
        assert relative(mine, expected) < 1e-5


def test_reference_training_makes_the_engines_steps(pair, tmp_path, monkeypatch):
    """With all problems in every batch the order cannot matter."""
    from softcot.bench.setting import Setting
    from softcot.training import trainer

    config = trainer.replace(_config(Setting({}, quick=True)), batch_size=8, steps=3)
    config = trainer.replace(config, validate_every=3, warmup=0, learning_rate=1e-2)
    made = []
    finished = trainer._Run.finish

    def finish(run, *rest):
        made.append(run.weights.linear.weight.detach().clone())  # the last ones, not the best
        return finished(run, *rest)

    monkeypatch.setattr(trainer._Run, "finish", finish)
    train(pair, "softcot", "mini-gsm", config, tmp_path / "out")
    start = type(pair.projection("mini-gsm")).for_pair(pair, "mini-gsm", 16, config.seed)
    theirs = reference.train(pair, "mini-gsm", config).linear.weight.detach()
    assert relative(theirs, start.linear.weight.detach()) > 0.01
    assert relative(made[0], theirs) < 1e-3


def test_reference_answers_are_the_engines(pair):
    problems = build_problems(7)
    method = get_method("softcot", pair, TASK)
    rows = finish(decode(pair.base, method.prepare(problems, 4), Sampling(max_new_tokens=12)))
    alone = [reference.answer(pair, method.weights, problem, 4, 12, TASK) for problem in problems]
    assert [row.ids for row in rows] == alone
    assert len({tuple(ids) for ids in alone}) > 1


def test_operations_are_counted_by_the_formula(pair):
    model, rows, length = pair.base.model, 3, 10
    ids = torch.ones(rows, length, dtype=torch.long)
    sizes = [p.numel() for n, p in model.named_parameters() if p.dim() == 2]  # the head is tied
    width, layers = pair.base.width, model.config.num_hidden_layers
    forward = 2 * sum(sizes) * rows * length + 4 * width * layers * rows * length**2
    flops, read = measuring.count(pair, lambda: model(input_ids=ids))
    assert flops == forward
    assert read == 4 * sum(p.numel() for p in model.parameters())
    embeds = pair.base.embed(ids).requires_grad_()
    both, _ = measuring.count(pair, lambda: model(inputs_embeds=embeds).logits.sum().backward())
    assert 2 * forward <= both < 2.2 * forward


def test_sides_take_turns():
    seen = []
    work = {name: lambda name=name: seen.append(name) for name in "ab"}
    sides = measuring.interleaved(work, 3, CPU)
    assert seen == list("ababab")
    assert all(len(side.seconds) == 3 for side in sides.values())
    slow, fast = measuring.Side([1.0, 9.0, 3.0]), measuring.Side([2.0, 1.0, 1.5])
    assert measuring.ratio(slow, fast) == 2.0


def test_peak_memory_sees_what_is_let_go_again():
    with measuring.peak_memory(CPU) as found:
        for _ in range(3):
            torch.ones(2**25)  # 128 MiB
    assert 120e6 < found["peak_bytes"] < 300e6


def test_shapes_for_gpus_are_refused_on_a_cpu():
    with pytest.raises(UserError, match="needs a GPU"):
        random_pair("qwen2.5-7b", CPU)
    with pytest.raises(UserError, match="no shape 'huge'"):
        random_pair("huge", CPU)


def test_a_shape_makes_a_whole_pair(checkpoints, mini_env):
    pair = random_pair("tiny", CPU)
    assert (pair.base.width, pair.assistant.width) == (32, 16)
    assert pair.base.prompts.base("One?", task=TASK, k=2).slot_mask.count(True) == 2


@pytest.mark.parametrize("name", [*records.NAMES, *records.SINGLE])
def test_quick_measurements_write_records(mini_env, tmp_path, capsys, name):
    file = tmp_path / f"{name}.json"
    place = tmp_path if name == "train" else file  # a folder is as good as a file
    options = ["--quick", "--rounds", "2", *["--scale"] * (name == "evaluate")]
    assert main(["bench", name, *options, "--json", str(place)]) == 0
    shown = capsys.readouterr()
    record = records.load(file)
    assert records.table([record]) in shown.out and name in shown.err
    assert record["name"] == name and record["settings"]["pair"] == "mini"
    assert record["settings"]["quick"] and record["command"].startswith("python -m softcot bench")
    assert min(record["ceiling"].values()) > 0
    for side in record["sides"].values():
        assert len(side["seconds"]) == 2 and min(side["seconds"]) > 0
        assert (side["flops"] > 0) == (name != "startup")
    if name == "train":
        ours, theirs = record["sides"]["engine"], record["sides"]["reference"]
        assert ours["flops"] < theirs["flops"] and ours["peak_bytes"] > 0
    if name == "serve":
        waits = [side["first_words"] for side in record["sides"].values()]
        assert len(waits) == 4 and all(0 < wait["median"] <= wait["most"] for wait in waits)
    if name == "evaluate":
        assert [one["problems"] for one in record["sides"]["engine"]["scale"]] == [2, 4]


@pytest.mark.parametrize("name", ["reading", "columns", "exact", "rounding", "kernels"])
def test_what_is_measured_of_a_real_pair_can_be_measured(mini_env, tmp_path, capsys, name):
    file = tmp_path / f"{name}.json"
    assert main(["bench", name, "--quick", "--rounds", "1", "--json", str(file)]) == 0
    record = records.load(file)
    assert records.table([record]) in capsys.readouterr().out
    assert record["dtype"] == "float32" and list(tmp_path.iterdir()) == [file]
    values = {one["what"]: one["value"] for one in record["ratios"]}
    if name == "reading":
        assert {"engine, 1 prompt", "transformers, 2 prompts"} < record["sides"].keys()
        assert min(values.values()) > 0
    if name == "columns":
        assert {"one, float32", "two, bfloat16"} < record["sides"].keys()
        assert min(values.values()) > 0
    if name == "exact":
        assert list(values.values()) == [2, 2]
    if name == "kernels":
        assert {"float32, 1 row", "bfloat16, 16 rows"} < record["sides"].keys()
        assert min(values.values()) > 0
    if name == "rounding":
        assert all(0 <= value <= 2 for value in values.values())


STAND_IN = """
import json, sys
rows = sys.argv[sys.argv.index("--rows") + 1 :]
print(json.dumps({n: [0.5] * 3 for n in rows}))
"""


def test_llama_is_asked_in_an_environment_of_its_own(mini_env, monkeypatch, tmp_path, capsys):
    (tmp_path / "child.py").write_text(STAND_IN)
    monkeypatch.setattr(llama, "CHILD", tmp_path / "child.py")
    options = ["--quick", "--rounds", "1", "--json", str(tmp_path / "llama.json")]
    assert main(["bench", "llama", *options, "--gguf", "some.gguf"]) == 0
    record = records.load(tmp_path / "llama.json")
    assert record["settings"]["gguf"] == "some.gguf"
    assert [one["what"].split(",")[0].endswith("float32") for one in record["ratios"]] == [True] * 3
    assert "| none |" in records.table([record])
    for missing in ([], ["--gguf", "some.gguf", "--llama-python", str(tmp_path / "no-python")]):
        assert main(["bench", "llama", *options, *missing]) == 2
        assert "--gguf" in capsys.readouterr().err


def example(name="train", value=2.5, **changes):
    return {
        "schema": records.SCHEMA,
        "name": name,
        "commit": "abc",
        "dirty": False,
        "created": "2030-01-01",
        "device": "cpu",
        "versions": {"torch": "9.9"},
        "settings": {"pair": "mini", "threads": 1, "rounds": 3, "quick": False},
        "ratios": [{"what": f"The {name}", "value": value, "goal": 3.0, "better": "more"}],
    } | changes


def test_a_page_gets_the_records_in_their_order(tmp_path):
    folder, page = tmp_path / "records", tmp_path / "page.md"
    records.save(example("startup", 0.25), folder / "a.json")
    records.save(example("train"), folder / "b.json")
    page.write_text(f"before\n{START}\nold\n{END}\nafter\n")
    given = ["--records", str(folder), "--page", str(page)]
    assert main(["bench", "report", *given]) == 0
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    lines = [line for line in text.splitlines() if line.startswith("| The")]
    assert lines == ["| The train | 2.50 | at least 3 |", "| The startup | 0.25 | at least 3 |"]
    assert "train, startup: pair mini, cpu, 1 thread" in text and "QUICK" not in text
    quick = example(dirty=True) | {"settings": example()["settings"] | {"quick": True}}
    assert "QUICK, code that was not committed" in records.table([quick])
    busy = example() | {"settings": example()["settings"] | {"load": 3.2}}
    assert "beside other work (load 3)" in records.table([busy])


@pytest.mark.parametrize("damage", ["", "{}", json.dumps(example("other"))])
def test_damaged_records_are_refused(tmp_path, capsys, damage):
    (tmp_path / "one.json").write_text(damage)
    assert main(["bench", "report", "--records", str(tmp_path)]) == 2
    assert "make it again" in capsys.readouterr().err


def test_nothing_is_written_without_records_or_markers(tmp_path, capsys):
    assert main(["bench", "report", "--records", str(tmp_path)]) == 2
    assert "no measurement" in capsys.readouterr().err
    with pytest.raises(UserError, match="needs the lines"):
        (tmp_path / "page.md").write_text("no markers")
        records.write_page([example()], tmp_path / "page.md")


def test_an_app_that_does_not_start_is_given_up(monkeypatch, tmp_path):
    monkeypatch.setattr(servers, "ROOT", tmp_path)
    with pytest.raises(UserError, match="no app.py"):
        startup.first_answer("mini")
    (tmp_path / "app.py").write_text("raise SystemExit(1)")
    monkeypatch.setattr(servers, "PATIENCE", 0.1)
    with pytest.raises(UserError, match="does not start"):
        startup.first_answer("mini")


def test_the_engines_page_shows_the_records_that_are_shipped():
    text = (ROOT / "docs" / "engine.md").read_text(encoding="utf-8")
    block = text.split(START)[1].split(END)[0].strip()
    folder = ROOT / "assets" / "benchmarks"
    assert block == records.table(records.load_all(folder) if folder.exists() else [])
