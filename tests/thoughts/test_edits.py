"""Edits of single slots: what they read as, and what they leave in the slots."""

import pytest
import torch
from conftest import build_problems

from softcot.data.problems import Problem
from softcot.data.tasks import FREE, get_task
from softcot.methods import ZeroShotCoT, get_method
from softcot.support.errors import UserError
from softcot.thoughts.edits import EDITS, Edit, apply_edit, kept_slots, read_edits

TASK = get_task("mini-gsm")
OTHER = Problem("mini-gsm", "Tom has 7 pears and gives 2 to Anna. How many are left?")
DONORS = build_problems(6, seed=9)


def edited(pair, problems, *edits, thoughts=5, **options):
    edits = tuple(Edit.parse(e, OTHER.question) if isinstance(e, str) else e for e in edits)
    options = {"donors": DONORS} | options
    method = get_method("softcot", pair, TASK, edits=edits, **options)
    return method.thoughts(problems, thoughts)


@pytest.fixture
def own(pair, problems) -> torch.Tensor:
    return edited(pair, problems)


@pytest.fixture
def other(pair) -> torch.Tensor:
    return get_method("softcot", pair, TASK).thoughts([OTHER], 5)


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("swap", Edit("swap")),
        ("drop:3", Edit("drop", (3,))),
        ("keep:1-3,7", Edit("keep", (1, 2, 3, 7))),
        ("mix=0.25:2,1", Edit("mix", (1, 2), 0.25)),
        ("add=-1.5*two:4", Edit("add", (4,), -1.5, "two")),
        ("add=2*a:b:1", Edit("add", (1,), 2.0, "a:b")),
        (" zero ", Edit("zero")),
    ],
)
def test_texts_are_read_and_written(text, edit):
    assert Edit.parse(text) == edit
    assert Edit.parse(str(edit)) == edit


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        ("drop 3", "cannot be read"),
        ("explode", "no edit called 'explode'; choose one of: swap, mix"),
        ("mix=2", "share from 0 to 1; it is 2"),
        ("mix=half", "must be a number"),
        ("mix=nan", "share from 0 to 1"),
        ("add", "needs a token"),
        ("add=inf*two", "needs a token and a length"),
        ("drop:1-2-3", "must look like 1-3,7"),
        ("drop:3-1", "must look like 1-3,7"),
        ("drop:1-99999999", "must look like 1-3,7"),
        ("drop=3", "'drop=3' takes no amount; slots follow a colon"),
        ("drop:-2", "must look like 1-3,7"),
    ],
)
def test_nonsense_is_refused(text, message):
    with pytest.raises(UserError, match=message):
        Edit.parse(text)


def test_a_question_goes_to_the_edits_that_borrow():
    edits = read_edits(" swap  zero:2 mix=0.5 ", "Why?")
    assert [str(edit) for edit in edits] == ["swap", "zero:2", "mix=0.5"]
    assert [edit.question for edit in edits] == ["Why?", "", "Why?"]
    with pytest.raises(UserError, match="no edit; choose one"):
        read_edits("  ")


@pytest.mark.parametrize("kind", sorted(set(EDITS) - {"drop", "keep", "add"}))
def test_only_the_chosen_slots_change(pair, problems, own, kind):
    edit = Edit(kind, (2, 4), 0.5)
    new = edited(pair, problems, edit)
    untouched = [0, 2, 4]
    assert torch.equal(new[:, untouched], own[:, untouched])
    assert not torch.equal(new[:, [1, 3]], own[:, [1, 3]])


def test_a_controls_edit_is_the_control(pair, problems):
    for control in ("swap", "shuffle", "mean", "noise", "zero"):
        method = get_method("softcot", pair, TASK, control=control, seed=3, donors=DONORS)
        assert torch.equal(
            method.thoughts(problems, 5), edited(pair, problems, Edit(control), seed=3)
        )


