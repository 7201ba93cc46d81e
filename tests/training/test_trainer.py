"""Training: what moves, what does not, and that an interruption changes nothing."""

import json
import math
from dataclasses import replace

import pytest
import torch
from conftest import build_problems, build_tokenizer
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.nn.utils import parametrize

from softcot.data.tasks import FREE, GeneratedProblems
from softcot.methods import get_trainable
from softcot.methods import objective as objectives
from softcot.methods.objective import token_losses
from softcot.models.batches import collate
from softcot.models.language_model import fingerprint
from softcot.prompts.builder import PromptBuilder, ThoughtTokens
from softcot.prompts.wording import Templates
from softcot.support.errors import UserError
from softcot.thoughts.adapter import Adapter, CoconutAdapter
from softcot.thoughts.projection import Projection
from softcot.thoughts.soft_prompt import SoftPrompt
from softcot.training import corpus
from softcot.training.config import DECAYS, NUMBERS, TrainingConfig
from softcot.training.corpus import Reader, batches
from softcot.training.trainer import train

CONFIG = TrainingConfig(
    max_thoughts=4,
    steps=6,
    batch_size=4,
    learning_rate=1e-2,
    warmup=2,
    train_problems=12,
    validation_problems=6,
    validate_every=2,
)


class Killed(Exception):
    """Stands for a kill: nothing in the training expects it."""


def kill_at(step):
    def progress(update):
        if (update.phase, update.done) == ("training", step):
            raise Killed

    return progress


def weights(folder):
    return load_file(folder / "model.safetensors")


def assert_same_weights(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name])


def assert_like_weights(one, other):
    """The same but for what it costs to leave the coordinates of a training."""
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-3, atol=1e-4)


@pytest.fixture(scope="module")
def whole(pair, tmp_path_factory):
    """An uninterrupted training: its folder, result, updates and the models' hashes around it."""

    def hashes():
        return [lm.fingerprint(exact=True) for lm in (pair.base, pair.assistant)]

    folder, updates, before = tmp_path_factory.mktemp("whole") / "out", [], hashes()
    result = train(
        pair,
        "softcot",
        "mini-gsm",
        CONFIG,
        folder,
        progress=updates.append,
        command="python -m softcot x",
    )
    return folder, result, updates, before, hashes()


def test_loss_goes_down_and_the_best_weights_are_kept(whole):
    folder, result, *_ = whole
    losses = [entry["validation_loss"] for entry in result.history]
    assert [entry["step"] for entry in result.history] == [0, 2, 4, 6]
    assert result.best_loss == min(losses) < losses[0]
    assert result.finished and result.path == folder


def test_both_language_models_are_unchanged(whole):
    *_, before, after = whole
    assert before == after


def test_only_the_projection_gets_gradients(pair):
    projection = Projection.for_pair(pair, "mini-gsm", 4)
    problem = build_problems(1)[0]
    prompt = pair.base.prompts.base(problem.question, task=FREE, k=4, target=problem.target)
    token_losses(pair.base, [prompt], projection(torch.randn(1, 4, 16))).mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in projection.parameters())
    for lm in (pair.base, pair.assistant):
        assert all(p.grad is None and not p.requires_grad for p in lm.model.parameters())


def test_record_says_how_the_weights_came_about(whole, pair):
    folder, result, *_ = whole
    record = json.loads((folder / "training.json").read_text())
    projection = Projection.load(folder)
    assert record["history"] == result.history
    assert record["fingerprints"] == pair.fingerprints | {
        "trained": fingerprint(projection, exact=True)
    }
    assert (record["task"], record["finished"]) == ("mini-gsm", True)
    assert record["config"]["learning_rate"] == 1e-2
    assert record["command"] == "python -m softcot x"
    assert {"versions", "commit", "dirty", "created", "device", "seconds"} <= record.keys()
    assert (projection.max_thoughts, projection.task) == (4, "mini-gsm")
    short = projection.training_record
    assert (short["steps"], short["seed"], short["date"]) == (6, 41, record["created"])
    assert (short["validation_loss"], short["best_step"]) == (result.best_loss, result.best_step)
    assert short["softcot"] == record["versions"]["softcot"]
    assert f"| validation loss | {result.best_loss} |" in (folder / "README.md").read_text()
    assert short["start"] == "vocabulary"
    card = (folder / "README.md").read_text()
    assert "| start | vocabulary |" in card and "start is the project's own" in card
    assert not (folder / "state.safetensors").exists()


