"""Widgets by name, and events whose handlers are told and answer in these names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import fields
from typing import Any

import gradio as gr
from gradio.blocks import Block

Named = dict[str, Any]
"""What a handler changes: values, or new properties, by the names of the widgets."""


class Widgets(dict[str, Block]):
    """The page's widgets by name."""

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

        def asked(event: gr.EventData, values: tuple) -> tuple:
            request = takes(*values)
            return (
                (request, event) if len(inspect.signature(handler).parameters) > 1 else (request,)
            )

        def call(event: gr.EventData, *values: Any) -> Mapping[Block, Any]:
            return self._placed(handler(*asked(event, values)))

        def stream(event: gr.EventData, *values: Any) -> Iterator[Mapping[Block, Any]]:
            with closing(handler(*asked(event, values))) as frames:
                yield from map(self._placed, frames)

        return {
            "fn": stream if inspect.isgeneratorfunction(handler) else call,
            "inputs": [self[field.name] for field in fields(takes)],
            "outputs": [self[name] for name in changes],
        }

    def _placed(self, named: Named) -> Mapping[Block, Any]:
        return {self[name]: value for name, value in named.items()}
