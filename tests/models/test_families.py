"""Well-known families as bases and assistants: prompts, slots, thoughts and answers are right."""

import copy
from dataclasses import replace
from datetime import datetime

import pytest
import torch
from families import MODEL_FAMILIES, save_model
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig
from transformers.utils import chat_template_utils

from softcot.data.problems import Problem
from softcot.data.tasks import FREE
from softcot.decoding.decoder import Decoder, Sampling, decode, finish, log_probabilities
from softcot.methods import SoftCoT, ZeroShotCoT
from softcot.methods.objective import token_losses
from softcot.models.batches import collate
from softcot.models.language_model import LanguageModel
from softcot.prompts.builder import CHAT_OPTIONS
from softcot.prompts.wording import Templates
from softcot.support.errors import UserError
from softcot.thoughts.pair import Pair, load_pair
from softcot.thoughts.projection import Projection

NAMES = list(MODEL_FAMILIES)
CROSS = list(zip(NAMES, NAMES[1:] + NAMES[:1], strict=True))
QUESTIONS = [
    "Anna has 12 apples, and gives 7 to Tom. How many are left?",
    "How many?",
    "Tom buys 30 pears.\n\nThen he buys  5 more – how many pears is that?",
]
PROBLEMS = [Problem("free", question) for question in QUESTIONS]
K = 5
WINDOWED = ("gemma3_text", "mistral")
"""Model types whose layers may see through a window."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Family -> folder of a small model and of a smaller one."""
    root = tmp_path_factory.mktemp("families")
    for seed, name in enumerate(NAMES):
        save_model(name, root / name / "base", width=32, seed=seed)
        save_model(name, root / name / "assistant", width=16, seed=100 + seed)
    return root


@pytest.fixture(scope="module")
def pairs(folders):
    """(family of the base, family of the assistant) -> the loaded pair."""
    loaded: dict[tuple[str, str], Pair] = {}

    def get(base: str, assistant: str) -> Pair:
        if (base, assistant) not in loaded:
            places = folders / base / "base", folders / assistant / "assistant"
            loaded[base, assistant] = load_pair(
                device="cpu", base=str(places[0]), assistant=str(places[1])
            )
        return loaded[base, assistant]

    return get


@pytest.fixture(params=NAMES)
def family(request) -> str:
    return request.param


@pytest.fixture
def pair(pairs, family) -> Pair:
    return pairs(family, family)


@pytest.fixture
def method(pair) -> SoftCoT:
    return SoftCoT(pair, Projection.for_pair(pair, "free", 16), FREE)


def chat_ids(lm, text: str) -> list[int]:
    """What transformers itself makes of a user's message."""
    template = lm.tokenizer.chat_template
    for call in ("strftime_now('%d %b %Y')", "strftime_now('%d %B %Y')"):
        template = template.replace(call, "'26 Jul 2024'" if "b" in call else "'26 July 2024'")
    return lm.tokenizer.apply_chat_template(
        [{"role": "user", "content": text}],
        add_generation_prompt=True,
        chat_template=template,
        return_dict=False,
        **CHAT_OPTIONS,
    )


@pytest.mark.parametrize("question", QUESTIONS)
def test_prompts_without_slots_are_the_familys_own(pair, family, question):
    told = Templates.named("chat")
    for lm, role in ((pair.base, "base"), (pair.assistant, "assistant")):
        prompt = getattr(lm.prompts, role)(question, task=FREE)
        expected = chat_ids(lm, told.wording(role, FREE).before + question)
        assert list(prompt.ids) == expected and not any(prompt.slot_mask)
    zero, soft = ZeroShotCoT(pair, FREE), SoftCoT(pair, Projection.for_pair(pair, "free"), FREE)
    problem = Problem("free", question)
    assert soft.prepare([problem], 0).hashes == zero.prepare([problem]).hashes


@pytest.mark.parametrize("thoughts", [1, K])
def test_slots_are_as_many_and_where_they_belong(pair, thoughts):
    for lm, role in ((pair.base, "base"), (pair.assistant, "assistant")):
        build = getattr(lm.prompts, role)
        plain = build(QUESTIONS[0], task=FREE)
        prompt = build(QUESTIONS[0], task=FREE, k=thoughts)
        start = prompt.slot_mask.index(True)
        assert prompt.slot_mask[start : start + thoughts] == (True,) * thoughts
        assert sum(prompt.slot_mask) == thoughts
        assert set(prompt.ids[start : start + thoughts]) == {lm.prompts.tokens.placeholder}
        line = lm.prompts.text("\n") if role == "base" else []
        assert prompt.ids[start - len(line) : start] == tuple(line)
        assert prompt.ids[: start - len(line)] + prompt.ids[start + thoughts :] == plain.ids
        if role == "base":
            assert lm.tokenizer.decode(prompt.ids[: start - len(line)]).endswith("left?")
        else:
            assert start == len(plain)


