"""Start-up: the command line's help, the imports, and the app up to its first answer."""

import subprocess
import sys

import torch

from softcot.bench import servers
from softcot.bench.measuring import interleaved
from softcot.bench.setting import Found, Setting
from softcot.support.errors import UserError
from softcot.thoughts.pair import Pair

QUESTION = "Mia has 12 coins. She inherits 5 coins. How many coins does Mia have now?"


def measure(pair: Pair, setting: Setting) -> Found:
    """Time new processes, in turns; the pair is not used, but the app loads the same one.

    Raises:
        UserError: There is no app to start, or it does not answer.
    """
    work = {
        "help": lambda: _python("-m", "softcot", "--help"),
        "import models": lambda: _python("-c", "import softcot.models.language_model"),
    }
    if not setting.quick:
        import gradio_client  # noqa: F401 - what asks the app is not part of its start

        work["import app"] = lambda: _python("-c", "import softcot.web.page")
        work["first answer"] = lambda: first_answer(setting.pair["name"])
    sides = interleaved(work, setting.rounds, torch.device("cpu"), setting.progress)
    goals = {
        "help": ("`python -m softcot --help`, seconds", 1.0),
        "first answer": ("The app from its start to its first whole answer, seconds", 15.0),
    }
    ratios = [
        {"what": what, "value": sides[name].median, "goal": goal, "better": "less"}
        for name, (what, goal) in goals.items()
        if name in sides
    ]
    return Found(sides, ratios)


def first_answer(pair: str) -> None:
    """Start the app on a free port, ask both methods a question, and end it.

    Raises:
        UserError: It does not come up, or does not answer.
    """
    with servers.started("app", pair) as app:
        from gradio_client import Client

        client = Client(app.url, verbose=False)
        frames = client.predict(QUESTION, task="mini-gsm", api_name="/compare")
        if not all(column["done"] for column in frames["columns"]):
            raise UserError("The app does not answer; start `python app.py` to see why.")


def _python(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, *arguments], cwd=servers.ROOT, check=True, stdout=subprocess.DEVNULL
    )
