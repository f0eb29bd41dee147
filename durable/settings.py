"""What the settings of all serving programs share: one TOML file, each mistake named by its path."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import msgspec

_Settings = TypeVar("_Settings", bound=msgspec.Struct)
_LISTEN = re.compile(r"^(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:]{2,45}\]):(?P<port>[0-9]{1,5})$")


@dataclass
class ConfigError(Exception):
    """The configuration cannot be used.

    Args:
        problem: What to mend, for the operator.
    """

    problem: str

    def __str__(self) -> str:
        """Give the problem."""
        return self.problem


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much is logged, and in which form."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    json: bool = True


class Address(NamedTuple):
    """Where to listen; port 0 lets the kernel choose."""

    host: str
    port: int

    def __str__(self) -> str:
        """As gRPC wants it."""
        return f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Take "host:port" apart; IPv6 stands in brackets.

    Raises:
        ConfigError: It is none.
    """
    match = _LISTEN.match(text)
    if match is None or int(match["port"]) > 65_535:
        raise ConfigError(f"listen: {text!r} is not host:port")
    return Address(match["host"], int(match["port"]))


def read_settings(path: Path, kind: type[_Settings]) -> _Settings:
    """Read and check the file.

    Raises:
        ConfigError: It cannot be read, or says something that cannot be meant.
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), kind)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}") from None
