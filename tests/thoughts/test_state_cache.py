"""The assistant's states on disk: found again, and never wrong ones."""

import shutil
from dataclasses import replace

import pytest
import torch
from conftest import TEMPLATE, build_problems, build_tokenizer, forward_passes

from softcot.data.tasks import get_task
from softcot.models.language_model import LanguageModel
from softcot.prompts.builder import PromptBuilder, ThoughtTokens
from softcot.prompts.wording import Templates
from softcot.thoughts.state_cache import load_states, save_states, states_file
from softcot.training.config import TrainingConfig
from softcot.training.trainer import train

TASK = get_task("mini-gsm")
CONFIG = TrainingConfig(
    max_thoughts=4,
    steps=2,
    batch_size=4,
    train_problems=8,
    validation_problems=4,
    validate_every=2,
    start="random",
)


def weights(folder):
    return (folder / "model.safetensors").read_bytes()


def test_a_second_training_asks_the_assistant_nothing(pair, tmp_path):
    cache, histories = tmp_path / "cache", []
    with forward_passes(pair.assistant) as plain:
        histories.append(train(pair, "softcot", "mini-gsm", CONFIG, tmp_path / "plain").history)
    for name, asks in (("first", True), ("second", False)):
        with forward_passes(pair.assistant) as seen:
            made = train(pair, "softcot", "mini-gsm", CONFIG, tmp_path / name, cache=cache)
        histories.append(made.history)
        # Fresh weights look at the assistant once, whatever is known of the problems.
        assert len(seen) == (len(plain) if asks else 1)
    assert histories[0] == histories[1] == histories[2]
    assert (
        weights(tmp_path / "plain") == weights(tmp_path / "first") == weights(tmp_path / "second")
    )
    assert len(list(cache.iterdir())) == 2


def test_damaged_states_are_made_again(pair, tmp_path):
    cache = tmp_path / "cache"
    train(pair, "softcot", "mini-gsm", CONFIG, tmp_path / "first", cache=cache)
    whole = {path: path.read_bytes() for path in cache.iterdir()}
    for path, content in whole.items():
        path.write_bytes(content[: len(content) // 2])
    train(pair, "softcot", "mini-gsm", CONFIG, tmp_path / "second", cache=cache)
    assert {path: path.read_bytes() for path in cache.iterdir()} == whole
    assert weights(tmp_path / "first") == weights(tmp_path / "second")


def test_methods_without_an_assistant_keep_nothing(pair, tmp_path):
    train(pair, "prompt-tuning", "mini-gsm", CONFIG, tmp_path / "out", cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_whatever_changes_the_states_changes_the_file(pair, tmp_path):
    problems = build_problems(4)
    other = replace(problems[0], question="Another one?")
    files = [
        states_file(tmp_path, pair, TASK, problems, 4),
        states_file(tmp_path, pair, TASK, problems, 5),
        states_file(tmp_path, pair, TASK, problems[::-1], 4),
        states_file(tmp_path, pair, TASK, [other, *problems[1:]], 4),
        states_file(tmp_path, pair, get_task("mini-strategy"), problems, 4),
    ]
    swapped = replace(pair, assistant=pair.base)
    files.append(states_file(tmp_path, swapped, TASK, problems, 4))
    assert len(set(files)) == len(files)
    assert states_file(tmp_path, pair, TASK, build_problems(4), 4) == files[0]


def test_other_prompts_have_files_of_their_own(pair, tmp_path, monkeypatch):
    prompts = pair.assistant.prompts

    def changed(whose, name, value):
        with monkeypatch.context() as patch:
            patch.setattr(whose, name, value)
            return states_file(tmp_path, pair, TASK, build_problems(4), 4)

    chat = TEMPLATE.replace("<assistant>", "<assistant>Well, ")
    files = {
        states_file(tmp_path, pair, TASK, build_problems(4), 4),
        changed(prompts, "templates", Templates.named("chat")),
        changed(prompts, "tokens", ThoughtTokens(prompts.tokens.placeholder + 1)),
        changed(pair.assistant, "prompts", PromptBuilder(build_tokenizer(chat_template=chat))),
    }
    assert len(files) == 4


def test_quantised_models_of_one_name_have_files_of_their_own(checkpoints, pair, tmp_path):
    files = set()
    for name in ("base", "assistant"):
        folder = tmp_path / name / "model"
        shutil.copytree(checkpoints / "mini" / name, folder)
        lm = replace(LanguageModel.load(folder, "cpu"), quantize="nf4")
        assert lm.fingerprint().startswith("nf4 of model ")
        files.add(states_file(tmp_path, replace(pair, assistant=lm), TASK, build_problems(4), 4))
    assert len(files) == 2


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 5)])
def test_only_states_of_the_right_shape_are_read(tmp_path, shape):
    states = torch.randn(2, 3, 4)
    save_states(tmp_path / "states.safetensors", states)
    found = load_states(tmp_path / "states.safetensors", shape)
    assert (found is None) == (shape != (2, 3, 4))
    assert found is None or torch.equal(found, states)
    assert load_states(tmp_path / "none.safetensors", shape) is None
