"""The process that converts one GGUF file: `python -m softcot.fetching.converter FILE FOLDER`.

It writes how far it is to standard output, as `[done, total]` of tensors, and ends when nobody
reads that any more.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
from transformers.utils import logging

from softcot.support.reading import reason

BEAT = 0.2
"""Seconds between two lines."""


class Heart:
    """Tells how far the work is, also while there is nothing new to tell."""

    def __init__(self) -> None:
        self.done, self.total = 0, 0
        threading.Thread(target=self._beat, daemon=True).start()

    def counted(self, factory: Any, args: tuple[Any, ...], options: dict[str, Any]) -> "Counted":
        """What the library makes in the place of a progress bar."""
        return Counted(self, *args)

    def _beat(self) -> None:
        while True:
            try:
                print(f"[{self.done}, {self.total}]", flush=True)
            except OSError:  # whoever asked for this is gone
                os._exit(1)
            time.sleep(BEAT)


class Counted:
    """Goes through the tensors as a progress bar does."""

    def __init__(self, heart: Heart, items: Iterable[Any] = ()) -> None:
        self.heart, self.items = heart, items

    def __iter__(self) -> Iterator[Any]:
        items = list(self.items)
        self.heart.done, self.heart.total = 0, len(items)
        for item in items:
            yield item
            self.heart.done += 1

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **options: None


def convert(gguf: Path, out: Path) -> None:
    """Write the model in a GGUF file, dense and in bf16, and its tokenizer, as it says they are.

    Raises:
        ValueError: It lacks weights.
    """
    # A model and a report, whatever the library's own annotation says.
    loaded: Any = AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        dtype=torch.bfloat16,
        # Packed weights are slower on a CPU, and their states cannot be read layer by layer.
        quantization_config=GgufConfig(dequantize=True),
        output_loading_info=True,
    )
    model, report = loaded
    if report["missing_keys"]:
        raise ValueError(f"it lacks {len(report['missing_keys'])} weights")
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    # It is dense now; with this left in, it could not be saved.
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def main(gguf: str, out: str) -> int:
    """Convert; 1 and a last line on standard error where that fails."""
    logging.set_verbosity_error()
    logging.set_tqdm_hook(Heart().counted)
    try:
        convert(Path(gguf), Path(out))
    except Exception as error:  # damaged files fail anywhere in three libraries
        print(reason(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
