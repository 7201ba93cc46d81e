"""What the machine and its environment ask of the app, read and checked before anything is loaded.

Nothing here imports Gradio, which reads its variables as it is imported and fails on bad ones.
"""

import importlib.util
import os
import socket

from softcot.support.errors import UserError
from softcot.support.reading import reason

HOST, PORT = "127.0.0.1", 7860
"""Where the app listens when nobody says anything else."""

PORTS = (1, 65535)
COUNTS = (0, 10**9)

WHOLE_NUMBERS = {
    "GRADIO_SERVER_PORT": PORTS,
    "GRADIO_NODE_SERVER_PORT": PORTS,
    "GRADIO_NUM_PORTS": PORTS,
    "GRADIO_NODE_NUM_PORTS": PORTS,
    "GRADIO_NUM_WORKERS": COUNTS,
    "GRADIO_DEBUG": COUNTS,
    "GRADIO_ANALYTICS_MAX_EVENTS": COUNTS,
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": COUNTS,
    "GRADIO_DEFAULT_CONCURRENCY_LIMIT": PORTS,
}
"""Gradio's variables that it reads as whole numbers, with the least and the most that it takes."""

TAKEN = ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "GRADIO_DEBUG")
"""Those that the app reads itself, and Gradio must not: it would try the address of the variable
where the command line has another, and wait forever before the app is ready."""


def check_mcp() -> None:
    """Refuse to offer tools where Gradio lacks what it needs for that.

    Raises:
        UserError: The extra is not installed.
    """
    if importlib.util.find_spec("mcp") is None:
        raise UserError(
            "The package mcp is not installed, without which Gradio offers no tools; install it "
            "with `pip install 'softcot[mcp]'`, or leave out --mcp."
        )


def settle_variables() -> tuple[str, int]:
    """Drop Gradio's variables that are empty, and refuse those with which it would fail.

    Returns:
        Host and port as the variables say, or `HOST` and `PORT`.

    Raises:
        UserError: A variable has a value that means nothing.
    """
    for name in [name for name in os.environ if name.startswith("GRADIO_")]:
        if not os.environ[name].strip():
            del os.environ[name]
    root = os.environ.get("GRADIO_ROOT_PATH", "/")
    if not root.startswith(("/", "http://", "https://")):
        raise UserError(f"The variable GRADIO_ROOT_PATH must begin with a slash; it is {root!r}.")
    certificates = os.environ.get("SSL_CERT_FILE")
    if certificates and not os.path.isfile(certificates):
        raise UserError(f"The variable SSL_CERT_FILE names {certificates}, which is no file.")
    for name, (least, most) in WHOLE_NUMBERS.items():
        unlimited = name == "GRADIO_DEFAULT_CONCURRENCY_LIMIT" and os.environ.get(name) == "none"
        if name in os.environ and not unlimited:
            whole_number(os.environ[name], f"The variable {name}", least, most)
    host, port, _ = (os.environ.pop(name, None) for name in TAKEN)
    return host or HOST, int(port or PORT)


def whole_number(text: str, what: str, least: int, most: int) -> int:
    """The number that a text is.

    Raises:
        UserError: It is none, or out of range; `what` says whose value it is.
    """
    digits = text.strip()
    if digits.isascii() and digits.isdecimal() and least <= int(digits[:12]) <= most:
        return int(digits)
    raise UserError(f"{what} must be a whole number from {least} to {most}; it is {text!r}.")


def check_address(host: str, port: int) -> None:
    """Listen for a moment, so that a bad address is known before models are loaded.

    Raises:
        UserError: There is no such address here, or it is taken, or not allowed.
    """
    try:
        found = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, *_, address = found[0]
        socket.create_server(address, family=family).close()
    except (OSError, ValueError) as error:  # of a name that is too long, or has odd characters
        raise UserError(
            f"Cannot listen on {host}, port {port} ({reason(error)}). Choose another address with "
            "--host or --port."
        ) from error


def bracketed(host: str) -> str:
    """A host as it stands in an address: IPv6 numbers have colons, and brackets around them."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
