"""Reading numbers: what an amount is as a whole, or that it cannot be told.

A text is read as *amounts* (``-1,200.50``, ``3 1/2``, ``1.5 million``, ``twenty-four``) with *gaps*
between them. Amounts whose gaps join them (``+``, ``and``, ``=``, ``or``) are one *statement*, and
a statement has a value only as a whole: ``12 + 5 = 17`` is 17, ``12 + 5`` and ``5 or 6`` are
nothing that could be read. So no number is ever taken for a larger whole that it is a part of.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

# --- One amount ---

_NO_WORD_BEFORE = r"(?<![^\W\u2e80-\u9fff])"
"""Neither letter nor digit stands before; Chinese has no spaces between words and numbers."""

_DIGITS = r"(?:(?<!\.)\.)?\d+(?:[.,'\u202f]\d+)*"
"""Digits and whatever can stand among them; which of these are numbers, `_SHAPES` says."""

_SHAPES = re.compile(
    r"(?:\d+"
    r"|\d{1,3}(?P<mark>[,'\u202f\x20])\d{3}(?:(?P=mark)\d{3})*"  # 1,234,567 or 1 234 567
    r"|\d{1,2}(?:,\d{2})+,\d{3}"  # 12,34,567, as in India
    r")?(?:(?<=\d)\.\d+|^\.\d+)?"
)
"""Digits that are a number; 1,2,3 and 12,34 and 1.2.3 are none."""

_SCALES = {
    "hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12,
    "lakh": 5, "crore": 7, "\u5343": 3, "\u4e07": 4, "\u842c": 4, "\u4ebf": 8, "\u5104": 8,
}  # fmt: skip
"""Words behind digits, as powers of ten; the last ones are Chinese."""

_COINED = {"k": 3, "m": 6, "mn": 6, "b": 9, "bn": 9}
"""What letters mean behind money; behind anything else they are units."""

_NUMBER = (
    r"(?:(?P<sign>(?<![\w)\]%])[-+\u2013](?=[.\d($€£¥₹])"
    # with a space, or longer than a minus: only where nothing stands before that it could part
    r"|(?:^\s*|(?<=[=:≈({])\s*)(?:[-+\u2013]\s+|\u2014\s?)(?=[.\d($€£¥₹])"
    r"|\b(?:minus|negative)\s+)\(?)?"
    rf"(?P<coin>(?:\b(?:US|AU|CA|C|A))?[$€£¥₹]\s?|\bRs\.?\s?)?(?P<inner>-\s?)?"
    rf"{_NO_WORD_BEFORE}(?:"
    r"(?P<ratio>\d+(?:\.\d+)?(?:(?::|\s:\s)\d+)+)"
    r"|(?P<units>\d+)\s+(?:and\s+)?(?P<over>\d+)\s?/\s?(?P<under>\d+)"
    rf"|(?P<value>\d{{1,3}}(?:\x20\d{{3}})+(?![\d,'])(?:\.\d+)?|{_DIGITS})"
    rf"(?:\s?/\s?(?P<denominator>{_DIGITS}))?"
    r"(?P<half>\s+and\s+(?:a|one)[ -]half\b)?"
    r")"
    r"(?P<more>(?:\s?/\s?\d+)+)?"
    r"(?:[eE](?P<power>[-+]?\d{1,2})(?!\w)"
    r"|\s?[×x*]\s?10(?:\s?\^\s?\{?(?P<tens>[-+]?\d{1,2})\}?|(?P<raised>[⁻⁺]?[⁰¹²³⁴-⁹]{1,2})))?"
    rf"(?P<scale>(?:[\s-]?(?:{'|'.join(_SCALES)})(?![A-Za-z\u7c73\u514b\u74e6]))+)?"
)
"""Digits with sign, currency, separators, fraction, exponent and scale. 5\u5343\u7c73 are 5 km."""

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS = {word: n for n, word in enumerate(_SMALL)}
_WORDS |= {word: 10 * n for n, word in enumerate(_TENS, start=2)}
_PLACES = {word: 10**n for word, n in _SCALES.items() if word.isascii()}
_PARTS = {"half": 2, "halves": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "eighth": 8}
_PARTS |= {f"{word}s": n for word, n in _PARTS.items() if not word.startswith("hal")}

_NAME = "|".join(sorted((*_WORDS, *_PLACES), key=len, reverse=True))
_SPELLED = (
    r"(?P<below>\b(?:minus|negative)\s+)?"
    rf"(?P<spelled>(?<![\w-])(?:an?\s+(?={'|'.join(_PLACES)}))?(?:{_NAME})"
    rf"(?:(?:\s*-\s*|\s+)(?:and\s+)?(?:{_NAME}))*)\b"
    r"(?P<rest>\s+and\s+(?:a|one)[ -]half\b"
    rf"|[ -](?:{'|'.join(_PARTS)})\b|\s+point\b|[ -]quarters?\b|[ -]\w+ths?\b)?"
)
"""A number in words; a quarter is a coin too, so that nobody can tell what three of them are."""

_AMOUNT = re.compile(_NUMBER, re.IGNORECASE)
_AMOUNT_OR_WORDS = re.compile(f"{_NUMBER}|{_SPELLED}", re.IGNORECASE)

# --- What stands around an amount ---

_ADJECTIVE = re.compile(r"-[^\W\d_]|(?:st|nd|rd|th)\b", re.IGNORECASE)
"""5-year, 5th: they say which one, not how many."""

_SPOILT = re.compile(
    r"\s?[\^⁰¹²³⁴-⁹√πθ\\_]|!(?=[\d(])|[xyznpqiabcXYZ]\b|[^\W\d_]+\d|\s?[ap]\.?m\b|:\d",
    re.IGNORECASE,
)
"""A power, a root, a variable or a time of day: the number alone is not what is meant."""

_MONTH = rf"(?:{'|'.join(f'{name}|{name[:3]}' for name in calendar.month_name[1:])}|Sept)\b\.?"
_MONTH_BEFORE = re.compile(rf"\b{_MONTH}\s+$")
_MONTH_AFTER = re.compile(rf"\s+(?:of\s+)?{_MONTH}(?!\s+(?:be|have)\b)")
_PART_BEFORE = re.compile(
    r"[√^]\s?\{?$|\b(?:twice|double|triple|half(?: of)?|thrice|root of|log|sin|cos|tan"
    r"|(?:more|less|fewer|greater|other) than)\s+[(]?$",
    re.IGNORECASE,
)
"""What makes something else of the number that it stands before."""

_NOT_BEFORE = re.compile(
    r"(?:\b(?:not|never|cannot be|nor|neither)|n't)(?:\s+(?!but\b)[a-z]+){0,2}\s*$", re.IGNORECASE
)
_CONCLUDING = re.compile(
    r"\b(?:giving|making|leaving|for a total of|total(?:l?ing)?|i\.e\.|that is|in other words)",
    re.IGNORECASE,
)
"""Says that what came before was only a step."""
_BUT = re.compile(r"\b(?:but|rather|instead|it is|it's|is)\b", re.IGNORECASE)

# --- The gap between two amounts ---

_STOP = (
    "in|for|per|because|as|since|of|when|so|after|before|from|with|at|each|every|which|that|who"
    "|if|on|by|to|or|and|is|are|was|were|plus|minus|times|over|than|equals|more|less|fewer|out"
    "|but|not|then|while|where|the|this|he|she|it|they|we|has|have|had|gives|makes|x|i|thus|hence"
    "|therefore|divided|multiplied|means|leaving|also|remaining|left|total|altogether"
)
_UNIT = (
    rf"(?:[%°'\"$)}}]|\s?(?!(?:{_STOP})\b)[^\W\d_]+(?:(?:\^?\{{?[23]\}}?|[²³])(?!\w))?"
    r"(?:/[^\W\d_]+)?(?:(?<=\bft)\.|(?<=\bin)\.|(?<=\bhr)\.|(?<=\blb)\.|(?<=\bmin)\.)?)"
)
_UNITS = rf"\s?{_UNIT}{{0,4}}"
"""At most four words or signs behind a number that say what is counted."""
_NAMED = r"(?:[a-zA-Z]\s?=\s?)?[({[\"'$\\]*"
"""``y =`` and what opens the next amount."""

_EQUAL = re.compile(rf"{_UNITS}\s?[=≈]\s*{_NAMED}(?:about|approximately|roughly)?\s*")
_OR = re.compile(rf"{_UNITS}\s?,?\s*(?:or|i\.e\.,?)\s*(?:about |only )?{_NAMED}\s*", re.IGNORECASE)
_SAID = re.compile(
    rf"{_UNITS}\s?,?\s*(?:(?:which|that|this|it) )?(?:is|are|was|equals?|gives?|makes?|comes to"
    rf"|to get|is equal to|for a total of|in total,?|\()\s*{_NAMED}\s*",
    re.IGNORECASE,
)
"""Says the same once more; only wanted where the first saying has no value."""
_JOINED = re.compile(
    rf"{_UNITS}\s?(?:[-+*/×÷x±\u2013:^√]|\*\*"
    r"|(?:plus|minus|times|over|divided by|multiplied by|out of|of|to|(?:more|less|fewer) than"
    r"|through|by)\b)\s*[({[\"'$√]*\s*"
    r"|\s(?:from|with)\s+",
    re.IGNORECASE,
)
_BRACKET = re.compile(r"[({[]+")
"""Right behind a number, the product of 5(3)."""
_LISTED = re.compile(rf"{_UNITS}\s?(?:[,;&|]|\band\b|,\s*and\b)?\s*{_NAMED}\s*", re.IGNORECASE)
"""Calculations, ranges, ratios; and lists: 1 hour 30 minutes, 5 and 6."""

_UNFINISHED = re.compile(rf"{_UNITS}\s?(?:[-+/×÷]\s*(?:\Z|\n)|[-+*/×÷]\s?[xyzn?](?!\w))")
"""A calculation without its end, or with an unknown."""

_LONGEST_GAP = 60
"""Characters between two numbers that belong together."""


@dataclass
class _Statement:
    """Amounts that are joined, and what each part between = or "or" comes to."""

    start: int
    end: int = 0
    rejected: bool = False
    values: list[Decimal | None] = field(default_factory=list)
    quotients: list[bool] = field(default_factory=list)
    """Whether a part is written with a slash, so that it may be a step of a calculation."""

    def known(self) -> list[Decimal]:
        """Different values that are more than a step."""
        pairs = zip(self.values, self.quotients, strict=True)
        return list(dict.fromkeys(v for v, slash in pairs if v is not None and not slash))

    def value(self) -> Decimal | None:
        """The value, if all parts that have one agree; None if it cannot be told."""
        known = self.known() or [value for value in self.values[-1:] if value is not None]
        return known[0] if len(known) == 1 else None


def first_amount(text: str) -> str | None:
    """The value of the statement that an announced answer starts with, numerals in words too."""
    statements = _statements(text, words=True)
    statement = next(statements, None)
    while statement and statement.rejected:
        end, statement = statement.end, next(statements, None)
        if statement and not _BUT.search(text, end, statement.start):
            return None
    if not statement:
        return None
    value = statement.value()
    following = next(statements, None)
    if following and _CONCLUDING.search(text, statement.end, following.end):
        value = value if value == following.value() else None
    return _written(value)


def last_amount(text: str) -> str | None:
    """The value of the last statement of a text."""
    last = None
    for statement in _statements(text, words=False):
        if not statement.rejected:
            last = statement
    return _written(last.value()) if last else None


def starts_with_amount(text: str) -> bool:
    """Whether nothing but an opening stands before the first number, as in "about $5"."""
    found = _AMOUNT_OR_WORDS.search(text)
    hedge = r"[\W_]*(?:about|approximately|only|exactly|roughly|a total of)?[\W_]*"
    return bool(found and re.fullmatch(hedge, text[: found.start()], re.IGNORECASE))


def _statements(text: str, words: bool) -> Iterator[_Statement]:
    """The statements of a text, from left to right."""
    current: _Statement | None = None
    for found in (_AMOUNT_OR_WORDS if words else _AMOUNT).finditer(text):
        if _counts_nothing(found, text):
            continue
        value = None if _is_spoilt(found, text) else _value(found)
        slash = found["denominator"] is not None
        if current is not None:
            gap = text[current.end : found.start()]
            if _joins(current, gap, found, value, slash):
                current.end = found.end()
                continue
            yield _closed(current, text)
        before = text[max(0, found.start() - 30) : found.start()]
        current = _Statement(found.start(), found.end(), bool(_NOT_BEFORE.search(before)))
        current.values, current.quotients = [value], [slash]
    if current is not None:
        yield _closed(current, text)


def _joins(
    current: _Statement, gap: str, found: re.Match[str], value: Decimal | None, slash: bool
) -> bool:
    """Take an amount into the statement before it, if the gap says that they are one."""
    if len(gap) > _LONGEST_GAP or "\n" in gap:
        return False
    if _EQUAL.fullmatch(gap) or _OR.fullmatch(gap):
        current.values.append(value)
        current.quotients.append(slash)
    elif _BRACKET.fullmatch(gap):
        current.values[-1] = None
    elif _SAID.fullmatch(gap):
        if current.known() or ("(" in gap and current.value() is not None):
            return False
        current.values.append(value)
        current.quotients.append(slash)
    elif _JOINED.fullmatch(gap) or _LISTED.fullmatch(gap):
        current.values[-1] = None
    else:
        return False
    return True


def _closed(statement: _Statement, text: str) -> _Statement:
    """A statement whose end is known: a calculation that breaks off has no value."""
    if _UNFINISHED.match(text, statement.end):
        statement.values[-1] = None
    return statement


def _counts_nothing(found: re.Match[str], text: str) -> bool:
    """Whether it is part of a word: of "5-year", "cm^2", "the red one" or "one of them"."""
    before = text[max(0, found.start() - 3) : found.start()]
    if _ADJECTIVE.match(text, found.end()) or re.search(r"[^\W\d]\^\{?$", before):
        return True
    if (found.groupdict().get("spelled") or "").lower() != "one":
        return False
    return bool(re.search(r"[A-Za-z]\s*$", before) or re.match(r"\s+of\b", text[found.end() :][:9]))


def _is_spoilt(found: re.Match[str], text: str) -> bool:
    before = text[max(0, found.start() - 20) : found.start()]
    coined = found["coin"] and re.match(rf"(?:{'|'.join(_COINED)})\b", text[found.end() :], re.I)
    return bool(
        (_SPOILT.match(text, found.end()) and not coined)
        or _PART_BEFORE.search(before)
        or _MONTH_BEFORE.search(before)
        or _MONTH_AFTER.match(text, found.end())
    )


# --- Values ---

_RAISED = str.maketrans(
    "\u207b\u207a\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "-+0123456789"
)
_NEGATIVE = re.compile(r"\s*(?:[-\u2013\u2014]|minus|negative)", re.IGNORECASE)


def _value(found: re.Match[str]) -> Decimal | None:
    """What one amount comes to; None if its digits or words are no number."""
    parts = found.groupdict()
    if parts.get("spelled"):
        value, negative = _spelled(parts["spelled"], parts["rest"]), parts["below"]
    else:
        value = _of_digits(parts)
        negative = _NEGATIVE.match(parts["sign"] or "") or parts["inner"]
        if value is not None and parts["coin"]:
            behind = re.match(r"[A-Za-z]+", found.string[found.end() :][:4])
            value = _scaled(value, _COINED.get(behind[0].lower(), 0) if behind else 0)
    return value.copy_negate() if negative and value else value


def _of_digits(parts: dict[str, str | None]) -> Decimal | None:
    """A number in digits, without its sign."""
    if parts["ratio"] or parts["more"]:
        return None
    value = _mixed(parts) if parts["units"] else _digits(parts["value"])
    if value is None:
        return None
    if parts["denominator"]:
        under = _digits(parts["denominator"])
        if not under:
            return None
        value /= under
    if parts["half"]:
        value += Decimal("0.5")
    tens = parts["power"] or parts["tens"] or (parts["raised"] or "0").translate(_RAISED)
    scales = re.findall("|".join(_SCALES), (parts["scale"] or "").lower())
    return _scaled(value, int(tens) + sum(_SCALES[scale] for scale in scales))


def _scaled(value: Decimal, power: int) -> Decimal:
    """The value times a power of ten; one that needs none is not rounded."""
    return value.scaleb(power) if power else value


def _mixed(parts: dict[str, str | None]) -> Decimal | None:
    """3 1/2; the fraction is below one, or it is none of this number."""
    units, over, under = (Decimal(parts[name] or 0) for name in ("units", "over", "under"))
    return units + over / under if over < under else None


def _digits(text: str | None) -> Decimal | None:
    if not text or not _SHAPES.fullmatch(text):
        return None
    return Decimal(re.sub(r"[,'\u202f ]", "", text))


def _spelled(text: str, rest: str | None) -> Decimal | None:
    """A number in words: "two hundred and five", "three and a half", "two thirds"."""
    names = [name for name in re.split(r"[\s-]+", text.lower()) if name != "and"]
    if names[0] in ("a", "an"):
        names[0] = "one"
    total = group = 0
    last = "hundred"
    for name in names:
        if name in _WORDS:
            if not _may_follow(last, name):
                return None
            group += _WORDS[name]
        elif name == "hundred" or not total or _PLACES[name] < total:
            scaled = (group or 1) * _PLACES[name]
            total, group = (total, scaled) if name == "hundred" else (total + scaled, 0)
        else:
            return None
        last = name
    value = Decimal(total + group)
    if not rest:
        return value
    part = re.split(r"[\s-]+", rest.strip().lower())
    if part[0] == "and":
        return value + Decimal("0.5")
    return value / _PARTS[part[-1]] if part[-1].lstrip("-") in _PARTS else None


def _may_follow(last: str, name: str) -> bool:
    """Whether a word can stand there: twenty four and hundred four, but not five six."""
    return last in _PLACES or (last in _TENS and 0 < _WORDS[name] < 10)


def _written(value: Decimal | None) -> str | None:
    """A number of any length without exponent and needless zeros."""
    if value is None:
        return None
    whole, _, part = format(value, "f").partition(".")
    part = part.rstrip("0")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    number = (whole.lstrip("0") or "0") + (f".{part}" if part else "")
    return number if number == "0" else sign + number
