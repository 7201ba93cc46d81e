"""Reading the answer out of a completion, comparing it, and voting.

An answer that is marked ("The answer is 18.", "#### 18", a LaTeX box) wins over all that is not,
and the last mark that can be read over earlier ones; only a text without a mark is read as a
whole, and then what it says last counts. What cannot be read is None, never a guess: where the
whole is something else than its first or last number, letter or word, no such piece is taken.
"""

import calendar
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from softcot.data.amounts import first_amount, last_amount, starts_with_amount
from softcot.data.plain import plain
from softcot.data.problems import AnswerKind

# --- What a text announces ---

_MARK = re.compile(
    r"####"
    r"|\\f?boxed\s*\{"
    r"|(?<!\bto )(?<!\bcan )\banswers?\b(?!\s+(?:choice|option)s?\b)(?:[^.\n:=]|\.(?=\d)){0,60}?"
    r"(?:\b(?:is|are|was|be|equals|becomes|comes to)(?:n't)?\b|[:=])[\s:]*"
    r"|(?:\u7b54\u6848|\u7b54)\s*(?:\u5e94\u8be5)?(?:(?:\u662f|\u4e3a|\u70ba)\s*:?|[:=])\s*",
    re.IGNORECASE,
)
"""What announces an answer, in Chinese too; "answer choices:" and "to answer this:" do not."""

_DENIED = re.compile(r"\b(?:not|never|cannot)\b|n't", re.IGNORECASE)
"""In a mark: "the answer cannot be"."""

_NEXT_QUESTION = re.compile(
    r"\n[ \t]*(?:#{1,6}[ \t]*)?(?:"
    r"(?:Question|Q|Human|User|Instruction|Problem(?=\s*\d))\s*\d*\s*[:.]"
    r"|(?:\u95ee\u9898|\u554f\u984c|\u95ee|\u9898\u76ee)\s*\d*\s*:)",
    re.IGNORECASE,
)
"""A base model without a chat template goes on with questions of its own."""

_ANSWER = re.compile(r"\banswers?\b", re.IGNORECASE)
_WOULD = re.compile(r"\b(?:would|could|might)\b", re.IGNORECASE)
_IF = re.compile(r"\b(?:if|unless)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")
_ABBREVIATED = re.compile(
    r"(?:\b(?:Dr|Mr|Mrs|Ms|Prof|St|Jr|Sr|vs|No|Rs|approx|ca|ft|in|lb|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov"
    r"|Dec)|\b[a-z]\.[a-z])$"
)
_INITIALS = re.compile(r"(?:\b[A-Z]\.\s?){2,}(?=\w)")
"""A full stop behind one of these, or in "J. K. Rowling", ends no sentence."""

_REACH = 300
"""Characters after a mark that are looked at, so that no text takes long to read."""


def parse(kind: AnswerKind, text: str) -> str | None:
    """Read the answer of a kind out of a text.

    Returns:
        A number without separators, units or needless zeros ("1200.5", "-3"), a capital letter,
        "yes" or "no", a date as in "2002-07-29"; None when there is none. Kind "any" takes
        whichever is marked, the marked words if it is none of them, or else the last number.
    """
    text = _own(plain(text))
    reader = _READERS[kind]
    announced = _announcements(text)
    for said in reversed(announced):
        if (found := reader.announced(said)) is not None:
            return found
    return None if announced else reader.unmarked(text)


@lru_cache(maxsize=10_000)
def read_gold(kind: AnswerKind, text: str) -> str | None:
    """Read a text that is nothing but an answer, marked or not; None if it is none of its kind."""
    bare = plain(text)
    if _announcements(bare):
        return parse(kind, text)
    return _READERS[kind].announced(bare.strip())


def is_correct(kind: AnswerKind, parsed: str | None, gold: str) -> bool:
    """Whether a parsed answer means the same as the gold answer."""
    if parsed is None or not gold.strip():
        return False
    mine, theirs = ((read_gold(kind, a) or a.strip()).casefold() for a in (parsed, gold))
    return mine == theirs


def majority(answers: Sequence[str | None]) -> str | None:
    """The most frequent answer; of equals the one given first; None when nothing was read."""
    votes = Counter(answer for answer in answers if answer is not None)
    return votes.most_common(1)[0][0] if votes else None


