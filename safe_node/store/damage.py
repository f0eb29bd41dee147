"""Damage in SQLite: which pieces of a batch are no longer what was certified, and putting them right.

To hash all that a safe keeps takes too long to be done by the way, so a batch is looked through once somebody
noticed: a wallet that fetched from it, or a peer that asked for a part. What is rebuilt, or brought again, is
byte for byte what was certified, so it takes the damaged bytes' place and the certificate stays.
"""

from __future__ import annotations

import hmac
from itertools import count

from durable.sqlite import Connection
from safe_node.decisions.retrieval import key_share_checksum
from safe_node.records import AdmittedBatch, AnnouncedBlob, PieceName
from safe_node.store import blobs
from safe_node.store.schema import KEY_SHARES_PER_BATCH
from safe_node.store.wallets import find_wallet
from threshold.errors import ThresholdError
from trust.errors import PieceRootMismatch
from trust.ids import HASH_BYTES, Hash
from trust.piece import BlockChecker, check_piece

_PIECES = """SELECT leaf_index, x, has_key_share, x_hash, blob_id, blob_length, block_hashes, content
    FROM pieces WHERE batch = ?"""
_KEY = "SELECT share, checksum FROM key_shares WHERE id = ?"
_KEPT = """SELECT id, batch, blob_id FROM pieces
    WHERE wallet = ? AND item_id = ? AND generation = ? AND x = ?"""
_Kept = tuple[int, int, int | None]
"""A piece's row, its batch's, and its large blob."""

_PUT = "UPDATE pieces SET content = ? WHERE id = ?"
_PUT_BLOB = "UPDATE pieces SET blob_id = ?, blob_length = ?, block_hashes = ? WHERE id = ?"
_PUT_KEY = "INSERT OR REPLACE INTO key_shares (id, share, checksum) VALUES (?, ?, ?)"


def intact_pieces(connection: Connection, batch: int, manifest_hash: Hash) -> frozenset[tuple[int, int]]:
    """Leaf position and share index of every piece that is what was certified, its key share too."""
    keys: dict[int, bool] = {}
    found = set()
    for leaf_index, x, has_key_share, *blob in connection.execute(_PIECES, (batch,)):
        if has_key_share and x not in keys:
            keys[x] = _is_key_intact(connection, batch, manifest_hash, x)
        if keys.get(x, True) and _is_blob_intact(connection, *blob):
            found.add((int(leaf_index), int(x)))
    return frozenset(found)


def _is_key_intact(connection: Connection, batch: int, manifest_hash: Hash, x: int) -> bool:
    row = connection.execute(_KEY, (batch * KEY_SHARES_PER_BATCH + x,)).fetchone()
    return row is not None and hmac.compare_digest(key_share_checksum(manifest_hash, x, row[0]), row[1])


def _is_blob_intact(
    connection: Connection,
    x_hash: bytes,
    blob_id: int | None,
    length: int | None,
    hashes: bytes | None,
    content: bytes | None,
) -> bool:
    if length is None:
        return True
    try:
        if blob_id is None or hashes is None:
            check_piece(content or b"", x_hash)
        else:
            _check_blocks(connection, x_hash, blob_id, length, hashes)
    except (PieceRootMismatch, ThresholdError):
        return False
    return True


def _check_blocks(connection: Connection, x_hash: bytes, blob_id: int, length: int, hashes: bytes) -> None:
    cut = [hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)]
    checker = BlockChecker(cut, length, x_hash)
    for number in count():
        chunk = blobs.read_block(connection, blob_id, number)
        if chunk is None:
            break
        checker.check(chunk)
    checker.finish()


def mend_small(connection: Connection, batch: AdmittedBatch) -> None:
    """Put key shares and blobs that are kept in one row in the place of what stands; they were checked."""
    _mend_keys(connection, batch)
    for piece in batch.pieces:
        row = _kept(connection, batch, piece.name)
        if row is not None and row[2] is None and isinstance(piece.content, bytes):
            connection.execute(_PUT, (piece.content, row[0]))


def mend_large(connection: Connection, batch: AdmittedBatch, blob_id: int) -> int | None:
    """Put the blob of a batch's one piece in the place of what stands; gives that, which is nobody's now."""
    (piece,) = batch.pieces
    row = _kept(connection, batch, piece.name)
    if row is None or row[2] is None or not isinstance(piece.content, AnnouncedBlob):
        return None
    _mend_keys(connection, batch)
    hashes = b"".join(piece.content.block_hashes)
    connection.execute(_PUT_BLOB, (blob_id, piece.content.length, hashes, row[0]))
    return int(row[2])


def _kept(connection: Connection, batch: AdmittedBatch, name: PieceName) -> _Kept | None:
    wallet = find_wallet(connection, batch.wallet_key)
    row: _Kept | None = connection.execute(_KEPT, (wallet, *name)).fetchone()
    return row


def _mend_keys(connection: Connection, batch: AdmittedBatch) -> None:
    row = _kept(connection, batch, batch.pieces[0].name)
    if row is None:
        return
    connection.executemany(
        _PUT_KEY,
        [
            (
                row[1] * KEY_SHARES_PER_BATCH + share.x,
                share.share,
                key_share_checksum(batch.manifest_hash, share.x, share.share),
            )
            for share in batch.key_shares
        ],
    )
