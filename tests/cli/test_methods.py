"""`methods`: all of them, and how much each trains."""

import json

from softcot.methods import METHODS
from softcot.thoughts.adapter import Adapter
from softcot.thoughts.soft_prompt import SoftPrompt


def test_methods_are_listed_with_what_they_train(run, pair):
    found = {entry["name"]: entry for entry in json.loads(run("methods", "--json"))}
    assert list(found) == list(METHODS)
    projection, prompt = pair.projection("all"), SoftPrompt.for_pair(pair, "all")
    count = sum(p.numel() for p in projection.parameters())
    assert found["softcot"]["parameters"] == count == 16 * 32 + 32
    assert found["prompt-tuning"]["parameters"] == prompt.vectors.numel() == 16 * 32
    assert found["zero-shot-cot"]["parameters"] == found["cot-unk"]["parameters"] == 0
    assert f"trains the projection ({count} parameters)" in run("methods")


def test_the_frozen_base_under_adapters_does_not_count(run, pair):
    found = {entry["name"]: entry for entry in json.loads(run("methods", "--json"))}
    weights = list(Adapter.for_pair(pair, "all").parameters())
    trained = sum(weight.numel() for weight in weights if weight.requires_grad)
    assert trained < sum(weight.numel() for weight in weights)
    assert found["lora"]["parameters"] == found["coconut"]["parameters"] == trained
