"""SoftCoT++: sets of thoughts from one batch, that take turns, and the loss that parts them."""

import json
import math
from dataclasses import replace

import pytest
import torch
from conftest import build_problems, forward_passes

from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling, decode, finish
from softcot.evaluation.answering import ColumnRequest, answer_stream
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.methods import SoftCoTPP, get_method
from softcot.support.errors import UserError
from softcot.thoughts.many_thoughts import SCALE, ManyThoughts, contrastive_loss
from softcot.training.config import TrainingConfig
from softcot.training.trainer import train

TASK = get_task("mini-gsm")
SHORT = Sampling(max_new_tokens=4)
WARM = Sampling(temperature=1.0, max_new_tokens=4)
TINY = TrainingConfig(
    max_thoughts=3,
    steps=4,
    batch_size=4,
    warmup=1,
    chains=2,
    train_problems=8,
    validation_problems=4,
    validate_every=2,
)


@pytest.fixture
def single(pair):
    """SoftCoT++ with one set, whose placeholder and projection are SoftCoT's."""
    weights = ManyThoughts.for_pair(pair, "mini-gsm", 16, chains=1)
    weights.linear.load_state_dict(pair.projection("mini-gsm").linear.state_dict())
    return pair.using(weights)


def test_one_set_is_softcot(pair, single, problems):
    one, plain = get_method("softcot-pp", single, TASK), get_method("softcot", pair, TASK)
    torch.testing.assert_close(
        one.thoughts(problems, 5), plain.thoughts(problems, 5), rtol=1e-3, atol=1e-4
    )
    for samples, sampling in ((1, SHORT), (3, WARM)):
        records = [
            evaluate(
                models, TASK, Protocol(name, samples=samples, sampling=sampling, k=3), problems
            )
            for models, name in ((single, "softcot-pp"), (pair, "softcot"))
        ]
        texts = [[row.text for row in record.rows] for record in records]
        assert texts[0] == texts[1]


def test_every_set_is_the_assistants_reading_of_its_own_vector(pair, problems):
    method, assistant = get_method("softcot-pp", pair, TASK), pair.assistant
    sets = method.thought_sets(problems, 4, 3)
    assert sets.shape == (3, len(problems), 4, 32)
    for vectors, initial in zip(sets, method.weights.initial, strict=False):
        for found, problem in zip(vectors, problems, strict=True):
            prompt = assistant.prompts.assistant(problem.question, task=TASK, k=4)
            inputs = assistant.embed(torch.tensor([prompt.ids])).clone()
            inputs[0, -4:] = initial
            with torch.no_grad():
                output = assistant.model(inputs_embeds=inputs, output_hidden_states=True)
            expected = method.weights.linear(output.hidden_states[-1][0, -4:])
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_all_sets_start_near_softcots_placeholder(pair):
    start = ManyThoughts.for_pair(pair, "mini-gsm", 3, chains=4).initial.detach()
    own = pair.assistant.embed(torch.tensor(pair.assistant.prompts.tokens.placeholder))
    assert torch.equal(start[0], own)
    away = (start[1:] - own).norm(dim=-1) / own.norm()
    torch.testing.assert_close(away, torch.full((3,), 0.1))
    assert torch.cdist(start, start).fill_diagonal_(1).min() > 0


def test_all_sets_come_from_one_batch(pair, problems):
    method = get_method("softcot-pp", pair, TASK)
    with forward_passes(pair.assistant) as passes:
        prompt = method.prepare_sets(problems, 4, 5)
    n = len(problems)
    assert [rows for rows, _ in passes] == [n, 5 * n] and passes[1][1] == 4
    assert prompt.passes == [2] * 5 * n and len(set(prompt.hashes)) == n


def test_samples_take_turns_with_the_sets(pair, problems):
    protocol = Protocol("softcot-pp", k=3, sampling=SHORT, samples=10)
    record = evaluate(pair, TASK, protocol, problems[:2])
    method = get_method("softcot-pp", pair, TASK)
    for number in range(10):
        alone = SoftCoTPP(pair, method.weights, TASK)
        alone.own = lambda some, k, n=number: method.own_sets(some, k, [n])[0]  # type: ignore
        alone.own_sets = lambda some, k, _, n=number: method.own_sets(some, k, [n])  # type: ignore
        prompt = alone.prepare(problems[:2], 3)
        rows = finish(decode(pair.base, prompt, SHORT))
        texts = [row.text for row in record.rows if row.sample == number]
        assert texts == [pair.base.text(row.ids) for row in rows]
    assert {"pass", "answers", "cosine"} <= record.chains.keys() and record.chains["cosine"] < 1
    shown = [
        column.text or column.votes
        for [column] in answer_stream(
            pair, problems[0], TASK, [ColumnRequest("softcot-pp")], 3, SHORT, samples=10
        )
    ]
    assert shown


