"""Invitations: what the operator hands to whom they will let enrol, where the safe asks for it.

A code is 120 random bits as 24 base32 characters; the database keeps its SHA-256 alone. Each is good for one
owner. Making one is a second writer beside the running safe, which SQLite's write-ahead log allows: one row,
one short transaction.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from durable import sqlite
from durable.folder import StoreUnusable
from safe_node.store import schema
from safe_node.store.invitations import add_invitation
from threshold.randomness import RandomSource
from trust.ids import Hash

_CODE_BYTES = 15
_GROUP = 4
_LABEL = b"kura/v1/invitation"


def make_code(rng: RandomSource) -> str:
    """A fresh code (Secret) for people to read out and type: six groups of four, such as ABCD-EF23-..."""
    code = base64.b32encode(rng.read(_CODE_BYTES)).decode()
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def hash_of(text: str) -> Hash | None:
    """What is kept of a code; case, spaces and hyphens do not count. None when nothing is left."""
    code = "".join(text.upper().replace("-", " ").split())
    return _hash(code) if code else None


def _hash(code: str) -> Hash:
    return Hash(hashlib.sha256(_LABEL + code.encode()).digest())


def invite(database: Path, database_bytes: int, rng: RandomSource, now_ms: int) -> str:
    """Write a fresh invitation into a safe's database, and give its code (Secret).

    Args:
        database: The file; the safe may be running.
        database_bytes: The file grows no further; 0 is no limit.
        rng: Draws the code.
        now_ms: When it is made.

    Raises:
        StoreUnusable: There is no database of this version, or it cannot be written.
    """
    if not database.is_file():
        raise StoreUnusable(f"{database}: not there; start the safe once")
    code = make_code(rng)
    try:
        connection = sqlite.open_writer(database, schema.PAGE_BYTES, database_bytes)
        try:
            if connection.execute("PRAGMA user_version").fetchone()[0] != schema.VERSION:
                raise StoreUnusable(f"{database}: of another version; start this version's safe once")
            with sqlite.transaction(connection):
                add_invitation(connection, _hash(code.replace("-", "")), now_ms)
        finally:
            connection.close()
    except sqlite.Error as error:
        raise StoreUnusable(f"{database}: {error}") from None
    return code