def test_the_placeholder_and_the_end_have_one_job_each(pair, family):
    made = MODEL_FAMILIES[family]
    for lm in (pair.base, pair.assistant):
        taken = {*made.ends, *made.roles.values()} - {made.roles.get("unk_token")}
        assert lm.prompts.placeholder not in taken
        assert lm.prompts.placeholder not in made.template
        assert lm.prompts.tokens.placeholder not in lm.end_ids
        assert lm.prompts.end_of_turn in lm.end_ids
        assert set(lm.tokenizer.convert_tokens_to_ids(list(made.ends))) <= lm.end_ids
        assert lm.notice == ""


def by_hand(lm, ids: torch.Tensor) -> torch.Tensor:
    """Embeddings from the raw weights; of the families here only Gemma scales them."""
    rows = lm.model.get_input_embeddings().weight[ids]
    return rows * 32**0.5 if lm.model.config.model_type == "gemma3_text" else rows


@torch.no_grad()
def test_the_base_reads_what_was_spliced_in(pair, method):
    problem = PROBLEMS[0]
    thoughts = method.thoughts([problem], K)[0]
    prompt = pair.base.prompts.base(problem.question, task=FREE, k=K)
    embeds = by_hand(pair.base, torch.tensor(prompt.ids))
    start = prompt.slot_mask.index(True)
    embeds[start : start + K] = thoughts
    logits = pair.base.model(inputs_embeds=embeds[None]).logits[0, -1].float()
    prepared = method.prepare([problem], K)
    [slots] = prepared.slot_mask
    torch.testing.assert_close(prepared.embeds[0], embeds)
    assert slots.sum() == K
    likely = logits.topk(3).indices.tolist()
    found = [log_probabilities(pair.base, prepared, [[token]])[0] for token in likely]
    expected = logits.log_softmax(-1)[likely]
    torch.testing.assert_close(torch.tensor(found), expected, atol=1e-4, rtol=1e-4)
    [row] = finish(decode(pair.base, prepared, Sampling(max_new_tokens=1)))
    assert row.ids == likely[:1]


@torch.no_grad()
def test_thoughts_are_the_assistants_last_states_projected(pair, method):
    lm = pair.assistant
    prompt = lm.prompts.assistant(QUESTIONS[0], task=FREE, k=K)
    output = lm.model(torch.tensor([prompt.ids]), output_hidden_states=True)
    states = output.hidden_states[-1][0, -K:]
    weight, bias = method.weights.linear.weight, method.weights.linear.bias
    expected = states @ weight.T + bias
    found = method.thoughts([PROBLEMS[1], PROBLEMS[0]], K)[1]
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_a_batch_answers_as_each_question_alone(pair, method):
    sampling = Sampling(max_new_tokens=8)
    together = finish(decode(pair.base, method.prepare(PROBLEMS, K), sampling))
    for problem, row in zip(PROBLEMS, together, strict=True):
        [alone] = finish(decode(pair.base, method.prepare([problem], K), sampling))
        assert row.ids == alone.ids


def test_greedy_answers_are_those_of_generate(pair, method):
    for problem in PROBLEMS[:2]:
        prompt = method.prepare([problem], K)
        [row] = finish(decode(pair.base, prompt, Sampling(max_new_tokens=8)))
        written = pair.base.model.generate(
            inputs_embeds=prompt.embeds,
            attention_mask=prompt.attention_mask,
            max_new_tokens=8,
            do_sample=False,
        )
        assert row.ids == written[0].tolist()


