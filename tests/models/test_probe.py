"""Model types by the dozen: served exactly, or refused in one sentence."""

import re
from pathlib import Path

import pytest
import torch
from families import REFUSED, SERVED, plain_model, plain_tokenizer, save_model

import app
from softcot.cli.main import main
from softcot.data.tasks import FREE
from softcot.decoding.decoder import Decoder, Sampling
from softcot.methods.objective import token_losses, tuned_losses
from softcot.methods.splice import splice
from softcot.models import cache, language_model
from softcot.models.batches import PromptEmbeds, collate, join
from softcot.models.language_model import LanguageModel
from softcot.models.probe import check_model
from softcot.support.errors import UserError
from softcot.thoughts.pair import load_pair

QUESTIONS = (
    "How many are left?",
    "Tom buys 30 pears, and gives 7 to Anna. How many are left?",
    "?",
)
K = 3


def language_model_of(model_type: str, options: dict) -> LanguageModel:
    model = plain_model(model_type, **options)
    return LanguageModel.of(model, plain_tokenizer(), name=f"some-{model_type}")


@pytest.fixture(scope="module", params=SERVED)
def served(request) -> LanguageModel:
    """A model of each type that is served."""
    return language_model_of(request.param, SERVED[request.param])


def soft_prompt(lm: LanguageModel, question: str) -> PromptEmbeds:
    """A question with K random thoughts."""
    prompt = lm.prompts.base(question, task=FREE, k=K)
    batch = collate([prompt], lm.pad_id, "left")
    thoughts = torch.randn(1, K, lm.width, generator=torch.Generator().manual_seed(len(question)))
    return PromptEmbeds.of(batch, splice(lm.embed(batch.input_ids), batch.slot_mask, thoughts))


def test_what_is_served_passes(served):
    check_model(served)


@torch.no_grad()
def test_logits_are_the_models_own(served):
    ids = torch.tensor([served.prompts.text(QUESTIONS[1])])
    expected = served.model(ids).logits
    torch.testing.assert_close(served.logits(served.states(ids)), expected, atol=1e-4, rtol=1e-3)


@torch.no_grad()
def test_losses_are_those_of_a_whole_pass(served):
    prompts = [served.prompts.base(q, task=FREE, k=K, target="It is 5.") for q in QUESTIONS]
    thoughts = torch.randn(len(prompts), K, served.width)
    expected = []
    for prompt, vectors in zip(prompts, thoughts, strict=True):
        batch = collate([prompt], served.pad_id, "left")
        embeds = splice(served.embed(batch.input_ids), batch.slot_mask, vectors[None])
        scores = served.model(inputs_embeds=embeds).logits[0].float().log_softmax(-1)
        graded = batch.labels[0].ne(-100).nonzero().flatten()
        expected += (-scores[graded - 1, batch.labels[0, graded]]).tolist()
    for losses in (token_losses, tuned_losses):
        found = losses(served, prompts, thoughts)
        torch.testing.assert_close(found, torch.tensor(expected), atol=1e-3, rtol=1e-3)


@torch.no_grad()
def test_rows_of_a_batch_write_what_they_write_alone(served):
    """Padded, two samples each, one row later than the others, and left when these have ended."""
    prompts = [soft_prompt(served, question) for question in QUESTIONS]
    decoder = Decoder(served, Sampling(max_new_tokens=5))
    rows = decoder.add(join(prompts[:2]), samples=2)
    decoder.step()
    rows += decoder.add(prompts[2])
    while decoder.open:
        decoder.step()
    for prompt, row in zip([prompts[n] for n in (0, 0, 1, 1, 2)], rows, strict=True):
        written = served.embed(torch.tensor([row.ids[:-1]], dtype=torch.long))
        whole = torch.cat([prompt.embeds, written], dim=1)
        logits = served.model(inputs_embeds=whole).logits[0, prompt.embeds.shape[1] - 1 :]
        assert row.ids == logits.argmax(-1).tolist()


@pytest.mark.parametrize("model_type", REFUSED)
def test_what_cannot_be_served_is_refused_in_a_sentence(model_type):
    with pytest.raises(UserError, match=rf"The model some-\S+ \({model_type}\) .*choose a") as said:
        check_model(language_model_of(model_type, REFUSED[model_type]))
    assert "\n" not in str(said.value) and str(said.value).endswith(".")


@pytest.mark.parametrize("model_type", ["granitemoehybrid", "lfm2"])
def test_a_model_is_judged_by_what_it_does_and_not_by_its_name(model_type):
    attention = {"layer_types": ["attention" if model_type != "lfm2" else "full_attention"] * 2}
    check_model(language_model_of(model_type, REFUSED[model_type] | attention))


