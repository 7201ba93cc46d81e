"""Which hosts are reached without a proxy."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""This machine, which no proxy needs to be asked for."""

_VARIABLES = ("NO_PROXY", "no_proxy")
"""Libraries read one of them or the other, so both say the same."""


def direct(*hosts: str) -> None:
    """Let this process and its children reach some hosts, and this machine, without a proxy."""
    known = [host for name in _VARIABLES for host in os.environ.get(name, "").split(",")]
    together = dict.fromkeys(host.strip() for host in (*known, *LOOPBACK, *hosts))
    for name in _VARIABLES:
        os.environ[name] = ",".join(filter(None, together))


@contextmanager
def without_proxies() -> Iterator[None]:
    """Use no proxy at all for a while: not even a value that means nothing is read."""
    before = {name: os.environ.get(name) for name in _VARIABLES}
    os.environ.update(dict.fromkeys(_VARIABLES, "*"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
