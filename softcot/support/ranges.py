"""Numbers written as ranges, as a reader writes pages to print: `1-3,7`."""

import re


def read_ranges(text: str) -> list[int]:
    """The numbers of `1-3,7`, in the order they are written.

    Raises:
        ValueError: The text is no such list, or a range runs backwards.
    """
    numbers: list[int] = []
    for part in text.split(","):
        ends = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", part)
        if not ends:
            raise ValueError(f"{part!r} is neither a number nor a range")
        first, last = int(ends[1]), int(ends[2] or ends[1])
        if not first <= last < first + 10_000:
            raise ValueError(f"the range {part} is backwards or endless")
        numbers += range(first, last + 1)
    return numbers
