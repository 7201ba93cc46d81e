"""Options that several commands share, and what they ask for."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softcot.data.stored import DATA_VARIABLE
from softcot.support.errors import UserError
from softcot.support.files import json_text
from softcot.support.presets import CHAT_NEW_TOKENS, MAX_NEW_TOKENS, choose_preset
from softcot.support.reading import reason

if TYPE_CHECKING:  # names only: importing torch takes seconds
    from softcot.decoding.backend import Backend
    from softcot.decoding.decoder import Sampling
    from softcot.thoughts.pair import Pair

EVALUATED = 1000
"""Problems that a record is made of where nobody chose a number and they are made up."""

RESULTS = Path("assets/results")
"""The records that come with the project."""


def add_pair(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which models to load; `pair_options` reads them."""
    parser.add_argument("--pair", default="mini", help="name of a pair of models (default: mini)")
    parser.add_argument(
        "--base", metavar="MODEL", help="folder, GGUF file or Hub id, instead of a pair's"
    )
    parser.add_argument("--assistant", metavar="MODEL", help="likewise; both or neither")
    parser.add_argument(
        "--projection",
        metavar="PLACE",
        help="folder, archive or Hub id of a projection, for every task",
    )
    parser.add_argument(
        "--prompts", metavar="DIR", help="templates, or a set such as chat-two, instead of the own"
    )
    parser.add_argument(
        "--dtype",
        choices=("auto", "float32", "bfloat16"),
        default="auto",
        help="numbers of the models; auto: bfloat16 on a GPU, and on a CPU that gains by it",
    )
    parser.add_argument("--quantize", help="int8 or nf4: smaller weights, other answers")
    parser.add_argument(
        "--compile",
        dest="compiled",
        action="store_true",
        help="write with a compiled base: a slow start, and faster from then on",
    )


def pair_options(args: argparse.Namespace) -> dict[str, Any]:
    """What `softcot.thoughts.pair.load_pair` takes, from the options of `add_pair`."""
    names = ("base", "assistant", "projection", "prompts", "quantize", "compiled")
    dtype = None if args.dtype == "auto" else args.dtype
    return {"name": args.pair, "dtype": dtype} | {name: getattr(args, name) for name in names}


def add_backend(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what writes the answers; `backend` reads them."""
    parser.add_argument(
        "--backend",
        choices=("local", "vllm"),
        default="local",
        help="what writes the answers: our decoder, or vLLM, which must be installed or served",
    )
    parser.add_argument(
        "--base-url",
        metavar="URL",
        help="of a vLLM server that has the base, such as http://localhost:8000/v1; its key: "
        "$VLLM_API_KEY; without it vLLM runs in this process",
    )
    parser.add_argument(
        "--engine",
        metavar="JSON",
        help="for vLLM in this process, such as '{\"tensor_parallel_size\": 2}'",
    )


def check_backend(args: argparse.Namespace) -> None:
    """Refuse options of `add_backend` that do not go together, before anything is loaded.

    Raises:
        UserError: They do not.
    """
    if args.backend != "vllm" and (args.base_url or args.engine):
        raise UserError("--base-url and --engine are for vLLM; add --backend vllm.")
    if args.base_url and args.engine:
        raise UserError("A server was started with options of its own; leave out --engine.")
    if args.backend == "vllm" and not args.base_url:
        from softcot.decoding.vllm_inside import check_installed

        engine_options(args)
        check_installed()


def engine_options(args: argparse.Namespace) -> dict[str, Any]:
    """What `--engine` says.

    Raises:
        UserError: It is no JSON object.
    """
    try:
        found = json.loads(args.engine or "{}")
    except ValueError as error:
        raise UserError(f"--engine {args.engine!r} is no JSON ({reason(error)}).") from error
    if not isinstance(found, dict):
        raise UserError(f"--engine {args.engine!r} is no JSON object, such as {{}}.")
    return found


def backend(
    args: argparse.Namespace, pair: "Pair", local: "Backend | None" = None
) -> "Backend | None":
    """What the options of `add_backend` want answers to be written by; None is this process.

    Args:
        args: The options.
        pair: Whose base it is.
        local: What runs models here.

    Raises:
        UserError: The server cannot be reached, or has another base.
    """
    check_backend(args)
    if args.backend == "local":
        return local
    if not args.base_url:
        from softcot.decoding.vllm_inside import VllmInside

        return VllmInside(pair.base, engine_options(args), local)
    from softcot.decoding.vllm import Vllm

    return Vllm(pair.base, args.base_url, local=local)


def load(args: argparse.Namespace) -> "Pair":
    """The pair that the options of `add_pair` ask for.

    Raises:
        UserError: There is no such pair, or something of it is missing, damaged or too large.
    """
    from softcot.thoughts.pair import load_pair

    return load_pair(**pair_options(args))


def add_method(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how the base is asked: the method and its K."""
    parser.add_argument("--method", default="softcot", help="see `methods`")
    add_k(parser)


def add_k(parser: argparse.ArgumentParser) -> None:
    """Add the number of thoughts, `k` in code; None leaves it to the method."""
    parser.add_argument(
        "--thoughts", dest="k", metavar="K", type=int, help="default: the method's own choice"
    )


def add_sampling(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how answers are written; `sampling` reads them."""
    parser.add_argument("--samples", type=count, default=1, help="more than one: majority vote")
    parser.add_argument(
        "--temperature", type=float, help="default: 0 for one sample, 1 for several"
    )
    parser.add_argument("--top-p", type=float, default=1.0)
    parser.add_argument("--top-k", type=int, default=0, help="0 for all tokens")
    parser.add_argument(
        "--repetition-penalty", type=float, default=1.0, help="of tokens that were written already"
    )
    parser.add_argument(
        "--max-new-tokens",
        type=int,
        help=f"default: {MAX_NEW_TOKENS} for the laboratory's pairs, {CHAT_NEW_TOKENS} for others",
    )


def sampling(args: argparse.Namespace, seed: int = 41) -> "Sampling":
    """How the options of `add_sampling` and `add_pair` want answers to be written.

    Raises:
        UserError: One of them means nothing.
    """
    from softcot.decoding.decoder import Sampling

    temperature = args.temperature
    if temperature is None:  # several samples are only worth it if they may differ
        temperature = 0.0 if args.samples == 1 else 1.0
    longest = args.max_new_tokens
    if longest is None:
        longest = choose_preset(args.pair, args.base, args.assistant).max_new_tokens
    return Sampling(
        temperature=temperature,
        top_p=args.top_p,
        top_k=args.top_k,
        repetition_penalty=args.repetition_penalty,
        seed=seed,
        max_new_tokens=longest,
    )


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """Add the folder of the real data sets; `use_data_dir` makes it known."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        help=f"files of the real data sets; default: ${DATA_VARIABLE}, or the Hub",
    )


def use_data_dir(args: argparse.Namespace) -> None:
    """Read the real data sets from the folder that was named, in child processes too."""
    if args.data_dir:
        os.environ[DATA_VARIABLE] = args.data_dir


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the choice to print JSON; `print_json` does."""
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")


def print_json(value: Any, indent: int | None = 2) -> None:
    """Print a value as JSON, on one line where `indent` is None.

    JSON has escapes of its own; they are used where the console lacks a character.
    """
    text = json_text(value, indent=indent, ensure_ascii=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json_text(value, indent=indent)
    print(text)


def count(text: str) -> int:
    """The type of an option that takes a whole number of 1 or more.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)
