"""Text as the rest of the package may expect it."""


def counted(number: int, noun: str) -> str:
    """So many of something, as in "1 row" and "2 rows"."""
    return f"{number} {noun}{'s' * (number != 1)}"


def clean(text: str) -> str:
    """A lone surrogate (from a shell or a JSON escape) is no text: it becomes "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
