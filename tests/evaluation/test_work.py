"""What an answer takes: tokens of both models, and the arithmetic behind them."""

import pytest
from conftest import build_problems

from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling
from softcot.evaluation.evaluator import Protocol, evaluate

TASK = get_task("mini-gsm")
SHORT = Sampling(max_new_tokens=3)


def weights_of(lm):
    """Numbers in the layers of a model that multiply, the head among them."""
    model = lm.model
    layers = sum(weight.numel() for weight in model.model.layers.parameters())
    return layers + model.model.norm.weight.numel() + model.lm_head.weight.numel()


def work(pair, method, **options):
    problems = build_problems(1)
    record = evaluate(pair, TASK, Protocol(method, sampling=SHORT, **options), problems)
    return problems[0].question, record


def test_the_base_alone_reads_its_prompt_and_writes(pair):
    question, record = work(pair, "zero-shot-cot")
    base = 2 * weights_of(pair.base)
    read = len(pair.base.prompts.base(question, task=TASK))
    assert record.work["prompt_tokens"] == read and record.work["heard_tokens"] == 0
    assert record.flops == pytest.approx(base * (read + record.mean_new_tokens))


def test_thoughts_cost_the_assistants_one_reading_and_their_slots(pair):
    question, record = work(pair, "softcot", k=4)
    base, assistant = (2 * weights_of(lm) for lm in (pair.base, pair.assistant))
    read = len(pair.base.prompts.base(question, task=TASK, k=4))
    heard = len(pair.assistant.prompts.assistant(question, task=TASK, k=4))
    expected = base * (read + record.mean_new_tokens) + assistant * heard
    assert record.flops == pytest.approx(expected)
    _, alone = work(pair, "self-thoughts", k=4)
    own = len(pair.base.prompts.assistant(question, task=TASK, k=4))
    assert alone.flops == pytest.approx(base * (read + own + alone.mean_new_tokens))
    _, none = work(pair, "softcot", k=0)
    assert none.work["heard_tokens"] == 0


def test_sets_of_thoughts_are_heard_once_and_read_each(pair):
    question, record = work(pair, "softcot-pp", k=4, samples=3)
    base, assistant = (2 * weights_of(lm) for lm in (pair.base, pair.assistant))
    read = len(pair.base.prompts.base(question, task=TASK, k=4))
    heard = len(pair.assistant.prompts.assistant(question, task=TASK, k=4)) + 2 * 4
    written = 3 * record.mean_new_tokens
    assert record.flops == pytest.approx(base * (3 * read + written) + assistant * heard)
