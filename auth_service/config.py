"""The operator's settings: one TOML file, read once, every mistake named by its path.

Example, as `python -m auth_service init` writes it::

    name = "authority"
    listen = "0.0.0.0:7401"
    data_dir = "data"            # relative paths start at this file's folder
    keys_dir = "keys"
    description = "authority.json"

    [accounts]
    registration_open = true
    session_minutes = 60
    assertion_minutes = 5

    [passwords]                  # Argon2id; hashes of other figures are made anew at the next login
    memory_kib = 65536
    passes = 3
    lanes = 4

    [limits]
    calls_per_minute = 120       # from one address
    database_bytes = 0           # 0: until the disk is full

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

MESSAGE_BYTES = 80 * 1024
"""Largest message: a question of 64 KiB, padded and sealed, and what carries it."""


class AccountSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may have an account, and for how long what they get holds.

    Args:
        registration_open: Anyone may register; else nobody, and those who did go on.
        session_minutes: How long a session lives.
        assertion_minutes: How long an assertion holds.
    """

    registration_open: bool = True
    session_minutes: Annotated[int, Meta(ge=1, le=1_440)] = 60
    assertion_minutes: Annotated[int, Meta(ge=1, le=10)] = 5


class PasswordSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a guess at a stolen hash costs, and how many are made here at once.

    Args:
        memory_kib: Argon2id memory of one hash.
        passes: Argon2id passes.
        lanes: Argon2id lanes.
        at_once: Hashes made side by side, each with its memory.
        waiting: Further ones that may wait; more calls are refused as Busy.
    """

    memory_kib: Annotated[int, Meta(ge=32, le=4_194_304)] = 65_536
    passes: Annotated[int, Meta(ge=1, le=100)] = 3
    lanes: Annotated[int, Meta(ge=1, le=64)] = 4
    at_once: Annotated[int, Meta(ge=1, le=64)] = 2
    waiting: Annotated[int, Meta(ge=0, le=10_000)] = 64


class LimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What this authority accepts.

    Args:
        calls_per_minute: Of one address; 0 is no limit.
        database_bytes: Most bytes of the database file; 0 is no limit.
    """

    calls_per_minute: Annotated[int, Meta(ge=0, le=1_000_000)] = 120
    database_bytes: Annotated[int, Meta(ge=0, le=2**62)] = 0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's content; paths are as the process sees them."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    listen: str
    data_dir: str
    keys_dir: str
    description: str
    accounts: AccountSettings = AccountSettings()
    passwords: PasswordSettings = PasswordSettings()
    limits: LimitSettings = LimitSettings()
    log: LogSettings = LogSettings()

    @property
    def address(self) -> Address:
        """`listen`, taken apart."""
        return parse_address(self.listen)


def load_settings(path: Path) -> Settings:
    """Read and check the file.

    Raises:
        ConfigError: It cannot be read, or says something that cannot be meant.
    """
    settings = read_settings(path, Settings)
    parse_address(settings.listen)
    folder = path.resolve().parent
    paths = {name: str(folder / getattr(settings, name)) for name in ("data_dir", "keys_dir", "description")}
    return msgspec.structs.replace(settings, **paths)