def _own(text: str) -> str:
    """A text without questions that the model asked itself, and without "would be ..., if ..."."""
    begin = len(text) - len(text.lstrip())
    if invented := _NEXT_QUESTION.search(text, begin):
        text = text[: invented.start()]
    if not _WOULD.search(text):
        return text
    sentences, start = [], 0
    for end in [*(found.end() for found in _SENTENCE.finditer(text)), len(text)]:
        sentences.append(text[start:end])
        start = end
    return "".join(sentence for sentence in sentences if not _is_hypothetical(sentence))


def _is_hypothetical(sentence: str) -> bool:
    """Whether it says what the answer would be, if only."""
    place = 0
    for word in (_ANSWER, _WOULD, _IF):
        found = word.search(sentence, place)
        if not found:
            return False
        place = found.end()
    return True


def _announcements(text: str) -> list[str]:
    """What follows each mark, up to the next one; a mark right before another says nothing."""
    marks = list(_MARK.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    return [_announced(mark, end) for mark, end in zip(marks, ends, strict=False)]


def _announced(mark: re.Match[str], end: int) -> str:
    """What a mark announces: the inside of a box, else the first sentence that says something."""
    rest = mark.string[mark.end() : min(end, mark.end() + _REACH)]
    if mark[0].startswith("\\"):
        return _inside_braces(rest)
    line = rest.lstrip().partition("\n")[0]
    if "\n" in mark[0] + rest[: len(rest) - len(rest.lstrip())]:
        line = re.sub(r"^[-*\u2022]\s+", "", line)  # a line of a list
    return ("not " if _DENIED.search(mark[0]) else "") + _first_sentence(line)


def _first_sentence(line: str) -> str:
    initials = [(found.start(), found.end()) for found in _INITIALS.finditer(line)]
    for stop in re.finditer(r"[.!?](?=\s|$)", line):
        place = stop.start()
        abbreviated = line[place] == "." and (
            _ABBREVIATED.search(line[max(0, place - 9) : place])
            or any(start <= place < end for start, end in initials)
        )
        if not abbreviated:
            return line[: place + 1]
    return line


def _inside_braces(text: str) -> str:
    """What a box holds; nothing, if it is never closed and so may be cut off."""
    depth = 1
    for place, letter in enumerate(text):
        depth += (letter == "{") - (letter == "}")
        if depth == 0:
            return text[:place]
    return ""


# --- Letters ---

_L = r"(?:\([A-Ha-h]\)|\[[A-H]\]|(?<![\w'-])(?:option |choice )?[A-H](?![\w']|-\w)\)?)"
_OPTIONS = re.compile(rf"{_L}(?:\s*(?:,\s*(?:and|or)\b|,|/|&|\band\b|\bor\b)\s*(?:the )?{_L})*")
"""One option, or several that are named together."""

_ONE_OPTION = re.compile(r"\(([A-Ha-h])\)|(?<![\w'-])([A-H])(?![\w'])")

_SMALL_LETTER = re.compile(
    r"\W{0,9}(?:[Oo]ption|[Cc]hoice)?\W{0,9}([a-h])(?=\W*$|[):,.])(?!\W*(?:and|or|[a-h])\b)"
)
"""An option in lower case, where nothing else can stand."""

_ARTICLE = re.compile(r"A\s+(?!because\b|since\b|as\b|is\b|and\b|or\b|with\b|at\b|\d)[\w'-]")
"""A capital A before a word is an article."""

_REJECTING = re.compile(
    r"(?:\b(?:not|neither|nor|never|without|unlike|except|instead of|rather than|cannot be"
    r"|rul(?:es?|ed|ing) out|eliminat(?:es?|ed|ing)|exclud(?:es?|ed|ing)|reject(?:s|ed|ing)?"
    r"|discard(?:s|ed|ing)?|cross(?:es|ed|ing)? out)|n't(?: be)?)"
    r"\s+(?:(?:both|either|the|options?|choices?|answers?|letters?)\s+)*$",
    re.IGNORECASE,
)
_REJECTED = re.compile(
    r"(?:(?!\b(?:[A-H]|because|since|as|and)\b)[^.,;:()\n]){0,30}?"
    r"(?:\b(?:is|are|was|were|be)\s+(?:also |both |all |then |clearly )?"
    r"(?:wrong|incorrect|false|out\b|impossible|eliminated|ruled out|excluded|rejected|not\b|too\b"
    r"|invalid|discarded)|\b(?:isn't|aren't|can't|cannot|doesn't|does not|fails)\b)",
    re.IGNORECASE,
)
"""What says that an option is not it, before and behind."""

_INTRODUCED = re.compile(
    r"(?:\b(?:options?|choices?|letters?|answers?|choose|chose|pick|select|leaving|leaves?|only|is|be"
    r"|it's|are)\b[\s:]*|[:=]\s*|^\s*|\n\s*)$",
    re.IGNORECASE,
)
_CONCLUDED = re.compile(r"\s*[.!]?\s*(?:\n|$)|\s+is\s+(?:the\s+)?(?:correct|right|true|answer)")
"""Outside of a mark a letter may be anybody's name: only these make an option of it."""


def _options(text: str) -> Iterator[tuple[re.Match[str], str | None]]:
    """Options that are not rejected, with their letter; None where several are named at once."""
    for found in _OPTIONS.finditer(text):
        before = text[max(0, found.start() - 60) : found.start()]
        if _REJECTING.search(before) or _REJECTED.match(text, found.end(), found.end() + 60):
            continue
        letters = {(a or b).upper() for a, b in _ONE_OPTION.findall(found[0])}
        yield found, letters.pop() if len(letters) == 1 else None


def _announced_letter(text: str) -> str | None:
    if small := _SMALL_LETTER.match(text):
        return small[1].upper()
    for found, letter in _options(text):
        digits_behind = found.start() > 0 and re.match(r"A\s+\d", text[found.start() :])
        if not _ARTICLE.match(text, found.start()) and not digits_behind:
            return letter
    return None


def _unmarked_letter(text: str) -> str | None:
    if len(text.strip()) <= 3 and (small := _SMALL_LETTER.match(text)):
        return small[1].upper()
    last = None
    for found, letter in _options(text):
        bracketed = found[0].startswith(("(", "["))
        before = text[max(0, found.start() - 20) : found.start()]
        introduced = _INTRODUCED.search(before) and not re.match(r"A\s+\w", text[found.start() :])
        if bracketed or introduced or _CONCLUDED.match(text, found.end()):
            last = letter
    return last


# --- Yes and no ---

_SAID_NO = (
    r"no(?=\s*(?:[^\w\s-]|\n|$)|\s+(?:he|she|it|they|we|you|i|there|this|that|these|those|the|his"
    r"|her|their|because|since|as|but|and|if|or|a|an)\b)"
)
"""The "no" of "no water" and "no one" says nothing."""

_YES_NO = re.compile(
    r"(?P<nor>\bneither\s+)?"
    r"(?P<not>(?:\bnot\b|n't\b|\bnever\b|\bcannot be\b)\s+(?:(?:a|really|simply|entirely"
    r"|necessarily|always|strictly|quite|actually)\s+)?['\"]?)?"
    rf"\b(?P<word>yes|true|false|{_SAID_NO})\b"
    r"(?P<both>['\"]?\s*(?:/|\bor\b|\bnor\b|,\s*or\b)\s*['\"]?(?:yes|no|true|false)\b)?",
    re.IGNORECASE,
)
"""One of the words with what turns it round, or both words at once."""

_CHINESE = re.compile(r"\s*(\u4e0d\u662f|\u5426|\u662f)\u7684?\s*(?:[.,!]|$)")


def _said(found: re.Match[str]) -> str | None:
    if found["both"] or found["nor"]:
        return None
    yes = found["word"].lower() in ("yes", "true")
    return "yes" if yes != bool(found["not"]) else "no"


def _announced_yes_no(text: str) -> str | None:
    if chinese := _CHINESE.match(text):
        return "yes" if chinese[1] == "\u662f" else "no"
    found = _YES_NO.search(text)
    return _said(found) if found else None


def _unmarked_yes_no(text: str) -> str | None:
    all_said = [_said(found) for found in _YES_NO.finditer(text)]
    return all_said[-1] if all_said else None


# --- Dates ---

_MONTHS = {name[:3].lower(): number for number, name in enumerate(calendar.month_name) if name}
_NAMES = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in calendar.month_name[1:])
_MONTH = rf"(?:{_NAMES}|Sept)\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"

