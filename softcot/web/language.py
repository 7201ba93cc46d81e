"""The page's language: English, or Chinese in a browser whose language is Chinese."""

import json
from pathlib import Path

_HERE = Path(__file__).resolve().parent

CHINESE: dict[str, str] = json.loads((_HERE / "chinese.json").read_text(encoding="utf-8"))
"""English text -> Chinese text, as a page shows them; {n} is a number and {} any text."""


def script() -> str:
    """The HTML element that translates a page in the browser."""
    catalogue = json.dumps(CHINESE, ensure_ascii=False).replace("</", "<\\/")
    code = (_HERE / "language.js").read_text(encoding="utf-8")
    return f"<script>{{\nconst CHINESE = {catalogue};\n{code}}}</script>"
