"""Evaluations: what is in their records, and that each row depends on its own input alone."""

import json
from dataclasses import replace

import pytest
import torch
from conftest import build_problems, build_tokenizer, forward_passes

from softcot import methods
from softcot.data.answers import parse
from softcot.data.tasks import FREE, get_task, training_tasks
from softcot.decoding.decoder import Sampling
from softcot.evaluation import evaluator
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.methods import METHODS, get_method
from softcot.methods.splice import splice
from softcot.models.batches import collate
from softcot.models.language_model import fingerprint
from softcot.prompts.builder import PromptBuilder
from softcot.prompts.wording import Templates
from softcot.support.errors import UserError

TASK = get_task("mini-gsm")
SHORT = Sampling(max_new_tokens=6)
WARM = replace(SHORT, temperature=1.0)


@pytest.fixture(autouse=True)
def few_donors(monkeypatch):
    monkeypatch.setattr(methods, "DONORS", 8)


def run(pair, problems, method="softcot", task=TASK, **options):
    names = {"batch_size", "partial", "command", "progress"} & options.keys()
    how = {"batch_size": 2} | {name: options.pop(name) for name in names}
    protocol = Protocol(method, **{"k": 3, "sampling": SHORT} | options)
    return evaluate(pair, task, protocol, problems, **how)


def without_time(record):
    return replace(record, seconds=0.0)


def read_anything(kind, text):
    """Find an answer in most texts: the tiny model writes hardly any."""
    number = sum(text.encode())
    return parse(kind, text) or (str(number) if number % 4 else None)


@pytest.fixture
def readable(monkeypatch):
    monkeypatch.setattr(evaluator, "parse", read_anything)


@pytest.fixture(scope="module")
def problems(pair):
    """Twelve problems, of which four have the answer that is read from the model's text."""
    problems = build_problems(12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluator, "parse", read_anything)
        rows = run(pair, problems).rows
    answered = [i for i, row in enumerate(rows) if row.parsed is not None]
    for i in answered[:4]:
        problems[i] = replace(problems[i], answer=rows[i].parsed)
    return problems


@pytest.fixture(scope="module")
def record(pair, problems):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluator, "parse", read_anything)
        return run(pair, problems, seeds=(41, 42), command="python -m softcot evaluate")


def test_figures_follow_from_the_rows(record, problems):
    correct = [row.correct for row in record.rows]
    assert record.accuracy == sum(correct) / 24 == pytest.approx(4 / 12)
    assert record.parse_failures == sum(row.parsed is None for row in record.rows) / 24
    assert record.mean_new_tokens == sum(row.tokens for row in record.rows) / 24
    assert (record.n, record.seeds, record.k, record.split) == (12, [41, 42], 3, "test")
    assert [row.id for row in record.rows] == [problem.id for problem in problems] * 2
    assert [row.gold for row in record.rows[:12]] == [problem.answer for problem in problems]
    assert [row.seed for row in record.rows] == [41] * 12 + [42] * 12
    assert {row.sample for row in record.rows} == {0} and record.samples == 1
    assert record.scores().shape == (2, 12) and record.scores().mean() == record.accuracy


def test_record_says_where_it_comes_from(record, pair):
    projection = fingerprint(pair.projection("mini-gsm"), exact=True)
    assert record.fingerprints == pair.fingerprints | {"trained": projection}
    assert (record.pair, record.task, record.trained_on) == ("mini", "mini-gsm", "mini-gsm")
    assert (record.method, record.control, record.answer_kind) == ("softcot", "none", "number")
    assert record.versions.keys() == {"python", "torch", "transformers", "softcot"}
    assert torch.__version__.startswith(record.versions["torch"])
    assert record.device == "cpu"
    assert record.command == "python -m softcot evaluate"
    assert len(record.created) == 10
    assert record.sampling == {"temperature": 0.0, "top_p": 1.0, "top_k": 0, "max_new_tokens": 6}


def test_record_says_how_much_the_thoughts_depend_on_the_question(pair, problems, record):
    seen = record.collapse
    assert seen["questions"] == len(problems) and 0 < seen["varying"] < 1
    assert run(pair, problems, "prompt-tuning").collapse["varying"] == pytest.approx(0)
    without = (run(pair, problems, k=0), run(pair, problems, control="swap"))
    assert not any(each.collapse for each in (*without, run(pair, problems, "zero-shot-cot", k=0)))


