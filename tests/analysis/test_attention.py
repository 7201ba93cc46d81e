"""What the tokens of an answer give to the thoughts."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from softcot.analysis.attention import mean_attention, slot_attention, slot_share
from softcot.data.tasks import get_task
from softcot.methods import get_method
from softcot.support.errors import UserError

K = 4
ANSWER = [40, 51, 62, 3, 70]


@pytest.fixture(scope="module")
def method(pair):
    return get_method("softcot", pair, get_task("mini-gsm"))


@pytest.fixture
def prepared(method, problems):
    return method.prepare(problems[1:2], K)


@torch.no_grad()
def test_it_is_what_a_model_in_eager_attention_says(pair, checkpoints, prepared):
    prompt = prepared
    found = slot_attention(pair.base, prompt, ANSWER)
    other = AutoModelForCausalLM.from_pretrained(
        checkpoints / "mini" / "base", attn_implementation="eager"
    )
    tokens = other.get_input_embeddings()(torch.tensor([ANSWER]))
    whole = torch.cat([prompt.embeds, tokens], dim=1)  # one row: no padding, positions from 0
    weights = torch.stack(other(inputs_embeds=whole, output_attentions=True).attentions)[:, 0]
    rows = weights[:, :, prompt.embeds.shape[1] :]
    assert found.shape == (2, 4, len(ANSWER), K) and found.dtype == torch.float32
    torch.testing.assert_close(found, rows[..., prompt.slot_mask[0].nonzero()[:, 0]])
    torch.testing.assert_close(rows.sum(-1), torch.ones(2, 4, len(ANSWER)))


@torch.no_grad()
def test_the_first_layer_is_a_softmax_of_queries_and_keys(pair, prepared):
    prompt = prepared
    found = slot_attention(pair.base, prompt, ANSWER)[0]
    model = pair.base.model.base_model
    layer, config = model.layers[0], pair.base.model.config
    whole = torch.cat([prompt.embeds, pair.base.embed(torch.tensor([ANSWER]))], dim=1)[0]
    normed = whole * (whole.pow(2).mean(-1, keepdim=True) + config.rms_norm_eps).rsqrt()
    normed = normed * layer.input_layernorm.weight
    half = 4  # of a head's 8 numbers; a rotation turns number n together with number n + 4
    angles = torch.arange(len(whole))[:, None] / 10_000 ** (torch.arange(half) / half)

    def rotated(weight: torch.Tensor) -> torch.Tensor:
        heads = (normed @ weight.T).view(len(whole), -1, 2 * half).transpose(0, 1)
        one, two = heads[..., :half], heads[..., half:]
        cos, sin = angles.cos(), angles.sin()
        return torch.cat([one * cos - two * sin, two * cos + one * sin], dim=-1)

    queries = rotated(layer.self_attn.q_proj.weight)
    keys = rotated(layer.self_attn.k_proj.weight).repeat_interleave(2, dim=0)
    scores = queries @ keys.transpose(1, 2) / (2 * half) ** 0.5
    hidden = torch.ones(len(whole), len(whole)).triu(1).bool()
    weights = scores.masked_fill(hidden, float("-inf")).softmax(-1)
    slots = prompt.slot_mask[0].nonzero()[:, 0]
    torch.testing.assert_close(
        found, weights[:, prompt.embeds.shape[1] :, slots], atol=1e-4, rtol=1e-3
    )


def test_means_and_shares(pair, prepared):
    prompt = prepared
    found = slot_attention(pair.base, prompt, ANSWER)
    assert (found >= 0).all() and (found.sum(-1) <= 1 + 1e-5).all()
    means, shares = mean_attention(found), slot_share(found)
    assert means.shape == (2, 4, K) and shares.shape == (2, 4)
    for head in range(4):
        rows = found[1, head].numpy()
        assert means[1, head].numpy() == pytest.approx(rows.mean(0), abs=1e-6)
        assert float(shares[1, head]) == pytest.approx(rows.sum(1).mean(), abs=1e-6)


def test_the_model_itself_is_left_alone(pair, prepared):
    prompt = prepared
    config, exact = pair.base.model.config, pair.base.fingerprint(exact=True)
    before = config._attn_implementation
    seen = []
    # Whatever is hooked to the model is hooked to its twin.
    hook = pair.base.model.base_model.register_forward_pre_hook(
        lambda *_: seen.append(config._attn_implementation)
    )
    slot_attention(pair.base, prompt, ANSWER)
    hook.remove()
    assert seen == [before] and config._attn_implementation == before != "eager"
    assert pair.base.fingerprint(exact=True) == exact


def test_without_thoughts_nothing_is_given_to_them(pair, method, problems):
    prompt = method.prepare(problems[:1], 0)
    found = slot_attention(pair.base, prompt, ANSWER)
    assert found.shape == (2, 4, len(ANSWER), 0) and not slot_share(found).any()


def test_without_an_answer_there_is_nothing_to_see(pair, prepared):
    prompt = prepared
    with pytest.raises(UserError, match="no answer"):
        slot_attention(pair.base, prompt, [])
