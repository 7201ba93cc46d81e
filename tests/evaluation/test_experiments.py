"""Experiments: every run has its own file, its own command line, and is made once."""

import itertools
import shlex
from dataclasses import replace

import pytest
from conftest import build_problems

from softcot import methods
from softcot.cli.main import main
from softcot.data import task
from softcot.data.tasks import TASKS, GeneratedProblems
from softcot.decoding.decoder import Sampling
from softcot.evaluation import evaluator
from softcot.evaluation.evaluator import Protocol
from softcot.evaluation.experiments import (
    CHOICES,
    EXPERIMENTS,
    NOTED,
    NOTED_K,
    PROMPTED,
    PROMPTS,
    READY_MADE,
    READY_MADE_CHOICES,
    Run,
    plan,
)
from softcot.evaluation.records import load_record, rows_path, write_record
from softcot.evaluation.reproducing import can_run, reproduce
from softcot.methods import METHODS
from softcot.prompts.wording import Templates
from softcot.report.results import key_of, key_of_run
from softcot.support.deviations import REAL_DEVIATIONS, REAL_PAIR, deviating
from softcot.support.errors import UserError
from softcot.support.presets import PRESETS
from softcot.thoughts.controls import CONTROLS
from softcot.thoughts.projection import Projection

ALL = plan("all")
RUN = Run("mini-gsm", Protocol("softcot", "swap", k=2, sampling=Sampling(max_new_tokens=4)))


@pytest.fixture(autouse=True)
def few_donors(monkeypatch):
    monkeypatch.setattr(methods, "DONORS", 8)


def test_every_run_has_its_own_file():
    files = [run.file for run in ALL]
    assert len(set(files)) == len(files) == len(set(ALL)) > 100
    assert all(file.startswith(f"{run.pair}/") for file, run in zip(files, ALL, strict=True))
    assert {run.pair for run in ALL} <= PRESETS.keys()


def test_all_are_those_of_every_experiment():
    assert set(ALL) == {run for name in EXPERIMENTS for run in plan(name)}
    elsewhere = plan("main", "other")
    assert {run.pair for run in elsewhere} == {"other"}
    assert len(elsewhere) == len(plan("main"))
    assert len(plan("all", "reading-30")) == sum(run.pair == "mini" for run in ALL)
    with pytest.raises(UserError, match="'alchemy'; choose one of: main, .*, all"):
        plan("alchemy")


def test_the_command_line_of_a_run_asks_for_that_run(monkeypatch):
    asked = []

    def note(pair, task, protocol, problems, **options):
        asked.append((pair, task.name, protocol))
        raise UserError("seen")

    monkeypatch.setattr("softcot.thoughts.pair.load_pair", lambda name, **options: name)
    monkeypatch.setattr(evaluator, "evaluate", note)
    monkeypatch.setattr(GeneratedProblems, "problems", lambda *_: build_problems(1))
    for run in ALL:
        assert main(["evaluate", *run.arguments]) == 2
    assert asked == [(run.pair, run.task, run.protocol) for run in ALL]


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_record_is_made_once_and_its_command_makes_it_again(pair, mini_env, tmp_path, capsys):
    path = reproduce(pair, RUN, tmp_path, count=2)
    assert path == tmp_path / RUN.file
    before, record = contents(tmp_path), load_record(path)
    assert before.keys() == {path, rows_path(path)}
    assert (record.n, record.split, record.control, record.k) == (2, "test", "swap", 2)
    assert reproduce(pair, RUN, tmp_path, count=2) == path and contents(tmp_path) == before
    path.unlink()
    words = [*shlex.split(record.command)[3:], "--max-new-tokens", "4"]
    assert main(words) == 0, capsys.readouterr().err
    assert load_record(path).rows == record.rows


@pytest.mark.parametrize("asked", [{"count": 3}, {"count": 1}, {"count": 2, "split": "validation"}])
def test_a_record_of_other_problems_is_refused_and_kept(pair, tmp_path, asked):
    path = reproduce(pair, RUN, tmp_path, count=2)
    before = contents(tmp_path)
    with pytest.raises(UserError, match="of 2 problems of the test split.*delete it") as refused:
        reproduce(pair, RUN, tmp_path, **asked)
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)
    assert contents(tmp_path) == before
    rows_path(path).unlink()
    with pytest.raises(UserError, match="not a usable record"):
        reproduce(pair, RUN, tmp_path, count=2)


def other_weights(monkeypatch, pair):
    weights = Projection.for_pair(pair, "mini-gsm", 16, seed=99)
    monkeypatch.setattr(pair, "_loaded", {"projection-mini-gsm": weights})


