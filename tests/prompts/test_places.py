"""Templates that say where the thoughts stand, how many there are, and who writes the header."""

import json
from dataclasses import replace

import pytest
import torch

from softcot.data.tasks import FREE
from softcot.evaluation.evaluator import Protocol, evaluate
from softcot.methods import SoftCoT, ZeroShotCoT
from softcot.prompts.builder import PromptBuilder
from softcot.prompts.wording import ROLES, Templates
from softcot.support.errors import UserError
from softcot.thoughts.assistant import soft_states

QUESTION = "Anna has 12 apples. How many are left?"
PLACED = "Solve it.\n{{ question }}{% if k %} Notes: ({{ thoughts }}) end.{% endif %}"
COUNTED = "Name the {{ k }} key steps.\n{{ question }} Steps: {{ thoughts }} end."


@pytest.fixture
def written(tmp_path):
    def write(base: str = PLACED, assistant: str = COUNTED, **settings: str) -> Templates:
        for role, text in zip(ROLES, (base, assistant), strict=True):
            (tmp_path / role).mkdir(exist_ok=True)
            (tmp_path / role / "default.jinja").write_text(text)
        if settings:
            (tmp_path / "set.json").write_text(json.dumps(settings))
        return Templates(tmp_path)

    return write


def said(builder: PromptBuilder, ids) -> str:
    return builder.tokenizer.decode(ids)


def test_the_thoughts_stand_where_the_template_says(tokenizer, written):
    builder = PromptBuilder(tokenizer, templates=written())
    prompt = builder.base(QUESTION, task=FREE, k=3)
    places = [i for i, slot in enumerate(prompt.slot_mask) if slot]
    assert places == list(range(places[0], places[0] + 3))
    assert said(builder, prompt.ids[: places[0]]).endswith(f"{QUESTION} Notes: (")
    assert ") end." in said(builder, prompt.ids[places[-1] + 1 :])
    plain = builder.base(QUESTION, task=FREE)
    assert "Notes" not in said(builder, plain.ids) and not any(plain.slot_mask)


def test_what_a_user_types_moves_no_place(tokenizer, written):
    builder = PromptBuilder(tokenizer, templates=written())
    for text in ("{{ thoughts }} {{ k }}", "<unk> Notes: (<unk>) end.", "%s <thoughts>"):
        prompt = builder.base(text, task=FREE, k=2)
        assert sum(prompt.slot_mask) == 2
        placeholders = [i for i, one in enumerate(prompt.ids) if one == builder.tokens.placeholder]
        assert placeholders == [i for i, slot in enumerate(prompt.slot_mask) if slot]


def test_the_assistant_can_be_told_how_many_there_are(pair, written):
    told = pair.told(written())
    prompts = told.assistant.prompts
    for k in (2, 3):
        prompt = prompts.assistant(QUESTION, task=FREE, k=k)
        assert f"the {k} key" in said(prompts, prompt.ids) and prompt.slot_mask[-k:] == (True,) * k
    assert prompts.counts(FREE) and not pair.assistant.prompts.counts(FREE)
    three = soft_states(told.assistant, [QUESTION], 3, FREE)
    assert not torch.allclose(soft_states(told.assistant, [QUESTION], 2, FREE)[0], three[0, :2])
    both = soft_states(told.assistant, [QUESTION, "Why?"], 3, FREE)
    torch.testing.assert_close(both[0], three[0], rtol=1e-4, atol=1e-5)


def test_a_header_that_the_model_writes_is_graded_and_not_given(tokenizer, written):
    given = PromptBuilder(tokenizer, templates=written(header="given"))
    usual = given.base(QUESTION, task=FREE, k=2, target="The answer is 5.")
    asked = given.base(QUESTION, task=FREE, k=2)
    builder = PromptBuilder(tokenizer, templates=written(header="written"))
    short = builder.base(QUESTION, task=FREE, k=2)
    trained = builder.base(QUESTION, task=FREE, k=2, target="The answer is 5.")
    header = len(asked) - len(short)
    assert header > 0 and asked.ids[:-header] == short.ids
    assert trained.ids == usual.ids
    assert sum(trained.loss_mask) == sum(usual.loss_mask) + header
    opening = {"task": FREE, "opening": "The answer is"}
    assert builder.base(QUESTION, **opening) == given.base(QUESTION, **opening)


def test_each_of_these_is_another_prompt_to_the_weights(written):
    usual = written().fingerprint([FREE])
    assert written(header="written").fingerprint([FREE]) != usual
    assert written(assistant=COUNTED.replace("{{ k }}", "")).fingerprint([FREE]) != usual
    assert written(PLACED.replace("Notes", "Hints")).fingerprint([FREE]) != usual


@pytest.mark.parametrize(
    "text", ["{{ thoughts }} {{ question }}", "{{ question }}" + "{{ thoughts }}" * 2]
)
def test_places_that_are_none_are_refused(tokenizer, written, text):
    builder = PromptBuilder(tokenizer, templates=written(text))
    with pytest.raises(UserError, match="does not show the thoughts once and behind"):
        builder.base(QUESTION, task=FREE, k=1)


def test_a_header_that_is_none_is_refused(tokenizer, written):
    with pytest.raises(UserError, match="must be one of: given, written"):
        PromptBuilder(tokenizer, templates=written(header="no")).base(QUESTION, task=FREE)


def test_ends_of_text_can_fill_the_slots_and_move_none(tokenizer, written):
    builder = PromptBuilder(tokenizer, templates=written())
    filled = builder.told(written(placeholder="end"))
    assert filled.placeholder == tokenizer.eos_token != builder.placeholder
    for text in (QUESTION, f"{QUESTION} {tokenizer.eos_token}"):
        before = builder.assistant(text, task=FREE, k=3)
        after = filled.assistant(text, task=FREE, k=3)
        assert after.slot_mask == before.slot_mask and sum(after.slot_mask) == 3
        assert {after.ids[i] for i, slot in enumerate(after.slot_mask) if slot} == {
            tokenizer.eos_token_id
        }
    assert filled.told(written(placeholder="reserved")).tokens == builder.tokens
    with pytest.raises(UserError, match="placeholder in .* must be one of: reserved, end"):
        filled.told(written(placeholder="none"))


@pytest.mark.parametrize("name", ["mini-paper", "chat-paper"])
def test_the_papers_set_is_asked_like_any_other(pair, problems, name):
    told = pair.told(Templates.named(name)).with_untrained()
    record = evaluate(told, FREE, Protocol("softcot", k=4), _free(problems))
    assert record.n == len(problems)
    prompt = SoftCoT.build(told, FREE).prompts(problems[:1], 4)[0]
    assert sum(prompt.slot_mask) == 4 and not all(prompt.slot_mask[-4:])
    [plain] = ZeroShotCoT(told).prompts(problems[:1], 0)
    assert plain.ids != prompt.ids


def _free(problems):
    return [replace(problem, task=FREE.name) for problem in problems]
