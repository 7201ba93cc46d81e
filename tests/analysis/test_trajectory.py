"""The thoughts of many problems on one map."""

import json
from dataclasses import replace

import numpy as np
import pytest

from softcot.analysis.geometry import map_places
from softcot.analysis.trajectory import trajectories
from softcot.analysis.vocabulary import Vocabulary, to_numpy
from softcot.data.tasks import get_task
from softcot.methods import get_method
from softcot.support.errors import UserError

TASK = get_task("mini-gsm")
K = 3


def places(entry) -> np.ndarray:
    return np.array([(point.x, point.y, point.z) for point in entry.points])


def test_every_problem_is_where_its_own_thoughts_are(pair, problems):
    method, vocabulary = get_method("softcot", pair, TASK), Vocabulary.of(pair.base)
    found = trajectories(pair, TASK, problems, K, batch_size=2)
    assert [entry.id for entry in found] == [problem.id for problem in problems]
    for entry, problem in zip(found, problems, strict=True):
        alone = to_numpy(method.thoughts([problem], K))[0]
        assert places(entry) == pytest.approx(map_places(alone, vocabulary), abs=1e-4)
        assert [point.label for point in entry.points] == ["1", "2", "3"]
        assert (entry.question, entry.answer) == (problem.question, problem.answer)
    json.dumps([entry.to_json() for entry in found])


def test_kind_and_reading_come_from_the_problem(pair, problems):
    plain = replace(problems[0], meta={})
    twice = replace(problems[0], meta={"operations": ["add", "halve"]})
    found = trajectories(pair, TASK, [*problems[:2], plain, twice], 1)
    assert [entry.kind for entry in found] == ["add", "add", "mini-gsm", "add + halve"]
    assert [entry.read for entry in found] == [True, False, True, True]


def test_thoughts_should_name_the_hints_tokens_in_turn(pair, problems):
    pair_of = [replace(problems[0], hint=hint) for hint in ("Tom 12", "")]
    named, unnamed = trajectories(pair, TASK, pair_of, 6)
    ids = pair.assistant.prompts.text("Tom 12")
    tokens = [pair.assistant.tokenizer.decode([i]).strip() for i in ids]
    assert tokens[-2:] == ["1", "2"]
    expected = [*tokens[:-2], "a digit", "a digit", *["nothing more"] * 6][:6]
    assert [name.strip("·") for name in named.named] == [name or "" for name in expected]
    assert unnamed.named == ["add"] * 6


def test_progress_is_told_after_every_batch(pair, problems):
    told = []
    vocabulary = Vocabulary.of(pair.base)
    trajectories(
        pair, TASK, problems, K, vocabulary=vocabulary, batch_size=2,
        progress=lambda *step: told.append(step),
    )  # fmt: skip
    assert told == [(2, 5), (4, 5), (5, 5)]


def test_nothing_is_no_trouble_and_too_much_is_refused(pair, problems):
    assert trajectories(pair, TASK, [], K) == []
    assert trajectories(pair, TASK, problems[:1], 0)[0].points == []
    with pytest.raises(UserError, match="out of range"):
        trajectories(pair, TASK, problems, 1000)
