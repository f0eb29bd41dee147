"""Repair in SQLite: inventory, documents and parts of shares for peers, and what this safe keeps itself."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Sequence

from durable.sqlite import Connection
from safe_node.accounts import Standing
from safe_node.decisions.retrieval import key_share_checksum
from safe_node.records import ItemName, PieceName
from safe_node.repairs import (
    PAGE_BATCHES,
    HeldBatch,
    InventoryPage,
    OwnBatch,
    SharePart,
    ShownBatch,
    ShownLeaf,
    Word,
    WordKind,
)
from safe_node.store.damage import intact_pieces
from safe_node.store.peers_base import PlacesThere
from safe_node.store.schema import BLOCKS_PER_BLOB, KEY_SHARES_PER_BATCH
from safe_node.store.wallets import OF_ACCOUNT, find_wallet
from trust.errors import PieceRootMismatch
from trust.ids import HASH_BYTES, Hash, OwnerKey, WalletKey
from trust.peer_refusals import PieceUnknown
from trust.piece import BLOCK_BYTES, block_hashes, check_piece
from trust.wallet_refusals import ItemDeleted, StoredPieceDamaged

_DOOMED = "EXISTS (SELECT 1 FROM doomed WHERE piece = pieces.id)"
_MANIFESTS = "SELECT id, manifest_hash, manifest FROM batches WHERE id > ? ORDER BY id LIMIT ?"
_LEAVES = f"""SELECT DISTINCT leaf_index FROM pieces
    WHERE batch = ? AND NOT {_DOOMED} ORDER BY leaf_index"""  # noqa: S608 - a condition of ours
_BATCH = "SELECT id, manifest, signature, leaf_hashes FROM batches WHERE manifest_hash = ?"
_SHOWN = f"""SELECT leaf_index, leaf FROM pieces
    WHERE batch = ? AND NOT {_DOOMED} GROUP BY leaf_index ORDER BY leaf_index"""  # noqa: S608 - a condition of ours
_AT = f"""SELECT {_DOOMED}, x_hash, blob_id, blob_length, block_hashes, content FROM pieces
    WHERE batch = ? AND leaf_index = ? AND x = ?"""  # noqa: S608 - a condition of ours
_KEEPS_KEY = f"SELECT min({_DOOMED}) FROM pieces WHERE batch = ? AND x = ? AND has_key_share"  # noqa: S608 - ours
_KEY = "SELECT share, checksum FROM key_shares WHERE id = ?"
_BLOCKS = "SELECT id, length(content) FROM blocks WHERE id >= ? AND id < ? ORDER BY id"
_BLOCK = "SELECT content FROM blocks WHERE id = ?"
_KEPT = "SELECT leaf_index, x FROM pieces WHERE batch = ?"
_TOMBSTONE = f"SELECT 1 FROM tombstones WHERE {OF_ACCOUNT} AND item_id = ?3 AND generation = ?4"  # noqa: S608 - ours
_CERTIFICATE = f"""SELECT certificate FROM pieces
    WHERE {OF_ACCOUNT} AND item_id = ?3 AND generation = ?4 AND x = ?5 AND NOT {_DOOMED}"""  # noqa: S608 - ours
_WORDS = (
    (
        WordKind.AUTHORISATION,
        """SELECT authorisation, authorisation_signature FROM wallets
            WHERE authorisation IS NOT NULL ORDER BY authorisation""",
    ),
    (WordKind.REVIVAL, "SELECT revival, signature FROM revivals ORDER BY revival"),
    (WordKind.TOMBSTONE, "SELECT tombstone, signature FROM tombstones ORDER BY tombstone"),
    (WordKind.REVOCATION, "SELECT revocation, signature FROM revocations ORDER BY revocation"),
    (WordKind.FORGETTING, "SELECT tombstone, signature FROM forgotten ORDER BY tombstone"),
)
_LOOKED_AT = 4 * PAGE_BATCHES
"""Most manifests that are read for one page."""


def inventory(connection: Connection, after: int, places: PlacesThere) -> InventoryPage:
    """See PeerStore.inventory."""
    rows = connection.execute(_MANIFESTS, (after, _LOOKED_AT)).fetchall()
    held: list[HeldBatch] = []
    last = 0
    for batch, manifest_hash, manifest in rows:
        last = batch
        if places(manifest):
            leaves = tuple(int(row[0]) for row in connection.execute(_LEAVES, (batch,)))
            held += [HeldBatch(Hash(manifest_hash), leaves)] if leaves else []
        if len(held) == PAGE_BATCHES:
            return InventoryPage(tuple(held), last)
    return InventoryPage(tuple(held), last if len(rows) == _LOOKED_AT else 0)


def shown_batch(connection: Connection, manifest_hash: Hash) -> ShownBatch | None:
    """See PeerStore.shown_batch."""
    row = connection.execute(_BATCH, (manifest_hash,)).fetchone()
    if row is None:
        return None
    batch, manifest, signature, leaf_hashes = row
    leaves = tuple(ShownLeaf(*leaf) for leaf in connection.execute(_SHOWN, (batch,)))
    return ShownBatch(manifest, signature, leaf_hashes, leaves) if leaves else None


def value_part(
    connection: Connection, manifest_hash: Hash, x: int, leaf_indices: Sequence[int], start: int, length: int
) -> SharePart:
    """See PeerStore.value_part."""
    batch, manifest = _batch(connection, manifest_hash)
    parts, skip, left = [], start, length
    for leaf_index in leaf_indices:
        row = connection.execute(_AT, (batch, leaf_index, x)).fetchone()
        if row is None or row[3] is None:
            raise PieceUnknown
        if row[0]:
            raise ItemDeleted
        size = int(row[3])
        taken = max(0, min(left, size - skip))
        if taken:
            parts.append(_slice(connection, row, skip, taken))
        skip, left = max(0, skip - size), left - taken
    if left:
        raise PieceUnknown
    return SharePart(manifest, b"".join(parts))


def _slice(
    connection: Connection,
    row: tuple[int, bytes, int | None, int, bytes | None, bytes | None],
    start: int,
    length: int,
) -> bytes:
    """Part of one blob (Secret), with every 64 KiB block of it hashed again."""
    _, x_hash, blob_id, _, hashes, content = row
    if hashes is None or blob_id is None:
        blob = content or b""
        try:
            check_piece(blob, x_hash)
        except PieceRootMismatch:
            raise StoredPieceDamaged from None
        return blob[start : start + length]
    return _of_blocks(connection, blob_id, hashes, start, length)


def _of_blocks(connection: Connection, blob_id: int, hashes: bytes, start: int, length: int) -> bytes:
    first = blob_id * BLOCKS_PER_BLOB
    at, parts = 0, []
    for block, size in connection.execute(_BLOCKS, (first, first + BLOCKS_PER_BLOB)).fetchall():
        if at < start + length and at + size > start:
            chunk = connection.execute(_BLOCK, (block,)).fetchone()
            content = b"" if chunk is None else bytes(chunk[0])
            _check_chunk(content, at, hashes)
            parts.append(content[max(0, start - at) : start + length - at])
        at += size
    found = b"".join(parts)
    if len(found) != length:
        raise StoredPieceDamaged
    return found


def _check_chunk(content: bytes, at: int, hashes: bytes) -> None:
    """Chunks begin at a 64 KiB block's beginning."""
    begin = at // BLOCK_BYTES * HASH_BYTES
    found = b"".join(block_hashes(content))
    if at % BLOCK_BYTES or found != hashes[begin : begin + len(found)]:
        raise StoredPieceDamaged