def test_progress_covers_every_phase(whole):
    _, result, updates, *_ = whole
    assistant, base = [1, 2, 3, 1, 2], [1, 2, 1, 2, 3]  # the base reads validation first
    assert [u.done for u in updates if u.phase == "thinking"] == assistant + base
    steps = [u for u in updates if u.phase == "training"]
    assert [(u.done, u.total) for u in steps] == [(n, 6) for n in range(1, 7)]
    assert steps[-1].validation_loss == result.history[-1]["validation_loss"]
    # Every validation tells of each batch with the own thoughts, then with swapped ones.
    judged = [(u.done, u.total) for u in updates if u.phase == "validating"]
    assert judged == [(1, 4), (2, 4), (3, 4), (4, 4)] * len(result.history)


@pytest.mark.parametrize("step", [1, 3, 4])
def test_resumed_training_reaches_identical_weights(pair, whole, tmp_path, step):
    out = tmp_path / "out"
    with pytest.raises(Killed):
        train(pair, "softcot", "mini-gsm", CONFIG, out, progress=kill_at(step))
    if step < CONFIG.validate_every:  # nothing was saved yet, so there is nothing to resume
        with pytest.raises(UserError, match="leave out --resume"):
            train(pair, "softcot", "mini-gsm", CONFIG, out, resume=True)
    result = train(pair, "softcot", "mini-gsm", CONFIG, out, resume=step >= CONFIG.validate_every)
    assert_same_weights(weights(out), weights(whole[0]))
    assert result.history == whole[1].history


def test_stop_keeps_the_best_and_can_be_resumed(pair, whole, tmp_path):
    out, seen = tmp_path / "out", []
    result = train(
        pair,
        "softcot",
        "mini-gsm",
        CONFIG,
        out,
        progress=seen.append,
        should_stop=lambda: bool(seen) and (seen[-1].phase, seen[-1].done) == ("training", 3),
    )
    assert not result.finished
    assert [entry["step"] for entry in result.history] == [0, 2]
    assert result.best_loss == min(entry["validation_loss"] for entry in result.history)
    assert json.loads((out / "training.json").read_text())["finished"] is False
    assert Projection.load(out).max_thoughts == 4
    train(pair, "softcot", "mini-gsm", CONFIG, out, resume=True)
    assert_same_weights(weights(out), weights(whole[0]))


def test_weights_that_get_worse_are_not_kept(pair, tmp_path, monkeypatch):
    losses, worse = objectives.token_losses, iter([1.0, 9.0, 2.0, 9.0, 3.0, 9.0, 4.0, 9.0])

    def judged(base, prompts, thoughts, *kept):
        found = losses(base, prompts, thoughts, *kept)
        return found if thoughts.requires_grad else torch.full_like(found, next(worse))

    monkeypatch.setattr(objectives, "token_losses", judged)
    config = TrainingConfig(**(vars(CONFIG) | {"validation_problems": 4}))
    result = train(pair, "softcot", "mini-gsm", config, tmp_path / "out")
    assert (result.best_step, result.best_loss) == (0, 1.0)
    assert [entry["swap_loss"] for entry in result.history] == [9.0] * 4
    fresh = get_trainable("softcot").objective_for(pair, "mini-gsm", 4, config.seed).weights
    assert_like_weights(weights(tmp_path / "out"), fresh.state_dict())


def test_a_projection_starts_at_the_vocabulary_or_anywhere(pair, tmp_path):
    def start(*chosen, seed=41):
        return (
            get_trainable("softcot")
            .objective_for(pair, "mini-gsm", 4, seed, *chosen)
            .weights.linear.weight
        )

    vocabulary, anywhere = start("vocabulary"), start("random")
    assert torch.equal(vocabulary, start()) and torch.equal(vocabulary, start(seed=42))
    assert torch.equal(anywhere, Projection.for_pair(pair, "mini-gsm", 4, 41).linear.weight)
    assert not torch.equal(anywhere, start("random", seed=42))
    assert not torch.allclose(anywhere, vocabulary)