def test_subsets_split_by_what_the_base_has_read(record, problems):
    for name, wanted in (("read", False), ("unread", True)):
        chosen = [bool(problem.meta["unread"]) == wanted for problem in problems]
        rows = [row for row, on in zip(record.rows, chosen * 2, strict=True) if on]
        subset = record.subsets[name]
        assert subset["n"] == sum(chosen) == 6
        assert subset["accuracy"] == sum(row.correct for row in rows) / 12
    assert record.subsets["read"].keys() == record.subsets["unread"].keys() >= {"interval"}


def test_no_subsets_where_reading_is_unknown(pair, problems):
    bare = [replace(problem, meta={}) for problem in problems[:2]]
    assert run(pair, bare).subsets == {}


def test_zero_shot_cot_needs_neither_thoughts_nor_assistant(readable, pair, problems):
    record = run(pair, problems[:3], "zero-shot-cot", k=9)
    assert record.k == 0 and record.trained_on is None
    assert record.fingerprints["assistant"] is record.fingerprints["trained"] is None
    soft = run(pair, problems[:3], k=0)
    assert [row.parsed for row in soft.rows] == [row.parsed for row in record.rows]


@pytest.mark.parametrize("sampling", [SHORT, WARM])
@pytest.mark.parametrize("control", ["none", "noise", "swap"])
def test_rows_do_not_depend_on_batches_or_order(readable, pair, problems, control, sampling):
    options = {"control": control, "sampling": sampling, "seeds": (41, 42)}
    together = run(pair, problems[:5], batch_size=5, **options).rows
    alone = run(pair, problems[4::-1], batch_size=1, **options).rows
    assert together == alone[4::-1] + alone[:4:-1]


def test_the_same_evaluation_gives_the_same_rows(readable, pair, problems):
    options = {"samples": 2, "sampling": WARM, "gold_logprob": True}
    first, second = (run(pair, problems[:4], **options) for _ in range(2))
    assert first.rows == second.rows and without_time(first) == without_time(second)


@pytest.mark.parametrize("control", ["none", "noise"])
def test_seeds_decide_samples(readable, pair, problems, control):
    options = {"sampling": WARM, "control": control}
    both = run(pair, problems[:4], seeds=(1, 2), **options)
    alone = run(pair, problems[:4], seeds=(2,), **options)
    assert both.rows[4:] == alone.rows
    assert [r.text for r in both.rows[:4]] != [r.text for r in both.rows[4:]]


def test_a_sample_does_not_depend_on_how_many_there_are(readable, pair, problems):
    several, alone = (
        run(pair, problems[:4], seeds=(1, 2), sampling=WARM, batch_size=size, samples=count)
        for size, count in ((7, 3), (4, 1))
    )
    assert several.rows[::3] == alone.rows
    assert [(row.seed, row.sample) for row in several.rows] == [
        (seed, sample) for seed in (1, 2) for _ in range(4) for sample in range(3)
    ]
    assert len({row.text for row in several.rows}) > 16
    assert [row.id for row in several.rows[:12:3]] == several.problem_ids()
    assert several.samples == 3 and several.accuracy == several.scores().mean()
    subsets = [subset["n"] for subset in several.subsets.values()]
    assert subsets == [2, 2]


@pytest.mark.parametrize(("control", "times"), [("none", 1), ("mean", 1), ("noise", 2)])
def test_prompts_are_read_once_for_all_answers(pair, problems, control, times):
    with forward_passes(pair.base) as passes:
        run(pair, problems, control=control, seeds=(1, 2), samples=3, sampling=WARM, batch_size=24)
    assert sum(rows for rows, tokens in passes if tokens > 1) == times * len(problems)
    assert max(rows for rows, _ in passes) == 24


def test_prompts_and_passes_are_those_of_the_method(pair, problems):
    seen = set()
    for name in METHODS:
        record = run(pair, problems[:2], name, seeds=(1, 2))
        prompt = get_method(name, pair, TASK).prepare(problems[:2], 3)
        assert [row.prompt for row in record.rows] == 2 * prompt.hashes
        assert [row.passes - row.tokens for row in record.rows] == 2 * prompt.passes
        assert record.mean_passes == sum(row.passes for row in record.rows) / 4
        seen |= {row.text for row in record.rows}
    assert len(seen) > len(METHODS)


