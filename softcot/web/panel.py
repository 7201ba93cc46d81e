"""What the panels have in common: they add their widgets to the page's and connect them."""

from __future__ import annotations

from softcot.web.explorer import Explorer
from softcot.web.wiring import Named, Widgets


class Panel:
    """The widgets and events of one tab.

    A panel's events take one request and return what changes by the names of widgets, like the
    page's own (see `softcot.web.wiring`).

    Args:
        explorer: What can be asked.
        widgets: Those of the page: its question, K and the rest by name. The panel adds its own.
    """

    def __init__(self, explorer: Explorer, widgets: Widgets | None = None):
        self.explorer = explorer
        self.widgets = Widgets() if widgets is None else widgets

    def build(self) -> None:
        """Lay the panel out and connect it."""
        raise NotImplementedError

    def fresh(self) -> Named:
        """What changes when another pair answers: what it offers, and nothing measured yet.

        Figures empty themselves, in the browser (see `plot.js`).
        """
        return {}