def test_a_plain_training_is_that_of_the_vocabulary_without_coordinates(pair, tmp_path):
    objectives = [
        get_trainable("softcot").objective_for(pair, "mini-gsm", 4, 41, start)
        for start in ("vocabulary", "plain")
    ]
    states = torch.randn(6, 4, pair.assistant.width)
    for objective in objectives:
        objective.prepare([], states)
    fair, plain = (objective.weights for objective in objectives)
    torch.testing.assert_close(fair(states), plain(states), atol=1e-4, rtol=1e-3)
    assert parametrize.is_parametrized(fair.linear)
    assert not parametrize.is_parametrized(plain.linear) and not plain.centre.any()


def test_both_starts_are_trained_from(pair, whole, tmp_path):
    before = [lm.fingerprint(exact=True) for lm in (pair.base, pair.assistant)]
    config = replace(CONFIG, start="random")
    train(pair, "softcot", "mini-gsm", config, tmp_path / "out")
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    other = json.loads((whole[0] / "training.json").read_text())
    assert (record["config"]["start"], other["config"]["start"]) == ("random", "vocabulary")
    losses = [[entry["validation_loss"] for entry in run["history"]] for run in (record, other)]
    assert losses[0][0] != losses[1][0] and losses[0][-1] < losses[0][0]
    assert before == [lm.fingerprint(exact=True) for lm in (pair.base, pair.assistant)]


def test_stop_before_the_first_step_leaves_nothing(pair, tmp_path):
    with pytest.raises(UserError, match="before it took a step"):
        train(pair, "softcot", "mini-gsm", CONFIG, tmp_path / "out", should_stop=lambda: True)
    assert not (tmp_path / "out").exists()


def test_all_families_with_a_training_split_are_trained_on(pair, tmp_path, monkeypatch):
    tasks = []
    read = Reader.read

    def noted(reader, task, problems):
        tasks.append(task.name)
        return read(reader, task, problems)

    monkeypatch.setattr(Reader, "read", noted)
    config = TrainingConfig(
        max_thoughts=2, steps=1, batch_size=4, train_problems=4, validation_problems=4
    )
    train(pair, "softcot", "all", config, tmp_path / "out")
    assert tasks == ["mini-gsm", "mini-asdiv", "mini-aqua", "mini-strategy"] * 2
    assert Projection.load(tmp_path / "out").task == "all"


def test_every_k_is_drawn_and_used(pair, tmp_path, monkeypatch):
    config = TrainingConfig(max_thoughts=16)
    drawn = [config.drawn_k(step) for step in range(400)]
    assert set(drawn) == set(range(1, 17))
    assert max(map(drawn.count, range(1, 17))) < 3 * min(map(drawn.count, range(1, 17)))

    used = []
    losses = objectives.token_losses

    def spy(base, prompts, thoughts, *kept):
        if thoughts.requires_grad:
            used.append(thoughts.shape[1])
        assert all(sum(prompt.slot_mask) == thoughts.shape[1] for prompt in prompts)
        return losses(base, prompts, thoughts, *kept)

    monkeypatch.setattr(objectives, "token_losses", spy)
    train(pair, "softcot", "mini-gsm", CONFIG, tmp_path / "out")
    assert used == [CONFIG.drawn_k(step) for step in range(6)]


