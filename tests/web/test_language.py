"""The Chinese text: nothing on the page is forgotten, and nothing in the catalogue is left over."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment

from softcot.web import language
from softcot.web.explorer import Explorer
from softcot.web.language import CHINESE
from softcot.web.page import Page

ROOT = Path(__file__).parents[2]
WEB = ROOT / "softcot" / "web"
TEMPLATES = sorted((WEB / "templates").glob("*.html"))
ATTRIBUTES = ("aria-label", "title", "placeholder", "data-label")
WILDCARD = re.compile(r"\{n?\}")
NAMES = {
    "SoftCoT",
    "SoftCoT-P",
    "SoftCoT++",
    "SoftCoT Explorer",
    "CoT-Unk",
    "Assist-CoT",
    "LoRA",
    "Coconut",
    "Top-p",
    "mini",
}
"""Texts that are the same in both languages."""

GRADIO = {
    "number input for", "range slider for", "Reset to default value", "Use via API", "Settings",
    "queue:", "processing |",
}  # fmt: skip
"""Texts of Gradio's own that stand on the page."""


class Texts(HTMLParser):
    """What a reader of some HTML is told; not what a person or a model wrote."""

    def __init__(self, html: str):
        super().__init__()
        self.found: list[str] = []
        self.open: list[bool] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.found += [values[name] for name in ATTRIBUTES if values.get(name)]
        written = tag in ("q", "code", "script", "style") or values.get("translate") == "no"
        if tag not in ("wbr", "br"):
            self.open.append(written or "chips" in (values.get("class") or "").split())

    def handle_endtag(self, tag):
        if self.open:
            self.open.pop()

    def handle_data(self, data):
        if not any(self.open):
            self.found.append(" ".join(data.split()))


def strings(file: Path) -> Iterator[str]:
    """A file's texts, with a NUL for each value that is put into one.

    Those of a module are its strings but for docstrings; those of a template are all of its HTML
    at once, and the strings that stand in its tags.
    """
    source = file.read_text(encoding="utf-8")
    if file.suffix == ".html":
        tokens = list(Environment().lex(source))
        html = "".join(value if kind == "data" else "\0" for _, kind, value in tokens)
        yield " ".join(html.split())
        yield from (ast.literal_eval(value) for _, kind, value in tokens if kind == "string")
        return

    def walk(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                part.value if isinstance(part, ast.Constant) else "\0" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"\{\w+\}", "\0", node.value)
        for child in ast.iter_child_nodes(node):
            inside = isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)
            alone = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if not (inside or alone):
                yield from walk(child)

    yield from walk(ast.parse(source))


def bare(text: str) -> str:
    return text.strip(" .,:;()·%×").casefold()


def known(text: str) -> bool:
    """Whether the page's script would translate a text, as its comments say it does."""
    if not re.search("[A-Za-z]{2}", text) or text in NAMES or text in CHINESE:
        return True
    for english in filter(WILDCARD.search, CHINESE):
        pattern = re.escape(english).replace(r"\{n\}", r"[+−-]?\d[\d.,]*").replace(r"\{\}", ".+")
        if re.fullmatch(pattern, text):
            return True
    parts = text.split(" · ") if " · " in text else re.split(r"(?<=\.) (?=[A-Z])", text)
    return len(parts) > 1 and all(map(known, parts))


@pytest.fixture(scope="module")
def components(pair) -> list[dict]:
    return Page(Explorer(pair)).build().config["components"]


def test_entries_are_chinese_and_have_the_same_wildcards():
    for english, chinese in CHINESE.items():
        assert english == english.strip() and re.search("[\u4e00-\u9fff]", chinese), english
        assert WILDCARD.findall(english) == WILDCARD.findall(chinese), english
        assert not known(chinese) or not re.search("[A-Za-z]{2}", chinese), english


def test_no_entry_is_left_over():
    files = [ROOT / "app.py", *(ROOT / "softcot").rglob("*.py"), *TEMPLATES]
    texts = [text for file in files for text in strings(file)]
    texts += re.findall(">([^<>]+)<", (ROOT / "assets" / "method.svg").read_text("utf-8"))
    texts += re.findall('"([^"\n]*)"', (WEB / "announce.js").read_text("utf-8"))
    used = {bare(part) for text in texts for part in re.split(r'[<>"\0]', text)}
    used |= {bare(text) for text in GRADIO}
    used |= {f"{part}s" for part in used}  # plurals

    def stands(part: str) -> bool:
        words = part.split()
        halves = ((words[:at], words[at:]) for at in range(1, len(words)))
        return part in used or any(
            {bare(" ".join(one)), bare(" ".join(other))} <= used for one, other in halves
        )

    for english in CHINESE:
        parts = [bare(part) for part in WILDCARD.split(english)]
        assert all(stands(part) for part in parts if part), english


def test_every_text_of_a_widget_is_known(components):
    for component in components:
        if component["type"] in ("api", "state"):
            continue
        values = component["props"]
        texts = [values.get(name) for name in ("label", "info", "placeholder")]
        texts += [choice[0] for choice in values.get("choices") or []]
        if "button" in component["type"]:
            texts.append(values.get("value") or values.get("label"))
        for text in filter(None, texts):
            assert known(text), text


def test_every_text_of_the_first_page_is_known(components):
    shown = [one["props"] for one in components if one["type"] == "html"]
    htmls = [values.get("value") or "" for values in shown]
    htmls += [values.get("html_template") or "" for values in shown]
    told = [html for html in htmls if html.startswith("<") and 'class="results"' not in html]
    assert len(told) > 20
    for html in told:
        for text in Texts(html).found:
            assert known(text), text


def test_every_text_of_the_views_is_known():
    entries = "\n".join(CHINESE)
    for file in [*WEB.glob("*views.py"), WEB / "templating.py", *TEMPLATES]:
        if file.stem in ("results", "results_views"):  # the report is in English
            continue
        for text in strings(file):
            if "<" in text:
                texts = Texts(text).found
            else:
                texts = [text] if re.search("[A-Z ]", text.strip()) else []
            for part in (part.strip() for text in texts for part in re.split("\0| · ", text)):
                if re.search("[A-Za-z]{3}", part):
                    assert part in entries or part in NAMES, f"{file.name}: {part}"


def test_the_script_cannot_be_ended_by_an_entry(monkeypatch):
    monkeypatch.setitem(language.CHINESE, "</script>", "</script>")
    assert language.script().count("</script>") == 1
