"""Text as the rest of the package may expect it."""


def clean(text: str) -> str:
    """A lone surrogate (from a shell or a JSON escape) is no text: it becomes "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
