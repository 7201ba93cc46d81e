"""What the training questions of a model held: words, numbers, and ways to say something.

A model that was made from generated questions has read little else, and what it says to other words
is luck. The folder of such a model has a `lexicon.json`. A model whose folder has none reads
anything.

A question falls into clauses, which end at any of ``.?!,:;`` and at the word "and". The form of a
clause is its words in small letters, with the class of a word in the place of a word that stands
for many, and ``#`` in that of a number: ``<name> has # <thing>``. Words for a moment, which may
stand anywhere, are left out. The form of what is asked ends with a question mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple

from softcot.support.errors import UserError
from softcot.support.files import write_json
from softcot.support.reading import read_text, reason
from softcot.support.schema import STRICT, from_json, to_json

FILE = "lexicon.json"
"""Its name in a model's folder."""

NUMBER, ASKED = "#", "?"
NAME = "name"
"""The class of what people are called."""
MOMENT = "moment"
"""The class of words for when something happens."""

_TOKEN = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|['’]\w+|[^\W\d_]+(?:-[^\W\d_]+)*|\S")
_ARTICLES = {"an": "a"}
"""What follows decides between the two; a form has one for both."""
_ENDS = frozenset((*".?!,:;", "and"))
_NO_NAMES = frozenset(
    "where who whose what which when why how he she they we you it i his her their our your its my "
    "a an the this that these those".split()
)
"""Words that begin sentences and are nobody's name."""
_MOST_GUESSED = 2
"""Different unread words of a clause whose classes are guessed at once."""

Kind = Literal["word", "number", "form"]
Span = tuple[int, int]
"""Smallest and largest number, both read."""


class Token(NamedTuple):
    """A word, a number or a sign, and where it stands."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Clause:
    """A part of a question up to its next sign."""

    tokens: tuple[Token, ...]
    end: str
    """The sign, or "and"; empty where the text ends without one."""
    opens: bool
    """Whether a sentence begins with it."""

    @property
    def asks(self) -> bool:
        """Whether it ends with a question mark."""
        return self.end == ASKED

    @property
    def is_option(self) -> bool:
        """Whether it is an answer to choose: its letter in brackets comes first."""
        return [token.text for token in self.tokens[:3:2]] == ["(", ")"]


class Slot(NamedTuple):
    """A place of a form, and what stands there in a question."""

    kind: str
    """``#``, a class in pointed brackets, or the word itself in small letters."""
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Unread:
    """A part of a question that no training question held."""

    start: int
    end: int
    kind: Kind


def clauses(text: str) -> list[Clause]:
    """The clauses of a text in order; two signs in a row have none between them."""
    found: list[Clause] = []
    tokens: list[Token] = []
    opens = True
    for match in _TOKEN.finditer(text):
        if match.group().lower() not in _ENDS:
            tokens.append(Token(match.group(), *match.span()))
            continue
        if tokens:
            found.append(Clause(tuple(tokens), match.group(), opens))
            tokens = []
        opens = match.group() in ".?!"
    return [*found, Clause(tuple(tokens), "", opens)] if tokens else found


def number(text: str) -> int | None:
    """The whole number that a token says, with or without commas; None for any other token."""
    digits = text.replace(",", "")
    return int(digits) if digits.isdecimal() and len(digits) < 16 else None


@dataclass(frozen=True)
class Lexicon:
    """What the training questions of one model, or of several, held."""

    __pydantic_config__ = STRICT

    members: Mapping[str, tuple[str, ...]]
    """Class -> its words, some of more than one; names as they are written, others small."""
    numbers: Mapping[str, Span]
    """Task -> smallest and largest number in its questions, but for answers to choose from."""
    forms: Mapping[str, Mapping[str, str]]
    """Task -> form of a clause -> the numbers that each ``#`` of it held, such as "3-60 2-20";
    empty for a form that came too seldom to say."""
    open: tuple[str, ...] = field(default=())
    """Classes of which any word that begins with a capital letter may be."""

    @classmethod
    def load(cls, folder: str | Path) -> Lexicon | None:
        """That of the model in a folder; None where it has none and reads anything.

        Raises:
            UserError: The file is damaged.
        """
        file = Path(folder) / FILE
        if not file.is_file():
            return None
        try:
            lexicon = from_json(cls, read_text(file))
            lexicon._check()
            return lexicon
        except (OSError, ValueError) as error:
            raise UserError(
                f"{file} is damaged ({reason(error)}); make it again with `python -m softcot "
                "pretrain --lexicon-only`, or remove it."
            ) from error

    def _check(self) -> None:
        """Refuse what no question can be read by: ranges that are none, and empty phrases."""
        for form, spans in self._ranges.items():
            if spans is not None and len(spans) != form.split().count(NUMBER):
                raise ValueError(f"the form {form!r} has another number of ranges")
        if () in self._phrases:
            raise ValueError("a class has an empty word")

    def save(self, folder: str | Path) -> None:
        """Write it into a model's folder."""
        write_json(Path(folder) / FILE, to_json(self))

    def __or__(self, other: Lexicon) -> Lexicon:
        """What at least one of two models has read."""
        both = self, other
        names = sorted({name for one in both for name in one.members})
        tasks = sorted({task for one in both for task in one.forms})
        return Lexicon(
            {n: _sorted(word for one in both for word in one.members.get(n, ())) for n in names},
            {t: _around(one.numbers[t] for one in both if t in one.numbers) for t in tasks},
            {t: _widest(self.forms.get(t, {}), other.forms.get(t, {})) for t in tasks},
            _sorted((*self.open, *other.open)),
        )

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word that was read, in small letters."""
        forms = (form for known in self.forms.values() for form in known)
        literal = {part for form in forms for part in form.split() if not _is_class(part)}
        return frozenset(literal | {word.lower() for phrase in self._phrases for word in phrase})

    @cached_property
    def _phrases(self) -> dict[tuple[str, ...], str]:
        return {
            tuple(token.group() for token in _TOKEN.finditer(phrase)): f"<{name}>"
            for name, phrases in self.members.items()
            for phrase in phrases
        }

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._phrases), default=1)

    @cached_property
    def _ranges(self) -> dict[str, list[Span] | None]:
        """Form -> what each of its numbers may be; None where any task's numbers may be."""
        forms: dict[str, str] = {}
        for known in self.forms.values():
            forms = _widest(forms, known)
        return {form: _spans(said) or None for form, said in forms.items()}

    def slots(self, clause: Clause) -> list[Slot]:
        """The places of a clause's form, the longest known phrases first."""
        found, at, tokens = [], 0, clause.tokens
        while at < len(tokens):
            slot = next(filter(None, (self._slot(tokens[at : at + n]) for n in self._lengths)))
            found.append(slot)
            at += sum(slot.start <= token.start < slot.end for token in tokens[at:])
        return found

    @property
    def _lengths(self) -> range:
        return range(self._longest, 0, -1)

    def _slot(self, tokens: tuple[Token, ...]) -> Slot | None:
        """Some tokens as one place; None for several that are no phrase."""
        texts = tuple(token.text for token in tokens)
        first, last = tokens[0], tokens[-1]
        small = tuple(text.lower() for text in texts)
        name = self._phrases.get(texts) or self._phrases.get(small)
        if name is None and len(tokens) > 1:
            return None
        if name is None:
            literal = _ARTICLES.get(small[0], small[0])
            name = NUMBER if first.text[0].isdecimal() else self._open(first.text) or literal
        return Slot(name, " ".join(texts), first.start, last.end)

    def _open(self, text: str) -> str | None:
        """The open class of a word, if it can be of one."""
        unknown = text[0].isupper() and text.lower() not in self._literal | _NO_NAMES
        return f"<{self.open[0]}>" if self.open and unknown else None

    @cached_property
    def _literal(self) -> frozenset[str]:
        forms = (form for known in self.forms.values() for form in known)
        return frozenset(part for form in forms for part in form.split())

    def guessed(self, clause: Clause) -> list[Slot]:
        """The places of a clause, with the classes that its words seem to be of.

        An unread word is taken for one of a class where the clause then has a form that was read,
        and so is somebody whose name is a word for something else, such as Rose or Box.
        """
        slots = self.slots(clause)
        if NAME in self.open and not self.has_form(form_of(slots, clause.asks)):
            slots = self._named(slots, clause.asks) or slots
        strange = list(dict.fromkeys(slot.kind for slot in slots if not self._is_read(slot)))
        if not 0 < len(strange) <= _MOST_GUESSED:
            return slots
        capital = {slot.kind for slot in slots if slot.text[0].isupper()} - _NO_NAMES
        classes = sorted(self.members.keys() - {MOMENT})  # a form has no place for those
        choices = [[NAME] * (word in capital) + classes for word in strange]
        for chosen in product(*choices):
            guess = {word: f"<{name}>" for word, name in zip(strange, chosen, strict=True)}
            tried = [slot._replace(kind=guess.get(slot.kind, slot.kind)) for slot in slots]
            if form_of(tried, clause.asks) in self._ranges:
                return tried
        return slots

    def _named(self, slots: list[Slot], asks: bool) -> list[Slot] | None:
        """The places with one read word as a name, where that makes a form which was read."""
        capital = {slot.text for slot in slots if slot.text[0].isupper()}
        for text in sorted(capital):
            named = [s._replace(kind=f"<{NAME}>") if s.text == text else s for s in slots]
            if self.has_form(form_of(named, asks)):
                return named
        return None

    def _is_read(self, slot: Slot) -> bool:
        return slot.kind == NUMBER or _is_class(slot.kind) or slot.kind in self.words

    def unread(self, question: str, task: str = "", unfinished: bool = False) -> list[Unread]:
        """The parts of a question that no training question held, in order.

        Args:
            question: The text.
            task: Name of the task that it is asked as; empty for any.
            unfinished: Whether it is still being typed: its last word and clause are not judged.
        """
        found = []
        for clause in clauses(question):
            growing = unfinished and not clause.end
            parts = self._unread_in(clause, task, growing)
            found += [part for part in parts if not (growing and part.end == len(question))]
        return found

    def _unread_in(self, clause: Clause, task: str, growing: bool) -> list[Unread]:
        found = [
            Unread(slot.start, slot.end, "word")
            for slot in self.slots(clause)
            if not self._is_read(slot)
        ]
        slots = self.guessed(clause)
        form = form_of(slots, clause.asks)
        # A form with words that were not read says nothing new, unless it is the question itself.
        if not (growing or self.has_form(form)) and (clause.asks or not found):
            whole = slice(clause.tokens[0].start, clause.tokens[-1].end + len(ASKED) * clause.asks)
            return [Unread(whole.start, whole.stop, "form")]
        for slot, span in zip(numbers_in(slots), self.spans(form, clause, task), strict=True):
            value = number(slot.text)
            if value is None or not span[0] <= value <= span[1]:
                found.append(Unread(slot.start, slot.end, "number"))
        return sorted(found, key=lambda part: part.start)

    def forms_in(self, text: str) -> frozenset[str]:
        """How the clauses of a text are put, whatever is known of them."""
        return frozenset(form_of(self.guessed(clause), clause.asks) for clause in clauses(text))

    def has_form(self, form: str) -> bool:
        """Whether a clause of this form was read."""
        return form in self._ranges

    def spans(self, form: str, clause: Clause, task: str = "") -> list[Span]:
        """What each number of a clause of this form may be, in order."""
        known = self._ranges.get(form)
        if known is not None:
            return known
        usual = self.numbers.get(task) or _around(self.numbers.values())
        anything = (0, 10**15)
        return [anything if clause.is_option else usual] * form.split().count(NUMBER)


def form_of(slots: Iterable[Slot], asks: bool) -> str:
    """The form of a clause with these places."""
    return " ".join([slot.kind for slot in slots if slot.kind != f"<{MOMENT}>"] + [ASKED] * asks)


def numbers_in(slots: Iterable[Slot]) -> list[Slot]:
    """Those places that hold a number."""
    return [slot for slot in slots if slot.kind == NUMBER]


def _sorted(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(words)))


def _is_class(part: str) -> bool:
    return len(part) > 2 and part[0] == "<" and part[-1] == ">"


def _spans(said: str) -> list[Span]:
    """``3-60 2-20`` as pairs of numbers."""
    pairs = [part.split("-") for part in said.split()]
    return [(int(low), int(high)) for low, high in pairs]


def _around(spans: Iterable[Span]) -> Span:
    """From the smallest to the largest number of some spans; no number at all for none."""
    found = list(spans)
    return (min(low for low, _ in found), max(high for _, high in found)) if found else (1, 0)


def _widest(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """All forms of two models, each with what its numbers were in either."""
    found = {**one, **other}
    for form in one.keys() & other.keys():
        pairs = zip(_spans(one[form]), _spans(other[form]), strict=False)
        found[form] = written(map(_around, pairs))
    return found


def written(spans: Iterable[Span]) -> str:
    """Spans of numbers as a file has them."""
    return " ".join(f"{low}-{high}" for low, high in spans)