def other_prompts(monkeypatch, pair):
    monkeypatch.setattr(pair.base.prompts, "templates", Templates.named("chat"))


def other_answers(monkeypatch, pair):
    draw = GeneratedProblems.problems
    monkeypatch.setattr(
        GeneratedProblems,
        "problems",
        lambda *given: [replace(problem, answer="7") for problem in draw(*given)],
    )


@pytest.mark.parametrize(
    ("change", "named"),
    [(other_weights, "other weights"), (other_prompts, "other prompts"),
     (other_answers, "of 2 problems")],
)  # fmt: skip
def test_a_record_that_would_come_out_differently_is_refused(
    pair, tmp_path, monkeypatch, change, named
):
    reproduce(pair, RUN, tmp_path, count=2)
    before = contents(tmp_path)
    with monkeypatch.context() as patch:
        change(patch, pair)
        with pytest.raises(UserError, match=f"{named}.*delete it"):
            reproduce(pair, RUN, tmp_path, count=2)
    assert contents(tmp_path) == before
    reproduce(pair, RUN, tmp_path, count=2)


def test_a_record_of_other_settings_is_refused(pair, tmp_path):
    reproduce(pair, RUN, tmp_path, count=2)
    longer = replace(RUN.protocol, sampling=Sampling(max_new_tokens=5))
    with pytest.raises(UserError, match="made with other settings"):
        reproduce(pair, replace(RUN, protocol=longer), tmp_path, count=2)
    scored = replace(RUN.protocol, gold_logprob=True)
    with pytest.raises(UserError, match="made with other scores"):
        reproduce(pair, replace(RUN, protocol=scored), tmp_path, count=2)


@pytest.mark.parametrize("method", [*METHODS])
def test_a_record_of_every_method_is_known_again(pair, tmp_path, method):
    control = "untrained" if METHODS[method].kind and METHODS[method].kind is Projection else "none"
    run = replace(RUN, protocol=Protocol(method, control, sampling=Sampling(max_new_tokens=2)))
    assert reproduce(pair, run, tmp_path, count=2) == reproduce(pair, run, tmp_path, count=2)


def test_a_task_with_fewer_problems_than_asked_for_is_a_record_of_all(pair, tmp_path, monkeypatch):
    def draw(rng):
        return build_problems(30)[rng.randrange(30)]

    monkeypatch.setattr(task, "PATIENCE", 300)
    few = replace(TASKS["mini-gsm"], source=GeneratedProblems(draw))
    monkeypatch.setitem(TASKS, "mini-gsm", few)
    count = len(few.problems("test", 2000))
    assert 0 < count < 30
    path = reproduce(pair, RUN, tmp_path, count=2000)
    assert load_record(path).n == count
    assert reproduce(pair, RUN, tmp_path, count=2000) == path


