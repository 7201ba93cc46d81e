"""A completion as plain text: without mark-up, and with one sign for each meaning.

What is left of LaTeX is what changes a value: a root, a power, a fraction, which becomes ``1/2``.
"""

import re
import unicodedata

_SIGNS = {
    "\u2010\u2011\u2212\ufe63": "-",
    "\u00a0\u2007\u2009\u202f": "\u202f",  # spaces that part digits but no words
    "\u066c": ",",
    "\u066b": ".",
    "\u2044\u2215": "/",
    "\u3002": ". ",
    "\u3001": ", ",
    "\u2018\u2019\u201a\u02bc": "'",
    "\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d": '"',
    "\u00b7\u22c5\u2219\u2217": "\u00d7",
}
_FULL_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_TABLE = _FULL_WIDTH | {ord(sign): meant for signs, meant in _SIGNS.items() for sign in signs}
"""Signs that mean the same as another one, full-width ones among them."""

_BRACED = r"\s*\{([^{}]*)\}"
_COMMANDS = [
    # 10{,}000 and 10{\,}000 are how TeX groups digits
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"(?<=\d)(?:\{\\[,;:! ]\}|\\[,;:! ])(?=\d)"), "\u202f"),
    (re.compile(r"\\(?:text|mathrm|mathbf|textbf|textit|textrm|mbox|rm)" + _BRACED), r"\1"),
    # the space in front keeps 2\frac{1}{2} from becoming 21/2
    (re.compile(r"\\[dtc]?frac\s*(\d)\s*(\d)"), r" \1/\2"),
    (re.compile(r"\\[dtc]?frac" + _BRACED + _BRACED), r" \1/\2"),
    (re.compile(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![A-Za-z]))"), "°"),
    (re.compile(r"\\(?:times|cdot)(?![A-Za-z])"), "×"),
    (re.compile(r"\\div(?![A-Za-z])"), "÷"),
    (re.compile(r"\\pm(?![A-Za-z])"), "±"),
    (re.compile(r"\\approx(?![A-Za-z])"), "≈"),
    (re.compile(r"\\pi(?![A-Za-z])"), "π"),
    (re.compile(r"\\sqrt(?![A-Za-z])"), "√"),
    (re.compile(r"\\(?:left|right|displaystyle|quad|qquad)(?![A-Za-z])"), " "),
    (re.compile(r"\\[()\[\],;:! ]"), " "),
    (re.compile(r"\\([$%#&_])"), r"\1"),
]
"""LaTeX, the inside of braces before what is around them."""

_EMPHASIS = [
    (re.compile(r"<answer>", re.IGNORECASE), "\nAnswer: "),
    (re.compile(r"</?[A-Za-z]{1,10}>"), " "),
    (re.compile(r"\*\*|__|`"), ""),
    # a lone star is a product, a lone underscore a part of a name
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]{0,80}[^\s*])\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<!\w)_(?=[^\s_])([^_\n]{1,80})_(?!\w)"), r"\1"),
    (re.compile(r"""(?<!\w)(['"])([^'"\n]{1,40})['"](?!\w)"""), r"\2"),
]
"""Bold, italic, tags and quotation marks."""


def plain(text: str) -> str:
    """A text without its dress."""
    text = "".join(map(_fraction, text.translate(_TABLE)))
    for pattern, replacement in (*_COMMANDS, *_EMPHASIS):
        text = pattern.sub(replacement, text)
    return text


def _fraction(letter: str) -> str:
    """Spell ½ as 1/2; leave every other letter, superscripts too."""
    if letter.isascii() or unicodedata.category(letter) != "No":
        return letter
    spelled = unicodedata.normalize("NFKC", letter)
    return " " + spelled.replace("\u2044", "/") if "\u2044" in spelled else letter
