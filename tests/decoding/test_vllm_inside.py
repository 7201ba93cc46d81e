"""What an engine in the process is sent, and what is said where it cannot be; no vLLM is needed."""

import importlib.util

import pytest
import torch
from conftest import build_problems

from softcot.cli.main import main
from softcot.decoding import vllm_inside
from softcot.decoding.decoder import Sampling
from softcot.decoding.elsewhere import Asked, Elsewhere, _Session
from softcot.decoding.vllm_inside import VllmInside, mixed, usual_options
from softcot.methods import SoftCoT, ZeroShotCoT
from softcot.models.batches import join
from softcot.support.errors import UserError


def soft(pair) -> SoftCoT:
    return SoftCoT(pair, pair.projection("mini-gsm"))


def asked(pair, prompt, number=0) -> Asked:
    backend = Elsewhere(pair.base)
    backend.context = pair.base.context
    return _Session(backend)._asked(prompt, number, Sampling(max_new_tokens=8), 1 << 40, 3)


def test_a_prompt_with_slots_is_ids_with_vectors_at_the_slots_alone(pair):
    problems = build_problems(2)
    prompt = soft(pair).prepare(problems, 4)
    for number, length in enumerate(prompt.prompt_tokens):
        sent = mixed(asked(pair, prompt, number))
        ids, own = torch.tensor(sent["prompt_token_ids"]), torch.tensor(sent["prompt_is_token_ids"])
        assert len(ids) == len(own) == len(sent["prompt_embeds"]) == length
        assert (~own).sum() == 4 and not sent["prompt_embeds"][own].any()
        # What the engine makes of it is the prompt.
        made = torch.where(own[:, None], pair.base.embed(ids), sent["prompt_embeds"])
        assert torch.equal(made, prompt.embeds[number, -length:])


def test_a_prompt_without_slots_is_ids_alone(pair):
    prompt = ZeroShotCoT(pair).prepare(build_problems(1))
    [ids] = prompt.ids
    assert mixed(asked(pair, prompt)) == {"prompt_token_ids": list(ids)}
    assert torch.equal(pair.base.embed(torch.tensor(ids)), prompt.embeds[0])


def test_rows_of_which_no_ids_are_known_go_out_as_vectors(pair):
    prompt = ZeroShotCoT(pair).prepare(build_problems(1))
    whole = join([prompt, soft(pair).prepare(build_problems(1), 4)])
    assert whole.ids is not None and len(whole.ids) == 2
    prompt.ids = None
    assert join([prompt, whole]).ids is None
    assert list(mixed(asked(pair, prompt))) == ["prompt_embeds"]


def test_samples_have_a_seed_of_31_bits_and_one_request(pair):
    rules = asked(pair, ZeroShotCoT(pair).prepare(build_problems(1))).rules([7, 3])
    assert rules["n"] == 3 and rules["seed"] == (1 << 40) >> 32
    assert rules["stop_token_ids"] == [3, 7] and rules["top_k"] == -1


def test_the_engine_has_the_base_as_it_is_here(pair):
    options = usual_options(pair.base)
    assert options["dtype"] == str(pair.base.dtype).removeprefix("torch.")
    assert options["enable_prompt_embeds"] and options["max_model_len"] == pair.base.context


def test_where_vllm_is_not_installed_it_is_said_how_to_get_it(pair, capsys, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="vLLM is not installed"):
        VllmInside(pair.base)
    assert main(["ask", "How many?", "--backend", "vllm"]) == 2
    assert "--base-url" in capsys.readouterr().err


def test_smaller_weights_are_refused(pair, monkeypatch):
    monkeypatch.setattr(vllm_inside, "check_installed", lambda: None)
    monkeypatch.setattr(pair.base, "quantize", "int8")
    with pytest.raises(UserError, match="leave out --quantize"):
        VllmInside(pair.base)


@pytest.mark.parametrize(
    "options, said",
    [
        (["--base-url", "http://localhost:1/v1"], "add --backend vllm"),
        (["--engine", "{}"], "add --backend vllm"),
        (["--backend", "vllm", "--engine", "no"], "is no JSON"),
        (["--backend", "vllm", "--engine", "3"], "is no JSON object"),
        (
            ["--backend", "vllm", "--base-url", "http://a/v1", "--engine", "{}"],
            "leave out --engine",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, said, capsys):
    assert main(["ask", "How many?", *options]) == 2
    assert said in capsys.readouterr().err
