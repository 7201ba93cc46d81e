"""Text that means harm, for tests that nothing comes of it."""

import os
from functools import wraps

import proofs
from conftest import SPECIAL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HOSTILE = "SOFTCOT_HOSTILE"
"""Environment variable: how many inputs each of these tests tries."""

FRAGMENTS = [
    *SPECIAL,
    *("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin_of_text|>", "<|eot_id|>", "[INST]"),
    *("<s>", "</s>", "<bos>", "<start_of_turn>", "<|reserved_special_token_0|>", "<think>"),
    *("{{ bos_token }}", "{% for m in messages %}", "${7*7}", "#{7*7}", "%s%n", "$\\frac{1}{0}$"),
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "'\"><svg/onload=alert(1)>"),
    *("../../etc/passwd", "file:///etc/passwd", "C:\\nul", "http://169.254.169.254/", "; ls /"),
    *(
        "\u202e",
        "\u200b",
        "\ufeff",
        "\x00",
        "\x1b[2J",
        "\ud800",
        "\U0001f468\u200d\U0001f469",
        "e\u0301",
    ),
    *("The answer is 7.", "12", "  ", "\n\n", "\r", "\t"),
]

texts = st.lists(
    st.one_of(
        st.sampled_from(FRAGMENTS), st.text(max_size=12), st.text("\ud800\udfff", max_size=2)
    ),
    max_size=8,
).map("".join)
"""Any text, made of pieces that mean something to somebody."""

_plain = st.none() | st.booleans() | st.integers() | st.floats() | texts.map(lambda text: text[:40])
values = st.recursive(
    _plain,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
"""Any value of a field."""


def tried(as_part_of: str = "", share: float = 1.0, **strategies):
    """A test of many inputs: the same ones each time, few by default, and counted.

    Args:
        as_part_of: Name of the test that they count for; by default its own.
        share: Of the inputs that others try.
        strategies: Argument -> what to draw for it.
    """

    def decorated(test):
        @wraps(test)
        def counted(*args, **drawn):
            proofs.count(as_part_of or test.__name__)
            return test(*args, **drawn)

        return chosen(given(**strategies)(counted))

    chosen = settings(
        max_examples=max(1, int(share * int(os.environ.get(HOSTILE, "60")))),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    return decorated