def test_models_inside_models_that_see_are_served():
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    vision = small | {"num_attention_heads": 2, "image_size": 28, "patch_size": 14}
    text = {"vocab_size": len(plain_tokenizer()) + 8, "head_dim": 8, "num_hidden_layers": 2}
    nested = {**small, **text, "num_attention_heads": 4, "max_position_embeddings": 64}
    lm = language_model_of("gemma3", {"text_config": nested, "vision_config": vision})
    assert lm.context == 64 and type(lm.model).__name__ == "Gemma3ForConditionalGeneration"
    check_model(lm)


def test_docs_name_the_types_that_are_tried():
    page = Path(__file__).parents[2].joinpath("docs", "command-line.md").read_text("utf-8")
    for sentence, types in (("answer exactly", SERVED), ("are refused", REFUSED)):
        [listed] = re.findall(rf"{sentence}: (`[^.]*`)\.", page)
        assert sorted(re.findall(r"`(\S+)`", listed)) == sorted(types)


def scaled(monkeypatch):
    own = language_model.own_logits
    monkeypatch.setattr(language_model, "own_logits", lambda *given: 1.1 * own(*given))


def uncapped(monkeypatch):
    monkeypatch.setattr(
        language_model, "own_logits", lambda model, states: model.get_output_embeddings()(states)
    )


def unmasked(monkeypatch):
    asked = LanguageModel.next_logits

    def unmasked(self, embeds, mask, positions, cache):
        return asked(self, embeds, torch.ones_like(mask), positions, cache)

    monkeypatch.setattr(LanguageModel, "next_logits", unmasked)


def misplaced(monkeypatch):
    asked = LanguageModel.next_logits

    def misplaced(self, embeds, mask, positions, cache):
        return asked(self, embeds, mask, 9 * positions, cache)

    monkeypatch.setattr(LanguageModel, "next_logits", misplaced)


def turned_round(monkeypatch):
    joined = cache.RoomyLayer.join

    def join_turned(self, other, length):
        found = joined(self, other, length)
        self.hold(self.keys.flip(0), self.values.flip(0))
        return found

    monkeypatch.setattr(cache.RoomyLayer, "join", join_turned)


def repeated_in_turn(monkeypatch):
    def repeat(self, repeats):
        self.hold(*(t.repeat(repeats, 1, 1, 1) for t in (self.keys, self.values)))

    monkeypatch.setattr(cache.RoomyLayer, "batch_repeat_interleave", repeat)


def dropped_another(monkeypatch):
    select = cache.RoomyLayer.batch_select_indices
    monkeypatch.setattr(
        cache.RoomyLayer, "batch_select_indices", lambda self, kept: select(self, kept.flip(0))
    )


FAULTS = {
    scaled: "llama",
    uncapped: "gemma3_text",
    unmasked: "llama",
    misplaced: "llama",
    turned_round: "llama",
    repeated_in_turn: "llama",
    dropped_another: "llama",
}
"""What could go wrong, and a type in which it does."""


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_found(monkeypatch, fault, dtype):
    lm = language_model_of(FAULTS[fault], SERVED[FAULTS[fault]])
    lm.model.to(dtype)
    check_model(lm)
    fault(monkeypatch)
    with pytest.raises(UserError, match="would be wrong"):
        check_model(lm)


def test_where_no_gpu_is_lent_yet_only_the_settings_are_looked_at(monkeypatch):
    monkeypatch.setattr(LanguageModel, "next_logits", lambda *given: pytest.fail("was run"))
    check_model(language_model_of("llama", {}), run=False)
    with pytest.raises(UserError, match="LinearAttentionLayer"):
        check_model(language_model_of("mamba", {}), run=False)


@pytest.fixture
def places(tmp_path):
    """Folder of a state-space base, and of an assistant that is served."""
    plain_model("mamba").save_pretrained(tmp_path / "base")
    plain_tokenizer().save_pretrained(tmp_path / "base")
    save_model("qwen2", tmp_path / "assistant", 16, 0)
    return ["--base", str(tmp_path / "base"), "--assistant", str(tmp_path / "assistant")]


def test_the_command_line_refuses_and_the_page_falls_back(places, mini_env, capsys):
    assert main(["ask", "How many?", *places, "--method", "zero-shot-cot"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("The model base (mamba) does not keep plain keys")
    pair, notice = app.load(app.parse_args(places))
    assert pair.name == "mini" and "(mamba)" in notice
    with pytest.raises(UserError, match=r"The model base \(mamba\)"):
        load_pair(device="cpu", base=places[3], assistant=places[1])
