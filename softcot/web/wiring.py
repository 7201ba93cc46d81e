"""Widgets by name, and events whose handlers are told and answer in these names."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from typing import Any

import gradio as gr
from gradio.blocks import Block

from softcot.web.events import spoken
from softcot.web.explorer import Explorer
from softcot.web.residents import Residents

Named = dict[str, Any]
"""What a handler changes: values, or new properties, by the names of the widgets."""


class Widgets(dict[str, Any]):
    """The page's widgets by name; Gradio makes their events where no type checker sees them.

    Args:
        residents: The loaded pairs, one of which the widget `pair` names; without them, handlers
            are called as they are.
    """

    def __init__(self, residents: Residents | None = None):
        super().__init__()
        self.residents = residents

    def listener(
        self,
        handler: Callable[..., Any],
        takes: type,
        changes: Iterable[str],
        answers: bool = True,
    ) -> dict[str, Any]:
        """What a Gradio event needs so that it calls a handler.

        The handler belongs to an object around an explorer, and is called on one around that of the
        visitor's pair, which stays in the memory meanwhile.

        Args:
            handler: Takes one request, and what the event itself tells if it has a second
                parameter. Returns or yields `Named`; widgets that it does not name stay as they
                are.
            takes: The dataclass of the request; its fields are names of widgets.
            changes: Names of the widgets that it may change.
            answers: Whether it asks the visitor's pair; otherwise it is called as it is.
        """
        names = tuple(changes)
        told = len(inspect.signature(handler).parameters)
        residents = self.residents if answers else None

        @contextmanager
        def called(event: gr.EventData, visitor: str, values: tuple) -> Iterator[Any]:
            """What the handler gives, and meanwhile its pair cannot leave."""
            if residents is None:
                yield handler(*(takes(*values), event)[:told])
                return
            with spoken(), residents.use(values[0], visitor) as explorer:
                own = of_pair(handler, explorer)
                yield own(*(takes(*values[1:]), event)[:told])

        def placed(named: Named) -> dict[Block, Any]:
            stray = named.keys() - set(names)
            assert not stray, f"{handler.__name__} may not change {stray}"
            return {self[name]: named.get(name, gr.skip()) for name in names}

        def call(event: gr.EventData, request: gr.Request, *values: Any) -> dict[Block, Any]:
            with called(event, _visitor(request), values) as named:
                return placed(named)

        def stream(
            event: gr.EventData, request: gr.Request, *values: Any
        ) -> Iterator[dict[Block, Any]]:
            with called(event, _visitor(request), values) as given, closing(given) as frames:
                yield from map(placed, frames)

        told_pair = [] if residents is None else [self["pair"]]
        return {
            "fn": stream if inspect.isgeneratorfunction(handler) else call,
            "inputs": told_pair + [self[field.name] for field in fields(takes)],
            "outputs": [self[name] for name in names],
        }


def _visitor(request: gr.Request | None) -> str:
    """Whose page an event comes from; empty where no page is open, as in a trial run."""
    return (request and request.session_hash) or ""


def of_pair(handler: Callable[..., Any], explorer: Explorer) -> Callable[..., Any]:
    """The same method of the same object around another explorer."""
    around = copy.copy(handler.__self__)  # type: ignore[attr-defined]
    around.explorer = explorer
    return getattr(around, handler.__name__)