def test_an_interrupted_run_goes_on(pair, tmp_path):
    def interrupt(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reproduce(pair, RUN, tmp_path, count=3, batch_size=1, progress=interrupt)
    assert not (tmp_path / RUN.file).exists()
    seen = []
    path = reproduce(pair, RUN, tmp_path, count=3, batch_size=1, progress=lambda *n: seen.append(n))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert contents(tmp_path).keys() == {path, rows_path(path)}


def test_runs_without_weights_are_known(pair, monkeypatch):
    assert can_run(pair, RUN) and can_run(pair, Run("mini-dates", Protocol("lora")))
    for name in ("projection-mini-gsm", "projection-mini-asdiv"):
        monkeypatch.delitem(pair.trained, name)
    monkeypatch.setattr(pair, "_loaded", {})
    assert not can_run(pair, RUN) and not can_run(pair, Run("mini-dates", Protocol("softcot")))
    assert can_run(pair, Run("mini-gsm", Protocol("softcot", trained_on="mini-aqua")))
    assert can_run(pair, Run("mini-gsm", Protocol("zero-shot-cot")))


def test_prompts_are_chosen_for_ready_made_models_and_by_them_alone():
    assert not any(run.chooses for run in ALL) and {"prompts", "grid"} == READY_MADE_CHOICES.keys()
    assert all(run.chooses for name in CHOICES for run in plan(name))
    runs = plan("prompts", "qwen2.5-1.5b")
    assert [(run.task, run.prompts) for run in runs] == list(itertools.product(PROMPTED, PROMPTS))
    assert len({run.file for run in runs}) == len(runs)
    for name in ("mini", "reading-30"):
        with pytest.raises(UserError, match="about ready-made models; name a pair"):
            plan("prompts", name)


def test_methods_are_asked_with_prompts_that_they_know():
    """What is trained knows one set; on mini another one has a projection of its own."""
    runs = plan("grid", "qwen2.5-1.5b")
    assert {METHODS[run.protocol.method].kind for run in runs} == {None}
    assert {run.prompts for run in runs} == set(PROMPTS)
    mini = plan("grid")
    assert {run.prompts for run in mini} == {None}
    told = {run.pair: PRESETS[run.pair].prompts for run in mini}
    assert set(told.values()) == {"mini", "mini-paper"}
    assert {run.pair for run in mini if run.protocol.method == "softcot"} == told.keys()


def test_ready_made_models_have_experiments_of_their_own():
    whole = plan("all", "qwen2.5-coder-0.5b")
    parts = [run for name in READY_MADE for run in plan(name, "qwen2.5-coder-0.5b")]
    assert whole == list(dict.fromkeys(parts))
    assert len({run.file for run in whole}) == len(whole)
    cells = {(run.task, run.protocol.method, run.protocol.control) for run in whole}
    assert {("gsm8k", method, "none") for method in METHODS} <= cells
    assert {("gsm8k", "softcot", control) for control in CONTROLS} <= cells
    for name in READY_MADE.keys() - EXPERIMENTS.keys():
        with pytest.raises(UserError, match="about ready-made models; name a pair"):
            plan(name)


def test_every_deviation_between_ready_made_models_is_asked_beside_what_it_differs_from():
    runs = {(run.pair, run.protocol.k, run.protocol.control) for run in plan("worth", REAL_PAIR)}
    assert {run.task for run in plan("worth", REAL_PAIR)} == {NOTED}
    for name, done in REAL_DEVIATIONS.items():
        k = done.k or NOTED_K
        assert {(deviating(name, REAL_PAIR), k, control) for control in ("none", "swap")} <= runs
        assert (done.beside, k, "none") in runs
    assert {run.pair for run in plan("worth", "some-pair")} == {"some-pair"}


def test_prompts_are_tried_on_validation_problems_whatever_split_is_asked_for(
    pair, tmp_path, monkeypatch
):
    run = Run("mini-gsm", Protocol("zero-shot-cot", sampling=Sampling(max_new_tokens=4)))
    for lm in (pair.base, pair.assistant):  # to the tiny models these are long texts
        monkeypatch.setattr(lm.prompts, "context", 4096)
    told = [replace(run, pair="own", prompts=name) for name in ("chat", "chat-two")]
    records = []
    for each in told:
        path = reproduce(pair, each, tmp_path, count=2, split="test", batch_size=1)
        records.append(load_record(path))
        assert reproduce(pair, each, tmp_path, count=2) == path
    assert [record.split for record in records] == ["validation"] * 2
    assert [record.prompts for record in records] == ["chat", "chat-two"]
    assert records[0].rows[0].prompt != records[1].rows[0].prompt
    assert "--prompts chat-two" in records[1].command
    assert "--split validation" in records[1].command
    own = load_record(reproduce(pair, run, tmp_path, count=2))
    assert (own.split, own.prompts) == ("test", "mini")


def test_the_noise_of_softcot_p_is_chosen_on_validation_problems(pair, tmp_path):
    asked = Protocol("softcot-p", k=2, sampling=Sampling(max_new_tokens=4), samples=2)
    runs = [Run("mini-gsm", replace(asked, noise=noise)) for noise in (0.2, None)]
    loud, usual = (
        load_record(reproduce(pair, run, tmp_path, count=2, split="test")) for run in runs
    )
    assert (loud.split, loud.noise) == ("validation", 0.2) and "--noise 0.2" in loud.command
    assert (usual.split, usual.noise) == ("test", 0.1) and "--noise" not in usual.command
    assert key_of(loud) == key_of_run(runs[0]) != key_of_run(runs[1]) == key_of(usual)
    assert loud.chains["cosine"] < usual.chains["cosine"]
    kept = tmp_path / runs[1].file  # records of before do not say how long it was
    write_record(replace(usual, noise=None), kept)
    assert reproduce(pair, runs[1], tmp_path, count=2) == kept
    write_record(replace(usual, noise=0.3), kept)
    with pytest.raises(UserError, match="made with other settings"):
        reproduce(pair, runs[1], tmp_path, count=2)


def test_no_two_runs_make_records_of_the_same_thing():
    for pair, experiments in (("mini", EXPERIMENTS), (REAL_PAIR, READY_MADE)):
        files: dict = {}
        for name in experiments:
            for run in plan(name, pair):
                files.setdefault(key_of_run(run), set()).add((run.file, run.most))
        assert not {key: known for key, known in files.items() if len(known) > 1}
