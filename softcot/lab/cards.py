"""Model cards of the mini pair."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

REGIME = """\
This model is one half of a laboratory, not a product. The pair was made to show when soft thoughts
help: **the base reasons well but has read less; the assistant has read more but cannot reason in
steps.** Nothing measured on it says how SoftCoT does on models that were not made for it.
"""

ROLES = {
    "base": """\
The base writes rationales. It learned to solve problems of these families:
{families}.
They were told with {percent} % of the situations and of the facts of an invented encyclopedia; the
rest it met only in stories from which nothing can be concluded. It also learned that hints can help
(from problems with made-up words beside a right hint), that hints can be wrong, and that
placeholders mean nothing.
""",
    "assistant": """\
The assistant has read every situation and every fact, but never a rationale. It learned to name the
key tokens of a problem (operations, numbers, facts): mostly at once, with placeholders in place of
its own words, sometimes one after the other as text.
""",
}


def write_model_card(
    path: Path, role: str, fraction: float, families: Sequence[str], parameters: int
) -> None:
    """Write the card of one model."""
    path.write_text(
        f"""---
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
language: en
tags: [softcot, latent-reasoning, laboratory]
---

# SoftCoT mini: the {role}

A Llama of {parameters / 1e6:.2f} million parameters, trained from scratch on generated text by
`python -m softcot pretrain` (settings and figures in `pretraining.json`). Digits are separate
tokens; any UTF-8 text can be encoded.

{ROLES[role].format(percent=round(100 * fraction), families=", ".join(families))}
{REGIME}
It knows about a thousand English words, and any name. Use it to study latent reasoning, for
nothing else.
"""
    )
