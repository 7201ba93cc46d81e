"""Edits: what is done to some of a question's thoughts before the base reads them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from softcot.support.errors import UserError
from softcot.support.ranges import read_ranges
from softcot.support.text import clean
from softcot.thoughts.controls import apply_control

EDITS = {
    "swap": "the other question's thoughts",
    "mix": "a mixture with the other question's thoughts",
    "shuffle": "in another order",
    "mean": "the average thought of each slot",
    "noise": "random, as long as the own",
    "zero": "zeros",
    "snap": "the nearest token's embedding",
    "add": "moved along a token's embedding",
    "drop": "without these slots",
    "keep": "these slots alone",
}
"""Every kind, with what the chosen slots then hold."""

BORROWING = ("swap", "mix")
"""Kinds that need another question's thoughts."""

MEASURED = ("mix", "add")
"""Kinds that take an amount."""

_GRAMMAR = re.compile(
    r"(?P<kind>[a-z]+)(=(?P<amount>[^*:]+)(\*(?P<token>.+?))?)?(:(?P<slots>[\d,-]+))?"
)


@dataclass(frozen=True)
class Edit:
    """One edit; several are made in order, and slots are dropped last."""

    kind: str
    """One of `EDITS`."""
    slots: tuple[int, ...] = ()
    """Which slots, counted from 1; none means all of them."""
    amount: float = 1.0
    """mix: the other question's share. add: how far, in typical token embeddings."""
    token: str = ""
    """add: whose embedding gives the direction."""
    question: str = ""
    """swap, mix: whose thoughts; without one the seed draws a question of the same task."""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        if self.kind not in EDITS:
            raise UserError(
                f"There is no edit called {self.kind!r}; choose one of: {', '.join(EDITS)}."
            )
        if self.kind == "mix" and not 0 <= self.amount <= 1:
            raise UserError(f"A mixture needs a share from 0 to 1; it is {self.amount:g}.")
        if self.kind == "add" and not (self.token and abs(self.amount) <= 100):
            raise UserError("The edit 'add' needs a token and a length, as in add=1.5*two.")

    @classmethod
    def parse(cls, text: str, question: str = "") -> "Edit":
        """Read `KIND[=AMOUNT[*TOKEN]][:SLOTS]`, such as `swap`, `mix=0.5:1-4`, `add=2*two:3,5`.

        Raises:
            UserError: The text is nothing of the kind.
        """
        found = _GRAMMAR.fullmatch(text.strip())
        if not found:
            raise UserError(
                f"The edit {text!r} cannot be read; write it like swap, drop:3 or mix=0.5:1-4."
            )
        kind, amount, token, slots = (found[name] for name in ("kind", "amount", "token", "slots"))
        if amount and kind not in MEASURED:
            raise UserError(f"{text!r} takes no amount; slots follow a colon, as in drop:3.")
        try:
            number = float(amount or 1)
        except ValueError as error:
            raise UserError(f"The amount of the edit {text!r} must be a number.") from error
        asked = question if kind in BORROWING else ""
        return cls(kind, _numbers(slots or "", text), number, token or "", asked)

    def __str__(self) -> str:
        """What `parse` reads; the other question is not part of it."""
        amount = f"={self.amount:g}" if self.kind in MEASURED else ""
        token = f"*{self.token}" if self.token else ""
        slots = f":{','.join(map(str, self.slots))}" if self.slots else ""
        return f"{self.kind}{amount}{token}{slots}"

    def places(self, count: int) -> list[int]:
        """The chosen slots among `count`, counted from 0.

        Raises:
            UserError: There is no such slot.
        """
        for slot in self.slots:
            if not 1 <= slot <= count:
                raise UserError(f"The edit {str(self)!r} names slot {slot}; there are {count}.")
        return [slot - 1 for slot in self.slots] or list(range(count))


def _numbers(slots: str, text: str) -> tuple[int, ...]:
    """The slots of `1-3,7`, each once and in order."""
    try:
        return tuple(sorted(set(read_ranges(slots)))) if slots else ()
    except ValueError as error:
        raise UserError(f"The slots of the edit {text!r} must look like 1-3,7.") from error


def kept_slots(edits: Iterable[Edit], count: int) -> list[int]:
    """The slots of `count`, counted from 0, that no `drop` or `keep` takes away."""
    kept = list(range(count))
    for edit in edits:
        chosen = set(edit.places(count))
        if edit.kind in ("drop", "keep"):
            kept = [slot for slot in kept if (slot in chosen) == (edit.kind == "keep")]
    return kept


def apply_edit(
    edit: Edit,
    vectors: torch.Tensor,
    *,
    generators: Sequence[torch.Generator] = (),
    donor: torch.Tensor | None = None,
    mean: torch.Tensor | None = None,
    embeddings: torch.Tensor | None = None,
    direction: torch.Tensor | None = None,
) -> torch.Tensor:
    """Edit thoughts; the tensor that comes in is never changed, and no slot goes or comes.

    Args:
        edit: What to do; `drop` and `keep` do nothing here (see `kept_slots`).
        vectors: float[B, K, d_base].
        generators: A CPU generator for each row, needed by shuffle and noise.
        donor: float[B, K, d_base], other questions' thoughts, needed by swap and mix.
        mean: float[K, d_base], needed by mean.
        embeddings: float[V, d_base], the base's tokens, needed by snap.
        direction: float[d_base], one step of `add`.

    Returns:
        float[B, K, d_base].
    """
    if edit.kind in ("drop", "keep"):
        return vectors
    places = edit.places(vectors.shape[1])
    chosen = vectors[:, places]
    if edit.kind == "mix":
        assert donor is not None
        new = torch.lerp(chosen, donor[:, places], edit.amount)
    elif edit.kind == "add":
        assert direction is not None
        new = chosen + edit.amount * direction
    elif edit.kind == "snap":
        assert embeddings is not None
        new = _nearest(chosen, embeddings)
    else:
        # Row by row, so that a question's edit does not depend on the rows beside it.
        rows = [
            apply_control(
                edit.kind,
                row,
                generator=generators[number] if generators else None,
                donor=None if donor is None else donor[number : number + 1, places],
                mean=None if mean is None else mean[places],
            )
            for number, row in enumerate(chosen.split(1))
        ]
        new = torch.cat(rows)
    edited = vectors.clone()
    edited[:, places] = new.to(vectors)
    return edited


def _nearest(vectors: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
    """For each vector float[..., d] the embedding with the largest cosine, float[..., d]."""
    table = embeddings.float()
    directions = torch.nn.functional.normalize(table, dim=-1)
    return table[(vectors.float() @ directions.T).argmax(-1)]


def read_edits(texts: str, question: str = "") -> tuple[Edit, ...]:
    """Several edits, separated by spaces; those that borrow do so from `question`.

    Raises:
        UserError: There is none, or one makes no sense.
    """
    question = clean(question).strip()
    edits = tuple(Edit.parse(text, question) for text in clean(texts).split())
    if not edits:
        raise UserError("There is no edit; choose one, or type one such as swap or drop:3.")
    return edits
