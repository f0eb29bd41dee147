"""An owner's catalogue in SQLite: which batches there are, then one after the other what is kept of each."""

from __future__ import annotations

from durable.sqlite import Connection
from safe_node.accounts import KeptBatch, KeptPiece
from trust.ids import OwnerKey

PIECES_AT_ONCE = 1_000

_BATCHES = """SELECT id FROM batches
    WHERE wallet IN (SELECT id FROM wallets WHERE owner_key = ?) ORDER BY id"""
_BATCH = "SELECT manifest, signature, leaf_hashes FROM batches WHERE id = ?"
_PIECES = "SELECT leaf_index, leaf, certificate FROM pieces WHERE batch = ? ORDER BY leaf_index, x"
_TOMBSTONES = """SELECT tombstone, signature FROM tombstones
    WHERE wallet IN (SELECT id FROM wallets WHERE owner_key = ?1
        UNION SELECT id FROM wallets WHERE wallet_key = ?1)
    ORDER BY wallet, item_id, generation"""
_REVIVALS = "SELECT revival, signature FROM revivals WHERE owner_key = ? ORDER BY tombstone_hash"


def batch_ids(connection: Connection, owner_key: OwnerKey) -> list[int]:
    """Of what the owner's wallets registered, in the order in which it came."""
    return [int(row[0]) for row in connection.execute(_BATCHES, (owner_key,))]


def kept_batch(connection: Connection, batch: int) -> list[KeptBatch]:
    """What is kept of one batch, in parts of at most 1,000 pieces; none where it was deleted meanwhile."""
    row = connection.execute(_BATCH, (batch,)).fetchone()
    if row is None:
        return []
    manifest, signature, leaf_hashes = row
    pieces = tuple(KeptPiece(*piece) for piece in connection.execute(_PIECES, (batch,)))
    starts = range(0, len(pieces), PIECES_AT_ONCE)
    return [
        KeptBatch(manifest, signature, leaf_hashes, pieces[start : start + PIECES_AT_ONCE])
        for start in starts
    ]


def tombstones(connection: Connection, owner_key: OwnerKey) -> list[tuple[bytes, bytes]]:
    """Every tombstone of the owner's items, with its signature."""
    return [(row[0], row[1]) for row in connection.execute(_TOMBSTONES, (owner_key,))]


def revivals(connection: Connection, owner_key: OwnerKey) -> list[tuple[bytes, bytes]]:
    """Every deletion that the owner took back, with its signature."""
    return [(row[0], row[1]) for row in connection.execute(_REVIVALS, (owner_key,))]
