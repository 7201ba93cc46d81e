"""The nearest wording of a question that a model with a lexicon can read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher, get_close_matches

from softcot.data.lexicon import (
    ASKED,
    NAME,
    NUMBER,
    Clause,
    Lexicon,
    Slot,
    clauses,
    form_of,
    number,
    numbers_in,
)

SAME = dict(
    pair.split(maxsplit=1)
    for pair in (
        "purchases buys, purchased bought, orders buys, ordered bought, grabs picks up, "
        "grabbed picked up, harvests collects, harvested collected, catches finds, caught found, "
        "discovers finds, discovered found, bakes makes, baked made, builds makes, built made, "
        "cooks makes, cooked made, draws makes, drew made, paints makes, painted made, "
        "scores wins, scored won, consumes eats, consumed ate, devours eats, devoured ate, "
        "tosses throws away, tossed threw away, trashes throws away, trashed threw away, "
        "ships sends, shipped sent, posts sends, posted sent, smashes breaks, smashed broke, "
        "cracks breaks, cracked broke, burns uses, burned used, pays spends, paid spent, "
        "altogether in total, overall in total"
    ).split(", ")
)
"""Words that people use -> usual ones that mean about the same."""

NEAR = 0.55
"""Share of its words that a clause must have in common with the form that takes its place."""


def nearest_wording(question: str, lexicon: Lexicon, task: str = "") -> str:
    """A question near to this one, all of which was read; empty where there is none.

    Unread words make room for usual ones that mean the same, or else for those of their class that
    are spelt most like them, unread numbers for the nearest that were read, and other clauses for
    the nearest form, in the question's words.

    Args:
        question: What cannot be read as it stands.
        lexicon: What was read.
        task: Name of the task that it is asked as: its forms take the place of others.
    """
    said = _Rewording(lexicon, task).of(_in_usual_words(question, lexicon))
    return "" if lexicon.unread(said, task) else said


def _in_usual_words(question: str, lexicon: Lexicon) -> str:
    """The same question in usual words, where one that was not read has such a fellow."""

    def usual(word: re.Match[str]) -> str:
        said = word[0].lower()
        return word[0] if said in lexicon.words else SAME.get(said, word[0])

    return re.sub(r"[A-Za-z]+", usual, question)


_Part = tuple[Clause, list[Slot]]


@dataclass
class _Rewording:
    lexicon: Lexicon
    task: str
    taken: dict[tuple[str, str], str] = field(default_factory=dict)
    """(class, word in small letters) -> what it became, or itself where it was read."""

    def of(self, question: str) -> str:
        parts = self._classed([(one, self.lexicon.guessed(one)) for one in clauses(question)])
        for _, slots in parts:  # what was read keeps its place
            for slot in filter(self._is_member, slots):
                self.taken.setdefault(_key(slot), slot.text)
        said, end = "", 0
        for clause, slots in parts:
            said += question[end : clause.tokens[0].start] + self._clause(clause, slots, question)
            end = clause.tokens[-1].end
        return said + question[end:]

    def _classed(self, parts: list[_Part]) -> list[_Part]:
        """The same, where a word is of one class in all clauses, and capitals begin names."""
        known = {slot.text.lower(): slot.kind for _, slots in parts for slot in slots[::-1]}
        known = {text: kind for text, kind in known.items() if kind[0] == "<"}

        def kind(slot: Slot, first: bool) -> str:
            if slot.kind == NUMBER or slot.kind in self.lexicon.words:
                return slot.kind
            capital = slot.text[0].isupper() and not first and NAME in self.lexicon.members
            return known.get(slot.text.lower(), f"<{NAME}>" if capital else slot.kind)

        return [
            (one, [slot._replace(kind=kind(slot, slot is slots[0])) for slot in slots])
            for one, slots in parts
        ]

    def _clause(self, clause: Clause, slots: list[Slot], question: str) -> str:
        start, end = clause.tokens[0].start, clause.tokens[-1].end
        form = form_of(slots, clause.asks)
        if not self.lexicon.has_form(form):
            form = self._nearest(form, clause)
            return self._filled(form, clause, slots) if form else question[start:end]
        numbers = iter(self._fitting(form, clause, slots))
        said, at = "", start
        for slot in slots:
            said += question[at : slot.start]
            told = next(numbers) if slot.kind == NUMBER else self._word(slot)
            said += _capital(told) if slot.text[0].isupper() else told
            at = slot.end
        return said + question[at:end]

    def _nearest(self, form: str, clause: Clause) -> str:
        """The form of the task that is most like one that was not read; empty for none.

        One that only stands behind "and" begins with who does it where a sentence begins with it.
        """
        wanted = form.split()
        known = self.lexicon.forms.get(self.task) or dict.fromkeys(
            other for forms in self.lexicon.forms.values() for other in forms
        )
        best, nearness = "", (NEAR, 0.0)
        matcher = SequenceMatcher(autojunk=False)
        matcher.set_seq2(wanted)
        for other in known:
            parts = other.split()
            if any(parts.count(sign) != wanted.count(sign) for sign in (NUMBER, ASKED)):
                continue
            matcher.set_seq1(parts)
            if matcher.real_quick_ratio() < nearness[0] or matcher.quick_ratio() < nearness[0]:
                continue
            spelt = SequenceMatcher(None, other, form, autojunk=False).ratio()
            best, nearness = max((best, nearness), (other, (matcher.ratio(), spelt)), key=_second)
        whole = f"<{NAME}> {best}"
        return whole if clause.opens and whole in known else best

    def _filled(self, form: str, clause: Clause, slots: list[Slot]) -> str:
        """A form with what stands in the clause, then with what stands in the whole question."""
        numbers = iter(self._fitting(form, clause, slots))
        words = _Words(self, slots)
        told = [
            next(numbers) if part == NUMBER else words.next(part[1:-1]) if part[0] == "<" else part
            for part in form.split()
            if part != ASKED
        ]
        text = _joined(told)
        return _capital(text) if clause.opens else text

    def _fitting(self, form: str, clause: Clause, slots: Iterable[Slot]) -> Iterator[str]:
        """The numbers of a clause as they stand, or the nearest that were read."""
        spans = self.lexicon.spans(form, clause, self.task)
        for slot, (low, high) in zip(numbers_in(slots), spans, strict=True):
            value = number(slot.text)
            if value is None:  # no whole number
                value = round(float(slot.text.replace(",", "")))
            read = low <= value <= high and number(slot.text) is not None
            yield slot.text if read else str(min(max(value, low), high))

    def _word(self, slot: Slot) -> str:
        """A word that was read in the place of one that may not have been."""
        if slot.kind[0] != "<" or self._is_member(slot):
            return slot.text
        key = _key(slot)
        if key not in self.taken:
            name = slot.kind[1:-1]
            used = {text.lower() for (kind, _), text in self.taken.items() if kind == slot.kind}
            free = [word for word in self.lexicon.members[name] if word.lower() not in used]
            self.taken[key] = _most_alike(slot.text, free or self.lexicon.members[name])
        return self.taken[key]

    def _is_member(self, slot: Slot) -> bool:
        """Whether it is a word of a class that was read as such."""
        name = slot.kind[1:-1]
        if slot.kind[0] != "<" or name not in self.lexicon.members:
            return False
        known = {word.lower() for word in self.lexicon.members[name]}
        return slot.text.lower() in known or name in self.lexicon.open


class _Words:
    """Words to fill a form with: those of a clause in order, then those of the question."""

    def __init__(self, rewording: _Rewording, slots: Sequence[Slot]):
        self.rewording = rewording
        self.left = [(s.kind[1:-1], rewording._word(s)) for s in slots if s.kind[0] == "<"]
        self.given: list[str] = []

    def next(self, name: str) -> str:
        for place, (kind, word) in enumerate(self.left):
            if kind == name:
                del self.left[place]
                self.given.append(word)
                return word
        taken = self.rewording.taken
        known = [text for (kind, _), text in taken.items() if kind == f"<{name}>"]
        members = self.rewording.lexicon.members[name]
        others = members if name == NAME else ()  # nobody gives to himself
        fresh = [word for word in (*known, *others) if word not in self.given]
        word = (fresh or known or members)[0]
        self.given.append(word)
        return word


def _key(slot: Slot) -> tuple[str, str]:
    return slot.kind, slot.text.lower()


def _second(pair: tuple[str, tuple[float, float]]) -> tuple[float, float]:
    return pair[1]


def _most_alike(text: str, words: Sequence[str]) -> str:
    """The word that is spelt most like a text, whatever its capitals."""
    small = {word.lower(): word for word in sorted(words, reverse=True)}
    return small[get_close_matches(text.lower(), small, n=1, cutoff=0)[0]]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _joined(words: Iterable[str]) -> str:
    """Words as they are written: no space before an apostrophe or inside brackets."""
    text = " ".join(words)
    for loose, tight in ((" '", "'"), (" ’", "’"), ("( ", "("), (" )", ")")):
        text = text.replace(loose, tight)
    return re.sub(r"\ba (?=[aeiou])", "an ", text)
