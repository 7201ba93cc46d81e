"""SoftCoT as straightforward code would do it: the measure that the engine is held against.

It is written from the method's description and shares prompts and models with the engine, so that
both compute the same numbers: gradients and greedy answers are equal. It just does not think about
cost. Every step asks the assistant again, through its whole model; the base reads whole sequences,
with gradients and logits at every position; batches are drawn at random and padded to the longest;
and questions are answered one at a time by `generate`.
"""

import random
from collections.abc import Sequence

import torch
from torch.nn.functional import cross_entropy

from softcot.data.problems import Problem
from softcot.data.tasks import Task, get_task
from softcot.models.batches import Batch, collate
from softcot.models.language_model import LanguageModel
from softcot.support.presets import MAX_THOUGHTS
from softcot.thoughts.pair import Pair
from softcot.thoughts.projection import Projection
from softcot.training.config import TrainingConfig
from softcot.training.corpus import cut


@torch.no_grad()
def states(assistant: LanguageModel, questions: Sequence[str], k: int, task: Task) -> torch.Tensor:
    """The assistant's last states at its K slots, float[B, K, d_assistant]."""
    prompts = [assistant.prompts.assistant(q, task=task, k=k) for q in questions]
    batch = collate(prompts, assistant.pad_id, "right", assistant.device)
    found = assistant.model(
        input_ids=batch.input_ids, attention_mask=batch.attention_mask, output_hidden_states=True
    ).hidden_states[-1]
    return found[batch.slot_mask].view(len(prompts), k, found.shape[-1])


def loss(pair: Pair, projection: Projection, problems: Sequence[Problem], k: int) -> torch.Tensor:
    """Mean loss of the graded tokens of some problems of one task, with gradients."""
    base, task = pair.base, get_task(problems[0].task)
    prompts = [base.prompts.base(p.question, task=task, k=k, target=p.target) for p in problems]
    batch = collate(prompts, base.pad_id, "right", base.device)
    vectors = _thoughts(pair, projection, [p.question for p in problems], k, task)
    logits = base.model(
        inputs_embeds=_embeds(base, batch, vectors), attention_mask=batch.attention_mask
    ).logits.float()
    return cross_entropy(logits[:, :-1].flatten(0, 1), batch.labels[:, 1:].flatten())


def train(pair: Pair, name: str, config: TrainingConfig) -> Projection:
    """Train a projection on one task with the steps, rates and Ks of a config."""
    problems = get_task(name).problems("train", config.train_problems, config.seed)
    projection = Projection.for_pair(pair, name, config.max_thoughts, config.seed)
    read = _all_states(pair, name, problems, config).to(pair.base.device)
    projection.condition(read, pair.base.spread)
    optimizer = torch.optim.AdamW(
        projection.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    rng = random.Random(config.seed)
    order: list[Problem] = []
    for step in range(config.steps):
        if len(order) < config.batch_size:
            order += rng.sample(problems, len(problems))
        chosen, order = order[: config.batch_size], order[config.batch_size :]
        for group in optimizer.param_groups:
            group["lr"] = config.rate(step)
        optimizer.zero_grad()
        loss(pair, projection, chosen, config.drawn_k(step)).backward()
        torch.nn.utils.clip_grad_norm_(projection.parameters(), config.clip)
        optimizer.step()
    projection.fold()
    return projection


def _all_states(
    pair: Pair, name: str, problems: Sequence[Problem], config: TrainingConfig
) -> torch.Tensor:
    """The assistant's states of all problems, float[N, K, d_assistant]."""
    task, most = get_task(name), config.max_thoughts or MAX_THOUGHTS
    parts = cut([problem.question for problem in problems], config.batch_size)
    return torch.cat([states(pair.assistant, part, most, task) for part in parts])


@torch.no_grad()
def answer(
    pair: Pair,
    projection: Projection,
    problem: Problem,
    k: int,
    longest: int,
    task: Task,
) -> list[int]:
    """The tokens of the greedy answer to one question, at most `longest`, its end included."""
    base = pair.base
    prompt = base.prompts.base(problem.question, task=task, k=k)
    batch = collate([prompt], base.pad_id, "left", base.device)
    vectors = _thoughts(pair, projection, [problem.question], k, task)
    written = base.model.generate(
        inputs_embeds=_embeds(base, batch, vectors),
        attention_mask=batch.attention_mask,
        max_new_tokens=min(longest, base.context - len(prompt)),
        do_sample=False,
        repetition_penalty=1.0,
        eos_token_id=sorted(base.end_ids),
        pad_token_id=base.pad_id,
    )
    return written[0].tolist()


def _thoughts(
    pair: Pair, projection: Projection, questions: Sequence[str], k: int, task: Task
) -> torch.Tensor:
    """K soft thoughts of every question, float[B, K, d_base]."""
    return projection(states(pair.assistant, questions, k, task).to(pair.base.device))


def _embeds(base: LanguageModel, batch: Batch, vectors: torch.Tensor) -> torch.Tensor:
    """What the base reads, float[B, T, d], with the thoughts written into their slots."""
    embeds = base.embed(batch.input_ids).clone()
    # Writing in place makes the whole tensor need a gradient, and so the whole prompt.
    embeds[batch.slot_mask] = vectors.flatten(0, 1).to(embeds.dtype)
    return embeds