_DATE = re.compile(
    r"(?<![\d/.-])(?:"
    r"(?P<first>\d{1,2})(?P<gap>[/.-])(?P<second>\d{1,2})(?P=gap)(?P<year>\d{4})"
    r"|(?P<iso_year>\d{4})(?P<iso_gap>[/.-])(?P<iso_month>\d{1,2})(?P=iso_gap)(?P<iso_day>\d{1,2})"
    r"|(?P<han_year>\d{4})\s?\u5e74\s?(?P<han_month>\d{1,2})\s?\u6708\s?(?P<han_day>\d{1,2})\s?\u65e5"
    rf"|(?P<day>{_DAY})(?:\s+of\s+|[\s-]+)(?P<month>{_MONTH}),?[\s-]+(?P<day_year>\d{{4}})"
    rf"|(?P<named>\b{_MONTH})\s+(?:the\s+)?(?P<named_day>{_DAY})(?:\s*,\s*|\s+)(?P<named_year>\d{{4}})"
    r")(?![\d/]|[.-]\d)",
    re.IGNORECASE,
)
"""07/29/2002, 2002-07-29, 29th of July 2002, July 29, 2002, and year, month, day in Chinese."""

_AGAIN = re.compile(r"\s*(?:\(|=|or|that is|i\.e\.,?)\s*", re.IGNORECASE)
_UNTIL = re.compile(r"\s*(?:to|until|and|or|through|-|\u2013|/|,|,\s*(?:and|or))\s*", re.IGNORECASE)
_NOT = re.compile(r"(?:\bnot(?: on)?|n't)\s+$", re.IGNORECASE)