def test_no_step_has_a_longer_gradient_than_allowed(pair, tmp_path, monkeypatch):
    norms = []
    step = torch.optim.AdamW.step

    def measured(optimizer, *args, **kwargs):
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"]]
        norms.append(torch.stack([grad.norm() for grad in gradients]).norm().item())
        return step(optimizer, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", measured)
    for number, clip in enumerate((1e9, 1e-3)):
        config = replace(CONFIG, steps=2, clip=clip)
        train(pair, "softcot", "mini-gsm", config, tmp_path / str(number))
    free, clipped = norms[:2], norms[2:]
    assert min(free) > 1e-2 and clipped == pytest.approx([1e-3, 1e-3], rel=1e-3)


def test_others_get_the_models_between_the_pieces_of_every_step(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "PIECE", 1)
    called, asked = 0, []

    def between():
        nonlocal called
        called += 1

    def watch(update):
        asked.append((update.phase, called))

    train(pair, "softcot", "mini-gsm", CONFIG, tmp_path / "out", progress=watch, between=between)
    counts = [count for phase, count in asked if phase == "training"]
    steps = [after - before for before, after in zip(counts, counts[1:], strict=False)]
    assert len(steps) == CONFIG.steps - 1
    assert min(steps) >= CONFIG.batch_size


def test_prompt_tuning_moves_the_prompt_and_nothing_else(pair, tmp_path):
    before = [lm.fingerprint(exact=True) for lm in (pair.base, pair.assistant)]
    result = train(pair, "prompt-tuning", "mini-gsm", CONFIG, tmp_path / "out")
    assert result.history[-1]["validation_loss"] < result.history[0]["validation_loss"]
    trained = SoftPrompt.load(tmp_path / "out")
    fresh = SoftPrompt.for_pair(pair, "mini-gsm", 4, seed=CONFIG.seed)
    assert trained.vectors.shape == (4, 32) and not torch.equal(trained.vectors, fresh.vectors)
    assert before == [lm.fingerprint(exact=True) for lm in (pair.base, pair.assistant)]


@pytest.mark.parametrize("kind", [Adapter, CoconutAdapter])
def test_adapters_are_trained_and_the_base_is_not(pair, problems, tmp_path, kind):
    before = [lm.fingerprint(exact=True) for lm in (pair.base, pair.assistant)]
    result = train(pair, kind.method, "mini-gsm", CONFIG, tmp_path / "out")
    trained = kind.load_for(pair, tmp_path / "out")
    assert any(weight.any() for name, weight in trained.state_dict().items() if "lora_B" in name)
    assert result.finished and result.best_step == result.history[-1]["step"]
    assert before == [lm.fingerprint(exact=True) for lm in (pair.base, pair.assistant)]
    (tmp_path / "out" / "adapter_model.safetensors").write_bytes(b"half")
    with pytest.raises(UserError, match=f"--method {kind.method}"):
        kind.load_for(pair, tmp_path / "out")


def test_coconut_replaces_one_sentence_after_the_other(pair):
    objective = get_trainable("coconut").objective_for(pair, "mini-gsm", 16, 0)
    stages = [objective.k(step, 8, drawn=9) for step in range(8)]
    assert stages == [0, 0, 2, 2, 4, 4, 6, 6] and objective.validated_from(8) == 6
    short = get_trainable("coconut").objective_for(pair, "mini-gsm", 3, 0)
    assert [short.k(step, 4, drawn=9) for step in range(4)] == [0, 0, 2, 2]
    assert short.validated_from(4) == 2 and short.validation_k(0.1) == short.weights.max_thoughts
    assert CoconutAdapter.for_pair(pair, "mini-gsm").max_thoughts == 2
    with pytest.raises(UserError, match="2 thoughts for a sentence"):
        get_trainable("coconut").objective_for(pair, "mini-gsm", 1, 0)
    problem = build_problems(1)[0]
    told = replace(problem, rationale="One. Two. Three. Four.")
    written = [objective.losses([told], torch.empty(1, 0), k).numel() for k in (0, 2, 6, 10)]
    lengths = [
        len(pair.base.prompts.text(f"{text} The answer is {problem.answer}.".strip())) + 1
        for text in ("One. Two. Three. Four.", "Two. Three. Four.", "Four.", "")
    ]
    assert written == lengths
    # Thoughts reach back through all of their steps.
    objective.losses([told], torch.empty(1, 0), 6).mean().backward()
    assert all(p.grad is not None for p in objective.weights.parameters() if p.requires_grad)


def test_losses_equal_the_full_forward_of_transformers(pair):
    prompts = [
        pair.base.prompts.base(p.question, task=FREE, k=3, target=p.target)
        for p in build_problems(3)
    ]
    thoughts = torch.randn(3, 3, 32, requires_grad=True)
    ours = token_losses(pair.base, prompts, thoughts)

    batch = collate(prompts, 0, "left")
    embeds = pair.base.embed(batch.input_ids).clone()
    embeds[batch.slot_mask] = thoughts.reshape(-1, 32)
    theirs = pair.base.model(
        inputs_embeds=embeds,
        attention_mask=batch.attention_mask,
        position_ids=batch.position_ids,
        labels=batch.labels,
    ).loss
    torch.testing.assert_close(ours.mean(), theirs)
    gradients = [torch.autograd.grad(loss, thoughts)[0] for loss in (ours.mean(), theirs)]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)


