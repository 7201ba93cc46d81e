"""A real pretrained model, fetched and asked: SmolLM2-135M-Instruct as both sides of a pair."""

import pytest
import torch

from softcot.data.problems import Problem
from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling, decode, finish
from softcot.fetching import MODELS, fetch_pair, fetched_folder, store
from softcot.methods import ZeroShotCoT
from softcot.methods.softcot import SoftCoT
from softcot.support.errors import UserError
from softcot.thoughts.pair import Pair, load_pair
from softcot.thoughts.projection import Projection

SMALL = MODELS["smollm2-135m-instruct"]
QUESTION = "A farmer has 3 red hens and 4 white hens. How many hens does the farmer have?"
TOKENS = 12


@pytest.fixture(scope="session")
def real_pair(tmp_path_factory) -> Pair:
    """The pair, fetched once for all tests, or from the user's cache where it is there."""
    with pytest.MonkeyPatch.context() as patch:
        if fetched_folder(SMALL) is None:
            patch.setenv(store.CACHE, str(tmp_path_factory.mktemp("cache")))
            try:
                fetch_pair(SMALL.name)
            except UserError as error:
                if "cannot be fetched" not in str(error):
                    raise
                pytest.skip(str(error))
        return load_pair(base=SMALL.name, assistant=SMALL.name, device="cpu", dtype="float32")


@pytest.mark.parametrize("k", [0, 4])
def test_our_greedy_tokens_are_those_of_generate(real_pair, k):
    lm, task = real_pair.base, get_task("gsm8k")
    assert lm.model is real_pair.assistant.model and lm.prompts.chat
    problem = Problem(task.name, QUESTION)
    if k:
        projection = Projection.for_pair(real_pair, task.name, k, seed=0)
        prompt = SoftCoT(real_pair, projection, task).prepare([problem], k)
    else:
        prompt = ZeroShotCoT(real_pair, task).prepare([problem])
    assert prompt.slot_mask.sum() == k and prompt.embeds.dtype == torch.float32
    [written] = finish(decode(lm, prompt, Sampling(max_new_tokens=TOKENS)))
    [expected] = lm.model.generate(
        inputs_embeds=prompt.embeds,
        attention_mask=prompt.attention_mask,
        max_new_tokens=TOKENS,
        do_sample=False,
        eos_token_id=sorted(lm.end_ids),
        pad_token_id=lm.pad_id,
    ).tolist()
    assert written.ids == expected
    assert k or "hens" in lm.text(written.ids)
