"""Looking up in SQLite: by counter Y, then hash X, then the whole certificate, byte for byte [E1]."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from durable.sqlite import Connection
from safe_node.records import AnnouncedBlob, Presented, ReleasedPiece, StoredPiece
from safe_node.store import blobs
from safe_node.store.base import JudgeFetch, JudgeStream
from safe_node.store.schema import KEY_SHARES_PER_BATCH
from trust.errors import PieceRootMismatch
from trust.ids import HASH_BYTES, Hash, OwnerKey, WalletKey
from trust.piece import BLOCK_BYTES, BlockChecker
from trust.refusals import CallTooLarge, Refusal
from trust.wallet_refusals import CertificateUnknown, StoredPieceDamaged

CHUNK_BYTES = 1024 * 1024

_FIND = f"""SELECT wallets.wallet_key, batches.manifest_hash, pieces.certificate, pieces.x, pieces.content,
        pieces.blob_length, pieces.block_hashes, pieces.blob_id, pieces.has_key_share,
        key_shares.share, key_shares.checksum, wallets.owner_key
    FROM pieces
    JOIN wallets ON wallets.id = pieces.wallet
    JOIN batches ON batches.id = pieces.batch
    LEFT JOIN key_shares ON key_shares.id = pieces.batch * {KEY_SHARES_PER_BATCH} + pieces.x
    WHERE pieces.counter = ? AND pieces.x_hash = ? AND pieces.certificate = ?
        AND NOT EXISTS (SELECT 1 FROM doomed WHERE piece = pieces.id)"""  # noqa: S608 - a constant of ours


def find_piece(connection: Connection, presented: Presented) -> StoredPiece | None:
    """The piece that was certified with exactly these bytes, if it is kept here and no tombstone names it."""
    certificate = presented.certificate
    key = (certificate.counter, certificate.x_hash, presented.body)
    row = connection.execute(_FIND, key).fetchone()
    return None if row is None else stored_piece(row)


def stored_piece(row: tuple[object, ...]) -> StoredPiece:
    """One row of the query above."""
    wallet_key, manifest_hash, certificate, x, content, length, hashes, *rest = row
    blob_id, has_key, share, checksum, owner_key = rest
    return StoredPiece(
        wallet_key=WalletKey(_bytes(wallet_key)),
        manifest_hash=Hash(_bytes(manifest_hash)),
        certificate=_bytes(certificate),
        x=_int(x),
        content=_content(content, length, hashes),
        blob_id=None if blob_id is None else _int(blob_id),
        has_key_share=bool(has_key),
        key_share=None if share is None else _bytes(share),
        key_share_checksum=None if checksum is None else _bytes(checksum),
        owner_key=None if owner_key is None else OwnerKey(_bytes(owner_key)),
    )


def _content(content: object, length: object, hashes: object) -> bytes | AnnouncedBlob | None:
    if length is None:
        return None
    if hashes is None:
        return b"" if content is None else _bytes(content)
    joined = _bytes(hashes)
    cut = tuple(joined[start : start + HASH_BYTES] for start in range(0, len(joined), HASH_BYTES))
    return AnnouncedBlob(_int(length), cut)


def _bytes(value: object) -> bytes:
    """STRICT columns hold what they are declared to hold; this only tells the type checker."""
    return value if isinstance(value, bytes) else b""


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def fetch_pieces(
    connection: Connection,
    presented: Sequence[Presented],
    judge: JudgeFetch,
    budget_bytes: int,
    damaged: set[Hash],
) -> list[ReleasedPiece | Refusal]:
    """See SafeStore.fetch; batches in which a piece is damaged are noted in `damaged`."""
    results: list[ReleasedPiece | Refusal] = []
    left = budget_bytes
    for shown in presented:
        stored = find_piece(connection, shown)
        try:
            released = judge(stored, shown.certificate)
        except Refusal as refusal:
            _note(refusal, stored, damaged)
            results.append(refusal)
            continue
        left -= len(released.blob or b"")
        if left < 0:
            raise CallTooLarge("certificates", budget_bytes)
        results.append(released)
    return results


def _note(refusal: Refusal, stored: StoredPiece | None, damaged: set[Hash]) -> None:
    if isinstance(refusal, StoredPieceDamaged) and stored is not None:
        damaged.add(stored.manifest_hash)


def stream_head(
    connection: Connection, presented: Presented, judge: JudgeStream, damaged: set[Hash]
) -> tuple[StoredPiece, ReleasedPiece, AnnouncedBlob]:
    """What SafeStore.stream begins with, and what stands in the database; `damaged` as above."""
    stored = find_piece(connection, presented)
    try:
        head, blob = judge(stored, presented.certificate)
    except Refusal as refusal:
        _note(refusal, stored, damaged)
        raise
    if stored is None:
        raise CertificateUnknown
    return stored, head, blob


def checked_block(
    connection: Connection, presented: Presented, blob_id: int, number: int, checker: BlockChecker
) -> bytes:
    """The next block (Secret) of a stream, hashed again."""
    chunk = blobs.read_block(connection, blob_id, number)
    try:
        checker.check(chunk or b"")
    except PieceRootMismatch:
        erased = find_piece(connection, presented) is None
        raise (CertificateUnknown if erased else StoredPieceDamaged) from None
    return chunk or b""


async def cut(blob: bytes) -> AsyncIterator[bytes]:
    """A blob that is in one row, in chunks; it was checked whole."""
    size = CHUNK_BYTES // BLOCK_BYTES * BLOCK_BYTES
    for start in range(0, len(blob), size):
        yield blob[start : start + size]
