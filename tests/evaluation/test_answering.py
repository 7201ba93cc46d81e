"""One question in several ways: columns, votes, notes, stopping."""

from contextlib import contextmanager

import pytest
from conftest import forward_passes

from softcot.data.problems import Problem
from softcot.data.tasks import get_task
from softcot.decoding.backend import Alone
from softcot.decoding.decoder import Completion, Sampling
from softcot.evaluation import answering
from softcot.evaluation.answering import ColumnRequest, answer_stream
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.support.errors import UserError
from softcot.thoughts.edits import Edit

HARD, SOFT = ColumnRequest("zero-shot-cot"), ColumnRequest("softcot")
PROBLEM = Problem(
    "mini-gsm", "Anna has 12 apples and buys 30 more. How many?", "42", "12 + 30 = 42."
)
TASK = get_task("mini-gsm")
SHORT = Sampling(max_new_tokens=8)


def last(pair, requests, thoughts=4, sampling=SHORT, samples=1, problem=PROBLEM):
    *_, columns = answer_stream(pair, problem, TASK, requests, thoughts, sampling, samples)
    return columns


@pytest.fixture
def script(monkeypatch):
    """Let rows write given texts instead of what the model would."""

    def install(pair, texts, reasons=None):
        reasons = reasons or ["end"] * len(texts)
        written = [pair.base.tokenizer(text, add_special_tokens=False).input_ids for text in texts]

        class Scripted(Alone):
            def __init__(self):
                self.rows, self.steps = [Completion() for _ in texts], 0

            @contextmanager
            def session(self, rows=1, visitor=""):
                yield self

            def waiting(self):
                return []

            def add(self, lm, prompt, sampling, row_seeds=None, samples=1):
                assert len(prompt.prompt_tokens) * samples == len(texts)
                return self.rows

            @property
            def open(self):
                return sum(not row.finished for row in self.rows)

            def step(self):
                self.steps += 1
                for row, ids, reason in zip(self.rows, written, reasons, strict=True):
                    if not row.finished:
                        row.ids, row.seconds = ids[: self.steps], float(self.steps)
                    if row.ids == ids:
                        row.finished, row.stop_reason = True, reason

        monkeypatch.setattr(answering, "Alone", Scripted)

    return install


def test_columns_do_not_depend_on_each_other(pair):
    together = last(pair, [HARD, SOFT])
    alone = [last(pair, [HARD])[0], last(pair, [SOFT])[0]]
    assert [column.text for column in together] == [column.text for column in alone]
    assert [column.k for column in together] == [0, 4]
    assert together[0].text != together[1].text


def test_k_zero_is_zero_shot_cot(pair):
    hard, soft = last(pair, [HARD, SOFT], thoughts=0)
    assert soft.text == hard.text
    assert soft.k == 0


def test_snapshots_grow_and_may_be_kept(pair):
    snapshots = [columns[0] for columns in answer_stream(pair, PROBLEM, TASK, [SOFT], 2, SHORT)]
    counts = [column.new_tokens for column in snapshots[:-1]]
    assert counts == list(range(1, len(counts) + 1))
    assert [column.done for column in snapshots] == [False] * (len(counts) - 1) + [True] * 2
    assert all(column.seconds > 0 for column in snapshots)


def test_answer_is_read_and_judged_when_the_text_is_complete(pair, script):
    script(pair, ["12 + 30 = 42. The answer is 42."])
    *open_columns, [column], _ = answer_stream(pair, PROBLEM, TASK, [SOFT], 2, SHORT)
    assert all(column.answer is None and column.correct is None for [column] in open_columns)
    assert (column.answer, column.correct, column.note) == ("42", True, "")
    assert column.votes == {}


def test_no_verdict_without_a_gold_answer(pair, script):
    script(pair, ["The answer is 42."])
    [column] = last(pair, [SOFT], problem=Problem("mini-gsm", PROBLEM.question))
    assert column.answer == "42"
    assert column.correct is None


def test_majority_answers_and_its_first_text_is_shown(pair, script):
    texts = ["The answer is 7.", "So the answer is 42.", "The answer is 42.", "No idea."]
    script(pair, texts)
    [column] = last(pair, [SOFT], sampling=Sampling(temperature=1.0), samples=4)
    assert column.votes == {"42": 2, "7": 1}
    assert (column.answer, column.correct, column.text) == ("42", True, texts[1])
    assert column.new_tokens == sum(len(pair.base.tokenizer(t).input_ids) for t in texts)


def test_notes_say_what_went_wrong(pair, script):
    script(pair, ["Anna has many"], reasons=["length"])
    [column] = last(pair, [SOFT])
    assert column.correct is False
    assert column.note == "The text was cut off at the token limit. No answer could be read."


