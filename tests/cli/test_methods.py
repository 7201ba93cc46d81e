"""`methods`: all of them, and how much each trains."""

import json

from softcot.methods import METHODS
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