@pytest.mark.parametrize("thoughts", [0, 3])
def test_gold_answers_are_scored_on_request(pair, problems, thoughts):
    record = run(pair, problems, k=thoughts, gold_logprob=True, seeds=(1, 2), batch_size=5)
    method = get_method("softcot", pair, TASK)
    vectors = method.thoughts(problems, thoughts)
    for problem, found, own in zip(problems, record.gold_logprobs().T, vectors, strict=True):
        prompt = pair.base.prompts.base(
            problem.question, task=TASK, k=thoughts, target=problem.target
        )
        batch = collate([prompt], 0, "left")
        whole = splice(pair.base.embed(batch.input_ids), batch.slot_mask, own[None])
        with torch.no_grad():
            logits = pair.base.model(inputs_embeds=whole).logits[0, :-1].log_softmax(-1)
        every = logits.gather(1, batch.input_ids[0, 1:, None])[:, 0]
        expected = every[torch.tensor(prompt.loss_mask[1:])].sum().item()
        assert found == pytest.approx([expected, expected], abs=1e-4)
    assert run(pair, problems[:2]).gold_logprobs() is None


@pytest.mark.parametrize("method", ["prompt-tuning", "lora", "coconut", "softcot"])
def test_weights_of_another_task_are_used_and_named(pair, problems, method):
    own, named, other = (
        run(pair, problems[:3], method, trained_on=task, gold_logprob=True)
        for task in (None, "mini-gsm", "mini-aqua")
    )
    assert (own.trained_on, other.trained_on) == ("mini-gsm", "mini-aqua")
    assert without_time(own) == without_time(named)
    assert other.fingerprints["trained"] != own.fingerprints["trained"]
    assert (own.gold_logprobs() != other.gold_logprobs()).all()
    theirs = get_method(method, pair, get_task("mini-aqua"))
    assert other.fingerprints["trained"] == theirs.fingerprint()


def test_the_record_names_the_weights_that_serve_a_task(pair):
    dates = get_task("mini-dates")
    assert run(pair, dates.problems("test", 2), task=dates).trained_on == "mini-asdiv"
    assert run(pair, build_problems(2), control="untrained").trained_on is None


def test_swap_never_uses_the_same_question(pair):
    problems = build_problems(6)
    own = get_method("softcot", pair, TASK).thoughts(problems, 3)
    for seed in range(5):
        swap = get_method("softcot", pair, TASK, control="swap", seed=seed, donors=problems)
        for number, swapped in enumerate(swap.thoughts(problems, 3)):
            equal = [torch.allclose(swapped, thoughts, atol=1e-5) for thoughts in own]
            assert sum(equal) == 1 and not equal[number]


def test_swap_draws_donors_from_the_validation_split(pair):
    problems = TASK.problems("validation", 3)
    swap = get_method("softcot", pair, TASK, control="swap", seed=7)
    assert swap.donors == TASK.problems("validation", 8)
    own = get_method("softcot", pair, TASK).thoughts(problems, 3)
    assert not torch.allclose(swap.thoughts(problems, 3), own)


def test_a_task_without_a_validation_split_swaps_with_what_its_projection_learnt(pair):
    swap = get_method("softcot", pair, get_task("mini-reworded"), control="swap")
    learnt = [
        problem for task in training_tasks("all") for problem in task.problems("validation", 2)
    ]
    assert swap.donors == learnt
    with pytest.raises(UserError, match="needs other questions"):
        get_method("softcot", pair, FREE, control="swap")


@pytest.mark.parametrize(("control", "rounds"), [("none", 1), ("noise", 2)])
def test_interrupted_run_resumes_without_answering_twice(
    readable, pair, problems, tmp_path, monkeypatch, control, rounds
):
    partial, answered = tmp_path / "x.partial", []
    options = {
        "control": control,
        "sampling": WARM,
        "seeds": (41, 42),
        "samples": 2,
        "batch_size": 8 // (3 - rounds),
    }
    ask = evaluator._Round._ask

    def counting(asked, numbers):
        answered.extend((asked.seeds[0], number) for number in numbers)
        return ask(asked, numbers)

    def interrupt(done, total):
        if done >= 8:
            raise KeyboardInterrupt

    monkeypatch.setattr(evaluator._Round, "_ask", counting)
    with pytest.raises(KeyboardInterrupt):
        run(pair, problems, partial=partial, **options, progress=interrupt)
    kept = [json.loads(line) for line in partial.read_text().splitlines()[1:]]
    kept = {(rows[0]["seed"], number) for numbers, rows, _ in kept for number in numbers}
    answered.clear()
    seen = []
    record = run(pair, problems, partial=partial, **options, progress=lambda *n: seen.append(n))
    done = len(kept) * 4 // rounds
    assert done >= 8 and seen[0] == (done, 48) and seen[-1] == (48, 48)
    seeds = (41, 42)[:rounds]
    missing = {(seed, number) for seed in seeds for number in range(len(problems))} - kept
    assert missing and sorted(answered) == sorted(missing)
    assert without_time(record) == without_time(run(pair, problems, **options))
    assert record.seconds > 0