def key_part(connection: Connection, manifest_hash: Hash, x: int) -> SharePart:
    """See PeerStore.key_part."""
    batch, manifest = _batch(connection, manifest_hash)
    doomed = connection.execute(_KEEPS_KEY, (batch, x)).fetchone()[0]
    if doomed is None:
        raise PieceUnknown
    if doomed:
        raise ItemDeleted
    row = connection.execute(_KEY, (batch * KEY_SHARES_PER_BATCH + x,)).fetchone()
    if row is None or not hmac.compare_digest(key_share_checksum(manifest_hash, x, row[0]), row[1]):
        raise StoredPieceDamaged
    return SharePart(manifest, row[0])


def _batch(connection: Connection, manifest_hash: Hash) -> tuple[int, bytes]:
    row = connection.execute(_BATCH, (manifest_hash,)).fetchone()
    if row is None:
        raise PieceUnknown
    return int(row[0]), row[1]


def own_batch(connection: Connection, manifest_hash: Hash, *, intact: bool = False) -> OwnBatch:
    """See PeerStore.own_batch; `intact`: every piece is hashed again, and what is damaged is not kept."""
    row = connection.execute(_BATCH, (manifest_hash,)).fetchone()
    if row is None:
        return OwnBatch(None, frozenset())
    if intact:
        return OwnBatch(row[1], intact_pieces(connection, row[0], manifest_hash))
    kept = connection.execute(_KEPT, (row[0],))
    return OwnBatch(row[1], frozenset((int(leaf), int(x)) for leaf, x in kept))


def buried(
    connection: Connection, wallet_key: WalletKey, owner_key: OwnerKey | None, items: Collection[ItemName]
) -> frozenset[ItemName]:
    """See PeerStore.buried."""
    whose = (find_wallet(connection, wallet_key), owner_key)
    return frozenset(
        name for name in items if connection.execute(_TOMBSTONE, (*whose, *name)).fetchone() is not None
    )


def words(connection: Connection) -> tuple[Word, ...]:
    """See PeerStore.words."""
    return tuple(
        Word(kind, body, signature) for kind, query in _WORDS for body, signature in connection.execute(query)
    )


def certificates(connection: Connection, caller: Standing, names: Sequence[PieceName]) -> list[bytes | None]:
    """See PeerStore.certificates."""
    whose = (find_wallet(connection, caller.key), caller.owner_key)
    rows = (connection.execute(_CERTIFICATE, (*whose, *name)).fetchone() for name in names)
    return [None if row is None else bytes(row[0]) for row in rows]
