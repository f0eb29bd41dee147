"""The operator's settings: one TOML file, read once, every mistake named by its path.

Example, as `python -m safe_node init` writes it::

    name = "safe-1"
    listen = "0.0.0.0:7301"
    peer_listen = "0.0.0.0:7302"  # the other safes' port; empty: none, and no repair
    data_dir = "data"       # relative paths start at this file's folder
    keys_dir = "keys"
    roster = "roster.json"

    [owners]
    invitation_needed = false
    grace_days = 7          # what an owner's wallet deletes is erased after as many days

    [limits]
    bytes_per_wallet = 0    # 0: no limit

    [repair]
    every_seconds = 300     # 0: only when somebody asks

    [log]
    level = "info"
    json = true
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from durable.settings import Address, LogSettings, parse_address, read_settings
from trust.certificate import COUNTER_LIMIT

KIB = 1024
MIB = 1024 * KIB
BLINDING_BYTES = 32

_Bytes = Annotated[int, Meta(ge=0, le=2**62)]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What this safe accepts.

    Args:
        message_bytes: Largest gRPC message either way.
        entries_per_call: Most pieces, certificates or tombstones in one call.
        unary_blob_bytes: Largest blob that comes or goes in one message.
        stream_blob_bytes: Largest blob that comes or goes as a stream.
        bytes_per_wallet: Most bytes one wallet key may keep here; 0 is no limit.
        database_bytes: Most bytes of the database file; 0 is no limit.
        counter_limit: After this Y the counter returns to 0; lower it in tests only.
    """

    message_bytes: Annotated[int, Meta(ge=2 * MIB, le=64 * MIB)] = 8 * MIB
    entries_per_call: Annotated[int, Meta(ge=1, le=100_000)] = 10_000
    unary_blob_bytes: Annotated[int, Meta(ge=64 * KIB, le=32 * MIB)] = MIB + BLINDING_BYTES
    stream_blob_bytes: Annotated[int, Meta(ge=MIB, le=4096 * MIB)] = 70 * MIB
    bytes_per_wallet: _Bytes = 0
    database_bytes: _Bytes = 0
    counter_limit: Annotated[int, Meta(ge=1, le=COUNTER_LIMIT)] = COUNTER_LIMIT

    def __post_init__(self) -> None:
        """A message must hold the largest unary blob and what goes with it."""
        if self.unary_blob_bytes + MIB // 2 > self.message_bytes:
            raise ValueError("unary_blob_bytes must be at least 512 KiB below message_bytes")


class OwnerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may enrol, and how long an owner may take a deletion back.

    Args:
        invitation_needed: Only who shows an invitation of the operator's (`kura-safe invite`).
        grace_days: What an owner's wallet deletes is erased after as many days; 0: at once.
    """

    invitation_needed: bool = False
    grace_days: Annotated[int, Meta(ge=0, le=30)] = 7


class RepairSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often this safe looks for what it lost.

    Args:
        every_seconds: At the start, and then so often; 0: only when somebody asks.
    """

    every_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 300


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's content; paths are as the process sees them."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    listen: str
    data_dir: str
    keys_dir: str
    roster: str
    peer_listen: str = ""
    owners: OwnerSettings = OwnerSettings()
    limits: Limits = Limits()
    repair: RepairSettings = RepairSettings()
    log: LogSettings = LogSettings()

    @property
    def address(self) -> Address:
        """`listen`, taken apart."""
        return parse_address(self.listen)

    @property
    def peer_address(self) -> Address | None:
        """`peer_listen`, taken apart; None where this safe serves no peers."""
        return parse_address(self.peer_listen) if self.peer_listen else None


def load_settings(path: Path) -> Settings:
    """Read and check the file.

    Raises:
        ConfigError: It cannot be read, or says something that cannot be meant.
    """
    settings = read_settings(path, Settings)
    parse_address(settings.listen)
    if settings.peer_listen:
        parse_address(settings.peer_listen)
    return _absolute(settings, path.resolve().parent)


def next_port(text: str) -> str:
    """The same host, one port further; port 0, which is any free one, stays.

    Raises:
        ConfigError: It is no "host:port", or there is no further port.
    """
    host, port = parse_address(text)
    return str(parse_address(f"{host}:{port + 1 if port else 0}"))


def _absolute(settings: Settings, folder: Path) -> Settings:
    """Paths in the file are relative to the file, wherever the process was started."""
    paths = {name: str(folder / getattr(settings, name)) for name in ("data_dir", "keys_dir", "roster")}
    return msgspec.structs.replace(settings, **paths)