def test_twice_as_many_samples_as_sets_come_back_to_each(pair, problems):
    asked = {"k": 3, "sampling": WARM, "seeds": (1, 2)}
    record = evaluate(pair, TASK, Protocol("softcot-pp", samples=20, **asked), problems[:2])
    fewer = evaluate(pair, TASK, Protocol("softcot-pp", samples=10, **asked), problems[:2])
    known = {(row.id, row.seed, row.sample): row.text for row in record.rows}
    for row in fewer.rows:
        assert known[row.id, row.seed, row.sample] == row.text
    with pytest.raises(UserError, match="10 sets of thoughts cannot share 15 samples evenly"):
        evaluate(pair, TASK, Protocol("softcot-pp", samples=15, **asked), problems[:2])
    cold = Protocol("softcot-pp", samples=20, sampling=SHORT)
    with pytest.raises(UserError, match="has 10 different answers to a question"):
        evaluate(pair, TASK, cold, problems[:2])


@pytest.mark.parametrize("control", ["swap", "mean", "noise"])
def test_controls_stand_in_for_each_set(pair, problems, control):
    donors = build_problems(6, seed=9)
    for name in ("softcot-pp", "softcot-p"):
        method = get_method(name, pair, TASK, control=control, donors=donors)
        own = get_method(name, pair, TASK)
        sets = method.thought_sets(problems, 4, 3)
        lent = own.own_sets(donors, 4, range(3))
        for number, vectors in enumerate(sets):
            if control == "mean":
                torch.testing.assert_close(vectors[0], lent[number].mean(0), rtol=1e-3, atol=1e-4)
            if control == "swap":
                apart = torch.cdist(vectors.flatten(1), lent[number].flatten(1))
                assert (apart.min(1).values < 1e-2).all()
        assert not torch.allclose(sets[0], sets[1])