def test_every_epoch_has_each_problem_once_in_batches_of_like_length():
    problems = build_problems(50)
    config = TrainingConfig(batch_size=4)
    stream = batches(problems, config)
    epochs = [[next(stream) for _ in range(13)] for _ in range(2)]
    for epoch in epochs:
        assert sorted(i for batch in epoch for i in batch) == list(range(50))
    assert epochs[0] != epochs[1]
    again = batches(problems, config)
    assert [next(again) for _ in range(13)] == epochs[0]
    spreads = [
        max(lengths) - min(lengths)
        for batch in epochs[0]
        for lengths in [[len(problems[i].question) for i in batch]]
    ]
    assert sum(spreads) / len(spreads) < 10


def test_learning_rate_rises_then_falls():
    config = TrainingConfig(steps=100, warmup=10, learning_rate=1.0)
    rates = [config.rate(step) for step in range(100)]
    assert rates[:10] == pytest.approx([0.1 * n for n in range(1, 11)])
    assert rates[10] == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.001
    assert TrainingConfig(steps=3, warmup=10).rate(2) > 0


@pytest.mark.parametrize(
    ("field", "value"),
    [("steps", 0), ("batch_size", -1), ("max_thoughts", 0), ("learning_rate", 0.0),
     ("learning_rate", float("nan")), ("warmup", -1), ("validate_every", 0),
     ("start", "sideways")],
)  # fmt: skip
def test_meaningless_settings_are_refused(field, value):
    with pytest.raises(UserError, match=field):
        TrainingConfig(**{field: value})


def test_folders_in_use_are_refused(pair, whole, tmp_path):
    folder = whole[0]
    before = weights(folder)
    with pytest.raises(UserError, match="is in use"):
        train(pair, "softcot", "mini-gsm", CONFIG, folder)
    with pytest.raises(UserError, match="no interrupted training"):
        train(pair, "softcot", "mini-gsm", CONFIG, folder, resume=True)
    assert_same_weights(weights(folder), before)
    with pytest.raises(Killed):
        train(pair, "softcot", "mini-gsm", CONFIG, tmp_path / "out", progress=kill_at(3))
    with pytest.raises(UserError, match="add --resume"):
        train(pair, "softcot", "mini-gsm", CONFIG, tmp_path / "out")
    with pytest.raises(UserError, match="started with other settings .config."):
        other = TrainingConfig(**(vars(CONFIG) | {"seed": 1}))
        train(pair, "softcot", "mini-gsm", other, tmp_path / "out", resume=True)
    (tmp_path / "out" / "state.safetensors").write_bytes(b"half a fi")
    with pytest.raises(UserError, match="is damaged"):
        train(pair, "softcot", "mini-gsm", CONFIG, tmp_path / "out", resume=True)


def other_rationale(monkeypatch, pair):
    draw = GeneratedProblems.problems
    monkeypatch.setattr(
        GeneratedProblems,
        "problems",
        lambda *given: [replace(p, rationale=f"Hm. {p.rationale}") for p in draw(*given)],
    )


def other_validation(monkeypatch, pair):
    draw = GeneratedProblems.problems

    def drawn(self, task, split, count, seed):
        return draw(self, task, split, count, seed + (split == "validation"))

    monkeypatch.setattr(GeneratedProblems, "problems", drawn)


def other_wording(monkeypatch, pair):
    for lm in (pair.base, pair.assistant):
        monkeypatch.setattr(lm.prompts, "templates", Templates.named("chat"))


def other_chat_template(monkeypatch, pair):
    monkeypatch.setattr(pair.base, "prompts", PromptBuilder(build_tokenizer(chat_template=None)))


