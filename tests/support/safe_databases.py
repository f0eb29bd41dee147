"""What a safe keeps, read from its database file while it runs: pieces, and what belongs to none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pysqlite3 as sqlite3

from trust.ids import WalletKey

_PIECES = """SELECT p.item_id, p.generation, p.x FROM pieces p JOIN wallets w ON w.id = p.wallet
    WHERE w.wallet_key = ?"""
_TOMBSTONES = """SELECT t.item_id, t.generation FROM tombstones t JOIN wallets w ON w.id = t.wallet
    WHERE w.wallet_key = ?"""
_STAGED = """SELECT count(*) FROM blocks b JOIN loose_blobs l ON l.blob_id = b.id / 65536
    JOIN wallets w ON w.id = l.wallet WHERE w.wallet_key = ?"""
_BLOBS = """SELECT coalesce(sum(CASE WHEN blob_id IS NULL THEN coalesce(length(content), 0)
        ELSE (SELECT sum(length(b.content)) FROM blocks b WHERE b.id / 65536 = blob_id) END), 0)
    FROM pieces WHERE item_id = ?"""
_KEY_SHARES = """SELECT coalesce(sum(length(share)), 0) FROM key_shares
    WHERE id / 256 IN (SELECT batch FROM pieces WHERE item_id = ?)"""
_STRAYS = (
    "SELECT count(*) FROM loose_blobs",
    "SELECT count(*) FROM blocks WHERE id / 65536 NOT IN (SELECT blob_id FROM pieces WHERE blob_id NOTNULL)",
    "SELECT count(*) FROM batches WHERE id NOT IN (SELECT batch FROM pieces)",
    "SELECT count(*) FROM key_shares WHERE id / 256 NOT IN (SELECT id FROM batches)",
    """SELECT count(*) FROM pieces p WHERE blob_id NOTNULL AND blob_length IS NOT
        (SELECT sum(length(content)) FROM blocks WHERE id / 65536 = p.blob_id)""",
)


class PieceName(NamedTuple):
    """Which piece of which sealing of which item."""

    item_id: bytes
    generation: int
    x: int


def pieces_of(database: Path, wallet: WalletKey) -> set[PieceName]:
    """The pieces a wallet has there."""
    with _opened(database) as connection:
        return {PieceName(*row) for row in connection.execute(_PIECES, (wallet,))}


def tombstones_of(database: Path, wallet: WalletKey) -> set[tuple[bytes, int]]:
    """Item and generation of everything the wallet had deleted there."""
    with _opened(database) as connection:
        return {(row[0], row[1]) for row in connection.execute(_TOMBSTONES, (wallet,))}


def staged_blocks(database: Path, wallet: WalletKey) -> int:
    """Blocks of uploads of this wallet that are not pieces yet."""
    with _opened(database) as connection:
        return int(connection.execute(_STAGED, (wallet,)).fetchone()[0])


def count_strays(database: Path) -> int:
    """Loose blobs, and blocks, batches and key shares that no piece refers to; pieces without their blob."""
    with _opened(database) as connection:
        return sum(int(connection.execute(query).fetchone()[0]) for query in _STRAYS)


class StoredBytes(NamedTuple):
    """What a safe stores of one item, in bytes."""

    blobs: int
    key_shares: int


def stored_bytes(database: Path, item_id: bytes) -> StoredBytes:
    """Blobs, and key shares of its batch."""
    with _opened(database) as connection:
        return StoredBytes(
            *(int(connection.execute(query, (item_id,)).fetchone()[0]) for query in (_BLOBS, _KEY_SHARES))
        )


def used_bytes(database: Path) -> int:
    """What its pages take, those that wait to be used again aside."""
    with _opened(database) as connection:
        pages, free, size = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
    return (pages - free) * size


@contextmanager
def _opened(database: Path) -> Iterator[Any]:
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    try:
        yield connection
    finally:
        connection.close()