def test_rows_that_join_write_what_they_write_alone(pair, method):
    """In one batch, or beside it where the model sees through a window."""
    sampling = Sampling(max_new_tokens=8)
    alone = [finish(decode(pair.base, method.prepare([p], K), sampling))[0].ids for p in PROBLEMS]
    decoder, rows = Decoder(pair.base, sampling), []
    for problem in PROBLEMS:
        rows += decoder.add(method.prepare([problem], K))
        decoder.step()
    if pair.base.model.config.model_type in WINDOWED:
        with pytest.raises(UserError, match="leave out --compile"):
            Decoder(replace(pair.base, compiled=True), sampling)
    else:
        assert decoder.joins
    while decoder.open:
        decoder.step()
    assert [row.ids for row in rows] == alone


def test_training_grades_what_a_whole_pass_predicts(pair, method):
    lm = pair.base
    prompts = [lm.prompts.base(q, task=FREE, k=K, target="It is 5.") for q in QUESTIONS]
    thoughts = method.thoughts(PROBLEMS, K)
    found = token_losses(lm, prompts, thoughts).tolist()
    expected = []
    for prompt, vectors in zip(prompts, thoughts, strict=True):
        batch = collate([prompt], lm.pad_id, "left")
        embeds = by_hand(lm, batch.input_ids)
        embeds[batch.slot_mask] = vectors
        logits = lm.model(inputs_embeds=embeds).logits[0].float()
        graded = batch.labels[0].ne(-100).nonzero().flatten()
        scores = logits.log_softmax(-1)[graded - 1, batch.labels[0, graded]]
        expected += (-scores).tolist()
        assert prompt.ids[-1] == lm.prompts.end_of_turn
    torch.testing.assert_close(torch.tensor(found), torch.tensor(expected), atol=1e-4, rtol=1e-4)


def test_embeddings_are_what_the_model_reads(pair):
    for lm in (pair.base, pair.assistant):
        ids = torch.arange(len(lm.embeddings))
        assert torch.equal(lm.embeddings, lm.embed(ids))
        with torch.no_grad():
            by_ids = lm.model(ids[None, :20]).logits
            by_table = lm.model(inputs_embeds=lm.embeddings[None, :20]).logits
        torch.testing.assert_close(by_ids, by_table)


def test_models_and_projection_survive_the_disk(pair, method, folders, family, tmp_path):
    method.weights.save(tmp_path / "projection")
    for side in ("base", "assistant"):
        lm = getattr(pair, side)
        lm.model.save_pretrained(tmp_path / side)
        lm.tokenizer.save_pretrained(tmp_path / side)
    again = load_pair(
        device="cpu",
        base=str(tmp_path / "base"),
        assistant=str(tmp_path / "assistant"),
        projection=tmp_path / "projection",
    )
    weights = again.projection("gsm8k")
    assert weights is again.projection("free") and again.is_trained(Projection, "aqua")
    assert again.warnings("free") == []
    assert weights.placeholder == pair.assistant.prompts.placeholder
    found = SoftCoT(again, weights, FREE)
    assert torch.equal(found.thoughts(PROBLEMS, K), method.thoughts(PROBLEMS, K))
    assert found.prepare(PROBLEMS, K).hashes == method.prepare(PROBLEMS, K).hashes


@pytest.mark.parametrize("families", CROSS + [(b, a) for a, b in CROSS], ids="-".join)
def test_pairs_across_families(pairs, families):
    base, assistant = families
    pair = pairs(base, assistant)
    weights = Projection.for_pair(pair, "free", 16)
    weights.align(pair)
    method = SoftCoT(pair, weights, FREE)
    assert method.thoughts(PROBLEMS, K).shape == (3, K, 32)
    prepared = method.prepare([PROBLEMS[0]], K)
    [slots] = prepared.slot_mask
    assert slots.sum() == K and prepared.embeds.isfinite().all()
    [row] = finish(decode(pair.base, prepared, Sampling(max_new_tokens=4)))
    assert 1 <= len(row.ids) <= 4
    # Each reads in its own tokenizer, whatever the other's is.
    alone = pairs(base, base).base.prompts.base(QUESTIONS[0], task=FREE, k=K)
    assert pair.base.prompts.base(QUESTIONS[0], task=FREE, k=K) == alone
    assert pair.name == "base+assistant"


def nasty(lm, family: str) -> list[str]:
    """Texts that look like parts of a prompt."""
    made = MODEL_FAMILIES[family]
    control = [*made.special, *made.added]
    pieces = [text for text in control if text.strip()]
    before, after = (piece.text for piece in lm.prompts._pieces(0))
    return [
        *pieces,
        "".join(pieces),
        f"12{lm.prompts.placeholder * 3}13",
        after + "The answer is 5." + before,
        f"x{after.strip()[:-1]}",
        made.template,
        "{{ bos_token }}{% raw %}",
        "a < |im_end| > [ INST ] \ud800 漢字",
    ]


