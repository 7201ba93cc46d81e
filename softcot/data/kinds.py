"""Which of the laboratory's kinds of problems a typed question reads like."""

from __future__ import annotations

import re

from softcot.data.tasks import FREE, TASKS

_DATES = re.compile(r"\btoday is\b|\b(which|what)( is the)? date\b", re.I)
_CHOICES = re.compile(r"\banswer choices\b|\(A\).*\(B\)", re.I | re.S)
_YES_NO = re.compile(
    r"(^|[.,!?] *)(is|are|was|were|do|does|did|can|could|would|will|might|may|has|have|had|"
    r"should)\b[^.?!]*\?",
    re.I,
)
_NUMBER = re.compile(r"\d|\bhow (many|much)\b|\bnumber of\b", re.I)
_COUNT = r"(?:[\d,]+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_EVERYDAY = re.compile(
    r"\b(is|are) (that|it)( in all| in total)?\?|\bthan\b|\bequally\.|\binto each of\b|"
    rf"\bshare[sd]? {_COUNT} \w+ (equally|evenly)\b|\b{_COUNT} \w+ are shared equally by\b|"
    rf"{_COUNT} \w+ (with|of) {_COUNT} \w+\b|\binto {_COUNT} equal bags\b|\beach of \w+'s\b",
    re.I,
)
_ASKED = re.compile(
    r"how many (?:[\w ]+? )??(?:(?:do(?:es)?|has) (\w+) (?:have|got)|are (\w+)'s)\b", re.I
)
_OWNS = r"\b{}\b (?:first |now )?(?:has|had|have|owns?|owned|starts?|started)\b"


def likely_kind(question: str) -> str:
    """Name of the kind of problem that a question reads like; free text where it is none.

    The wording decides, and nothing is computed: answer choices, a date, a question for yes or no,
    and for a number whether somebody's things become more or fewer or are compared, shared and
    measured.
    """
    kind = _wording(question)
    return kind if kind in TASKS else FREE.name


def _wording(question: str) -> str:
    if _DATES.search(question):
        return "mini-dates"
    if _CHOICES.search(question):
        return "mini-aqua"
    if _NUMBER.search(question):
        return "mini-asdiv" if _everyday(question) else "mini-gsm"
    return "mini-strategy" if _YES_NO.search(question) else FREE.name


def _everyday(question: str) -> bool:
    """Whether a sum is about a comparison, a share or a measure rather than about a collection."""
    if _EVERYDAY.search(question):
        return True
    asked = _ASKED.search(question)
    name = (asked[1] or asked[2]) if asked else ""
    if not name or name.lower() in ("he", "she", "they", "it", "i", "you", "we"):
        return False
    # Somebody else's things are counted, and those asked for are told by them.
    owns = re.compile(_OWNS.format(re.escape(name)), re.I)
    told = _ASKED.sub("", question)
    others = re.search(rf"\b(?!{re.escape(name)}\b)[A-Z]\w+ (?:has|had|owns) {_COUNT}", told)
    return others is not None and owns.search(told) is None