def other_placeholder(monkeypatch, pair):
    tokens = ThoughtTokens(pair.base.prompts.tokens.placeholder + 1)
    monkeypatch.setattr(pair.assistant.prompts, "tokens", tokens)


@pytest.mark.parametrize(
    ("change", "named"),
    [(other_rationale, "problems"), (other_validation, "problems"), (other_wording, "prompts"),
     (other_chat_template, "prompts"), (other_placeholder, "prompts")],
)  # fmt: skip
def test_a_training_goes_on_with_the_same_data_and_prompts_only(
    pair, tmp_path, monkeypatch, change, named
):
    out = tmp_path / "out"
    with pytest.raises(Killed):
        train(pair, "softcot", "mini-gsm", CONFIG, out, progress=kill_at(3))
    with monkeypatch.context() as patch:
        change(patch, pair)
        with pytest.raises(UserError, match=f"started with other settings .{named}."):
            train(pair, "softcot", "mini-gsm", CONFIG, out, resume=True)
    assert train(pair, "softcot", "mini-gsm", CONFIG, out, resume=True).finished


def test_the_state_of_a_version_that_wrote_fewer_settings_is_refused(pair, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(Killed):
        train(pair, "softcot", "mini-gsm", CONFIG, out, progress=kill_at(3))
    state = out / "state.safetensors"
    with safe_open(state, "pt") as file:
        metadata = file.metadata()
    settings = json.loads(metadata["settings"])
    for name in ("dtype", "prompts", "problems"):
        settings.pop(name)
    save_file(load_file(state), state, metadata | {"settings": json.dumps(settings)})
    with pytest.raises(UserError, match="started with other settings"):
        train(pair, "softcot", "mini-gsm", CONFIG, out, resume=True)


@pytest.mark.parametrize("method", ["softcot", "lora", "coconut"])
def test_a_training_that_diverges_stops_and_keeps_the_best_weights(pair, tmp_path, method):
    config, out = replace(CONFIG, learning_rate=1e38, warmup=0), tmp_path / "out"
    with pytest.raises(UserError, match="diverged: its .* loss is (nan|inf) at step [1-6]; ") as no:
        train(pair, method, "mini-gsm", config, out)
    assert f"{out} has the weights of step 0" in str(no.value) and "\n" not in str(no.value)
    record = json.loads((out / "training.json").read_text(), parse_constant=pytest.fail)
    assert not record["finished"] and record["history"][-1]["step"] == 0
    assert f"{record['best_loss']:.4f}" in str(no.value)
    fresh = get_trainable(method).objective_for(pair, "mini-gsm", 4, config.seed).weights
    assert_like_weights(fresh.load_for(pair, out).state_dict(), fresh.state_dict())
    with pytest.raises(UserError, match="no interrupted training"):
        train(pair, method, "mini-gsm", config, out, resume=True)


def test_the_best_weights_before_a_divergence_are_kept(pair, whole, tmp_path, monkeypatch):
    rate = TrainingConfig.rate
    monkeypatch.setattr(TrainingConfig, "rate", lambda c, n: rate(c, n) if n < 4 else 1e38)
    with pytest.raises(UserError, match="weights of step 4, with validation loss"):
        train(pair, "softcot", "mini-gsm", CONFIG, tmp_path / "out")
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    assert record["history"] == whole[1].history[:-1]
    assert not (tmp_path / "out" / "state.safetensors").exists()


def test_models_that_give_no_finite_loss_are_not_trained_for(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(
        objectives, "cross_entropy", lambda logits, targets, **_: logits[:, 0] * float("nan")
    )
    with pytest.raises(UserError, match="validation loss is nan at step 0"):
        train(pair, "softcot", "mini-gsm", CONFIG, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("thoughts", "steps", "needed"), [(2, 1, 2), (6, 3, 4), (16, 3, 4)])
def test_coconut_needs_a_step_for_every_stage(pair, tmp_path, thoughts, steps, needed):
    config = replace(CONFIG, max_thoughts=thoughts, steps=steps)
    with pytest.raises(UserError, match=f"needs {needed} steps or more; it is given {steps}"):
        train(pair, "coconut", "mini-gsm", config, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    config = replace(config, steps=needed)
    result = train(pair, "coconut", "mini-gsm", config, tmp_path / "out")
    assert result.best_step >= needed - 1


@pytest.mark.parametrize("name", ["mini-dates", "free", "nonsense"])
def test_tasks_without_a_training_split_are_refused(pair, tmp_path, name):
    with pytest.raises(UserError):
        train(pair, "softcot", name, CONFIG, tmp_path / "out")


def test_k_is_fixed_where_the_smallest_is_the_largest(pair, tmp_path, monkeypatch):
    fixed, drawn = replace(CONFIG, least_thoughts=4), replace(CONFIG, least_thoughts=3)
    assert {fixed.drawn_k(step) for step in range(50)} == {4}
    assert {drawn.drawn_k(step) for step in range(50)} == {3, 4}
    asked, losses = [], objectives.SlotObjective.losses

    def watched(self, problems, precomputed, k):
        asked.append(k)
        return losses(self, problems, precomputed, k)

    monkeypatch.setattr(objectives.SlotObjective, "losses", watched)
    train(pair, "softcot", "mini-gsm", fixed, tmp_path / "out")
    assert {*asked} == {4}
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    assert record["config"]["least_thoughts"] == 4
    assert Projection.load(tmp_path / "out").training_record["least_thoughts"] == 4


def test_a_rate_falls_as_it_is_told_to():
    rates = {
        decay: [
            TrainingConfig(steps=10, warmup=0, learning_rate=1.0, decay=decay).rate(step)
            for step in (0, 5, 9)
        ]
        for decay in DECAYS
    }
    assert rates["linear"] == pytest.approx([1.0, 0.5, 0.1])
    assert rates["cosine"] == pytest.approx([1.0, 0.5, (1 + math.cos(0.9 * math.pi)) / 2])
    assert rates["none"] == [1.0, 1.0, 1.0]


def test_epochs_decide_the_steps_and_the_last_weights_can_be_kept(pair, tmp_path):
    settings = vars(CONFIG) | {
        "epochs": 3,
        "steps": 2,  # which counts no more
        "batch_size": 4,
        "train_problems": 10,
        "learning_rate": 30.0,  # so that the last are not the best
        "validate_every": 1,
        "keep": "last",
    }
    result = train(pair, "softcot", "mini-gsm", TrainingConfig(**settings), tmp_path / "out")
    assert result.finished
    assert result.history[-1]["step"] == result.best_step == 9
    assert result.best_loss > min(entry["validation_loss"] for entry in result.history)


def test_bfloat16_rounds_small_steps_away(pair, tmp_path):
    """As in the code that the paper released: most weights stay where they began."""
    settings = vars(CONFIG) | {"start": "torch", "learning_rate": 2e-5, "warmup": 0, "keep": "last"}
    moved = {}
    for numbers in NUMBERS:
        first, last = (
            train(
                pair,
                "softcot",
                "mini-gsm",
                TrainingConfig(
                    **settings | {"numbers": numbers, "steps": steps, "learning_rate": rate}
                ),
                tmp_path / f"{numbers}-{steps}-{rate}",
            ).path
            for steps, rate in ((1, 1e-30), (3, 2e-5))
        )
        before, after = (Projection.load(path).linear.weight for path in (first, last))
        moved[numbers] = (before != after).float().mean().item()
        bound = pair.assistant.width**-0.5
        assert 0.9 * bound < before.abs().max() <= bound
    assert moved["float32"] > 0.9 and moved["bfloat16"] < 0.5


def test_numbers_that_a_start_cannot_have_are_refused():
    with pytest.raises(UserError, match="need float32"):
        TrainingConfig(numbers="bfloat16")


def test_k_must_be_fixed_where_the_assistant_is_told_it(pair, tmp_path):
    told = pair.told(Templates.named("mini-paper"))
    with pytest.raises(UserError, match="add --least-thoughts"):
        train(told, "softcot", "mini-gsm", CONFIG, tmp_path / "out")
    fixed = TrainingConfig(**vars(CONFIG) | {"least_thoughts": CONFIG.max_thoughts})
    assert train(told, "softcot", "mini-gsm", fixed, tmp_path / "out").finished
