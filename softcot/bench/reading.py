"""How fast prompts are read: as the decoder does it, and as transformers alone does."""

import torch

from softcot.bench.measuring import Side, interleaved
from softcot.bench.setting import Found, Setting
from softcot.data.tasks import get_task
from softcot.methods import ZeroShotCoT, get_method
from softcot.models.batches import PromptEmbeds
from softcot.models.cache import empty_cache
from softcot.models.language_model import LanguageModel
from softcot.support.text import counted
from softcot.thoughts.pair import Pair

ROWS, QUICK_ROWS = (1, 4, 16), (1, 2)
METHOD = ZeroShotCoT.name
"""Whose prompts are read: nobody else takes part in them."""


def measure(pair: Pair, setting: Setting) -> Found:
    """Read so many prompts at once up to the next token's logits, both ways in turns."""
    task = get_task(setting.task)
    counts = QUICK_ROWS if setting.quick else ROWS
    method = get_method(METHOD, pair, task)
    sides: dict[str, Side] = {}
    for rows in counts:
        prompt = method.prepare(task.problems("test", rows))
        work = {
            _name("engine", rows): lambda asked=prompt: _read(pair.base, asked),
            _name("transformers", rows): lambda asked=prompt: _plainly(pair.base, asked),
        }
        for run in work.values():  # what a first call costs is nobody's
            run()
        sides |= interleaved(work, setting.rounds, pair.base.device, setting.progress)
        for name in work:
            sides[name].extra["tokens"] = sum(prompt.prompt_tokens)
    ratios = [
        {
            "what": f"Reading {counted(rows, 'prompt')} in {pair.base.numbers}, "
            "time against transformers",
            "value": sides[_name("engine", rows)].median
            / sides[_name("transformers", rows)].median,
            "goal": 1.0,
            "better": "less",
        }
        for rows in counts
    ]
    return Found(sides, ratios, {"method": METHOD})


def _name(who: str, rows: int) -> str:
    return f"{who}, {counted(rows, 'prompt')}"


def _read(lm: LanguageModel, prompt: PromptEmbeds) -> torch.Tensor:
    """The next token's logits of every row, float32[B, V]."""
    return lm.next_logits(
        prompt.embeds, prompt.attention_mask, prompt.position_ids, empty_cache(lm)
    )


@torch.inference_mode()
def _plainly(lm: LanguageModel, prompt: PromptEmbeds) -> torch.Tensor:
    """The same by transformers' own way to ask for the last position alone."""
    output = lm.model(
        inputs_embeds=prompt.embeds,
        attention_mask=prompt.attention_mask,
        position_ids=prompt.position_ids,
        past_key_values=empty_cache(lm),
        logits_to_keep=1,
    )
    return output.logits[:, -1].float()
