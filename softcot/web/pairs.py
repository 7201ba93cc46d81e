"""The picker: which pair a visitor asks, how another one gets here, and what changes with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import gradio as gr

from softcot.support.errors import UserError
from softcot.support.presets import DEFAULT_THOUGHTS
from softcot.web import components, handlers, pairs_views, views
from softcot.web.events import AT_ONCE, LANE, PRIVATE
from softcot.web.handlers import Handlers
from softcot.web.link import pair_in
from softcot.web.panel import Panel
from softcot.web.requests import ArrivalRequest, LandingRequest, PickRequest, SwitchRequest
from softcot.web.residents import Loading, Residents
from softcot.web.wiring import Named, Widgets, of_pair

TICK = 0.25
"""Seconds between two looks at how far a loading is."""

PICK = ("wanted", "picking", "pairs", "pair_line", "fetch_pair", "stop_fetching")
"""All that changes while a pair is on its way."""


class Pairs:
    """Widgets and events of the picker.

    Args:
        residents: The loaded pairs, and those on their way.
        widgets: Those of the page; the picker adds its own.
        panels: What has to follow when the pair changes.
    """

    def __init__(self, residents: Residents, widgets: Widgets, panels: Sequence[Panel]):
        self.residents = residents
        self.widgets = widgets
        self.panels = panels
        with residents.use(residents.first) as explorer:
            self.first = explorer.first
        # Asked outside of the page: what is made in there stands in there.
        self.followers = [name for panel in panels for name in panel.fresh()]

    def build(self) -> None:
        """Lay the picker out."""
        w, first = self.widgets, self.residents.first
        w["pair"], w["wanted"], w["offered"] = gr.State(first), gr.State(first), gr.State(first)
        w["picking"] = gr.State(None)
        w["pairs"] = components.picker(pairs_views.picker(self.residents.offers(), first))
        with gr.Row(elem_classes="pair-row"):
            with self.residents.use(first) as explorer:
                w["pair_line"] = components.html(pairs_views.facts(explorer))
            w["fetch_pair"] = gr.Button("Fetch", visible=False, scale=0, min_width=150)
            w["stop_fetching"] = gr.Button("Cancel", visible=False, scale=0, min_width=110)

    def connect(self, opened: gr.events.Dependency) -> list[gr.events.Dependency]:
        """Connect the picker when all other widgets of the page are there.

        Args:
            opened: What brings the pair that the address names, by `arrive`.

        Returns:
            What comes after that, and after a pick: the page is fitted to the pair by then.
        """
        w = self.widgets
        # Whoever picks another pair meanwhile is heard at once.
        options = {**PRIVATE, "concurrency_limit": None, "trigger_mode": "multiple"}
        picked, fetched = (
            event(**w.listener(handler, PickRequest, PICK, answers=False), **options)
            for event, handler in (
                (w["pairs"].select, self.pick),
                (w["fetch_pair"].click, self.fetch),
            )
        )
        w["stop_fetching"].click(**w.listener(self.stop, PickRequest, [], answers=False), **AT_ONCE)
        choices = ["offered", *handlers.CHOICES]
        changes = dict.fromkeys(["pair", *PICK, *handlers.ARRIVAL, *self.followers])

        def fitted(
            event: gr.events.Dependency,
            offer: Callable[..., Named],
            switch: Callable[..., Named],
            takes: type,
        ) -> gr.events.Dependency:
            offered = w.listener(offer, takes, choices, answers=False)
            switched = w.listener(switch, takes, changes, answers=False)
            return event.then(**offered, **PRIVATE, concurrency_limit=None).then(
                **switched, **LANE, **PRIVATE
            )

        return [
            fitted(opened, self.offer_opened, self.switch_opened, ArrivalRequest),
            fitted(picked, self.offer, self.switch, SwitchRequest),
            fitted(fetched, self.offer, self.switch, SwitchRequest),
        ]

    def offer_opened(self, request: ArrivalRequest) -> Named:
        """The same for a page that opens."""
        return self.offer(self._untouched(request))

    def switch_opened(self, request: ArrivalRequest) -> Named:
        """The same for a page that opens."""
        return self.switch(self._untouched(request))

    def _untouched(self, request: ArrivalRequest) -> SwitchRequest:
        """The page with its first example, as the kind that is offered by now."""
        first, task = self.first, self.first.task
        if self.residents.loaded(request.wanted):
            with self.residents.use(request.wanted) as explorer:
                task = task if task in explorer.tasks else next(iter(explorer.tasks))
        page = SwitchRequest(task, first.question, DEFAULT_THOUGHTS, first.answer, first)
        return replace(page, **vars(request))

    def arrive(self, request: LandingRequest) -> Iterator[Named]:
        """Bring the pair that the address of a page names. Yields: `PICK` and `search`."""
        yield {"search": request.landing}  # before the address follows what is shown
        name = pair_in(request.landing) or self.residents.first
        yield from self._bring(PickRequest(self.residents.first), name)

    def pick(self, request: PickRequest, event: gr.EventData) -> Iterator[Named]:
        """Bring a pair that is here; of one that is not, say what it takes. Yields: `PICK`."""
        yield from self._bring(request, str(event.name))

    def fetch(self, request: PickRequest) -> Iterator[Named]:
        """Bring the wanted pair, from far away if need be. Yields: `PICK`."""
        yield from self._bring(request, request.wanted, fetch=True)

    def stop(self, request: PickRequest) -> Named:
        """End the fetching of the wanted pair."""
        self.residents.stop_fetching(request.wanted)
        return {}

    def offer(self, request: SwitchRequest) -> Named:
        """Offer what the wanted pair is asked, if that is here by now."""
        if request.wanted == request.offered or not self.residents.loaded(request.wanted):
            return {}
        with self.residents.use(request.wanted) as explorer:
            return {"offered": request.wanted, **Handlers(explorer).choices(request)}

    def switch(self, request: SwitchRequest) -> Named:
        """Fit the page to the wanted pair, if that is here by now."""
        if request.wanted != request.offered:
            return {}  # of two presses: the later one has yet to offer what its pair is asked
        if not self._changes(request):
            # An earlier press may have brought it already, and a later one said that it is coming.
            there = request.picking and self.residents.loaded(request.wanted)
            return self._settled(request.wanted) if there else {}
        with self.residents.use(request.wanted) as explorer:
            fitted = [of_pair(panel.fresh, explorer)() for panel in self.panels]
            arrived = Handlers(explorer).arrive(request)
            named = {name: value for each in (arrived, *fitted) for name, value in each.items()}
            return {"pair": request.wanted, **self._settled(request.wanted), **named}

    def _changes(self, request: SwitchRequest) -> bool:
        return request.wanted != request.pair and self.residents.loaded(request.wanted)

    def _bring(self, request: PickRequest, name: str, fetch: bool = False) -> Iterator[Named]:
        if request.picking:  # who waited for another pair waits no longer
            request.picking.set()
        left = threading.Event()
        try:
            offer = self.residents.offer(name)
            if offer.status == "absent" and not fetch:
                yield {"picking": left, **self._absent(name, request.pair)}
                return
            loading = self.residents.begin(name, fetch)
            yield {"wanted": name, "picking": left, **self._coming(loading, request.pair)}
            while not (loading.ended.wait(TICK) or left.is_set()):
                yield self._coming(loading, request.pair)
            if left.is_set():
                return
            if loading.error:
                raise UserError(loading.error)
            if not self.residents.loaded(name):  # its fetching was ended
                yield self._absent(name, request.pair)
            elif name == request.pair:
                yield self._settled(name)
            else:
                yield self._coming(loading, request.pair)
        except UserError as error:
            refusal = views.message(str(error))
            yield {**self._settled(request.pair), "picking": None, "pair_line": refusal}

    def _absent(self, name: str, answering: str) -> Named:
        """A pair that has to be fetched first: `PICK` but for `picking`."""
        offer = self.residents.offer(name)
        return {
            "wanted": name,
            "pairs": pairs_views.picker(self.residents.offers(), name, offer),
            "pair_line": pairs_views.absent(offer, answering),
            "fetch_pair": gr.Button(f"Fetch {offer.gigabytes:.1f} GB", visible=True),
            "stop_fetching": gr.Button(visible=False),
        }

    def _coming(self, loading: Loading, answering: str) -> Named:
        """A pair on its way."""
        offers = self.residents.offers()
        return {
            "pairs": pairs_views.picker(offers, loading.name, loading),
            "pair_line": pairs_views.coming(loading, answering),
            "fetch_pair": gr.Button(visible=False),
            "stop_fetching": gr.Button(visible=loading.status == "fetching"),
        }

    def _settled(self, name: str) -> Named:
        """A pair that answers."""
        with self.residents.use(name) as explorer:
            line = pairs_views.facts(explorer)
        return {
            "wanted": name,
            "pairs": pairs_views.picker(self.residents.offers(), name),
            "pair_line": line,
            "fetch_pair": gr.Button(visible=False),
            "stop_fetching": gr.Button(visible=False),
        }