@dataclass
class _Day:
    """A date in a text."""

    start: int
    end: int
    value: str | None


def _dates(text: str) -> Iterator[_Day]:
    """Dates that are not denied; those that are joined are one, without a value if they differ."""
    last: _Day | None = None
    for found in _DATE.finditer(text):
        day = _Day(found.start(), found.end(), _day(found))
        if last and _UNTIL.fullmatch(text, last.end, day.start):
            last.end, last.value = day.end, last.value if last.value == day.value else None
            continue
        if last:
            yield last
        last = None if _NOT.search(text[max(0, day.start - 9) : day.start]) else day
    if last:
        yield last


def _day(found: re.Match[str]) -> str | None:
    """A date that exists; in 07/04/2002 the month comes first, unless only the other way is one."""
    if found["first"]:
        orders = [(found["first"], found["second"]), (found["second"], found["first"])]
    else:
        name = found["month"] or found["named"]
        month = _MONTHS[name[:3].lower()] if name else found["iso_month"] or found["han_month"]
        day = found["iso_day"] or found["han_day"] or found["day"] or found["named_day"]
        orders = [(month, day.rstrip("stndrhSTNDRH"))]
    years = ("year", "iso_year", "han_year", "day_year", "named_year")
    year = next(found[name] for name in years if found[name])
    for month, day in orders:
        with suppress(ValueError):
            return date(int(year), int(month), int(day)).isoformat()
    return None


def _announced_date(text: str) -> str | None:
    first = next(_dates(text), None)
    return first.value if first else None


def _unmarked_date(text: str) -> str | None:
    all_days = list(_dates(text))
    return all_days[-1].value if all_days else None


# --- Any kind ---

_DECIDED = re.compile(
    r"(yes|no|true|false)\s*(?:[,.;:!?(]|$|because\b|since\b|as\b)", re.IGNORECASE
)


def _announced_anything(text: str) -> str | None:
    """An option, yes or no, a date, a number, else the words themselves."""
    words = _first_sentence(text.strip(" \t\n\"'")).rstrip(".!? ").strip(" \"'")
    if option := re.fullmatch(r"\(?([A-H])\)?", words) or re.match(r"\(([A-H])\)", words):
        return option[1]
    if _DECIDED.match(words):
        return _announced_yes_no(words)
    if day := _announced_date(words):
        return day
    if starts_with_amount(words) and (number := first_amount(words)) is not None:
        return number
    return words or None


def _unmarked_anything(text: str) -> str | None:
    """What a lone word or date is, else the last number."""
    words = text.strip(" \t\n\"'").rstrip(".!?")
    if re.fullmatch(r"\(?[A-H]\)?|yes|no|true|false", words, re.IGNORECASE) or _DATE.fullmatch(
        words
    ):
        return _announced_anything(words)
    return last_amount(text)


@dataclass(frozen=True)
class _Reader:
    """How answers of a kind are read."""

    announced: Callable[[str], str | None]
    """From what follows a mark, or from a text that is the answer: what it starts with."""
    unmarked: Callable[[str], str | None]
    """From a text without a mark: what it says last."""


_READERS: dict[str, _Reader] = {
    "number": _Reader(first_amount, last_amount),
    "letter": _Reader(_announced_letter, _unmarked_letter),
    "yesno": _Reader(_announced_yes_no, _unmarked_yes_no),
    "date": _Reader(_announced_date, _unmarked_date),
    "any": _Reader(_announced_anything, _unmarked_anything),
}
