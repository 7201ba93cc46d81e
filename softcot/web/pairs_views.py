"""The picker's buttons, and the line below them that says what is running or on its way."""

from __future__ import annotations

from collections.abc import Sequence

from softcot.models.language_model import LanguageModel
from softcot.web.explorer import Explorer
from softcot.web.residents import TITLES, Loading, Offer
from softcot.web.templating import render


def picker(offers: Sequence[Offer], pressed: str, news: Offer | Loading | None = None) -> str:
    """A button for each pair, and what just happened for whoever cannot see it."""
    return render("pairs.html", offers=offers, pressed=pressed, news=news, titles=TITLES)


def facts(explorer: Explorer) -> str:
    """What is running where."""
    pair = explorer.pair
    return render(
        "pair_facts.html",
        pair=pair.name,
        device=explorer.device,
        base=_size(pair.base),
        assistant=_size(pair.assistant),
        dtype={"float32": "fp32", "bfloat16": "bf16"}.get(str(pair.base.dtype)[6:], ""),
    )


def absent(offer: Offer, answering: str) -> str:
    """What it takes to have a pair."""
    return render("pair_absent.html", offer=offer, answering=answering)


def coming(loading: Loading, answering: str) -> str:
    """How far a pair on its way is."""
    return render("pair_coming.html", loading=loading, answering=answering)


def _size(lm: LanguageModel) -> str:
    count = sum(p.numel() for p in lm.model.parameters()) / 1e6
    return f"{count:.1f} M" if count < 100 else f"{count:.0f} M"
