"""Widgets by name, and events whose handlers are told and answer in these names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import fields
from typing import Any

import gradio as gr
from gradio.blocks import Block

Named = dict[str, Any]
"""What a handler changes: values, or new properties, by the names of the widgets."""


class Widgets(dict[str, Any]):
    """The page's widgets by name; Gradio makes their events where no type checker sees them."""

    def listener(
        self, handler: Callable[..., Any], takes: type, changes: Iterable[str]
    ) -> dict[str, Any]:
        """What a Gradio event needs so that it calls a handler.

        Args:
            handler: Takes one request, and what the event itself tells if it has a second
                parameter. Returns or yields `Named`; widgets that it does not name stay as they
                are.
            takes: The dataclass of the request; its fields are names of widgets.
            changes: Names of the widgets that it may change.
        """
        names = tuple(changes)
        told = len(inspect.signature(handler).parameters)

        def handle(event: gr.EventData, values: tuple) -> Any:
            return handler(*(takes(*values), event)[:told])

        def placed(named: Named) -> dict[Block, Any]:
            stray = named.keys() - set(names)
            assert not stray, f"{handler.__name__} may not change {stray}"
            return {self[name]: named.get(name, gr.skip()) for name in names}

        def call(event: gr.EventData, *values: Any) -> dict[Block, Any]:
            return placed(handle(event, values))

        def stream(event: gr.EventData, *values: Any) -> Iterator[dict[Block, Any]]:
            with closing(handle(event, values)) as frames:
                yield from map(placed, frames)

        return {
            "fn": stream if inspect.isgeneratorfunction(handler) else call,
            "inputs": [self[field.name] for field in fields(takes)],
            "outputs": [self[name] for name in names],
        }