@pytest.mark.parametrize(
    "change",
    [
        {"k": 2},
        {"seeds": (43,)},
        {"control": "zero"},
        {"trained_on": "mini-aqua"},
        {"samples": 2, "sampling": WARM},
        {"gold_logprob": True},
    ],
)
def test_partial_of_another_run_is_refused(pair, problems, tmp_path, change):
    partial = tmp_path / "x.partial"
    run(pair, problems[:2], partial=partial)
    before = partial.read_text()
    with pytest.raises(UserError, match="other settings"):
        run(pair, problems[:2], partial=partial, **change)
    with pytest.raises(UserError, match="other settings"):
        run(pair, problems[1:3], partial=partial)
    assert partial.read_text() == before


def other_donors(monkeypatch, pair):
    monkeypatch.setattr(methods, "DONORS", 7)


def other_prompts(monkeypatch, pair):
    for lm in (pair.base, pair.assistant):
        monkeypatch.setattr(lm.prompts, "templates", Templates.named("chat"))


def other_chat_template(monkeypatch, pair):
    monkeypatch.setattr(pair.assistant, "prompts", PromptBuilder(build_tokenizer(unk_token="<s>")))


def other_place(name, value):
    def change(monkeypatch, pair):
        found = evaluator.provenance
        monkeypatch.setattr(evaluator, "provenance", lambda *given: found(*given) | {name: value})

    return change


@pytest.mark.parametrize(
    "change",
    [
        other_donors,
        other_prompts,
        other_chat_template,
        other_place("commit", "0123"),
        other_place("dirty", "who knows"),
        other_place("device", "abacus"),
        other_place("versions", {"torch": "0.1"}),
    ],
)
def test_partial_of_other_data_prompts_or_programs_is_refused(
    pair, problems, tmp_path, monkeypatch, change
):
    asked = {"method": "cot-unk", "control": "swap", "partial": tmp_path / "x.partial"}
    run(pair, problems[:2], **asked)
    with monkeypatch.context() as patch:
        change(patch, pair)
        with pytest.raises(UserError, match="other settings"):
            run(pair, problems[:2], **asked)
    run(pair, problems[:2], **asked)


def test_partial_of_other_worked_answers_is_refused(pair, problems, tmp_path):
    partial = tmp_path / "x.partial"
    run(pair, problems[:2], gold_logprob=True, partial=partial)
    told = [replace(problem, rationale="Because.") for problem in problems[:2]]
    with pytest.raises(UserError, match="other settings"):
        run(pair, told, gold_logprob=True, partial=partial)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"problems": []}, "no problem"),
        ({"seeds": ()}, "one or more different numbers"),
        ({"seeds": (41, 41)}, "one or more different numbers"),
        ({"samples": 0}, "number of samples must be 1 or more"),
        ({"samples": 2}, "At temperature 0 all samples are equal"),
        ({"trained_on": "poetry"}, "no task 'poetry'"),
        ({"method": "zero-shot-cot", "trained_on": "mini-gsm"}, "trains nothing"),
        ({"method": "cot-unk", "trained_on": "mini-gsm"}, "trains nothing"),
        ({"batch_size": 0}, "batch size must be 1 or more"),
        ({"method": "telepathy"}, "no method called 'telepathy'"),
        ({"control": "prayer"}, "no control called 'prayer'"),
        ({"method": "zero-shot-cot", "control": "swap"}, "has no thoughts"),
        ({"k": 17}, "out of range; choose 0 to 16"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(pair, changes, message):
    options = {"problems": build_problems(2)} | changes
    with pytest.raises(UserError, match=message):
        run(pair, **options)


def test_gold_answers_of_another_kind_are_refused(pair):
    with pytest.raises(UserError, match="'many' .* not of the task's kind, number"):
        run(pair, [replace(build_problems(1)[0], answer="many")])