def test_samples_read_their_prompt_once(pair):
    sampling = Sampling(temperature=1.0, max_new_tokens=6)
    with forward_passes(pair.base) as passes:
        unknown = Problem("mini-gsm", PROBLEM.question)
        last(pair, [HARD, SOFT], sampling=sampling, samples=3, problem=unknown)
    rows, tokens = zip(*passes, strict=True)
    assert rows == (1, 3, 1, 6, 6, 6, 6, 3)  # three samples each, SoftCoT one token behind
    assert tokens[0] > 10 and tokens[2] > 10 and {*tokens[:2], *tokens[3:]} == {tokens[0], 1}


def test_what_needs_no_assistant_does_not_wait_for_it(pair):
    unknown = Problem("mini-gsm", PROBLEM.question)
    with forward_passes(pair.assistant) as passes:
        stream = answer_stream(pair, unknown, TASK, [SOFT, HARD], 4, SHORT)
        soft, hard = next(stream)
        assert not passes and hard.new_tokens == 1
        assert (soft.new_tokens, soft.text, soft.done, soft.k) == (0, "", False, 4)
        soft, hard = next(stream)
        assert len(passes) == 1 and (soft.new_tokens, hard.new_tokens) == (1, 2)
        *_, (soft, hard) = stream
    assert len(passes) == 1 and soft.done and hard.done
    assert soft.text == last(pair, [SOFT])[0].text


def test_what_an_edit_refuses_is_refused_before_anything_is_written(pair):
    wrong = ColumnRequest("softcot", edits=(Edit("add", token="two words"),))
    stream = answer_stream(pair, PROBLEM, TASK, [HARD, wrong], 4, SHORT)
    with pytest.raises(UserError, match="name a text that is one"):
        next(stream)


def test_same_sample_of_equal_columns_is_equal(pair):
    sampling = Sampling(temperature=1.0, max_new_tokens=6)
    first, second = last(pair, [SOFT, SOFT], sampling=sampling, samples=2)
    assert (first.text, first.votes) == (second.text, second.votes)
    other = last(pair, [SOFT], sampling=Sampling(temperature=1.0, max_new_tokens=6, seed=42))
    assert other[0].text != first.text


def test_swap_takes_the_thoughts_of_the_given_question(pair):
    swaps = [
        ColumnRequest("softcot", edits=(Edit("swap", question=question),))
        for question in ("Tom has 7 pears. How many are left?", PROBLEM.question)
    ]
    other, same, own = last(pair, [*swaps, SOFT])
    assert other.title == "SoftCoT, swap"
    assert other.text != own.text == same.text


def test_gold_answers_are_scored_in_the_end(pair):
    stream = answer_stream(pair, PROBLEM, TASK, [HARD, SOFT], 4, SHORT)
    *before, columns = [[c.gold_logprob for c in columns] for columns in stream]
    assert before and not any(any(scores) for scores in before)
    for method, score in zip((HARD.method, SOFT.method), columns, strict=True):
        record = evaluate(pair, TASK, Protocol(method, k=4, gold_logprob=True), [PROBLEM])
        assert score == pytest.approx(record.rows[0].gold_logprob, rel=1e-5)
    # A bare result is judged and not scored: no model writes it without its reasoning.
    for answer in ("", "42"):
        [column] = last(pair, [SOFT], problem=Problem("mini-gsm", PROBLEM.question, answer))
        assert column.gold_logprob is None and (column.correct is None) == (not answer)


def test_closing_the_stream_stops_the_work(pair, monkeypatch):
    calls = []
    embed = pair.base.embed
    monkeypatch.setattr(pair.base, "embed", lambda ids: calls.append(ids) or embed(ids))
    stream = answer_stream(pair, PROBLEM, TASK, [HARD, SOFT], 4, Sampling(max_new_tokens=50))
    next(stream)
    next(stream)
    before = len(calls)
    stream.close()
    assert len(calls) == before
    assert next(stream, None) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": 0}, "number of samples must be 1 or more"),
        ({"samples": 3}, "temperature above 0"),
        ({"requests": [ColumnRequest("telepathy")]}, "no method called 'telepathy'"),
        ({"requests": [ColumnRequest("softcot", "prayer")]}, "no control called 'prayer'"),
        ({"requests": [ColumnRequest("zero-shot-cot", "swap")]}, "has no thoughts"),
        ({"thoughts": 17}, "K = 17 thoughts is out of range; choose 0 to 16"),
        ({"thoughts": -1}, "out of range"),
        ({"problem": Problem("free", " ")}, "question is empty"),
        ({"problem": Problem("free", "apples " * 600)}, r"\d+ tokens long; the limit is \d+"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(pair, changes, message):
    with pytest.raises(UserError, match=message):
        last(pair, **({"requests": [SOFT]} | changes))
