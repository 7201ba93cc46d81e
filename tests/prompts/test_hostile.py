"""Whatever a visitor types: no special token is made and no slot is moved."""

import pytest
from hostile import texts, tried
from hypothesis import strategies as st

from softcot.data.tasks import FREE, TASKS
from softcot.support.errors import UserError


def special(lm, prompt):
    return [i for i in prompt.ids if i in set(lm.tokenizer.all_special_ids)]


@pytest.mark.proof("Hostile text in the prompts of the base, K from 0 to 16")
@tried(text=texts, k=st.integers(0, 16))
def test_no_text_makes_a_special_token_or_moves_a_slot(pair, text, k):
    prompts = pair.base.prompts
    try:
        prompt = prompts.base(text, task=FREE, k=k)
    except UserError as error:
        assert "\n" not in str(error)
        return
    plain = prompts.base("How many are left?", task=FREE, k=k)
    assert special(pair.base, prompt) == special(pair.base, plain)
    assert sum(prompt.slot_mask) == k
    slots = [place for place, slot in enumerate(prompt.slot_mask) if slot]
    assert slots == list(range(slots[0], slots[0] + k)) if k else not slots
    assert len(prompt.ids) - slots[-1] == _behind(plain) if k else True


def _behind(prompt):
    """Tokens from the last slot to the end."""
    return len(prompt.ids) - max(place for place, slot in enumerate(prompt.slot_mask) if slot)


@pytest.mark.proof("Hostile text in the prompt of the assistant")
@tried(text=texts)
def test_the_assistant_hears_the_text_and_nothing_else(pair, text):
    prompts = pair.assistant.prompts
    try:
        prompt = prompts.assistant(text, task=TASKS["mini-gsm"], k=4)
    except UserError as error:
        assert "\n" not in str(error)
        return
    plain = prompts.assistant("How many are left?", task=TASKS["mini-gsm"], k=4)
    assert special(pair.assistant, prompt) == special(pair.assistant, plain)
    assert sum(prompt.slot_mask) == 4
