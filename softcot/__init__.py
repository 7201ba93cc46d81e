"""SoftCoT Explorer: soft chain-of-thought with two frozen language models and one trained layer.

The names in `__all__` are the package's public face. Each is imported when it is first asked for,
so that `import softcot` itself loads no model library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from softcot.support.version import __version__ as __version__

if TYPE_CHECKING:
    from softcot.data.problems import Problem
    from softcot.data.tasks import get_task
    from softcot.decoding.decoder import Sampling
    from softcot.evaluation.evaluator import Protocol, evaluate
    from softcot.methods import METHODS, get_method
    from softcot.models.language_model import LanguageModel
    from softcot.thoughts.adapter import Adapter, CoconutAdapter
    from softcot.thoughts.pair import Pair, load_pair
    from softcot.thoughts.projection import Projection
    from softcot.thoughts.soft_prompt import SoftPrompt

__all__ = [
    "METHODS",
    "Adapter",
    "CoconutAdapter",
    "LanguageModel",
    "Pair",
    "Problem",
    "Projection",
    "Protocol",
    "Sampling",
    "SoftPrompt",
    "evaluate",
    "get_method",
    "get_task",
    "load_pair",
]

_HOMES = {
    "METHODS": "methods",
    "Adapter": "thoughts.adapter",
    "CoconutAdapter": "thoughts.adapter",
    "LanguageModel": "models.language_model",
    "Pair": "thoughts.pair",
    "Problem": "data.problems",
    "Projection": "thoughts.projection",
    "Protocol": "evaluation.evaluator",
    "Sampling": "decoding.decoder",
    "SoftPrompt": "thoughts.soft_prompt",
    "evaluate": "evaluation.evaluator",
    "get_method": "methods",
    "get_task": "data.tasks",
    "load_pair": "thoughts.pair",
}
"""The module that each name comes from."""


def __getattr__(name: str) -> Any:
    """Import a name of the public face when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value  # so that it is asked for once
    return value


def __dir__() -> list[str]:
    """What is here already, and what would be imported."""
    return sorted({*globals(), *__all__})
