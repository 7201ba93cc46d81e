"""Make the mini pair's two language models again from nothing."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from softcot.data.families.reading import EVERYTHING
from softcot.support.errors import UserError
from softcot.support.files import json_text
from softcot.support.presets import ASSISTANT_SIZES, READINGS

PAIRS = ("mini", *ASSISTANT_SIZES, *READINGS)
"""Those that have a model of their own, as in `softcot.lab.pretraining.CONFIGS`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--pair", default="mini", help=f"one of: {', '.join(PAIRS)}")
    parser.add_argument("--out", type=Path, help="folder; default: checkpoints/PAIR")
    parser.add_argument("--role", choices=("base", "assistant", "both"), default="both")
    parser.add_argument("--read", type=float, help="0..1, for the base, instead of the pair's own")
    parser.add_argument("--steps", type=int, help="instead of the pair's own")
    parser.add_argument("--width", type=int, help="instead of the pair's own")
    parser.add_argument("--layers", type=int, help="instead of the pair's own")
    parser.add_argument(
        "--lexicon-only",
        action="store_true",
        help="train nothing: say in the folders of models that are there what they have read",
    )
    parser.add_argument("--resume", action="store_true", help="go on where it stopped")


def run(args: argparse.Namespace) -> None:
    """Pre-train the models of a pair that are asked for.

    Raises:
        UserError: There is no such pair, or no model of its own with this role.
    """
    if args.read is not None and not 0 < args.read <= EVERYTHING:
        raise UserError("--read is a fraction above 0 and at most 1.")
    if args.pair not in PAIRS:
        raise UserError(f"No pair {args.pair!r} is made here; choose one of: {', '.join(PAIRS)}.")
    from softcot.lab.pretraining import CONFIGS, add_lexicon, pretrain

    chosen = [config for config in CONFIGS[args.pair] if args.role in (config.role, "both")]
    if not chosen:
        raise UserError(f"The pair {args.pair} has no {args.role} of its own.")
    out = args.out or Path("checkpoints", args.pair)
    if args.lexicon_only:
        for config in chosen:
            add_lexicon(out / config.role)
        return
    sizes = ("steps", "width", "layers")
    changes: dict[str, Any] = {name: getattr(args, name) for name in sizes if getattr(args, name)}
    for config in chosen:
        read = {"fraction": args.read} if args.read and config.role == "base" else {}
        summary = pretrain(
            replace(config, **changes, **read), out / config.role, resume=args.resume
        )
        print(f"{config.role}: {json_text(summary)}", file=sys.stderr)