def test_softcot_p_is_softcot_with_a_little_noise(pair, problems):
    noisy, plain = (get_method(name, pair, TASK) for name in ("softcot-p", "softcot"))
    own, sets = plain.thoughts(problems, 4), noisy.thought_sets(problems, 4, 3)
    for vectors in sets:
        share = (vectors - own).norm(dim=-1) / own.norm(dim=-1)
        torch.testing.assert_close(share, torch.full_like(share, 0.1))
    torch.testing.assert_close(noisy.thought_sets(problems[2:3], 4, 3), sets[:, 2:3])
    assert not torch.allclose(sets[0], sets[1])
    louder = get_method("softcot-p", pair, TASK, noise=0.3).thought_sets(problems, 4, 3)
    torch.testing.assert_close(louder - own, 3 * (sets - own), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("noise", [0, -0.1, 11, math.nan])
def test_noise_of_no_possible_length_is_refused(pair, noise):
    with pytest.raises(UserError, match="share of a thought's length"):
        get_method("softcot-p", pair, TASK, noise=noise)


def test_noise_is_refused_by_whoever_has_none(pair):
    with pytest.raises(UserError, match="SoftCoT has no noise of its own"):
        get_method("softcot", pair, TASK, noise=0.1)


def test_the_contrastive_loss_equals_a_direct_computation():
    sets = torch.randn(3, 2, 4, 8)
    expected = []
    for question in range(2):
        means = [one[question].mean(0) / one[question].mean(0).norm() for one in sets]
        for own in means:
            among = sum(math.exp(SCALE * float(own @ other)) for other in means)
            expected.append(-math.log(math.exp(SCALE * float(own @ own)) / among))
    assert contrastive_loss(sets).item() == pytest.approx(sum(expected) / 6, abs=1e-4)
    assert contrastive_loss(sets[:1]).item() == pytest.approx(0, abs=1e-6)
    assert contrastive_loss(sets[:1].expand(5, -1, -1, -1)).item() == pytest.approx(math.log(5))


def test_it_is_trained_and_read_again(pair, tmp_path):
    out = tmp_path / "out"
    result = train(pair, "softcot-pp", "mini-gsm", TINY, out)
    assert result.finished and "swap_loss" in result.history[-1]
    record = json.loads((out / "training.json").read_text())
    assert (record["config"]["chains"], record["config"]["contrast"]) == (2, 0.001)
    assert record["fingerprints"]["base"] == pair.fingerprints["base"]
    weights = pair.read(ManyThoughts, out)
    fresh = ManyThoughts.for_pair(pair, "mini-gsm", 3, TINY.seed, chains=2)
    assert weights.chains == 2 and weights.initial.shape == (2, pair.assistant.width)
    assert result.best_step == 0 or not torch.allclose(weights.initial, fresh.initial)
    sets = SoftCoTPP(pair, weights, TASK).thought_sets(build_problems(4), 3, 2)
    assert sets.shape == (2, 4, 3, 32)


def test_the_contrastive_loss_parts_sets_that_are_alike(pair, problems):
    made = {"chains": 2, "contrast": 1.0}
    objective = SoftCoTPP.objective_for(pair, "mini-gsm", 3, 0, **made)
    weights = objective.weights
    with torch.no_grad():
        weights.initial[1] = weights.initial[0] + 0.01 * torch.randn(pair.assistant.width)
    optimizer = torch.optim.Adam(weights.parameters(), 1e-2)
    found = []
    for _ in range(4):
        losses, beside = objective.graded(problems, torch.empty(len(problems), 0), 3)
        found.append(beside.item())
        optimizer.zero_grad()
        beside.backward()
        assert weights.initial.grad.any() and weights.linear.weight.grad.any()
        optimizer.step()
    assert found == sorted(found, reverse=True) and found[0] <= math.log(2) + 1e-5
    assert len(losses) == 2 * sum(
        sum(pair.base.prompts.base(p.question, task=TASK, target=p.target).loss_mask)
        for p in problems
    )
    objective.contrast = 0.0
    assert objective.graded(problems, torch.empty(len(problems), 0), 3)[1] is None


@pytest.mark.parametrize("graded", [1, 2, 5])
def test_a_step_may_grade_each_problem_with_some_of_the_sets(pair, graded):
    problems = build_problems(12)
    objective = SoftCoTPP.objective_for(
        pair, "mini-gsm", 3, 0, chains=3, contrast=1.0, graded_chains=graded
    )
    unread = torch.empty(len(problems), 0)
    met = {k: [] for k in (2, 3)}
    for k, found in met.items():
        drawn = objective._drawn(problems, objective.sets(problems, k))
        for place, problem in enumerate(problems):
            sets = objective.sets([problem], k)[:, 0]
            near = [int((sets - one).flatten(1).norm(dim=1).argmin()) for one in drawn[:, place]]
            assert len({*near}) == len(near) == min(graded, 3)
            found.append(near)
    assert {number for near in met[3] for number in near} == {0, 1, 2}
    assert graded > 2 or met[2] != met[3]
    losses, beside = objective.graded(problems, unread, 3)
    assert len(losses) * 3 == len(objective.losses(problems, unread, 3)) * min(graded, 3)
    assert beside == contrastive_loss(objective.sets(problems, 3))


def test_what_is_validated_is_the_likelihood_alone(pair, tmp_path):
    plain, parted = (
        train(
            pair, "softcot-pp", "mini-gsm", replace(TINY, contrast=weight), tmp_path / str(weight)
        ).history[0]
        for weight in (0.0, 5.0)
    )
    assert plain["validation_loss"] == parted["validation_loss"]


def test_other_methods_trainings_know_nothing_of_it(pair, tmp_path):
    train(pair, "softcot", "mini-gsm", TINY, tmp_path / "out")
    config = json.loads((tmp_path / "out" / "training.json").read_text())["config"]
    assert not {"chains", "contrast"} & config.keys()
    with pytest.raises(UserError, match="setting chains must be a whole number, 1 or more"):
        replace(TINY, chains=0)
    with pytest.raises(UserError, match="setting contrast must be a number, 0 or more"):
        replace(TINY, contrast=-1.0)
