"""What the panels that look at the page's question have in common."""

from collections.abc import Sequence

import gradio as gr

from softcot.web.explorer import Explorer


class Panel:
    """Widgets and events around the question that the page asks.

    Args:
        explorer: What can be asked.
        asked: The page's task, question, K, right answer and loaded problem.
    """

    def __init__(self, explorer: Explorer, asked: Sequence[gr.components.Component]):
        self.explorer = explorer
        self.asked = list(asked)