def test_swap_and_mix_take_the_other_questions_thoughts(pair, problems, own, other):
    torch.testing.assert_close(edited(pair, problems, "swap"), other.expand_as(own))
    assert torch.equal(edited(pair, problems, "mix=0"), own)
    torch.testing.assert_close(edited(pair, problems, "mix=1"), other.expand_as(own))
    torch.testing.assert_close(
        edited(pair, problems, "mix=0.25:3")[:, 2], 0.75 * own[:, 2] + 0.25 * other[:, 2]
    )
    own_question = Edit("swap", question=problems[0].question)
    torch.testing.assert_close(edited(pair, problems[:1], own_question), own[:1])


def test_snap_takes_the_token_that_a_loop_finds_nearest(pair, problems, own):
    table = pair.base.embeddings[: len(pair.base.tokenizer)]
    new = edited(pair, problems[:1], "snap")
    for thought, snapped in zip(own[0], new[0], strict=True):
        cosines = [torch.cosine_similarity(thought, row, dim=0).item() for row in table]
        assert torch.equal(snapped, table[cosines.index(max(cosines))])


def test_add_moves_along_a_token(pair, problems, own):
    table = pair.base.embeddings[: len(pair.base.tokenizer)]
    [token] = pair.base.prompts.text("7")
    step = table[token] / table[token].norm() * table.norm(dim=1).median()
    new = edited(pair, problems, "add=-2*7:1")
    torch.testing.assert_close(new[:, 0], own[:, 0] - 2 * step)
    with pytest.raises(UserError, match="is 2 tokens to the base"):
        edited(pair, problems, "add=1*77")


def test_dropped_slots_are_gone_whatever_was_done_to_them(pair, problems, own):
    assert torch.equal(edited(pair, problems, "drop:2,5"), own[:, [0, 2, 3]])
    assert torch.equal(edited(pair, problems, "keep:2-3"), own[:, [1, 2]])
    assert torch.equal(edited(pair, problems, "drop:1", "zero:2", "drop:2"), own[:, 2:])
    assert torch.equal(edited(pair, problems, "keep"), own)
    assert kept_slots([Edit("keep", (1, 2)), Edit("drop", (2,))], 4) == [0]


def test_without_slots_the_prompt_is_zero_shot(pair, problems):
    bare = get_method("softcot", pair, TASK, edits=[Edit("drop")]).prepare(problems, 5)
    assert torch.equal(bare.embeds, ZeroShotCoT(pair, TASK).prepare(problems).embeds)
    some = get_method("softcot", pair, TASK, edits=[Edit("keep", (2,))]).prepare(problems, 5)
    plain = get_method("softcot", pair, TASK).prepare(problems, 1)
    assert some.prompt_tokens == plain.prompt_tokens and some.passes == plain.passes


def test_edits_of_one_kind_draw_different_numbers(pair, problems):
    once, twice = (edited(pair, problems, *["noise"] * n) for n in (1, 2))
    assert not torch.equal(once, twice)
    torch.testing.assert_close(once.norm(dim=-1), twice.norm(dim=-1))


def test_an_edit_does_not_depend_on_the_rows_beside_it(pair, problems):
    together = edited(pair, problems, "shuffle", "noise:2", "mix=0.5:3")
    alone = [edited(pair, [problem], "shuffle", "noise:2", "mix=0.5:3") for problem in problems]
    torch.testing.assert_close(together, torch.cat(alone))


def test_what_comes_in_is_never_changed(own):
    before = own.clone()
    apply_edit(Edit("mix", (1,), 0.5), own, donor=torch.ones_like(own))
    assert torch.equal(own, before)


def test_edits_that_cannot_be_made_are_refused(pair, problems):
    with pytest.raises(UserError, match="names slot 6; there are 5"):
        edited(pair, problems, "zero:6")
    with pytest.raises(UserError, match="'swap' needs other questions"):
        get_method("softcot", pair, FREE, edits=[Edit("swap")])
    with pytest.raises(UserError, match="LoRA has no thoughts; drop the edit 'zero:1'"):
        get_method("lora", pair, TASK, edits=[Edit("zero", (1,))])
