"""Loading: frozen models, fingerprints, batches, and clear words about damage."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.profiler import ProfilerActivity, profile

from softcot.models.batches import PromptEmbeds as Embeds
from softcot.models.batches import collate, join
from softcot.models.cache import empty_cache
from softcot.models.language_model import LanguageModel, fingerprint
from softcot.prompts.builder import Prompt
from softcot.support.errors import UserError
from softcot.thoughts.pair import load_pair


@pytest.fixture
def folder(checkpoints, tmp_path):
    """A copy of the base's folder, to be damaged."""
    return shutil.copytree(checkpoints / "mini" / "base", tmp_path / "base")


def test_both_models_are_frozen(pair):
    for lm in (pair.base, pair.assistant):
        assert not lm.model.training
        assert not any(weight.requires_grad for weight in lm.model.parameters())
        assert lm.dtype == torch.float32 and lm.device.type == "cpu"


def test_what_a_language_model_says_about_itself(pair):
    base = pair.base
    assert (base.name, base.width, base.context) == ("base", 32, 512)
    assert base.embeddings.shape == (len(base.tokenizer), 32)
    assert base.end_ids == {3}
    ids = torch.tensor([[5, 9, 2]])
    assert torch.equal(base.embed(ids), base.embeddings[ids])
    assert base.text([*base.prompts.text("12 apples"), 3]) == "12 apples"


def test_the_folders_are_ordinary_hugging_face_folders(pair, checkpoints):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(checkpoints / "mini" / "base")
    assert fingerprint(model) == pair.base.fingerprint()
    tokenizer = AutoTokenizer.from_pretrained(checkpoints / "mini" / "base")
    assert tokenizer.thought_start_token == "<thought>"


def test_fingerprints_follow_the_weights_and_nothing_else(pair, checkpoints):
    again = LanguageModel.load(checkpoints / "mini" / "base", "cpu")
    before, exact = again.fingerprint(), again.fingerprint(exact=True)
    assert before == pair.base.fingerprint() and exact == pair.base.fingerprint(exact=True)
    assert before != pair.assistant.fingerprint()
    again.model.to(torch.bfloat16)
    assert again.fingerprint() == before and again.fingerprint(exact=True) != exact
    again.model.float().get_input_embeddings().weight[0, 0] += 1
    assert again.fingerprint() != before


def test_one_changed_bit_changes_the_exact_fingerprint(checkpoints):
    lm = LanguageModel.load(checkpoints / "mini" / "base", "cpu")
    before, weight = lm.fingerprint(exact=True), lm.embeddings
    weight[0, 0] = torch.nextafter(weight[0, 0], torch.tensor(9.0))
    assert lm.fingerprint(exact=True) != before


def test_a_folder_may_be_named_by_a_string(checkpoints, monkeypatch):
    monkeypatch.chdir(checkpoints)
    whole = LanguageModel.load(checkpoints / "mini" / "base", "cpu").fingerprint(exact=True)
    for name in (str(checkpoints / "mini" / "base"), "mini/base"):
        assert LanguageModel.load(name, "cpu").fingerprint(exact=True) == whole


def test_missing_models_are_refused(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="There is no model in .*pretrain"):
        LanguageModel.load(tmp_path / "nothing")
    monkeypatch.setenv("SOFTCOT_CHECKPOINTS", str(tmp_path))
    with pytest.raises(UserError, match="There is no model"):
        load_pair("mini")
    with pytest.raises(UserError, match="no pair called 'nano'"):
        load_pair("nano")


