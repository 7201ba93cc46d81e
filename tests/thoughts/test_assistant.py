"""The assistant: one forward pass, all K."""

import pytest
import torch
from conftest import build_problems, forward_passes

from softcot.data.tasks import FREE
from softcot.support.errors import UserError
from softcot.thoughts.assistant import soft_states

QUESTIONS = [problem.question for problem in build_problems(4)]


def states(pair, questions, thoughts):
    return soft_states(pair.assistant, questions, thoughts, FREE)


def test_shape_and_dtype(pair):
    found = states(pair, QUESTIONS, 6)
    assert found.shape == (4, 6, 16) and found.dtype == torch.float32
    assert not found.requires_grad


@pytest.mark.parametrize("thoughts", [1, 4, 15])
def test_states_of_k_are_the_first_k_of_more(pair, thoughts):
    most = states(pair, QUESTIONS, 16)
    torch.testing.assert_close(states(pair, QUESTIONS, thoughts), most[:, :thoughts])


def test_a_row_does_not_depend_on_its_neighbours(pair):
    together = states(pair, QUESTIONS, 5)
    for row, question in zip(together, QUESTIONS, strict=True):
        torch.testing.assert_close(states(pair, [question], 5)[0], row)


def test_states_are_the_last_hidden_states_at_the_placeholders(pair):
    lm = pair.assistant
    prompt = lm.prompts.assistant(QUESTIONS[1], task=FREE, k=3)
    output = lm.model(torch.tensor([prompt.ids]), output_hidden_states=True)
    torch.testing.assert_close(states(pair, [QUESTIONS[1]], 3)[0], output.hidden_states[-1][0, -3:])


def test_different_questions_have_different_states(pair):
    first, second = states(pair, QUESTIONS[:2], 4)
    assert (first - second).abs().max() > 0.01


def test_a_question_is_read_once_for_nearby_ks(pair):
    """Also after others were asked, and never for another question."""
    question = "Does a question that nobody asked before cost a reading?"
    with forward_passes(pair.assistant) as passes:
        found = {k: states(pair, [question], k) for k in (3, 8, 1)}
        assert len(passes) == 1
        states(pair, [question], 9), states(pair, QUESTIONS, 3), states(pair, [question], 16)
        assert len(passes) == 3
        other = states(pair, [question[:-1]], 3)
        assert len(passes) == 4 and not torch.equal(other, found[3])
    assert torch.equal(found[8][:, :3], found[3]) and torch.equal(found[8][:, :1], found[1])
    torch.testing.assert_close(states(pair, [question, QUESTIONS[0]], 3)[:1], found[3])


def test_where_more_slots_have_no_room_the_wanted_ones_do(pair, monkeypatch):
    builder = pair.assistant.prompts
    room = len(builder.assistant(QUESTIONS[0], task=FREE, k=3)) + builder.reserve
    monkeypatch.setattr(builder, "context", room)
    assert states(pair, QUESTIONS[:1], 3).shape == (1, 3, 16)
    with pytest.raises(UserError, match="long"):
        states(pair, QUESTIONS[:1], 4)


def test_no_thoughts_no_states(pair):
    assert states(pair, QUESTIONS, 0).shape == (4, 0, 16)
