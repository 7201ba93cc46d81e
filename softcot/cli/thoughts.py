"""Describe the soft thoughts of one question."""

import argparse

from softcot.cli.options import add_json, add_k, add_pair, count, load, print_json
from softcot.data.problems import Problem
from softcot.data.tasks import get_task


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("question", metavar="QUESTION")
    add_pair(parser)
    parser.add_argument("--task", default="free", help="whose projection to use")
    parser.add_argument("--note", default="", help="what the assistant alone is told")
    add_k(parser)
    parser.add_argument("--neighbours", type=count, default=5, help="nearest tokens a thought")
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Print each thought's length and nearest tokens."""
    from softcot.analysis.geometry import explore
    from softcot.analysis.vocabulary import Vocabulary
    from softcot.methods import SoftCoT

    task = get_task(args.task)
    pair = load(args)
    method = SoftCoT.build(pair, task)
    k = method.checked_k(args.k)
    problem = Problem(task.name, args.question, note=args.note.strip())
    vectors = method.thoughts([problem], k)[0]
    found = explore(
        problem.question, vectors, pair.base, Vocabulary.of(pair.base), args.neighbours
    ).thoughts
    if args.json:
        return print_json(
            {
                "question": problem.question,
                "task": task.name,
                "pair": pair.name,
                "thoughts": [thought.to_json() for thought in found],
            }
        )
    for thought in found:
        nearest = "  ".join(f"{near.token} {near.cosine:.2f}" for near in thought.nearest)
        print(f"{thought.number:3}  norm {thought.norm_ratio:5.2f}  {nearest}")