def cut(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def garble(folder):
    (folder / "model.safetensors").write_bytes(b"no weights at all")


def remove_weights(folder):
    (folder / "model.safetensors").unlink()


def drop_a_weight(folder):
    weights = load_file(folder / "model.safetensors")
    weights.pop("model.norm.weight")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def reshape_a_weight(folder):
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"] = torch.ones(5)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def break_config(folder):
    (folder / "config.json").write_text("{")


def unknown_model(folder):
    (folder / "config.json").write_text(json.dumps({"model_type": "abacus"}))


def remove_tokenizer(folder):
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()


def remove_tokenizer_file(folder):
    (folder / "tokenizer.json").unlink()


def break_tokenizer(folder):
    (folder / "tokenizer.json").write_text('{"version": 1')


def empty(folder):
    shutil.rmtree(folder)
    folder.mkdir()


DAMAGE = [
    cut, garble, remove_weights, drop_a_weight, reshape_a_weight, break_config, unknown_model,
    remove_tokenizer, remove_tokenizer_file, break_tokenizer, empty,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_models_are_refused(folder, damage):
    damage(folder)
    with pytest.raises(UserError, match="cannot be loaded") as refused:
        LanguageModel.load(folder)
    assert "\n" not in str(refused.value)


def test_pair_serves_each_task_its_projection(pair):
    assert pair.projection("mini-gsm").task == "mini-gsm"
    assert pair.projection("mini-dates") is pair.projection("mini-asdiv")
    assert pair.projection("free").task == "all"
    with pytest.raises(UserError, match="nonsense"):
        pair.projection("nonsense")


def test_missing_projection_is_refused(pair, mini_env):
    bare = load_pair("mini", "cpu")
    bare.trained.clear()
    with pytest.raises(
        UserError, match="no projection for 'mini-gsm'.*--pair mini --method softcot --task"
    ):
        bare.projection("mini-gsm")


def prompt(*ids: int, slots: int = 0) -> Prompt:
    spare = len(ids) - slots - 1
    return Prompt(
        ids, (True,) * slots + (False,) * (spare + 1), (False,) * (spare + slots) + (True,)
    )


def test_collate_left_and_right():
    rows = [prompt(5, 6, 7, slots=1), prompt(8, 9)]
    left = collate(rows, 0, "left")
    assert left.input_ids.tolist() == [[5, 6, 7], [0, 8, 9]]
    assert left.attention_mask.tolist() == [[1, 1, 1], [0, 1, 1]]
    assert left.slot_mask.tolist() == [[True, False, False], [False, False, False]]
    assert left.labels.tolist() == [[-100, -100, 7], [-100, -100, 9]]
    assert left.position_ids.tolist() == [[0, 1, 2], [0, 0, 1]]
    right = collate(rows, 0, "right")
    assert right.input_ids.tolist() == [[5, 6, 7], [8, 9, 0]]
    assert right.labels.tolist() == [[-100, -100, 7], [-100, 9, -100]]
    assert right.position_ids[1, :2].tolist() == [0, 1]
    assert left.slot_mask.dtype == torch.bool and left.input_ids.dtype == torch.int64


def embeds(*lengths: int) -> Embeds:
    width, longest = 3, max(lengths)
    mask = torch.tensor([[0] * (longest - n) + [1] * n for n in lengths])
    return Embeds(
        embeds=torch.randn(len(lengths), longest, width) * mask[..., None],
        attention_mask=mask,
        position_ids=(mask.cumsum(1) - 1).clamp(min=0),
        slot_mask=mask.cumsum(1) == 1,
        prompt_tokens=list(lengths),
        hashes=[f"of {n}" for n in lengths],
        passes=[10 * n for n in lengths],
    )


def test_join_pads_to_the_longest_on_the_left():
    first, second = embeds(2, 1), embeds(4)
    joined = join([first, second])
    assert joined.embeds.shape == (3, 4, 3) and joined.prompt_tokens == [2, 1, 4]
    assert joined.hashes == ["of 2", "of 1", "of 4"] and joined.passes == [20, 10, 40]
    assert joined.attention_mask.tolist() == [[0, 0, 1, 1], [0, 0, 0, 1], [1, 1, 1, 1]]
    assert joined.position_ids.tolist() == [[0, 0, 0, 1], [0, 0, 0, 0], [0, 1, 2, 3]]
    assert joined.slot_mask.int().argmax(1).tolist() == [2, 3, 0] and joined.slot_mask.sum() == 3
    assert torch.equal(joined.embeds[:2, 2:], first.embeds)
    assert torch.equal(joined.embeds[2:], second.embeds)
    assert joined.embeds[:2, :2].abs().sum() == 0


def test_reading_prompts_makes_no_copies_of_the_head(mini_env):
    """In bf16 torch copies frozen weights for each row of a slice that it cannot fold."""
    lm = load_pair("mini", "cpu", dtype="bfloat16").base
    ids = torch.tensor(lm.prompts.text("Anna has 12 apples.")).expand(32, -1)
    places = torch.arange(ids.shape[1]).expand_as(ids)
    cache = empty_cache(lm)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        logits = lm.next_logits(lm.embed(ids), torch.ones_like(ids), places, cache)
    head = lm.model.get_output_embeddings().weight
    assert max(event.self_cpu_memory_usage for event in seen.events()) < 16 * head.nbytes
    whole = lm.model(input_ids=ids[:1]).logits[:, -1]
    torch.testing.assert_close(logits, whole.float().expand_as(logits), atol=0.05, rtol=0.05)


def test_a_twin_has_the_same_weights_in_other_modules(pair):
    twin = pair.base.twin()
    assert twin.model is not pair.base.model and twin.model.config is not pair.base.model.config
    for one, other in zip(twin.model.parameters(), pair.base.model.parameters(), strict=True):
        assert one is other
