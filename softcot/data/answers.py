"""Reading the answer out of a completion, comparing it, and voting.

An answer that is marked ("The answer is 18.", "#### 18", a LaTeX box) wins over every other
candidate, and the last mark over earlier ones; without a mark the last candidate counts. What
cannot be read is None, never a guess.
"""

import calendar
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal

from softcot.data.problems import AnswerKind

_DRESS = [
    (re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r"\1/\2"),
    (re.compile(r"\\[()\[\],!;]|\*\*|__|`"), ""),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\([$%])"), r"\1"),
    (re.compile("[\u2010\u2011\u2212\ufe63\uff0d]"), "-"),
    (re.compile("\uff1a"), ":"),
]
"""Mark-up that only dresses an answer, and other signs that mean a minus or a colon."""

_MARK = re.compile(
    r"####"
    r"|\\boxed\s*\{"
    r"|\banswers?\b(?!\s+choices?\b)[^.\n:=]{0,60}?(?:\b(?:is|was|be|equals)\b|[:=])[\s:]*",
    re.IGNORECASE,
)
"""What announces an answer; "answer choices:" does not."""

_SUM = re.compile(r"(?:[^=A-WYZa-wyz]*=)+")
"""A calculation that opens a marked answer: in "3 + 5 = 8" the answer is 8."""

_NUMBER = re.compile(
    r"(?<!\w)(?<!\d[./])"
    r"(?P<sign>(?<![\w)\]%])[-+])?"
    r"(?:[$€£¥]\s?(?P<inner>-)?)?"
    r"(?P<value>(?:\d{1,3}(?:[,\u00a0\u2009\u202f]\d{3})+(?!\d)|\d+)(?:\.\d+)?|(?<!\.)\.\d+)"
    r"(?:[eE](?P<power>[-+]?\d{1,2})(?!\d))?"
    r"(?:/(?P<under>\d+)(?![\d/]|\.\d))?"
)
"""Digits with separators, sign, currency, exponent or denominator; 10-5 holds no minus five."""

_LETTER = re.compile(
    r"\((?P<round>[A-Ha-h])\)"
    r"|(?<![\w'’-])(?P<bare>[B-H])(?![\w'’]|-\w)"
    r"|(?<![\w'’-])(?P<article>A)(?=[ \t]*(?:[^\w\s'’-]|\n|$|(?:because|since|as|is)\b))"
)
"""An option; a capital A before a word is an article."""

_SMALL_LETTER = re.compile(r"\W*([a-h])(?=\W*$|[):,])")
"""An option in lower case, where nothing else can stand."""

_YES_NO = re.compile(r"\b(yes|no|true|false)\b", re.IGNORECASE)
_YES_NO_ALONE = re.compile(r"\b(yes|true|false|no(?=[ \t]*(?:[^\w\s-]|\n|$)))\b", re.IGNORECASE)
"""Outside of a marked answer, the "no" of "no water" says nothing."""

_MONTHS = {name[:3].lower(): number for number, name in enumerate(calendar.month_name) if name}
_NAMES = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in calendar.month_name[1:])
_MONTH = rf"(?:{_NAMES}|Sept)\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"

_DATE = re.compile(
    r"(?<!\d)(?:"
    r"(?P<first>\d{1,2})(?P<gap>[/.-])(?P<second>\d{1,2})(?P=gap)(?P<year>\d{4})"
    r"|(?P<iso_year>\d{4})[/-](?P<iso_month>\d{1,2})[/-](?P<iso_day>\d{1,2})"
    rf"|(?P<day>{_DAY})(?:\s+of)?\s+(?P<month>{_MONTH}),?\s+(?P<day_year>\d{{4}})"
    rf"|(?P<named>\b{_MONTH})\s+(?P<named_day>{_DAY})(?:\s*,\s*|\s+)(?P<named_year>\d{{4}})"
    r")(?!\d)",
    re.IGNORECASE,
)
"""07/29/2002, 2002-07-29, 29th of July 2002, July 29, 2002."""

_REACH = 300
"""Characters after a mark that are looked at, so that no text takes long to read."""


def parse(kind: AnswerKind, text: str) -> str | None:
    """Read the answer of a kind out of a text.

    Returns:
        A number without separators, units or needless zeros ("1200.5", "-3"), a capital letter,
        "yes" or "no", a date as in "2002-07-29"; None when there is none. Kind "any" takes
        whichever is marked, the marked words if it is none of them, or else the last number.
    """
    for pattern, replacement in _DRESS:
        text = pattern.sub(replacement, text)
    candidates = _CANDIDATES[kind]
    for mark in reversed(list(_MARK.finditer(text))):
        if found := next(candidates(_announced(mark), True), None):
            return found
    unmarked = list(candidates(text, False))
    return unmarked[-1] if unmarked else None


