"""The base's writing against llama.cpp's, on the same weights and cores.

llama.cpp runs in a process of its own, with a Python that has the package llama-cpp-python: it is
an extra and never needed otherwise.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import torch

from softcot.bench.measuring import Side
from softcot.bench.setting import Found, Setting
from softcot.decoding.decoder import Decoder, Sampling
from softcot.models.batches import PromptEmbeds, collate
from softcot.models.language_model import LanguageModel
from softcot.prompts.builder import Prompt
from softcot.support.errors import UserError
from softcot.support.text import counted
from softcot.thoughts.pair import Pair

CHILD = Path(__file__).with_name("llama_child.py")
PROMPT = "Natalia sold clips to 48 of her friends in April, and then half as many in May."
"""The child's own."""
ROWS = (1, 2, 16)
TOKENS, QUICK_TOKENS = 32, 3


def measure(pair: Pair, setting: Setting) -> Found:
    """Time each step of both with 1, 2 and 16 rows, in turns; the median step counts.

    Raises:
        UserError: No GGUF file was named, or llama.cpp does not run on it.
    """
    if setting.gguf is None:
        raise UserError("`bench llama` needs the file that llama.cpp reads; name it with --gguf.")
    tokens = QUICK_TOKENS if setting.quick else TOKENS
    steps: dict[str, list[float]] = {_name(who, n): [] for n in ROWS for who in ("engine", "llama")}
    for turn in range(setting.rounds):
        setting.progress("llama", turn, setting.rounds)
        theirs = _ask(setting, tokens)
        for rows in ROWS:
            steps[_name("engine", rows)] += written(pair.base, rows, tokens)
            steps[_name("llama", rows)] += theirs[str(rows)]
    setting.progress("llama", setting.rounds, setting.rounds)
    sides = {name: Side(taken) for name, taken in steps.items()}
    for name, side in sides.items():
        # A step of a machine that does nothing else; what else it does slows the others.
        side.extra = {"tokens": int(name.split()[1]), "quickest": min(side.seconds)}
    ratios = [
        {
            "what": f"Tokens a second in {counted(rows, 'row')} in {pair.base.numbers}, "
            f"against llama.cpp on {setting.gguf.name}",
            "value": sides[_name("llama", rows)].median / sides[_name("engine", rows)].median,
            "goal": None,
            "better": "more",
        }
        for rows in ROWS
    ]
    return Found(sides, ratios, {"gguf": setting.gguf.name, "longest": tokens})


def written(lm: LanguageModel, rows: int, tokens: int) -> list[float]:
    """Seconds of each step in which every row gets one more token, the prompts' reading aside."""
    ids = tuple(lm.prompts.text(PROMPT))
    prompt = Prompt(ids, (False,) * len(ids), (False,) * len(ids))
    batch = collate([prompt] * rows, lm.pad_id, "left", lm.device)
    with torch.inference_mode():
        embeds = PromptEmbeds.of(batch, lm.embed(batch.input_ids))
    decoder, seconds = Decoder(lm, Sampling(max_new_tokens=tokens + 1)), []
    decoder.add(embeds)
    while decoder.open:
        started = time.perf_counter()
        decoder.step()
        seconds.append(time.perf_counter() - started)
    return seconds[1:]


def _name(who: str, rows: int) -> str:
    return f"{who}, {counted(rows, 'row')}"


def _ask(setting: Setting, tokens: int) -> dict[str, list[float]]:
    """Seconds of the steps of llama.cpp by number of rows."""
    python = setting.llama_python or sys.executable
    command = [str(python), str(CHILD), str(setting.gguf), "--tokens", str(tokens)]
    command += ["--threads", str(torch.get_num_threads()), "--rows", *map(str, ROWS)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found: dict[str, list[float]] = json.loads(done.stdout)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        raise UserError(
            f"llama.cpp did not run ({said[-1] if said else 'it said nothing'}); install it with "
            "`pip install llama-cpp-python`, name a Python that has it with --llama-python, and a "
            "GGUF file with --gguf."
        ) from error
    return found
