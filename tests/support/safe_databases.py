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


@contextmanager
def _opened(database: Path) -> Iterator[Any]:
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    try:
        yield connection
    finally:
        connection.close()
