"""Problems asked in several ways: the figures equal those of an evaluation."""

import numpy as np
import pytest
from conftest import build_problems, forward_passes

from softcot.data.tasks import get_task
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.evaluation.variants import Trial, Variant, try_variants
from softcot.methods import get_method
from softcot.support.errors import UserError
from softcot.thoughts.edits import Edit

TASK = get_task("mini-gsm")


def variants(pair, *counts):
    return [Variant(f"K = {k}", get_method("softcot", pair, TASK), k) for k in counts]


def test_a_trial_is_an_evaluation(pair, problems):
    asked = variants(pair, 0, 3)
    *_, trials = try_variants(asked, problems, batch_size=2)
    for trial, variant in zip(trials, asked, strict=True):
        protocol = Protocol("softcot", k=variant.k, gold_logprob=True)
        record = evaluate(pair, TASK, protocol, problems)
        assert trial.answers == [row.parsed for row in record.rows]
        assert trial.correct == [row.correct for row in record.rows]
        np.testing.assert_allclose(trial.logprobs, record.gold_logprobs()[0], rtol=1e-4)
        assert (trial.n, trial.accuracy) == (len(problems), record.accuracy)
        assert trial.accuracy_interval == record.interval and trial.seconds > 0


def test_figures_run_along(pair, problems):
    seen = [[t.n for t in trials] for trials in try_variants(variants(pair, 0, 3), problems[:4])]
    assert seen[0] == [0, 0] and seen[-1] == [4, 4] and [4, 0] in seen


def test_closing_stops_the_work(pair, problems):
    with forward_passes(pair.base) as passes:
        running = try_variants(variants(pair, 3), problems)
        next(running), next(running)
        running.close()
    assert len(passes) == 2


def test_an_effect_is_paired():
    answers, others = ["1", "2", None, "4"], ["1", "3", None, "5"]
    mine = Trial("edited", 3, answers, [True, False, False, False], [-1.0, -2.0, -3.0, -4.0])
    theirs = Trial("own", 3, others, [True, True, False, False], [-1.0, -1.0, -1.0, -1.0])
    effect = mine.against(theirs)
    assert effect.n == 4 and effect.flipped[0] == 0.5
    assert effect.logprob[0] == -1.5 and effect.accuracy[0] == -0.25
    low, high = effect.flipped[1]
    assert 0 <= low < 0.5 < high <= 1
    assert theirs.against(theirs).flipped == (0.0, [0.0, 0.0])


def test_an_edit_that_changes_nothing_has_no_effect(pair):
    problems = build_problems(3)
    asked = [
        Variant("own", get_method("softcot", pair, TASK), 4),
        Variant("kept", get_method("softcot", pair, TASK, edits=[Edit("keep")]), 4),
        Variant("dropped", get_method("softcot", pair, TASK, edits=[Edit("drop")]), 4),
        Variant("hard", get_method("zero-shot-cot", pair, TASK)),
    ]
    *_, (own, kept, dropped, hard) = try_variants(asked, problems)
    assert kept.against(own).flipped[0] == 0 and kept.logprobs == own.logprobs
    assert dropped.answers == hard.answers and dropped.logprobs == hard.logprobs


def test_nothing_to_try_is_refused(pair):
    with pytest.raises(UserError, match="no problem to try"):
        next(try_variants(variants(pair, 1), []))
