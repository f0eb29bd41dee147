"""Addresses that nobody outside of this machine can reach."""

import ipaddress
from typing import Final

UNIX_PREFIX: Final = "unix:"


def read_loopback(text: str) -> str:
    """An address of this machine alone, as gRPC takes it.

    Args:
        text: "127.0.0.1:PORT" or "[::1]:PORT"; port 0 is any free one.

    Raises:
        ValueError: It is another address, or none.
    """
    host, _, port = text.rpartition(":")
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise ValueError(f"{text!r} is no address such as 127.0.0.1:7400") from None
    if not address.is_loopback:
        raise ValueError(f"{text!r} can be reached from outside this machine; use 127.0.0.1 or [::1]")
    if not (port.isascii() and port.isdecimal() and int(port) < 2**16):
        raise ValueError(f"{text!r} has no port between 0 and 65535")
    return f"[{address}]:{int(port)}" if address.version == 6 else f"{address}:{int(port)}"


def read_address(text: str) -> str:
    """Where a terminal may listen: "unix:/path", or a loopback address as `read_loopback` takes it.

    Raises:
        ValueError: It is another address, or none.
    """
    if not text.startswith(UNIX_PREFIX):
        return read_loopback(text)
    if not text.removeprefix(UNIX_PREFIX).startswith("/"):
        raise ValueError(f"{text!r} is no address such as unix:/run/user/1000/kura-terminal.sock")
    return text