def is_correct(kind: AnswerKind, parsed: str | None, gold: str) -> bool:
    """Whether a parsed answer means the same as the gold answer."""
    if parsed is None or not gold.strip():
        return False
    mine, theirs = ((parse(kind, a) or a.strip()).casefold() for a in (parsed, gold))
    return mine == theirs


def majority(answers: Sequence[str | None]) -> str | None:
    """The most frequent answer; of equals the one given first; None when nothing was read."""
    votes = Counter(answer for answer in answers if answer is not None)
    return votes.most_common(1)[0][0] if votes else None


def _announced(mark: re.Match) -> str:
    """What follows a mark: the inside of a box, else the first line that says something."""
    rest = mark.string[mark.end() : mark.end() + _REACH]
    boxed = mark[0].startswith("\\")
    return _inside_braces(rest) if boxed else rest.lstrip().partition("\n")[0]


def _inside_braces(text: str) -> str:
    depth = 1
    for place, letter in enumerate(text):
        depth += (letter == "{") - (letter == "}")
        if depth == 0:
            return text[:place]
    return text


def _numbers(text: str, marked: bool) -> Iterator[str]:
    calculation = _SUM.match(text)
    if marked and calculation and _NUMBER.search(text, calculation.end()):
        text = text[calculation.end() :]
    for found in _NUMBER.finditer(text):
        value = Decimal(re.sub(r"[,\s]", "", found["value"]))
        if found["power"]:
            value = value.scaleb(int(found["power"]))
        if found["under"] and int(found["under"]):
            value /= int(found["under"])
        negative = found["sign"] == "-" or found["inner"]
        yield ("-" if negative and value else "") + _shortest(value)


def _shortest(value: Decimal) -> str:
    """A number of any length without exponent and needless zeros."""
    whole, _, part = format(value, "f").partition(".")
    part = part.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{part}" if part else "")


def _letters(text: str, marked: bool) -> Iterator[str]:
    small = _SMALL_LETTER.match(text)
    if small and (marked or len(text.strip()) <= 3):
        yield small[1].upper()
        return
    for found in _LETTER.finditer(text):
        yield (found["round"] or found["bare"] or found["article"]).upper()


def _yes_or_no(text: str, marked: bool) -> Iterator[str]:
    for found in (_YES_NO if marked else _YES_NO_ALONE).finditer(text):
        yield "yes" if found[1].lower() in ("yes", "true") else "no"


def _dates(text: str, marked: bool) -> Iterator[str]:
    """Dates that exist; in 07/04/2002 the month comes first, unless only the other way is one."""
    for found in _DATE.finditer(text):
        if found["first"]:
            orders = [(found["first"], found["second"]), (found["second"], found["first"])]
            year = found["year"]
        else:
            year = found["iso_year"] or found["day_year"] or found["named_year"]
            name = found["month"] or found["named"]
            month = _MONTHS[name[:3].lower()] if name else found["iso_month"]
            day = found["iso_day"] or found["day"] or found["named_day"]
            orders = [(month, day.rstrip("stndrhSTNDRH"))]
        for month, day in orders:
            with suppress(ValueError):
                yield date(int(year), int(month), int(day)).isoformat()
                break


def _anything(text: str, marked: bool) -> Iterator[str]:
    """For a question of unknown kind: an option, yes or no, a number, else the marked words."""
    words = re.split(r"[.!?](?:\s|$)", text.strip(" \t\n\"'"))[0].strip()
    numbers = list(_numbers(words if marked else text, marked))
    if option := re.fullmatch(r"\(?([A-H])\)?", words) or re.match(r"\(([A-H])\)", words):
        yield option[1]
    elif said := _YES_NO.match(words) if marked else _YES_NO.fullmatch(words):
        yield from _yes_or_no(said[0], True)
    elif (marked or _DATE.fullmatch(words)) and (found := next(_dates(words, marked), None)):
        yield found
    elif numbers:
        yield from numbers
    elif marked and words:
        yield words


_CANDIDATES: dict[str, Callable[[str, bool], Iterator[str]]] = {
    "number": _numbers,
    "letter": _letters,
    "yesno": _yes_or_no,
    "date": _dates,
    "any": _anything,
}