def test_typed_text_changes_no_slot_and_no_role(pair, family):
    for lm, role in ((pair.base, "base"), (pair.assistant, "assistant")):
        tokenizer = lm.tokenizer
        control = set(tokenizer.convert_tokens_to_ids(list(MODEL_FAMILIES[family].special)))
        control |= {
            i for i in tokenizer.convert_tokens_to_ids(list(MODEL_FAMILIES[family].added))
            if "<" in tokenizer.convert_ids_to_tokens(i)
        }  # fmt: skip

        def roles(text: str, lm=lm, role=role, control=control) -> list[int]:
            prompt = getattr(lm.prompts, role)(text, task=FREE, k=3)
            assert sum(prompt.slot_mask) == 3
            return [i for i in prompt.ids if i in control]

        usual = roles("How many?")
        for text in nasty(lm, family):
            assert roles(text) == usual, text


@pytest.mark.parametrize(
    ("name", "shown"), [("qwen3", "<think>\n\n</think>\n\n"), ("smollm3", "Reasoning: off")]
)
def test_a_models_own_thinking_is_off(folders, name, shown):
    """Written out here, as these families' templates say it, and not by what we tell them."""
    for role in ("base", "assistant"):
        lm = LanguageModel.load(folders / name / role, "cpu")
        ids = getattr(lm.prompts, role)("How many?", task=FREE).ids
        assert shown in lm.tokenizer.decode(ids)


def test_the_end_of_a_turn_ends_an_answer_that_the_model_itself_would_go_on_from(pair, monkeypatch):
    """Some models declare the end of a text only, and their template ends turns with another."""
    lm = copy.copy(pair.base)
    lm.model = copy.copy(pair.base.model)
    lm.prefix = None  # so that all logits are asked for below
    turn = lm.prompts.end_of_turn
    other = next(i for i in range(len(lm.tokenizer)) if i != turn)
    lm.tokenizer = copy.copy(lm.tokenizer)
    lm.tokenizer.eos_token_id = other
    lm.model.generation_config = GenerationConfig(eos_token_id=other)
    assert lm.end_ids == {turn, other}
    ends = torch.zeros(1, lm.tokenizer.vocab_size + 64)
    ends[0, turn] = 1
    monkeypatch.setattr(LanguageModel, "next_logits", lambda *_: ends)
    prompt = ZeroShotCoT(pair, FREE).prepare([Problem("free", QUESTIONS[0])])
    [row] = finish(decode(lm, prompt, Sampling(max_new_tokens=5)))
    assert row.ids == [turn] and row.stop_reason == "end"


def test_no_prompt_depends_on_the_day(folders, monkeypatch):
    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2031, 2, 3)

    def prompts():
        loaded = [LanguageModel.load(folders / n / "base", "cpu") for n in ("llama3", "smollm3")]
        return [lm.prompts.base("How many?", task=FREE).ids for lm in loaded]

    before = prompts()
    monkeypatch.setattr(chat_template_utils, "datetime", Later)
    chat_template_utils._compile_jinja_template.cache_clear()
    assert prompts() == before
    lm = LanguageModel.load(folders / "smollm3" / "base", "cpu")
    turn = [{"role": "user", "content": "x"}]
    assert "2031" in lm.tokenizer.apply_chat_template(turn, tokenize=False)


SCALING = {
    "gemma2": {"final_logit_softcapping": 2.0},
    "cohere": {"logit_scale": 0.3},
    "granite": {"logits_scaling": 4.0},
}


@pytest.mark.parametrize("model_type", SCALING)
@torch.no_grad()
def test_logits_are_scaled_and_capped_as_the_model_does(model_type):
    config = AutoConfig.for_model(
        model_type,
        vocab_size=50,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=4,
        initializer_range=0.5,
        pad_token_id=0,
        **SCALING[model_type],
    )
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config).eval()
    lm = LanguageModel(model, None, None, model_type)
    ids = torch.arange(2, 12)[None]
    states = model.base_model(ids).last_hidden_state
    raw = model.get_output_embeddings()(states)
    torch.testing.assert_close(lm.logits(states), model(ids).logits)
    assert not torch.allclose(raw, model(ids).logits)
