"""Measure the speed beside straightforward code, or show the measurements in docs/."""

import argparse
import sys
from pathlib import Path

from softcot.cli.options import add_data_dir, add_pair, count, pair_options, use_data_dir
from softcot.cli.progress import Bar
from softcot.data.tasks import get_task

RECORDS = Path("assets/benchmarks")
"""The measurements that come with the project."""

PAGE = Path("docs/engine.md")
"""Where they are shown."""

SIZED = Path("docs/serving.md")
"""Where it is said how many machines users need, once `serve` was measured."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "what",
        choices=[
            *("train", "evaluate", "compare", "startup", "all"),
            "serve",
            *("reading", "columns", "exact", "rounding", "llama", "kernels", "vllm", "report"),
        ],
        help="all: the first four; serve: many visitors; the others are for a real pair",
    )
    add_pair(parser)
    add_data_dir(parser)
    parser.add_argument("--shape", help="random models of these sizes instead: qwen2.5-7b or tiny")
    parser.add_argument("--task", default="mini-gsm")
    parser.add_argument("--rounds", type=count, default=3, help="turns of each side")
    parser.add_argument("--quick", action="store_true", help="hardly any work, as a test")
    parser.add_argument("--scale", action="store_true", help="also 100 to 10,000 evaluations")
    parser.add_argument(
        "--json", type=Path, metavar="PLACE", help="file or folder for the record; a folder for all"
    )
    parser.add_argument("--gguf", type=Path, metavar="FILE", help="what llama.cpp reads")
    parser.add_argument(
        "--llama-python", type=Path, metavar="FILE", help="a Python that has llama-cpp-python"
    )
    parser.add_argument("--base-url", metavar="URL", help="of a vLLM server, for `vllm`")
    parser.add_argument("--records", type=Path, default=RECORDS, help="what `report` shows")
    parser.add_argument("--page", type=Path, default=PAGE, help="what `report` rewrites")
    parser.add_argument("--sized", type=Path, default=SIZED, help="and this, if it has `serve`")


def run(args: argparse.Namespace) -> None:
    """Measure one thing or all, or show what was measured."""
    from softcot.bench import records, sizing

    use_data_dir(args)
    if args.what == "report":
        found = records.load_all(args.records)
        records.write_page(found, args.page)
        for record in found:
            if record["name"] == "serve":
                sizing.write_page(record, args.sized)
    else:
        _measure(args, records.NAMES if args.what == "all" else (args.what,))


def _measure(args: argparse.Namespace, names: tuple[str, ...]) -> None:
    """Measure some things one after the other, and print what they came to."""
    from softcot.bench import records, run
    from softcot.bench.setting import Setting
    from softcot.bench.shapes import get_pair

    source, found = (pair_options(args), args.shape), []
    pair = get_pair(*source)
    with Bar() as bar:
        for name in names:
            setting = Setting(
                *source,
                task=get_task(args.task).name,
                rounds=args.rounds,
                quick=args.quick,
                scale=args.scale,
                gguf=args.gguf,
                llama_python=args.llama_python,
                base_url=args.base_url,
                partial=args.json,
                progress=lambda side, done, total: bar.show(name, done, total),
            )
            found.append(run(name, pair, setting, args.command_line))
            print(records.details(found[-1]), file=sys.stderr)
            if args.json:
                several = args.what == "all" or args.json.is_dir()
                records.save(found[-1], args.json / f"{name}.json" if several else args.json)
    print(records.table(found))
